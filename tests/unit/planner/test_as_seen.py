"""A cluster seen from outside: what Services have is announced, and who waits says what is wrong."""

from __future__ import annotations

from orchestrator.model.cluster import Service
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Plan, Reason
from orchestrator.planner.as_seen import plan_as_seen
from tests.unit.planner.world import cluster, ip, policy, pool, service

POOL = pool("small", "192.0.2.0/32")


def seen(*services: Service) -> tuple[Plan, dict[str, Assignment]]:
    """The plan, and its assignments by name."""
    made = plan_as_seen(cluster(*services), policy(pools=(POOL,)), Local())
    return made, {one.service.name: one for one in made.assignments}


def test_only_what_is_held_is_announced() -> None:
    """An address that could be given is not, and the message names it and the controller."""
    made, answers = seen(service("a"))
    answer = answers["a"]
    assert (answer.state, answer.reason) == (AssignmentState.PENDING, Reason.NO_IP_ALLOCATED)
    assert "192.0.2.0 from pool small" in (answer.message or "")
    assert "is it running" in (answer.message or "")
    assert made.verdicts == ()


def test_who_waits_says_why() -> None:
    """A Service that cannot be given an address has the controller's reason and Events."""
    _, answers = seen(service("a", "192.0.2.0"), service("b"))
    assert answers["a"].state is AssignmentState.ASSIGNED
    assert answers["b"].reason is Reason.NO_AVAILABLE_ADDRESSES
    assert [one.reason for one in answers["b"].events] == ["AllocationFailed"]


def test_what_the_controller_is_about_to_change_is_said() -> None:
    """A Service that asks for another address than it has is announced with what it has."""
    wide = policy(pools=(pool("small", "192.0.2.0/30"),))
    asking = service("a", "192.0.2.0", requested_addresses=(ip("192.0.2.2"),))
    (answer,) = plan_as_seen(cluster(asking), wide, Local()).assignments
    assert answer.addresses == (ip("192.0.2.0"),)
    assert answer.message == "the controller is about to give it 192.0.2.2 from pool small"


def test_an_address_of_no_pool_is_refused_with_both_reasons() -> None:
    """An address that is not allowed is not announced; its successor is named too."""
    _, answers = seen(service("a", "198.51.100.1"))
    assert answers["a"].reason is Reason.IP_NOT_ALLOWED
    assert "[198.51.100.1] is not allowed in config; the controller" in (answers["a"].message or "")
