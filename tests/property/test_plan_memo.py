"""The memoised planner equals the planner from scratch, whatever changed in between."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.address import AddressRange, Family
from orchestrator.model.alike import changed_keys, common_ends
from orchestrator.model.cluster import (
    Cluster,
    Endpoint,
    FamilyPolicy,
    Node,
    Port,
    Service,
    ServiceKey,
    TrafficPolicy,
)
from orchestrator.model.community import Community
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import AssignmentState, Plan
from orchestrator.model.policy import (
    BGPAdvertisement,
    L2Advertisement,
    Peer,
    Policy,
    Pool,
    Preference,
    ServiceAllocation,
)
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.model.settings import Settings
from orchestrator.model.virtual_ip import (
    Check,
    ExecProbe,
    Health,
    OnDown,
    PathByHealth,
    VirtualIP,
)
from orchestrator.planner import Planner, plan

Draw = st.DrawFn

NAMES = [f"s{number:02}" for number in range(24)]
ADDRESSES = [ip_address(f"192.0.2.{number}") for number in range(8)]
ADDRESSES += [ip_address(f"2001:db8::{number}") for number in range(4)]
OUTSIDE = ip_address("203.0.113.9")
LABELS: list[dict[str, str]] = [{}, {"tier": "a"}]
TIER_A = Selector((Requirement("tier", Operator.EXISTS),))
PORTS = [frozenset({Port("TCP", 80)}), frozenset({Port("TCP", 443)}), frozenset[Port]()]
CHECK = Check(ExecProbe(("true",)))
held_addresses = st.lists(st.sampled_from([*ADDRESSES, OUTSIDE]), max_size=2, unique=True).map(
    tuple
)


@st.composite
def a_service(draw: Draw, name: str) -> Service:
    """Draw a Service that is likely to meet others at an address."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    return Service(
        ServiceKey("default", name),
        load_balancer=pick(True, True, True, False),
        labels=pick(*LABELS),
        traffic_policy=pick(*TrafficPolicy),
        family_policy=pick(*FamilyPolicy),
        families=pick((Family.IPV4,), (Family.IPV6,), tuple(Family), ()),
        ports=pick(*PORTS),
        sharing_key=pick("", "", "k"),
        requested_addresses=pick((), (), (ADDRESSES[0],), (ADDRESSES[1],), (OUTSIDE,)),
        requested_pool=pick(None, None, "small", "nowhere"),
        ingress=draw(held_addresses),
        created=pick("", "2020", "2021"),
    )


@st.composite
def a_vip(draw: Draw, name: str) -> VirtualIP:
    """Draw a VirtualIP."""
    return VirtualIP(
        name,
        addresses=draw(held_addresses),
        pool=draw(st.sampled_from([None, "small", "wide"])),
        bind=draw(st.sampled_from(["lo", None])),
        check=draw(st.sampled_from([CHECK, None])),
        on_down=draw(st.sampled_from(OnDown)),
        paths={Health.DOWN: PathByHealth(med=9)},
    )


def a_pool(name: str, *ranges: str) -> Pool:
    """Make a pool of networks."""
    networks = [ip_network(text) for text in ranges]
    return Pool(
        name, tuple(AddressRange(n.network_address, n.broadcast_address, 24) for n in networks)
    )


ADVERTISEMENTS = (
    BGPAdvertisement("all", communities=frozenset({Community(1, 1)})),
    BGPAdvertisement("short", aggregation_length=30, communities=frozenset({Community(1, 2)})),
    BGPAdvertisement("tier", service_selectors=(TIER_A,), local_pref=200),
    BGPAdvertisement("one", peers=frozenset({"r1"}), med=3),
    BGPAdvertisement("nodes", node_selectors=(TIER_A,)),
)
PEERS = (
    Peer("r1", 64500, 64500, ip_address("10.0.0.1"), dual_stack=True),
    Peer("r2", 64500, 64501, ip_address("10.0.0.2")),
)
LAYER2 = (
    L2Advertisement("all"),
    L2Advertisement("small", pools=frozenset({"small"}), interfaces=frozenset({"eth0"})),
    L2Advertisement("tier", service_selectors=(TIER_A,)),
    L2Advertisement("rather", preferences=(Preference(10, TIER_A),), node_selectors=(TIER_A,)),
)
PINNED = replace(
    a_pool("pinned", "192.0.2.8/31"),
    allocation=ServiceAllocation(priority=1, service_selectors=(TIER_A,)),
)
POOLS = (
    a_pool("small", "192.0.2.0/30"),
    a_pool("wide", "192.0.2.4/30", "2001:db8::/126"),
    PINNED,
)
NODES = (Node("n1"), Node("n2", labels={"tier": "a"}))
ASKING = {"drain": st.sampled_from([None, None, "2026"]), "cordoned": st.booleans()}
"""What a node may say of being drained."""


@st.composite
def a_policy(draw: Draw) -> Policy:
    """Draw a policy."""
    chosen = draw(st.lists(st.sampled_from(ADVERTISEMENTS), unique_by=lambda ad: ad.name))
    on_layer2 = draw(st.lists(st.sampled_from(LAYER2), unique_by=lambda ad: ad.name))
    pools = draw(st.sampled_from([POOLS, POOLS, POOLS[1:], POOLS[:2], POOLS[:1], ()]))
    faulty = draw(st.booleans())
    settings = Settings(drain_on_cordon=draw(st.booleans()))
    layer2 = tuple(on_layer2)
    return Policy(pools, tuple(chosen), PEERS, layer2, settings=settings, pools_faulty=faulty)


endpoint_sets = st.lists(
    st.builds(Endpoint, st.sampled_from(["n1", "n2", None]), st.booleans()), max_size=2
).map(tuple)


