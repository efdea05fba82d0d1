"""Allocation again, for the few Services that changed, where that provably gives the same answer.

What a Service keeps depends on itself, the policy, and who else holds its addresses. So as long as
no unchanged Service holds an address that a changed one holds or held, the answers of those that
keep what they have stand, and only the others are `open`: they are allocated again beside the changed
ones. Where that is not so, the answer here is None, and everything is allocated from scratch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.model.address import IPAddress, family_of
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Reason
from orchestrator.model.policy import Policy
from orchestrator.planner.allocate import allocate_into, held_by
from orchestrator.planner.ledger import Ledger
from orchestrator.planner.pools import PoolOrder

INDEPENDENT = {
    Reason.NO_IP_ALLOCATED,
    Reason.NO_POOLS,
    Reason.NO_CLUSTER_IPS,
    Reason.NOT_ENOUGH_CLUSTER_IPS,
    Reason.INVALID_REQUEST,
    Reason.FAMILY_MISMATCH,
    Reason.ADDRESS_NOT_IN_POOL,
    Reason.UNKNOWN_POOL,
    Reason.POOL_NOT_COMPATIBLE,
}
"""Refusals that follow from the Service and the policy alone, whoever has which address."""


@dataclass(slots=True)
class Allocation:
    """What one allocation left: answers, the ledger, who holds which address, and who is `open`.

    `open` are Services whose answer depends on what others were given.
    """

    answers: dict[ServiceKey, Assignment]
    ledger: Ledger
    holders: Counter[IPAddress]
    held: dict[ServiceKey, tuple[IPAddress, ...]]
    open: set[ServiceKey]


def remember(
    assignments: Iterable[Assignment],
    services: Mapping[ServiceKey, Service],
    pools: PoolOrder,
    local: Local,
) -> Allocation:
    """Index an allocation made from scratch."""
    known = Allocation({}, Ledger(pools), Counter(), {}, set())
    for assignment in assignments:
        service = services[assignment.service]
        _note(known, assignment, service, held_by(service, local))
        known.ledger.take(service, assignment.addresses)
    return known


def _note(
    known: Allocation, answer: Assignment, service: Service, held: tuple[IPAddress, ...]
) -> None:
    known.answers[answer.service] = answer
    if answer.state is not AssignmentState.IGNORED and held:
        known.held[answer.service] = held
        for address in held:
            known.holders[address] += 1
    if _is_open(answer, service, known.ledger.pools):
        known.open.add(answer.service)


def _is_open(answer: Assignment, service: Service, pools: PoolOrder) -> bool:
    """Tell whether the answer may change when others change."""
    if answer.state is AssignmentState.IGNORED or answer.reason in INDEPENDENT:
        return False
    if answer.origin is not Origin.KEPT or answer.reason is not None:
        return True
    families = {family_of(address) for address in answer.addresses}
    pool = pools.by_name.get(answer.pool or "")
    return any(f not in families and pool is not None and pool.has(f) for f in service.families)


def allocate_again(
    known: Allocation,
    changed: Collection[ServiceKey],
    services: Mapping[ServiceKey, Service],
    policy: Policy,
    local: Local,
) -> dict[ServiceKey, Assignment] | None:
    """Return the answers of the `changed` Services, noted in `known`; None when others may change.

    `changed` has those that are `open` too; `services` has those of them that still exist. After
    None `known` is of no use any more.
    """
    contested = {address for key in changed for address in known.held.get(key, ())}
    for key in changed:
        _forget(known, key)
    held = {key: held_by(service, local) for key, service in services.items()}
    contested.update(address for addresses in held.values() for address in addresses)
    if any(known.holders[address] for address in contested):
        return None
    answers = allocate_into(known.ledger, services, policy, local)
    for key, answer in answers.items():
        _note(known, answer, services[key], held[key])
    return answers


def _forget(known: Allocation, key: ServiceKey) -> None:
    answer = known.answers.pop(key, None)
    known.open.discard(key)
    known.holders.subtract(known.held.pop(key, ()))
    if answer is not None:
        known.ledger.release(key, answer.addresses)
