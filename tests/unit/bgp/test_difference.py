"""Which prefixes differ between two RIBs."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.bgp.difference import differences
from orchestrator.model.route import PathAttributes, Rib, Route

PREFIXES = [ipaddress.ip_network(f"192.0.2.{number}/32") for number in range(8)]
COPIES = [ipaddress.ip_network(f"192.0.2.{number}/32") for number in range(8)]
RIBS = st.lists(
    st.tuples(st.sampled_from([*PREFIXES, *COPIES]), st.integers(0, 2)),
    unique_by=lambda one: one[0],
).map(lambda pairs: {p: Route(p, PathAttributes(med=med)) for p, med in pairs})


@given(RIBS, RIBS)
def test_exactly_the_prefixes_that_differ(old: Rib, new: Rib) -> None:
    """Each prefix that was added, changed or removed is named once, whatever the order of the RIBs."""
    found = differences(old, new)
    assert len(found) == len(set(found))
    assert set(found) == {p for p in (*old, *new) if old.get(p) != new.get(p)}


@given(RIBS)
def test_equal_ribs_do_not_differ(rib: Rib) -> None:
    """A copy of a RIB differs in nothing."""
    assert differences(rib, dict(rib)) == []
