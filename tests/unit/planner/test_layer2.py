"""Elections on layer 2 (metallb.md 4.1, DESIGN 8.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.model.address import Family, family_of
from orchestrator.model.cluster import Node, Port, Service, TrafficPolicy
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Plan, Protocol, Reason
from orchestrator.model.policy import L2Advertisement, Policy
from orchestrator.model.virtual_ip import Check, Health, TcpProbe, VirtualIP
from orchestrator.planner import plan
from orchestrator.planner.layer2 import ranked
from tests.unit.planner.world import cluster, ip, pool
from tests.unit.planner.world import service as any_service

NODES = (Node("n1"), Node("n2"), Node("n3"))
POLICY = Policy(
    (pool("edge", "203.0.113.0/24", "2001:db8::/64"),), l2_advertisements=(L2Advertisement("all"),)
)


def decide(*services: Service, local: Local | None = None, policy: Policy = POLICY) -> Plan:
    """Plan for three nodes with an endpoint each."""
    return plan(cluster(*services, nodes=NODES), policy, local or Local())


def owners(planned: Plan) -> dict[str, str | None]:
    """Owner of each address."""
    return {str(e.address): e.owner.node if e.owner else None for e in planned.elections}


@pytest.mark.parametrize(
    ("names", "address", "order"),
    [
        ("node-a node-b node-c", "10.0.0.1", "node-b node-a node-c"),
        ("node-a node-b node-c", "10.0.0.2", "node-b node-c node-a"),
        ("node-a node-b node-c", "2001:db8::1", "node-b node-a node-c"),
        ("edge-a edge-b worker-a", "10.20.30.1", "edge-b worker-a edge-a"),
    ],
)
def test_nodes_are_in_the_order_of_their_hash(names: str, address: str, order: str) -> None:
    """The order is that of sha256(NODE#ADDRESS), ascending as bytes."""
    assert ranked(tuple(names.split()), address) == tuple(order.split())


def service(name: str, *ingress: str, **fields: Any) -> Service:
    """Make a Service that has `ingress`, of the families of these."""
    families = tuple(sorted({family_of(ip(text)) for text in ingress})) or (Family.IPV4,)
    return any_service(name, *ingress, families=families, **fields)


def test_the_first_address_in_the_status_elects_for_both_families() -> None:
    """Whatever the order in which addresses are shown, MetalLB's first one decides."""
    six_first = service("web", "2001:db8::1", "203.0.113.7")
    four_first = service("web", "203.0.113.7", "2001:db8::1")
    for web in (six_first, four_first):
        (owner,) = set(owners(decide(web)).values())
        assert owner == ranked(("n1", "n2", "n3"), str(web.ingress[0]))[0]


def test_a_shared_address_has_one_owner_by_its_oldest_service() -> None:
    """Services on one address have one order of candidates, keyed by the oldest one's first address."""
    old = service(
        "z", "203.0.113.7", created="2020", sharing_key="k", ports=frozenset({Port("TCP", 1)})
    )
    new = service(
        "a",
        "203.0.113.7",
        "2001:db8::1",
        created="2021",
        sharing_key="k",
        ports=frozenset({Port("TCP", 2)}),
    )
    planned = decide(old, new)
    shared = [e for e in planned.elections if str(e.address) == "203.0.113.7"]
    assert {e.service.name for e in shared} == {"a", "z"}
    assert len({e.candidates for e in shared}) == 1
    assert {str(e.key) for e in shared} == {"203.0.113.7"}


def test_an_old_service_without_candidates_does_not_decide() -> None:
    """The key is the first address of the oldest Service that has a candidate for the address."""
    fields: dict[str, Any] = {"sharing_key": "k", "traffic_policy": TrafficPolicy.LOCAL}
    idle = service(
        "idle", "203.0.113.7", created="2020", ports=frozenset({Port("TCP", 1)}), **fields
    )
    busy = service(
        "busy", "203.0.113.7", created="2021", ports=frozenset({Port("TCP", 2)}), **fields
    )
    world = cluster(idle, busy, nodes=NODES)
    world = replace(world, endpoints={busy.key: world.endpoints[busy.key]})
    planned = plan(world, POLICY, Local())
    assert owners(planned)["203.0.113.7"] == ranked(("n1", "n2", "n3"), "203.0.113.7")[0]
    told = {(v.service.name, v.reason) for v in planned.verdicts}
    assert ("idle", Reason.NO_LOCAL_ENDPOINTS) in told
    assert ("busy", Reason.ANNOUNCED) in told


@pytest.mark.parametrize("phase", [DrainPhase.DEPRIORITISED, DrainPhase.WITHDRAWN])
def test_a_draining_node_hands_over_at_once(phase: DrainPhase) -> None:
    """On layer 2 nothing is made unattractive first: a node that drains is no candidate."""
    web = service("web", "203.0.113.7")
    first, second, _ = ranked(("n1", "n2", "n3"), "203.0.113.7")
    planned = decide(web, local=Local(node=first, drain=phase))
    assert owners(planned) == {"203.0.113.7": second}
    assert [v.reason for v in planned.verdicts] == [Reason.DRAINING]


def test_a_failing_check_takes_out_this_node_alone() -> None:
    """What this node finds of its VirtualIP says nothing about the others."""
    address = ip("203.0.113.7")
    vip = VirtualIP("web", (address,), check=Check(TcpProbe("127.0.0.1", 80)))
    world = replace(cluster(nodes=NODES), virtual_ips={"web": vip})
    first, second, _ = ranked(("n1", "n2", "n3"), str(address))
    local = Local(node=first, health={"web": Health.DOWN})
    planned = plan(world, POLICY, local)
    assert owners(planned) == {str(address): second}
    assert [(v.protocol, v.reason) for v in planned.verdicts] == [
        (Protocol.LAYER2, Reason.UNHEALTHY)
    ]


def test_a_box_without_node_objects_answers_itself() -> None:
    """The only member is the first candidate."""
    world = cluster(service("web", "203.0.113.7"), nodes=())
    world = replace(world, endpoints=cluster(service("web"), nodes=NODES).endpoints)
    planned = plan(world, POLICY, Local(node="box"))
    assert owners(planned) == {"203.0.113.7": "box"}
