"""What the planner owes whatever the world is: order does not matter, addresses are unique and stay."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.address import AddressRange, IPAddress
from orchestrator.model.cluster import (
    Cluster,
    Endpoint,
    Node,
    Port,
    Service,
    ServiceKey,
    TrafficPolicy,
)
from orchestrator.model.community import Community
from orchestrator.model.local import Local
from orchestrator.model.plan import AssignmentState, Election, Plan, Protocol, Reason
from orchestrator.model.policy import (
    BGPAdvertisement,
    L2Advertisement,
    Peer,
    Policy,
    Pool,
    Preference,
)
from orchestrator.model.selector import Selector
from orchestrator.model.virtual_ip import Check, Health, OnDown, TcpProbe, VirtualIP
from orchestrator.planner import plan
from orchestrator.planner.document import plan_document
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE
from tests.unit.planner.world import ip, pool, service

K = TypeVar("K")
V = TypeVar("V")

NAMES = st.sampled_from("abcdefgh")
NODES = ("n1", "n2", "n3")
POOLS = (pool("one", "192.0.2.0/29"), pool("two", "198.51.100.0/30"))
ADDRESSES = st.sampled_from([ip(f"192.0.2.{n}") for n in range(10)] + [ip("198.51.100.1")])
CHECK = Check(TcpProbe("127.0.0.1", 80))

services = st.builds(
    lambda name, held, wanted, created, **fields: replace(
        service(name, *map(str, held)),
        requested_addresses=wanted,
        created=created,
        ports=frozenset({Port("TCP", 80)}),
        **fields,
    ),
    name=NAMES,
    held=st.lists(ADDRESSES, max_size=1),
    wanted=st.lists(ADDRESSES, max_size=1).map(tuple),
    created=st.sampled_from(["2025", "2026", ""]),
    traffic_policy=st.sampled_from(TrafficPolicy),
    requested_pool=st.sampled_from([None, None, "one", "two", "none"]),
    sharing_key=st.sampled_from(["", "", "k"]),
)
endpoints = st.lists(st.builds(Endpoint, st.sampled_from(NODES), st.booleans()), max_size=3)
virtual_ips = st.builds(
    lambda name, address, pool_name, on_down, check: VirtualIP(
        name,
        () if pool_name else (address,),
        pool_name,
        check=CHECK if check else None,
        on_down=on_down,
    ),
    name=NAMES,
    address=ADDRESSES,
    pool_name=st.sampled_from([None, "one", "two"]),
    on_down=st.sampled_from(OnDown),
    check=st.booleans(),
)
nodes = st.builds(Node, st.sampled_from(NODES), network_unavailable=st.booleans())
advertisements = st.builds(
    BGPAdvertisement,
    name=NAMES,
    pools=st.frozensets(st.sampled_from(["one", "two"]), max_size=2),
    peers=st.frozensets(st.sampled_from(["p", "q"]), max_size=1),
    aggregation_length=st.sampled_from([32, 32, 30]),
    local_pref=st.sampled_from([None, 200]),
    communities=st.frozensets(st.sampled_from([Community(1, 1), Community(1, 2)]), max_size=2),
    med=st.sampled_from([None, 5]),
)
layer2 = st.builds(
    L2Advertisement,
    name=NAMES,
    pools=st.frozensets(st.sampled_from(["one", "two"]), max_size=2),
    interfaces=st.frozensets(st.sampled_from(["eth0", "eth1"]), max_size=1),
    preferences=st.lists(
        st.builds(Preference, st.integers(1, 100), st.just(Selector())), max_size=1
    ).map(tuple),
)
PEERS = (Peer("p", 64500, 64500, ip("10.0.0.1")), Peer("q", 64500, 64501, ip("10.0.0.2")))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Cluster, Policy, Local]:
    """Some Services and VirtualIPs, with what may become of them."""
    some = {one.key: one for one in draw(st.lists(services, max_size=6))}
    vips = {one.name: one for one in draw(st.lists(virtual_ips, max_size=4))}
    cluster = Cluster(
        services=some,
        endpoints={key: tuple(draw(endpoints)) for key in some},
        nodes={one.name: one for one in draw(st.lists(nodes, min_size=1))},
        virtual_ips=vips,
    )
    ads = {one.name: one for one in draw(st.lists(advertisements, max_size=3))}
    l2 = {one.name: one for one in draw(st.lists(layer2, max_size=2))}
    faulty = draw(st.booleans())
    policy = Policy(POOLS, tuple(ads.values()), PEERS, tuple(l2.values()), pools_faulty=faulty)
    health = {name: draw(st.sampled_from(Health)) for name in vips}
    down = draw(st.frozensets(st.sampled_from(NODES), max_size=1))
    return cluster, policy, Local(health=health, down=down)


def shuffled(values: Sequence[V], chances: Random) -> list[V]:
    """The same values in another order."""
    return sorted(values, key=lambda _: chances.random())


def reordered(values: Mapping[K, V], chances: Random) -> dict[K, V]:
    """The same mapping in another order."""
    return dict(shuffled(list(values.items()), chances))


def document(decided: Plan, policy: Policy) -> object:
    """What scripts see of a plan; the words of a verdict may name objects in any order."""
    shown = plan_document(decided, policy, ())
    return {**shown, "verdicts": [{**v, "message": ""} for v in shown["verdicts"]]}


@given(world=worlds(), chances=st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(
    world: tuple[Cluster, Policy, Local], chances: Random
) -> None:
    """The same objects in any order give the same plan, byte for byte."""
    cluster, policy, local = world
    mixed = Cluster(
        services=reordered(cluster.services, chances),
        endpoints={key: tuple(shuffled(some, chances)) for key, some in cluster.endpoints.items()},
        nodes=reordered(cluster.nodes, chances),
        virtual_ips=reordered(cluster.virtual_ips, chances),
    )
    other = replace(
        policy,
        bgp_advertisements=tuple(shuffled(policy.bgp_advertisements, chances)),
        l2_advertisements=tuple(shuffled(policy.l2_advertisements, chances)),
        peers=tuple(shuffled(policy.peers, chances)),
    )
    assert document(plan(mixed, other, local), other) == document(
        plan(cluster, policy, local), policy
    )


@given(world=worlds())
def test_what_has_nothing_to_do_with_it_changes_nothing(
    world: tuple[Cluster, Policy, Local],
) -> None:
    """A Service of another class, a pool nobody asks for and a peer nobody has leave all as it was."""
    cluster, policy, local = world
    before = plan(cluster, policy, local)
    stranger = replace(service("stranger", "192.0.2.1"), load_balancer_class="other")
    elsewhere = replace(pool("zzz", "203.0.113.0/24"), auto_assign=False)
    quiet = BGPAdvertisement("quiet", pools=frozenset({"zzz"}), local_pref=77)
    after = plan(
        replace(cluster, services={**cluster.services, stranger.key: stranger}),
        replace(
            policy,
            pools=(*policy.pools, elsewhere),
            bgp_advertisements=(*policy.bgp_advertisements, quiet),
        ),
        local,
    )
    assert after.ribs == before.ribs
    assert after.verdicts == before.verdicts
    known = [one for one in after.assignments if one.service != stranger.key]
    told = {one.reason for one in known} - {one.reason for one in before.assignments}
    assert not told
    assert [(o.service, o.addresses) for o in known] == [
        (o.service, o.addresses) for o in before.assignments
    ]


@given(world=worlds())
def test_one_node_planned_alone_is_as_in_the_whole(world: tuple[Cluster, Policy, Local]) -> None:
    """What a speaker plans for its own node is what `plan` shows for that node."""
    cluster, policy, local = world
    whole = plan(cluster, policy, local)
    for node in cluster.nodes:
        alone = plan(cluster, policy, replace(local, node=node))
        assert alone.ribs[node] == whole.ribs[node]
        assert alone.verdicts == tuple(v for v in whole.verdicts if v.node == node)
        assert alone.assignments == whole.assignments
        assert _of_services(alone.elections) == _of_services(whole.elections)


def _of_services(elections: Sequence[Election]) -> list[Election]:
    """Leave out VirtualIPs: each node knows of its own health checks only."""
    return [one for one in elections if one.service.namespace != VIRTUAL_IP_NAMESPACE]


@given(world=worlds())
def test_one_node_answers_for_an_address(world: tuple[Cluster, Policy, Local]) -> None:
    """Of all nodes exactly the owner announces on layer 2, and it is none that may not."""
    decided = plan(*world)
    announcing: dict[tuple[ServiceKey, IPAddress | None], list[str]] = {}
    for verdict in decided.verdicts:
        if verdict.protocol is Protocol.LAYER2 and verdict.announced:
            announcing.setdefault((verdict.service, verdict.address), []).append(verdict.node)
    for election in decided.elections:
        owner = [election.owner.node] if election.owner else []
        assert announcing.get((election.service, election.address), []) == owner


@given(world=worlds())
def test_routes_are_those_of_the_verdicts(world: tuple[Cluster, Policy, Local]) -> None:
    """Every route is needed by an announced address in it, and nodes that are down have none."""
    cluster, policy, local = world
    decided = plan(cluster, policy, local)
    announced = {
        (v.node, str(v.service), v.address)
        for v in decided.verdicts
        if v.reason is Reason.ANNOUNCED
    }
    for node, ribs in decided.ribs.items():
        for prefix, route in ((p, r) for rib in ribs.values() for p, r in rib.items()):
            assert route.services
            assert node not in local.down
            for name in route.services:
                assert any((node, name) == key[:2] and key[2] in prefix for key in announced)


@given(world=worlds())
def test_no_address_has_two_owners_that_do_not_share(world: tuple[Cluster, Policy, Local]) -> None:
    """Two Services with one address have one sharing key, one backend and no port in common (P4)."""
    cluster, policy, local = world
    owners: dict[IPAddress, list[Service]] = {}
    for assignment in plan(cluster, policy, local).assignments:
        known = cluster.services.get(assignment.service)
        for address in assignment.addresses:
            owners.setdefault(address, []).append(known or Service(assignment.service))
    for some in owners.values():
        if len(some) > 1:
            assert len({(one.sharing_key, one.backend_key) for one in some}) == 1
            assert all(one.sharing_key for one in some)
            ports = [port for one in some for port in one.ports]
            assert len(ports) == len(set(ports))


STEPS = st.lists(
    st.tuples(st.sampled_from(["toggle", "toggle", "faulty", "pool"]), st.integers(0, 7)),
    max_size=25,
)


@settings(max_examples=200)
@given(STEPS)
def test_addresses_stay_over_any_history(steps: list[tuple[str, int]]) -> None:
    """Who has an address keeps it while it is there and its pool is; nobody shares by accident.

    The addresses held are all that goes from one plan to the next, as over a restart.
    """
    ages = count()
    present: dict[ServiceKey, Service] = {}
    held: dict[str, tuple[IPAddress, ...]] = {}
    pools, faulty = {"one", "two"}, False
    for what, number in steps:
        key = ServiceKey("default", f"s{number}")
        if what == "faulty":
            faulty = not faulty
        elif what == "pool":
            pools ^= {"two"}
        elif present.pop(key, None) is None:
            present[key] = replace(service(key.name), created=f"{next(ages):04}")
        policy = Policy(tuple(p for p in POOLS if p.name in pools), pools_faulty=faulty)
        decided = plan(Cluster(services=present), policy, Local(node="n1", held=held))
        now = {
            str(one.service): one.addresses
            for one in decided.assignments
            if one.state is AssignmentState.ASSIGNED
        }
        given_out = [address for addresses in now.values() for address in addresses]
        assert len(given_out) == len(set(given_out))
        for name in held.keys() & {str(service_key) for service_key in present}:
            keeps = faulty or any(held[name][0] in p for p in policy.pools)
            assert now.get(name) == held[name] or not keeps
        held = now


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_larger_pool_moves_nobody(number: int, more: int) -> None:
    """With more addresses in a pool everyone keeps theirs, and those who had none get one."""
    some = {ServiceKey("default", f"s{n:02}"): service(f"s{n:02}") for n in range(number)}
    first = ip("192.0.2.0")

    def decide(
        size: int, held: Mapping[str, tuple[IPAddress, ...]]
    ) -> dict[str, tuple[IPAddress, ...]]:
        last = ipaddress.ip_address(int(first) + size - 1)
        pools = (Pool("p", (AddressRange(first, last, 24),)),)
        decided = plan(Cluster(services=some), Policy(pools), Local(node="n1", held=held))
        return {str(one.service): one.addresses for one in decided.assignments if one.addresses}

    before = decide(10, {})
    after = decide(10 + more, before)
    assert before.items() <= after.items()
    assert len(after) == min(number, 10 + more)
