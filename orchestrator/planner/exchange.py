"""Exchange: Services that ask for addresses which others of them hold get them all at once.

One after the other none of them could move, since none gives up what it has for what is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.planner.choice import Addresses, Choice, choose
from orchestrator.planner.ledger import Ledger, Refusal


def exchange(
    waiting: Iterable[Service], held: Mapping[ServiceKey, Addresses], ledger: Ledger
) -> dict[ServiceKey, Choice]:
    """Return what the first group that can exchange is given; empty when there is none.

    `waiting` are Services that want other addresses than those they hold, in order of age. The
    ledger has what they are given in the place of what they held, or else is as it was.
    """
    movers = {service.key: service for service in waiting if service.key in held}
    for service in movers.values():
        group = _group(service, movers, ledger)
        if len(group) > 1 and (given := _move(group, held, ledger)):
            return given
    return {}


def _group(
    first: Service, movers: Mapping[ServiceKey, Service], ledger: Ledger
) -> dict[ServiceKey, Service]:
    """Collect `first` and whoever has what one of the group asks for; empty if one will not move."""
    group: dict[ServiceKey, Service] = {}
    todo = [first]
    while todo:
        service = todo.pop()
        group[service.key] = service
        for address in service.requested_addresses:
            for user in ledger.users.get(address, ()):
                if user.key not in movers:
                    return {}
                if user.key not in group:
                    todo.append(movers[user.key])
    return group


def _move(
    group: Mapping[ServiceKey, Service], held: Mapping[ServiceKey, Addresses], ledger: Ledger
) -> dict[ServiceKey, Choice]:
    """Give all of a group what they ask for, or leave everything as it is."""
    for key in group:
        ledger.release(key, held[key])
    given: dict[ServiceKey, Choice] = {}
    for key in sorted(group):
        chosen = choose(group[key], ledger)
        if isinstance(chosen, Refusal):
            break
        ledger.take(group[key], chosen.addresses)
        given[key] = chosen
    if len(given) == len(group):
        return given
    for key, choice in given.items():
        ledger.release(key, choice.addresses)
    for key, service in group.items():
        ledger.take(service, held[key])
    return {}
