"""Allocation: what is held stays, then first free addresses (issue A's simple case)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.model.address import Family
from orchestrator.model.cluster import Cluster, FamilyPolicy, Port, Service
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Reason
from orchestrator.model.policy import Policy
from orchestrator.model.virtual_ip import VirtualIP
from orchestrator.planner import plan
from tests.unit.planner.world import cluster, ip, policy, pool, service

SMALL = pool("small", "203.0.113.0/30")


def assign(
    *services: Service, policy_: Policy | None = None, local: Local | None = None
) -> dict[str, Assignment]:
    """Assignments by name of the Service."""
    world = cluster(*services)
    planned = plan(world, policy_ or policy(pools=(SMALL,)), local or Local())
    return {assignment.service.name: assignment for assignment in planned.assignments}


def test_held_addresses_come_before_new_requests() -> None:
    """An older Service without an address does not get the one that a younger one holds."""
    old = service("a", created="2020-01-01T00:00:00Z")
    young = service("b", "203.0.113.0", created="2021-01-01T00:00:00Z")
    done = assign(old, young)
    assert done["b"].addresses == (ip("203.0.113.0"),)
    assert done["b"].origin is Origin.KEPT
    assert done["a"].addresses == (ip("203.0.113.1"),)
    assert done["a"].origin is Origin.AUTOMATIC


def test_older_services_are_served_first() -> None:
    """Without anything held, creation time decides, then the name."""
    done = assign(service("a", created="2022"), service("z", created="2020"))
    assert done["z"].addresses == (ip("203.0.113.0"),)
    assert done["a"].addresses == (ip("203.0.113.1"),)


def test_exhausted_pool_leaves_a_service_pending() -> None:
    """The fifth Service finds no address in a pool of four, and says so."""
    done = assign(*(service(f"s{number}") for number in range(5)))
    assert done["s4"].state is AssignmentState.PENDING
    assert done["s4"].reason is Reason.NO_AVAILABLE_ADDRESSES
    assert [event.reason for event in done["s4"].events] == ["AllocationFailed"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"load_balancer": False}, Reason.NOT_LOAD_BALANCER),
        ({"load_balancer_class": "other"}, Reason.OTHER_CLASS),
        ({"families": ()}, Reason.NO_CLUSTER_IPS),
        ({"family_policy": FamilyPolicy.REQUIRE_DUAL_STACK}, Reason.NOT_ENOUGH_CLUSTER_IPS),
        ({"malformed_request": "two addresses of one family"}, Reason.INVALID_REQUEST),
        ({"requested_addresses": (ip("2001:db8::1"),)}, Reason.FAMILY_MISMATCH),
        ({"requested_addresses": (ip("198.18.0.1"),)}, Reason.ADDRESS_NOT_IN_POOL),
        ({"requested_pool": "nowhere"}, Reason.UNKNOWN_POOL),
        (
            {"requested_addresses": (ip("203.0.113.2"),), "requested_pool": "large"},
            Reason.REQUEST_POOL_MISMATCH,
        ),
    ],
)
def test_refusals_have_their_reason(fields: dict[str, object], reason: Reason) -> None:
    """Each way not to get an address has its reason code (CLI.md)."""
    pools = (SMALL, pool("large", "198.51.100.0/24"))
    done = assign(service("web", **fields), policy_=policy(pools=pools))
    assert done["web"].reason is reason
    assert not done["web"].addresses


def test_no_pools_at_all_is_its_own_reason() -> None:
    """Without any pool the reason is noPools."""
    assert assign(service("web"), policy_=policy(pools=()))["web"].reason is Reason.NO_POOLS


def test_requested_address_is_given_or_refused_by_its_user() -> None:
    """An address asked for is given once; who asks second is told who has it."""
    wanted = {"requested_addresses": (ip("203.0.113.2"),)}
    done = assign(service("a", **wanted), service("b", **wanted))
    assert done["a"].origin is Origin.REQUESTED
    assert done["b"].reason is Reason.SHARING_MISMATCH
    assert "default/a" in (done["b"].message or "")


def test_sharing_needs_one_key_and_other_ports() -> None:
    """Equal keys share an address; a port can be there only once."""
    web, tls = Port("TCP", 80), Port("TCP", 443)
    done = assign(
        service("a", sharing_key="k", ports=frozenset({web})),
        service("b", sharing_key="k", ports=frozenset({tls})),
        service(
            "c", sharing_key="k", ports=frozenset({web}), requested_addresses=(ip("203.0.113.0"),)
        ),
    )
    # Requests by address are looked at in the order of age like all others.
    assert done["a"].addresses == done["b"].addresses == (ip("203.0.113.0"),)
    assert done["c"].reason is Reason.PORT_IN_USE


def test_automatic_choice_avoids_buggy_addresses_and_closed_pools() -> None:
    """avoidBuggyIPs skips .0 and .255; autoAssign false is never chosen by itself."""
    closed = pool("closed", "198.51.100.0/24", auto_assign=False)
    careful = pool("careful", "203.0.113.0/24", avoid_buggy_ips=True)
    done = assign(service("web"), policy_=policy(pools=(closed, careful)))
    assert done["web"].addresses == (ip("203.0.113.1"),)


def test_dual_stack_takes_both_families_from_one_pool() -> None:
    """A dual-stack Service gets IPv4 then IPv6 of the first pool that has both."""
    v4, both = pool("v4", "192.0.2.0/24"), pool("both", "203.0.113.0/24", "2001:db8::/64")
    web = service(
        "web",
        families=(Family.IPV4, Family.IPV6),
        family_policy=FamilyPolicy.REQUIRE_DUAL_STACK,
    )
    done = assign(web, policy_=policy(pools=(v4, both)))
    assert done["web"].addresses == (ip("203.0.113.0"), ip("2001:db8::"))
    assert done["web"].pool == "both"


def test_pool_removed_gives_another_address_but_not_while_pools_are_faulty() -> None:
    """A held address of a removed pool is replaced, except while an error stands on a pool."""
    held = service("web", "198.18.0.1")
    assert assign(held)["web"].addresses == (ip("203.0.113.0"),)
    kept = assign(held, policy_=policy(pools=(SMALL,), pools_faulty=True))["web"]
    assert (kept.addresses, kept.origin) == ((ip("198.18.0.1"),), Origin.KEPT)


def test_virtual_ip_from_a_pool_keeps_what_the_state_directory_holds() -> None:
    """A VirtualIP that names a pool gets its first address, and after a restart the held one."""
    world = Cluster(virtual_ips={"web": VirtualIP("web", pool="small")})
    fresh = plan(world, policy(pools=(SMALL,)), Local(node="box"))
    assert fresh.assignments[0].addresses == (ip("203.0.113.0"),)
    held = Local(node="box", held={"virtualip/web": (ip("203.0.113.3"),)})
    kept = plan(world, policy(pools=(SMALL,)), held)
    assert kept.assignments[0].addresses == (ip("203.0.113.3"),)


def test_changed_request_gives_up_what_was_held() -> None:
    """Asking for another address releases the old one."""
    moved = replace(service("web", "203.0.113.0"), requested_addresses=(ip("203.0.113.3"),))
    assert assign(moved)["web"].addresses == (ip("203.0.113.3"),)


def test_held_address_of_another_family_is_replaced() -> None:
    """An IPv6 address on a Service that became IPv4 is given up (metallb.md 3.2, step 5)."""
    pools = (SMALL, pool("six", "2001:db8::/64"))
    moved = assign(service("web", "2001:db8::1"), policy_=policy(pools=pools))
    assert moved["web"].addresses == (ip("203.0.113.0"),)


def test_virtual_ips_share_an_address_that_they_name_by_their_ports() -> None:
    """Two VirtualIPs with one address stand beside each other when no port is served by both."""
    address = (ip("203.0.113.2"),)
    vips = {
        "tls": VirtualIP("tls", address, ports=frozenset({("TCP", 443)})),
        "web": VirtualIP("web", address, ports=frozenset({("TCP", 80)})),
        "web2": VirtualIP("web2", address, ports=frozenset({("TCP", 80)})),
        "whole": VirtualIP("whole", address),
    }
    planned = plan(Cluster(virtual_ips=vips), policy(pools=(SMALL,)), Local(node="n1"))
    done = {answer.service.name: answer for answer in planned.assignments}
    assert done["tls"].addresses == done["web"].addresses == address
    assert done["web2"].reason is Reason.PORT_IN_USE
    assert done["whole"].reason is Reason.SHARING_MISMATCH
    assert planned.bindings == {address[0]: "lo"}
