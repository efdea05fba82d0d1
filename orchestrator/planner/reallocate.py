"""Allocation again, for the few Services that changed, where that provably gives the same answer.

What a Service keeps depends on itself, the policy, and who else holds its addresses. So as long as
no unchanged Service holds an address that a changed one holds or held, and no unchanged one had to
be given an address anew, the unchanged ones' answers stand. Where that is not so, the answer here
is None, and everything is allocated from scratch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Reason
from orchestrator.model.policy import Policy
from orchestrator.planner.allocate import Ledger, allocate_into, held_by

INDEPENDENT = {
    Reason.NO_POOLS,
    Reason.NO_CLUSTER_IPS,
    Reason.NOT_ENOUGH_CLUSTER_IPS,
    Reason.INVALID_REQUEST,
    Reason.FAMILY_MISMATCH,
    Reason.ADDRESS_NOT_IN_POOL,
    Reason.UNKNOWN_POOL,
}
"""Refusals that follow from the Service and the policy alone, whoever has which address."""


@dataclass(slots=True)
class Allocation:
    """What one allocation left: answers, who uses and who holds which address, and who is `open`.

    `open` are Services whose answer depends on what others were given.
    """

    answers: dict[ServiceKey, Assignment]
    users: dict[IPAddress, list[Service]]
    holders: Counter[IPAddress]
    held: dict[ServiceKey, tuple[IPAddress, ...]]
    open: set[ServiceKey]


def remember(
    assignments: Iterable[Assignment], services: Mapping[ServiceKey, Service], local: Local
) -> Allocation:
    """Index an allocation made from scratch."""
    known = Allocation({}, {}, Counter(), {}, set())
    for assignment in assignments:
        key = assignment.service
        _note(known, assignment, held_by(services[key], local))
        for address in assignment.addresses:
            known.users.setdefault(address, []).append(services[key])
    return known


def _note(known: Allocation, answer: Assignment, held: tuple[IPAddress, ...]) -> None:
    known.answers[answer.service] = answer
    if answer.state is not AssignmentState.IGNORED and held:
        known.held[answer.service] = held
        for address in held:
            known.holders[address] += 1
    if _is_open(answer):
        known.open.add(answer.service)


def _is_open(answer: Assignment) -> bool:
    if answer.state is AssignmentState.ASSIGNED:
        return answer.origin is not Origin.KEPT
    return answer.state is AssignmentState.PENDING and answer.reason not in INDEPENDENT


def allocate_again(
    known: Allocation,
    changed: Collection[ServiceKey],
    services: Mapping[ServiceKey, Service],
    policy: Policy,
    local: Local,
) -> dict[ServiceKey, Assignment] | None:
    """Return the answers of the `changed` Services, noted in `known`; None when others may change.

    `services` has those of `changed` that still exist. After None `known` is of no use any more.
    """
    contested = {address for key in changed for address in known.held.get(key, ())}
    for key in changed:
        _forget(known, key)
    held = {key: held_by(service, local) for key, service in services.items()}
    contested.update(address for addresses in held.values() for address in addresses)
    if known.open or any(known.holders[address] for address in contested):
        return None
    answers = allocate_into(Ledger(users=known.users), services, policy, local)
    for key, answer in answers.items():
        _note(known, answer, held[key])
    return answers


def _forget(known: Allocation, key: ServiceKey) -> None:
    answer = known.answers.pop(key, None)
    known.open.discard(key)
    known.holders.subtract(known.held.pop(key, ()))
    for address in answer.addresses if answer else ():
        left = [user for user in known.users[address] if user.key != key]
        if left:
            known.users[address] = left
        else:
            del known.users[address]
