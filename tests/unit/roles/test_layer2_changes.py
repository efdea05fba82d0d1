"""What happens on layer 2 is in the journal under the Service it concerns."""

from __future__ import annotations

from orchestrator.adapters.layer2_wire import Happened
from orchestrator.layer2.actions import Became, Event, Happening, RouterState
from orchestrator.model.cluster import Node, Port
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan
from orchestrator.model.policy import L2Advertisement, Policy
from orchestrator.planner import plan
from orchestrator.roles.layer2.report import happened
from orchestrator.roles.layer2_changes import layer2_changes
from tests.unit.planner.world import POOL, cluster, ip, service

VIP = ip("203.0.113.10")


def shared() -> Plan:
    """Two Services on one address."""
    both = [
        service(name, str(VIP), sharing_key="k", ports=frozenset({Port("TCP", port)}))
        for name, port in (("a", 80), ("b", 443))
    ]
    policy = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))
    return plan(cluster(*both, nodes=(Node("n1"),)), policy, Local(node="n1"))


def test_a_claim_is_a_change_of_each_service() -> None:
    """Taking an address is `notOwner -> announced` of every Service that has it."""
    event = happened(Event("eth0", Happening.CLAIMED, VIP))
    found = list(layer2_changes([event], "n1", shared()))
    assert [one.service for one in found] == ["default/a", "default/b"]
    (one,) = {(c.kind, c.old, c.new, c.reason, c.vip, c.message) for c in found}
    assert one == ("vip", "notOwner", "announced", "announced", str(VIP), "eth0")


def test_members_and_routers_have_no_service() -> None:
    """A member that dies and a virtual router that changes are named as `peer`."""
    died = happened(Event("eth0", Happening.MEMBER_DIED, about="n2"))
    became = happened(Became("edge", RouterState.BACKUP, RouterState.MASTER, 100, "the timer"))
    first, second = layer2_changes([died, became], "n1", Plan())
    assert (first.kind, first.old, first.new, first.peer) == ("member", "joined", "died", "n2")
    assert (second.kind, second.old, second.new, second.peer) == (
        "virtualRouter",
        "backup",
        "master",
        "edge",
    )
    assert second.message == "the timer"


def test_everything_that_happens_has_a_kind() -> None:
    """Each happening becomes an event that says what is new."""
    for happening in Happening:
        event = happened(Event("eth0", happening, VIP, "n2", "why"))
        assert isinstance(event, Happened)
        assert event.kind in {"vip", "member", "segment"}
        assert event.new
        assert event.message == "why"
