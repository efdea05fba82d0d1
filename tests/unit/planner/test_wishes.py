"""What the plan makes of an election for this node's layer2 process, and which roles it needs."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Cluster, Node, Port
from orchestrator.model.layer2_desired import Wish
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Plan
from orchestrator.model.policy import BGPAdvertisement, L2Advertisement, Policy, Preference
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.model.settings import Membership, Settings
from orchestrator.model.virtual_ip import Check, Health, TcpProbe, VirtualIP
from orchestrator.model.virtual_router import HealthTrack, VirtualRouter
from orchestrator.planner import plan
from orchestrator.planner.bind_order import router_bindings
from orchestrator.planner.layer2 import ranked
from orchestrator.planner.needed import needed
from orchestrator.planner.wishes import Wishes, desired, health_of_tracks
from tests.unit.planner.world import POOL, R1, cluster, ip, policy, service

VIP = ip("203.0.113.10")
WEB = service("web", str(VIP))
NODES = (Node("n1"), Node("n2", {"rack": "a"}), Node("n3"))
LAYER2 = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))


def wishes(
    planned: Plan, node: str = "n1", unbound: Collection[IPAddress] = (), *, alone: bool = False
) -> tuple[Wish, ...]:
    """Return the wishes of a node that has no memory."""
    return Wishes().of(planned, node, unbound, alone=alone)


def test_every_elected_address_is_told_with_its_candidates() -> None:
    """A wish has the order of candidates, the key, and whether this node may answer."""
    planned = plan(cluster(WEB, nodes=NODES), LAYER2, Local(node="n1"))
    order = ranked(("n1", "n2", "n3"), str(VIP))
    assert wishes(planned) == (Wish(VIP, VIP, wanted=True, candidates=order),)


def test_score_and_interfaces_are_those_of_this_node() -> None:
    """What an advertisement prefers, and where it may answer, is told."""
    rack = Selector((Requirement("rack", Operator.IN, frozenset({"a"})),))
    ad = L2Advertisement("all", interfaces=frozenset({"eth0"}), preferences=(Preference(7, rack),))
    planned = plan(
        cluster(WEB, nodes=NODES), Policy((POOL,), l2_advertisements=(ad,)), Local(node="n2")
    )
    (wish,) = wishes(planned, "n2")
    assert (wish.score, wish.interfaces) == (7, frozenset({"eth0"}))
    assert (wish.candidates or ())[0] == "n2"


def test_who_is_no_candidate_wants_nothing_and_knows_of_it() -> None:
    """A node that drains, or is not selected, has the wish without wanting it."""
    world = cluster(WEB, nodes=NODES)
    draining = plan(world, LAYER2, Local(node="n1", drain=DrainPhase.DEPRIORITISED))
    (wish,) = wishes(draining)
    assert not wish.wanted
    assert "n1" not in (wish.candidates or ())


def test_without_node_objects_the_segment_says_who_there_is() -> None:
    """There is no order of candidates where no Node objects say who they are."""
    planned = plan(Cluster(virtual_ips={"web": VirtualIP("web", (VIP,))}), LAYER2, Local(node="n1"))
    assert [wish.candidates for wish in wishes(planned, alone=True)] == [None]


def test_an_address_that_is_not_bound_is_not_wanted() -> None:
    """Bind comes before announce on layer 2 too."""
    planned = plan(cluster(WEB, nodes=NODES), LAYER2, Local(node="n1"))
    assert [wish.wanted for wish in wishes(planned, unbound={VIP})] == [False]


def test_services_on_one_address_have_one_wish() -> None:
    """A shared address is elected once."""
    shared = [
        service(name, str(VIP), sharing_key="k", ports=frozenset({Port("TCP", port)}))
        for name, port in (("a", 80), ("b", 443))
    ]
    planned = plan(cluster(*shared, nodes=NODES), LAYER2, Local(node="n1"))
    assert len(planned.elections) == 2
    assert len(wishes(planned)) == 1


def test_unchanged_wishes_are_the_same_values() -> None:
    """Of many addresses only those that changed are made again."""
    maker = Wishes()
    planned = plan(cluster(WEB, nodes=NODES), LAYER2, Local(node="n1"))
    first = maker.of(planned, "n1", (), alone=False)
    again = maker.of(planned, "n1", (), alone=False)
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert maker.of(planned, "n1", {VIP}, alone=False) != first


def test_surroundings() -> None:
    """Other nodes' addresses, named interfaces and this node's own addresses are told."""
    nodes = (Node("n1", addresses=(ip("10.0.0.1"),)), Node("n2", addresses=(ip("10.0.0.2"),)))
    ads = (L2Advertisement("a", interfaces=frozenset({"eth0"})), L2Advertisement("b"))
    told = desired((), cluster(WEB, nodes=nodes), Policy(l2_advertisements=ads), {}, "n1")
    assert told.peers == {"n2": (ip("10.0.0.2"),)}
    assert told.named_interfaces == {"eth0"}
    assert told.internal_addresses == {ip("10.0.0.1")}


def test_without_a_node_object_all_own_addresses_are_internal() -> None:
    """A router VM without Node objects counts every segment it has an address on."""
    own = {"eth0": (ipaddress.ip_interface("10.0.0.1/24"),)}
    assert desired((), Cluster(), Policy(), own, "n1").internal_addresses == {ip("10.0.0.1")}


def test_without_its_key_a_node_wants_nothing() -> None:
    """Members that cannot hear each other would both claim: so nothing is claimed."""
    silent = Policy(settings=Settings(Membership(auth_secret="memberlist")))
    wish = Wish(VIP, VIP, wanted=True)
    assert desired((wish,), Cluster(), silent, {}, "n1").wishes == ()


ROUTER = VirtualRouter(
    "edge",
    "eth0",
    7,
    addresses=(ipaddress.ip_interface("fe80::7/64"), ipaddress.ip_interface("2001:db8::7/64")),
    excluded_addresses=(ipaddress.ip_interface("192.0.2.7/24"),),
    track=(HealthTrack("checked"), HealthTrack("plain"), HealthTrack("gone")),
)


def test_what_virtual_routers_have_on_lo() -> None:
    """All but link-local addresses are on lo at all times; with another `bind` none is."""
    assert router_bindings([ROUTER]) == {ip("2001:db8::7"): "lo", ip("192.0.2.7"): "lo"}
    other = VirtualRouter("x", "eth0", 8, addresses=ROUTER.addresses, bind="eth0")
    assert router_bindings([other]) == {}


def test_health_of_tracked_virtual_ips() -> None:
    """One without a check is up, one that is not there is not known."""
    vips = {
        "plain": VirtualIP("plain", (VIP,)),
        "checked": VirtualIP("checked", (VIP,), check=Check(TcpProbe("127.0.0.1", 80))),
    }
    found = health_of_tracks([ROUTER], {"checked": Health.DOWN}, vips)
    assert found == {"checked": False, "gone": None, "plain": True}
    assert health_of_tracks([ROUTER], {}, vips)["checked"] is None


def test_only_needed_roles() -> None:
    """ExaBGP is for peers, layer2 for advertisements and virtual routers, addresses for binding."""
    bgp = policy(BGPAdvertisement("all"), peers=(R1,))
    assert needed(Plan(), bgp) == {"exabgp"}
    assert needed(Plan(), LAYER2) == {"layer2"}
    assert needed(Plan(bindings={VIP: "lo"}), LAYER2) == {"layer2", "addresses"}
    assert needed(Plan(), Policy(virtual_routers=(ROUTER,))) == {"layer2", "addresses"}
    free = VirtualRouter("x", "eth0", 8, addresses=ROUTER.addresses, bind=None)
    assert needed(Plan(), Policy(virtual_routers=(free,))) == {"layer2"}
