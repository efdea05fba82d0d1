"""Who does not allocate goes by what each Service has in its status, and says why it has nothing."""

from __future__ import annotations

from orchestrator.model.cluster import Service
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Reason
from orchestrator.planner import plan
from tests.unit.planner.world import cluster, ip, policy, pool, service

SPEAKER = Local("n1", allocates=False)
POOL = pool("small", "192.0.2.0/30")


def answers(*services: Service) -> dict[str, Assignment]:
    """What a speaker takes each Service to have, by name."""
    found = plan(cluster(*services), policy(pools=(POOL,)), SPEAKER).assignments
    return {one.service.name: one for one in found}


def test_nothing_is_given() -> None:
    """A Service without an address in its status has none, however many are free."""
    answer = answers(service("a"))["a"]
    assert (answer.state, answer.reason) == (AssignmentState.PENDING, Reason.NO_IP_ALLOCATED)
    assert answer.events == ()


def test_what_is_held_counts_until_the_controller_changes_it() -> None:
    """An address in the status is announced, also while another one is asked for."""
    held = ip("192.0.2.1")
    asking = service("a", "192.0.2.1", requested_addresses=(ip("192.0.2.2"),))
    answer = answers(asking)["a"]
    assert (answer.state, answer.addresses) == (AssignmentState.ASSIGNED, (held,))


def test_what_is_in_no_pool_is_not_announced() -> None:
    """An address that the configuration does not allow is not, and the reason says so."""
    answer = answers(service("a", "198.51.100.1"))["a"]
    assert (answer.state, answer.reason) == (AssignmentState.PENDING, Reason.IP_NOT_ALLOWED)
    assert answer.message == "[198.51.100.1] is not allowed in config"


def test_of_two_with_one_address_the_older_has_it() -> None:
    """A double assignment that a late write made is never announced for the younger."""
    young = service("a", "192.0.2.1", created="2026-02-01T00:00:00Z")
    old = service("b", "192.0.2.1", created="2026-01-01T00:00:00Z")
    found = answers(young, old)
    assert found["b"].state is AssignmentState.ASSIGNED
    assert found["a"].reason is Reason.IP_NOT_ALLOWED
