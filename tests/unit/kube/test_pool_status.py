"""A pool's status counts its addresses as they can be given, and is written on a change."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.pool_status import MOST, PoolCounts, capacity, pool_counts, pool_write
from orchestrator.model.address import AddressRange, Family
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState
from orchestrator.model.policy import Pool

BASE = int(ip_address("192.0.2.0"))


def pool(*texts: str, avoid: bool = False) -> Pool:
    """A pool of these networks."""
    ranges = [
        AddressRange(one[0], one[-1], one.prefixlen) for one in (ip_network(text) for text in texts)
    ]
    return Pool("edge", tuple(ranges), avoid_buggy_ips=avoid)


def assignment(name: str, *addresses: str) -> Assignment:
    """A Service that has these addresses of the pool."""
    given_ = tuple(ip_address(text) for text in addresses)
    return Assignment(ServiceKey("shop", name), AssignmentState.ASSIGNED, given_, "edge")


@pytest.mark.parametrize(
    ("made", "held", "counts"),
    [
        (pool("192.0.2.0/24"), [], PoolCounts(0, 0, 256, 0)),
        (pool("192.0.2.0/24", avoid=True), ["192.0.2.1"], PoolCounts(1, 0, 253, 0)),
        (pool("192.0.0.0/23", avoid=True), [], PoolCounts(0, 0, 508, 0)),
        (pool("192.0.2.0/24", avoid=True), ["192.0.2.0"], PoolCounts(0, 0, 254, 0)),
        (pool("192.0.2.0/24"), ["198.51.100.1"], PoolCounts(0, 0, 256, 0)),
        (pool("2001:db8::/120", avoid=True), ["2001:db8::"], PoolCounts(0, 1, 0, 255)),
        (
            pool("192.0.2.0/30", "2001:db8::/64"),
            ["192.0.2.1", "2001:db8::1"],
            PoolCounts(1, 1, 3, MOST),
        ),
    ],
)
def test_counts(made: Pool, held: list[str], counts: PoolCounts) -> None:
    """Each family has its own counts; IPv4 addresses that end badly are no capacity."""
    assert pool_counts([made], [assignment("web", *held)]) == {"edge": counts}


def test_shared_addresses_count_once() -> None:
    """Two Services on one address use one; one that waits uses none."""
    both = [assignment("a", "192.0.2.1"), assignment("b", "192.0.2.1")]
    waits = Assignment(ServiceKey("shop", "c"), AssignmentState.PENDING, (), "edge")
    counts = pool_counts([pool("192.0.2.0/30")], [*both, waits])
    assert counts == {"edge": PoolCounts(1, 0, 3, 0)}


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_capacity_is_what_is_not_avoided(start: int, size: int) -> None:
    """The capacity is that of counting address by address."""
    first, last = (ip_address(BASE + offset) for offset in (start, start + size))
    made = Pool("edge", (AddressRange(first, last, 0),), avoid_buggy_ips=True)
    counted = sum(not made.avoids(ip_address(BASE + start + i)) for i in range(size + 1))
    assert capacity(made, Family.IPV4) == counted
    assert capacity(made, Family.IPV6) == 0


@pytest.mark.parametrize("observed", [None, {}, {"assignedIPv4": 1}, PoolCounts(1, 1, 1, 1).status])
def test_written_until_it_is_so(observed: dict[str, int] | None) -> None:
    """A status that says something else, or nothing, is written as a whole; then no more."""
    counts = PoolCounts(1, 0, 3, 0)
    write = pool_write("ours", "edge", counts, observed)
    assert write is not None
    assert write.path == "/apis/metallb.io/v1beta1/namespaces/ours/ipaddresspools/edge/status"
    assert write.body == {"status": counts.status}
    assert pool_write("ours", "edge", counts, counts.status) is None
