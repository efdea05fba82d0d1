"""The difference of two plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.model.cluster import Cluster
from orchestrator.model.local import Local
from orchestrator.model.policy import BGPAdvertisement, Policy
from orchestrator.planner import plan
from orchestrator.planner.difference import PARTS, difference, differs
from orchestrator.planner.document import plan_document
from tests.unit.planner.world import R1, cluster, policy, pool, service

WEB = service("web", "203.0.113.10")


def document(world: Cluster, policy_: Policy) -> dict[str, Any]:
    """Plan, as a document."""
    return plan_document(plan(world, policy_, Local()), policy_, ())


def test_equal_plans_have_no_difference() -> None:
    """Every part is there, and empty."""
    planned = document(cluster(WEB), policy())
    found = difference(planned, planned)
    assert set(found) == set(PARTS)
    assert not differs(found)


def test_parts_of_the_plan_are_all_compared() -> None:
    """A difference leaves out nothing but the problems and the version."""
    planned = document(cluster(WEB), policy())
    assert set(planned) - {"version", "problems"} == set(PARTS)


def test_a_route_with_another_attribute_is_changed_not_replaced() -> None:
    """What is the same object before and after is one entry with both sides."""
    before = document(cluster(WEB), policy(BGPAdvertisement("all")))
    after = document(cluster(WEB), policy(BGPAdvertisement("all", local_pref=200)))
    routes = difference(before, after)["routes"]
    assert (routes["removed"], routes["added"]) == ([], [])
    (pair,) = routes["changed"]
    assert (pair["before"]["localPref"], pair["after"]["localPref"]) == (None, 200)


def test_words_are_no_difference() -> None:
    """How an address came about and who needs a route do not count as a change."""
    before = document(cluster(service("web")), policy())
    address = before["assignments"][0]["addresses"][0]
    after = document(cluster(service("web", address)), policy())
    assert before["assignments"] != after["assignments"]
    assert not differs(difference(before, after))


def test_what_comes_and_goes_is_added_and_removed() -> None:
    """Another pool moves the address: old routes and verdicts go, new ones come."""
    moved = policy(pools=(pool("edge", "198.51.100.0/24"),))
    found = difference(document(cluster(WEB), policy()), document(cluster(WEB), moved))
    assert [entry["prefix"] for entry in found["routes"]["removed"]] == ["203.0.113.10/32"]
    assert [entry["prefix"] for entry in found["routes"]["added"]] == ["198.51.100.0/32"]
    (pair,) = found["assignments"]["changed"]
    assert pair["after"]["addresses"] == ["198.51.100.0"]


def test_a_session_to_another_as_is_changed() -> None:
    """Sessions are told apart by node and peer."""
    other = policy(peers=(replace(R1, peer_asn=64999),))
    found = difference(document(cluster(WEB), policy()), document(cluster(WEB), other))
    assert [pair["after"]["peerASN"] for pair in found["sessions"]["changed"]] == [64999]
