"""Bind before announce, unbind after withdraw."""

from __future__ import annotations

import ipaddress

from orchestrator.model.cluster import Cluster
from orchestrator.model.local import Local
from orchestrator.model.policy import BGPAdvertisement
from orchestrator.model.virtual_ip import VirtualIP
from orchestrator.planner import plan
from orchestrator.planner.bind_order import hold_back, to_bind, unbound
from tests.unit.planner.world import ip, policy

ONE, TWO = ip("203.0.113.1"), ip("203.0.113.2")
WORLD = Cluster(
    virtual_ips={"one": VirtualIP("one", (ONE,)), "two": VirtualIP("two", (TWO,), bind="eth0")}
)
LOCAL = Local(node="box")


def test_routes_wait_for_their_address() -> None:
    """A route goes out only once its address is bound; others are not held up by it."""
    planned = plan(WORLD, policy(), LOCAL)
    ribs = planned.ribs["box"]
    missing = unbound(planned, {ONE})
    assert missing == {TWO}
    assert set(hold_back(ribs, planned, missing)["r1"]) == {ipaddress.ip_network(ONE)}
    assert hold_back(ribs, planned, ()) == ribs


def test_aggregate_goes_out_with_the_first_bound_address() -> None:
    """An aggregate is held back only while none of its addresses is bound."""
    planned = plan(WORLD, policy(BGPAdvertisement("a", aggregation_length=24)), LOCAL)
    ribs = planned.ribs["box"]
    assert hold_back(ribs, planned, {TWO}) == ribs
    assert hold_back(ribs, planned, {ONE, TWO})["r1"] == {}


def test_address_stays_bound_until_its_withdraw_is_out() -> None:
    """What a peer may still hold stays bound where it is; then it comes off."""
    holding = {ipaddress.ip_network("203.0.113.2/32")}
    bound = {ONE: "lo", TWO: "eth0"}
    assert to_bind({ONE: "lo"}, bound, holding) == {ONE: "lo", TWO: "eth0"}
    assert to_bind({ONE: "lo"}, bound, ()) == {ONE: "lo"}
