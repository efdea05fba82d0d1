"""Which prefixes differ between two RIBs: fast where a new RIB is nearly the old one."""

from __future__ import annotations

from orchestrator.model.address import IPNetwork
from orchestrator.model.alike import changed_keys
from orchestrator.model.route import Rib


def differences(old: Rib, new: Rib) -> list[IPNetwork]:
    """Return prefixes whose route was added, changed or removed, in the order of the RIBs.

    Hashing an `ip_network` is slow, so both RIBs are compared side by side first: the planner keeps
    what did not change, and one change among 10,000 must be cheap.
    """
    return [prefix for prefix in changed_keys(old, new) if old.get(prefix) != new.get(prefix)]