class World:
    """The inputs of a planner, changed step by step as a role's are."""

    def __init__(self, data: st.DataObject, services: int, vips: int) -> None:
        draw = self._draw = data.draw
        self.services = {
            s.key: s for s in (draw(a_service(name)) for name in NAMES[: services * 2 : 2])
        }
        self.vips = {name: draw(a_vip(name)) for name in NAMES[:vips]}
        self.endpoints = {key: draw(endpoint_sets) for key in self.services}
        self.policy = draw(a_policy())
        self.nodes = NODES[: draw(st.integers(0, 2))]
        node = draw(st.sampled_from(["n1", None]))
        anywhere = node is None and draw(st.booleans())
        self.local = Local(node, allocates=draw(st.booleans()), anywhere=anywhere)

    def inputs(self) -> tuple[Cluster, Policy, Local]:
        """Give everything as the sources would: equal values may be new objects."""
        cluster = Cluster(
            dict(sorted(self.services.items())),
            dict(self.endpoints),
            {node.name: node for node in self.nodes},
            virtual_ips=dict(sorted(self.vips.items())),
        )
        return cluster, replace(self.policy), replace(self.local)

    def change(self, planned: Plan) -> None:
        """Change one thing."""
        kinds = [
            *[self._service, self._vip, self._health, self._hold, self._endpoint] * 3,
            self._policy,
            self._node,
        ]
        self._draw(st.sampled_from(kinds))(planned)

    def _name(self) -> str:
        return self._draw(st.sampled_from(NAMES))

    def _service(self, _planned: Plan) -> None:
        key = ServiceKey("default", self._name())
        if key in self.services and self._draw(st.booleans()):
            del self.services[key]
        else:
            self.services[key] = self._draw(a_service(key.name))

    def _vip(self, _planned: Plan) -> None:
        name = self._name()
        if name in self.vips and self._draw(st.booleans()):
            del self.vips[name]
        else:
            self.vips[name] = self._draw(a_vip(name))

    def _health(self, _planned: Plan) -> None:
        known = {**self.local.health, self._name(): self._draw(st.sampled_from(Health))}
        self.local = replace(self.local, health=known)

    def _hold(self, planned: Plan) -> None:
        held = {
            str(answer.service): answer.addresses
            for answer in planned.assignments
            if answer.state is AssignmentState.ASSIGNED
        }
        self.local = replace(self.local, held=held)

    def _endpoint(self, _planned: Plan) -> None:
        key = ServiceKey("default", self._name())
        self.endpoints[key] = self._draw(endpoint_sets)

    def _policy(self, _planned: Plan) -> None:
        self.policy = self._draw(a_policy())

    def _node(self, _planned: Plan) -> None:
        asking = st.builds(replace, st.sampled_from(NODES), **ASKING)
        drawn = self._draw(st.lists(asking, max_size=2, unique_by=lambda node: node.name))
        self.nodes = tuple(sorted(drawn, key=lambda node: node.name))
        phase = self._draw(st.sampled_from(DrainPhase))
        self.local = replace(self.local, drain=phase)


def services_of_routes(planned: Plan) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """List who needs each route, which is not part of a route's equality."""
    return sorted(
        (node, peer, str(prefix), route.services)
        for node, ribs in planned.ribs.items()
        for peer, rib in ribs.items()
        for prefix, route in rib.items()
    )


@given(st.data(), st.integers(0, 12), st.integers(0, 4), st.integers(1, 12))
def test_the_memoised_plan_equals_the_plan_from_scratch(
    data: st.DataObject, services: int, vips: int, steps: int
) -> None:
    """After each of any changes one planner's next plan is the same as a fresh plan."""
    planner = Planner()
    world = World(data, services, vips)
    for _ in range(steps):
        planned = planner.plan(*world.inputs())
        fresh = plan(*world.inputs())
        assert planned == fresh
        assert services_of_routes(planned) == services_of_routes(fresh)
        world.change(planned)


def test_an_unchanged_world_gives_the_same_plan_and_a_changed_one_keeps_the_rest() -> None:
    """Nothing is made anew for what did not change: other verdicts and routes are the same objects."""
    services = {
        key: Service(key, families=(Family.IPV4,), ingress=(address,))
        for number in range(200)
        for key, address in [(ServiceKey("d", f"{number:03}"), ip_address(f"10.9.0.{number}"))]
    }
    policy = Policy((a_pool("p", "10.9.0.0/24"),), ADVERTISEMENTS[:1], PEERS)
    ready = dict.fromkeys(services, (Endpoint("n1", usable=True),))
    cluster, planner = Cluster(services, ready), Planner()
    first = planner.plan(cluster, policy, Local("n1"))
    assert planner.plan(replace(cluster), policy, Local("n1")) is first

    key = ServiceKey("d", "100")
    second = planner.plan(Cluster(services, {**ready, key: ()}), policy, Local("n1"))
    assert common_ends(first.verdicts, second.verdicts) == (100, 99)
    assert len(second.ribs["n1"]["r1"]) == 199
    changed = changed_keys(first.ribs["n1"]["r1"], second.ribs["n1"]["r1"])
    assert changed == [ip_network("10.9.0.100/32")]


small_maps = st.dictionaries(st.integers(0, 9), st.integers(0, 3))


@given(small_maps, small_maps)
def test_changed_keys_are_those_whose_values_differ(
    old: dict[int, int], new: dict[int, int]
) -> None:
    """For values that are equal only when they are the same, the changed keys are the differing."""
    expected = {key for key in {**old, **new} if old.get(key) != new.get(key)}
    found = changed_keys(old, new)
    assert set(found) == expected
    assert len(found) == len(expected)
