"""What allocation owes whatever is asked for, against rules written down a second time."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.address import AddressRange, Family, family_of
from orchestrator.model.cluster import Cluster, FamilyPolicy, Port, Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Origin
from orchestrator.model.policy import Policy, Pool, ServiceAllocation
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.planner import plan
from orchestrator.planner.free_addresses import FreeAddresses
from tests.unit.planner.world import ip, pool

GOLD = Selector((Requirement("gold", Operator.EXISTS),))
PINNED = ServiceAllocation(priority=1, namespaces=frozenset({"a"}))
FOR_GOLD = ServiceAllocation(service_selectors=(GOLD,))
NAMESPACES = {"a": {}, "b": {"team": "b"}}
POOLS = (
    pool("both", "192.0.2.0/30", "2001:db8::/127"),
    pool("buggy", "198.51.100.254/31", "198.51.101.0/31", avoid_buggy_ips=True),
    pool("gold", "203.0.113.0/31", allocation=FOR_GOLD),
    pool("hand", "192.0.2.8/31", auto_assign=False),
    pool("pinned", "192.0.2.16/31", "2001:db8:1::/127", allocation=PINNED),
)
ADDRESSES = [ip(text) for text in ("192.0.2.0", "192.0.2.1", "192.0.2.8", "192.0.2.16")]
ADDRESSES += [ip("198.51.100.255"), ip("2001:db8::"), ip("2001:db8:1::1"), ip("10.0.0.1")]
PORTS = st.sampled_from([frozenset({Port("TCP", 80)}), frozenset({Port("UDP", 53)})])
addresses = st.lists(st.sampled_from(ADDRESSES), max_size=2, unique_by=family_of).map(tuple)


@st.composite
def services(draw: st.DrawFn) -> dict[ServiceKey, Service]:
    """Some Services that get in each other's way."""
    keys = draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("stuvwx")), unique=True))
    return {ServiceKey(*key): draw(a_service(ServiceKey(*key))) for key in keys}


@st.composite
def a_service(draw: st.DrawFn, key: ServiceKey) -> Service:
    """One Service, whatever it holds and asks for."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    families = pick((Family.IPV4,), (Family.IPV6,), (Family.IPV4, Family.IPV6))
    dual = (FamilyPolicy.PREFER_DUAL_STACK, FamilyPolicy.REQUIRE_DUAL_STACK)
    return Service(
        key,
        labels=pick({}, {"gold": ""}),
        families=families,
        family_policy=pick(*dual) if len(families) > 1 else FamilyPolicy.SINGLE_STACK,
        ports=draw(PORTS),
        sharing_key=pick("", "k"),
        requested_addresses=draw(addresses) if pick(True, False) else (),
        requested_pool=pick(None, None, "both", "hand", "pinned", "none"),
        ingress=draw(addresses),
        created=pick("2025", "2026"),
    )


def decide(some: dict[ServiceKey, Service], pools: tuple[Pool, ...] = POOLS) -> list[Assignment]:
    """Allocate."""
    cluster = Cluster(services=some, namespaces=NAMESPACES)
    return list(plan(cluster, Policy(pools), Local()).assignments)


@settings(max_examples=300)
@given(services())
def test_addresses_are_of_one_pool_that_is_for_the_service(
    some: dict[ServiceKey, Service],
) -> None:
    """What a Service has is of one pool that may serve it, of its families, and never avoided."""
    by_name = {pool_.name: pool_ for pool_ in POOLS}
    for answer in decide(some):
        if answer.state is not AssignmentState.ASSIGNED:
            assert answer.reason is not None
            assert answer.message
            continue
        service, home = some[answer.service], by_name[answer.pool or ""]
        assert all(address in home and not home.avoids(address) for address in answer.addresses)
        assert home.name != "pinned" or service.key.namespace == "a"
        assert home.name != "gold" or "gold" in service.labels
        has = [family_of(address) for address in answer.addresses]
        assert has == sorted(set(has))
        whole = set(has) == set(service.families)
        prefers = service.family_policy is FamilyPolicy.PREFER_DUAL_STACK
        assert whole or prefers or answer.reason is not None


@settings(max_examples=300)
@given(services())
def test_a_plan_that_became_true_is_planned_again(some: dict[ServiceKey, Service]) -> None:
    """Once the answers are in the statuses nobody moves: the next plan keeps everything."""
    first = decide(some)
    written = {
        answer.service: replace(some[answer.service], ingress=answer.addresses) for answer in first
    }
    for before, after in zip(first, decide(written), strict=True):
        assert after.addresses == before.addresses
        assert after.origin is (Origin.KEPT if after.addresses else None)
        assert (after.state, after.pool) == (before.state, before.pool)
        assert (after.reason is None) is (before.reason is None)


@settings(max_examples=300)
@given(services(), st.data())
def test_a_request_that_cannot_be_met_costs_nothing(
    some: dict[ServiceKey, Service], data: st.DataObject
) -> None:
    """A Service that begins to ask for an address outside all pools keeps what it has."""
    first = decide(some)
    written = {
        answer.service: replace(some[answer.service], ingress=answer.addresses) for answer in first
    }
    assigned = [answer for answer in first if answer.state is AssignmentState.ASSIGNED]
    if not assigned:
        return
    unlucky = data.draw(st.sampled_from(assigned))
    asking = replace(written[unlucky.service], requested_addresses=(ip("10.9.9.9"),))
    after = {a.service: a for a in decide({**written, asking.key: asking})}[asking.key]
    assert after.addresses == unlucky.addresses
    assert after.reason is not None


@given(
    st.lists(st.integers(0, 40), max_size=40, unique=True),
    st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=20),
    st.booleans(),
)
def test_lowest_free_address_is_the_one_that_counting_finds(
    used: list[int],
    changes: list[tuple[bool, int]],
    avoid: bool,
) -> None:
    """Bisection finds what looking at every address in turn finds, over any history."""
    first = int(ip("192.0.2.240"))
    ends = ipaddress.IPv4Address(first), ipaddress.IPv4Address(first + 40)
    space = replace(Pool("p", (AddressRange(*ends, 24),)), avoid_buggy_ips=avoid)
    taken = set(used)
    index = FreeAddresses(space, Family.IPV4, [ipaddress.IPv4Address(first + n) for n in used])
    for take, number in changes:
        address = ipaddress.IPv4Address(first + number)
        (index.take if take else index.release)(address)
        (taken.add if take else taken.discard)(number)
        free = [
            first + n
            for n in range(41)
            if n not in taken and not (avoid and (first + n) & 255 in (0, 255))
        ]
        ((_, lowest),) = index.lowest()
        assert lowest == min(free, default=None)


def test_huge_pools_are_no_work() -> None:
    """With 10,000 addresses taken of a /8 and of a /64 the next ones are found at once."""
    space = pool("huge", "10.0.0.0/8", "2001:db8::/64")
    some = {}
    for number in range(10_000):
        key = ServiceKey("a", f"{number:05}")
        four, six = (ip(str(network)) + number for network in ("10.0.0.0", "2001:db8::"))
        families = (Family.IPV4, Family.IPV6)
        some[key] = Service(key, families=families, ingress=(four, six))
    late = Service(
        ServiceKey("a", "late"),
        families=(Family.IPV4, Family.IPV6),
        family_policy=FamilyPolicy.REQUIRE_DUAL_STACK,
    )
    answers = {a.service.name: a for a in decide({**some, late.key: late}, (space,))}
    assert answers["late"].addresses == (ip("10.0.39.16"), ip("2001:db8::2710"))
