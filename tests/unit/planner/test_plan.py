"""Eligibility, RIBs and verdicts of `plan` (metallb.md 5.1 and 5.2, CLI.md verdicts)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from orchestrator.model.address import Family
from orchestrator.model.cluster import EXCLUDE_LABEL, Cluster, Endpoint, Node, TrafficPolicy
from orchestrator.model.community import Community
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Plan, Reason
from orchestrator.model.policy import BGPAdvertisement, Peer, Policy
from orchestrator.model.route import Route
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.model.virtual_ip import Check, Health, OnDown, PathByHealth, TcpProbe, VirtualIP
from orchestrator.planner import plan
from tests.unit.planner.world import EXTERNAL, POOL, R1, cluster, ip, policy, pool, service

ALL = Local()
WEB = service("web", "203.0.113.10")
NO_NODE = Selector((Requirement("never", Operator.EXISTS),))


def reasons(planned: Plan) -> dict[str, Reason]:
    """Reason by node of the only VIP."""
    return {verdict.node: verdict.reason for verdict in planned.verdicts}


def route(planned: Plan, prefix: str, peer: str = "r1", node: str = "n1") -> Route | None:
    """The route for `prefix` that `peer` is to hold from `node`."""
    return planned.ribs[node][peer].get(ipaddress.ip_network(prefix))


def one_verdict(cluster_: Cluster, policy_: Policy, local: Local = ALL) -> Reason:
    """Reason for the only VIP on the only node."""
    (verdict,) = plan(cluster_, policy_, local).verdicts
    return verdict.reason


def test_ready_service_is_announced_to_every_peer_from_every_node() -> None:
    """Policy Cluster: each eligible node announces the /32 to each of its peers."""
    nodes = (Node("n1"), Node("n2"))
    planned = plan(cluster(WEB, nodes=nodes), policy(peers=(R1, EXTERNAL)), ALL)

    assert reasons(planned) == {"n1": Reason.ANNOUNCED, "n2": Reason.ANNOUNCED}
    for node in ("n1", "n2"):
        assert route(planned, "203.0.113.10/32", "r1", node)
        assert route(planned, "203.0.113.10/32", "ext", node)


def test_local_policy_announces_only_where_an_endpoint_is() -> None:
    """Policy Local: a node without a ready endpoint has the verdict noLocalEndpoints."""
    web = replace(WEB, traffic_policy=TrafficPolicy.LOCAL)
    world = cluster(
        web,
        nodes=(Node("n1"), Node("n2")),
        endpoints={web.key: (Endpoint("n2", usable=True), Endpoint("n1", usable=False))},
    )
    assert reasons(plan(world, policy(), ALL)) == {
        "n1": Reason.NO_LOCAL_ENDPOINTS,
        "n2": Reason.ANNOUNCED,
    }


@pytest.mark.parametrize(
    ("node", "advertisement", "local", "endpoints", "expected"),
    [
        (Node("n1"), BGPAdvertisement("a"), Local(down=frozenset({"n1"})), True, "memberDown"),
        (
            Node("n1"),
            BGPAdvertisement("a"),
            Local(node="n1", drain=DrainPhase.WITHDRAWN),
            True,
            "draining",
        ),
        (
            Node("n1", network_unavailable=True),
            BGPAdvertisement("a", node_selectors=(NO_NODE,)),
            ALL,
            False,
            "noMatchingAdvertisement",
        ),
        (
            Node("n1", network_unavailable=True, labels={EXCLUDE_LABEL: ""}),
            BGPAdvertisement("a"),
            ALL,
            False,
            "nodeNetworkUnavailable",
        ),
        (
            Node("n1", labels={EXCLUDE_LABEL: ""}),
            BGPAdvertisement("a"),
            ALL,
            False,
            "nodeLabeledExcludeBalancers",
        ),
        (
            Node("n1", labels={EXCLUDE_LABEL: ""}),
            BGPAdvertisement("a"),
            Local(ignore_exclude_label=True),
            True,
            "announced",
        ),
        (Node("n1"), BGPAdvertisement("a"), ALL, False, "noEndpoints"),
        (
            Node("n1"),
            BGPAdvertisement("a", pools=frozenset({"other"})),
            ALL,
            True,
            "noMatchingAdvertisement",
        ),
        (
            Node("n1"),
            BGPAdvertisement("a", service_selectors=(NO_NODE,)),
            ALL,
            True,
            "noMatchingAdvertisement",
        ),
    ],
)
def test_first_reason_in_order_is_given(
    node: Node, advertisement: BGPAdvertisement, local: Local, endpoints: bool, expected: str
) -> None:
    """The first reason that applies, in the order of CLI.md, is the verdict."""
    world = cluster(WEB, nodes=(node,), endpoints={WEB.key: (Endpoint("n1", endpoints),)})
    assert one_verdict(world, policy(advertisement), local).value == expected


def test_different_local_preferences_for_one_route_conflict() -> None:
    """Two advertisements that differ in localPref for one route to one peer announce nothing."""
    ads = (BGPAdvertisement("a", local_pref=100), BGPAdvertisement("b", local_pref=200))
    planned = plan(cluster(WEB), policy(*ads), ALL)
    assert reasons(planned) == {"n1": Reason.CONFLICTING_ADVERTISEMENTS}
    assert not planned.ribs["n1"]["r1"]


def test_local_preferences_may_differ_by_peer_or_length() -> None:
    """Disjoint peers, or another aggregation length, are no conflict."""
    by_peer = (
        BGPAdvertisement("a", local_pref=100, peers=frozenset({"r1"})),
        BGPAdvertisement("b", local_pref=200, peers=frozenset({"r2"})),
    )
    r2 = replace(R1, name="r2", address=ip("192.0.2.2"))
    planned = plan(cluster(WEB), policy(*by_peer, peers=(R1, r2)), ALL)
    found = [route(planned, "203.0.113.10/32", peer) for peer in ("r1", "r2")]
    assert [r and r.attributes.local_pref for r in found] == [100, 200]

    by_length = (
        BGPAdvertisement("a", local_pref=100),
        BGPAdvertisement("b", local_pref=200, aggregation_length=24),
    )
    planned = plan(cluster(WEB), policy(*by_length), ALL)
    found = [route(planned, prefix) for prefix in ("203.0.113.10/32", "203.0.113.0/24")]
    assert [r and r.attributes.local_pref for r in found] == [100, 200]


def test_communities_of_all_advertisements_are_united() -> None:
    """One prefix from several advertisements carries the communities of all, sorted."""
    ads = (
        BGPAdvertisement("a", communities=frozenset({Community(2, 2)})),
        BGPAdvertisement("b", communities=frozenset({Community(1, 1), Community(2, 2)})),
    )
    found = route(plan(cluster(WEB), policy(*ads), ALL), "203.0.113.10/32")
    assert found
    assert found.attributes.communities == (Community(1, 1), Community(2, 2))


def test_aggregate_lives_while_any_service_needs_it() -> None:
    """The aggregate names every Service behind it, and goes with the last one."""
    other = service("other", "203.0.113.11")
    ads = policy(BGPAdvertisement("a", aggregation_length=24))
    both = plan(cluster(WEB, other), ads, ALL)
    aggregate = route(both, "203.0.113.0/24")
    assert aggregate
    assert sorted(aggregate.services) == ["default/other", "default/web"]

    half = cluster(WEB, other, endpoints={WEB.key: (Endpoint("n1", usable=True),)})
    assert route(plan(half, ads, ALL), "203.0.113.0/24")
    assert not plan(cluster(WEB, other, endpoints={}), ads, ALL).ribs["n1"]["r1"]


def test_local_preference_stays_inside_the_as() -> None:
    """LOCAL_PREF goes to iBGP peers only (RFC 4271 5.1.5)."""
    planned = plan(
        cluster(WEB), policy(BGPAdvertisement("a", local_pref=300), peers=(R1, EXTERNAL)), ALL
    )
    found = [route(planned, "203.0.113.10/32", peer) for peer in ("r1", "ext")]
    assert [r and r.attributes.local_pref for r in found] == [300, None]


def test_prepended_path_begins_with_the_own_as_on_ebgp_only() -> None:
    """Two prepends on eBGP are the own AS three times; on iBGP they would be a loop."""
    planned = plan(
        cluster(WEB), policy(BGPAdvertisement("a", as_path_prepend=2), peers=(R1, EXTERNAL)), ALL
    )
    found = [route(planned, "203.0.113.10/32", peer) for peer in ("r1", "ext")]
    assert [r and r.attributes.as_path for r in found] == [(), (64500, 64500, 64500)]


def test_next_hop_of_the_other_family_is_this_nodes_address() -> None:
    """IPv6 routes over an IPv4 session use this node's IPv6 address on the session's interface."""
    peer = replace(R1, dual_stack=True)
    v6 = pool("six", "2001:db8:1::/64")
    web = replace(WEB, ingress=(ip("2001:db8:1::10"),), families=(Family.IPV6,))
    known = Local(
        node="n1",
        interfaces={
            "eth0": (
                ipaddress.ip_interface("192.0.2.7/24"),
                ipaddress.ip_interface("fe80::7/64"),
                ipaddress.ip_interface("2001:db8::7/64"),
            )
        },
    )
    planned = plan(cluster(web), policy(pools=(v6,), peers=(peer,)), known)
    found = route(planned, "2001:db8:1::10/128")
    assert found
    assert found.attributes.next_hop == ip("2001:db8::7")


def test_no_next_hop_is_a_verdict() -> None:
    """Where this node has no address of the family, nothing is announced and the reason says so."""
    peer = replace(R1, dual_stack=True)
    web = replace(WEB, ingress=(ip("2001:db8:1::10"),), families=(Family.IPV6,))
    known = Local(node="n1", interfaces={"eth0": (ipaddress.ip_interface("192.0.2.7/24"),)})
    planned = plan(
        cluster(web), policy(pools=(pool("six", "2001:db8:1::/64"),), peers=(peer,)), known
    )
    assert reasons(planned) == {"n1": Reason.NO_NEXT_HOP}
    assert not planned.ribs["n1"]["r1"]


def test_session_carries_its_own_family_only_unless_dual_stack() -> None:
    """Without dualStackAddressFamily an IPv4 session takes no IPv6 route."""
    web = replace(WEB, ingress=(ip("2001:db8:1::10"),), families=(Family.IPV6,))
    planned = plan(cluster(web), policy(pools=(pool("six", "2001:db8:1::/64"),)), ALL)
    assert not planned.ribs["n1"]["r1"]


def test_drain_says_graceful_shutdown_before_it_withdraws() -> None:
    """While a drain waits, routes carry 65535:0 and local preference 0 (RFC 8326)."""
    draining = Local(node="n1", drain=DrainPhase.DEPRIORITISED)
    planned = plan(cluster(WEB), policy(BGPAdvertisement("a", local_pref=300)), draining)
    found = route(planned, "203.0.113.10/32")
    assert found
    assert found.attributes.communities == (Community(65535, 0),)
    assert found.attributes.local_pref == 0
    assert reasons(planned) == {"n1": Reason.DRAINING}


def test_sessions_follow_node_selectors() -> None:
    """A peer whose nodeSelectors do not match a node has no session from it."""
    picky = Peer(
        "picky",
        64500,
        64500,
        ip("192.0.2.9"),
        node_selectors=(Selector((Requirement("rack", Operator.IN, frozenset({"a"})),)),),
    )
    nodes = (Node("n1", labels={"rack": "a"}), Node("n2", labels={"rack": "b"}))
    planned = plan(cluster(nodes=nodes), policy(peers=(R1, picky)), ALL)
    assert [(s.node, s.peer.name) for s in planned.sessions] == [
        ("n1", "r1"),
        ("n1", "picky"),
        ("n2", "r1"),
    ]


CHECK = Check(TcpProbe("127.0.0.1", 80))
VIP = VirtualIP("web", addresses=(ip("203.0.113.10"),), check=CHECK)


def vips(*items: VirtualIP) -> Cluster:
    """A cluster of VirtualIPs."""
    return Cluster(virtual_ips={item.name: item for item in items})


def test_failing_check_withdraws_with_its_reason() -> None:
    """A VirtualIP whose check fails is not announced, and the reason is unhealthy."""
    local = Local(node="box", health={"web": Health.DOWN})
    assert one_verdict(vips(VIP), policy(), local) is Reason.UNHEALTHY
    assert one_verdict(vips(VIP), policy(), Local(node="box")) is Reason.ANNOUNCED


def test_demoted_vip_stays_with_the_attributes_of_its_state() -> None:
    """With onDown demote the route stays, with MED and communities of the state down."""
    vip = replace(
        VIP,
        on_down=OnDown.DEMOTE,
        paths={Health.DOWN: PathByHealth(med=500, communities=frozenset({Community(64500, 9)}))},
    )
    local = Local(node="box", health={"web": Health.DOWN})
    planned = plan(vips(vip), policy(), local)
    found = route(planned, "203.0.113.10/32", node="box")
    assert found
    assert (found.attributes.med, found.attributes.communities) == (500, (Community(64500, 9),))
    assert reasons(planned) == {"box": Reason.ANNOUNCED}


def test_vips_are_bound_whatever_their_health() -> None:
    """A VIP stays on its interface while its check fails; `bind` None leaves it alone."""
    foreign = VirtualIP("foreign", addresses=(ip("203.0.113.11"),), bind=None)
    local = Local(node="box", health={"web": Health.DOWN})
    planned = plan(vips(VIP, foreign), policy(), local)
    assert planned.bindings == {ip("203.0.113.10"): "lo"}


def test_address_outside_every_pool_is_not_allowed() -> None:
    """What is held while a pool is faulty stays assigned, but without a pool it is not announced."""
    stranger = service("stranger", "198.18.0.1")
    planned = plan(cluster(stranger), policy(pools_faulty=True), ALL)
    assert reasons(planned) == {"n1": Reason.IP_NOT_ALLOWED}
    assert planned.assignments[0].addresses == (ip("198.18.0.1"),)
    assert POOL.name not in {a.pool for a in planned.assignments}
