"""Which prefixes differ between two RIBs: fast where a new RIB is nearly the old one."""

from __future__ import annotations

from itertools import islice

from orchestrator.model.address import IPNetwork
from orchestrator.model.route import Rib


def differences(old: Rib, new: Rib) -> list[IPNetwork]:
    """Return prefixes whose route was added, changed or removed, in the order of the RIBs.

    Hashing an `ip_network` is slow, so as long as both RIBs hold the same prefix objects in the same
    order they are walked side by side: the planner's routes are memoised, and one change among
    10,000 must be cheap.
    """
    found: list[IPNetwork] = []
    alike = 0
    for (prefix, before), (other, after) in zip(old.items(), new.items(), strict=False):
        if prefix is not other:
            break
        alike += 1
        if before is not after and before != after:
            found.append(prefix)
    rest = dict(islice(new.items(), alike, None))
    gone = dict(islice(old.items(), alike, None))
    found += [p for p, route in rest.items() if gone.get(p) is not route and gone.get(p) != route]
    found += [prefix for prefix in gone if prefix not in rest]
    return found
