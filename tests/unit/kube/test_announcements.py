"""There is one Event when a Service begins to be announced anywhere, and one when it ceases."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.announcements import ANNOUNCED, NOT_ANNOUNCED, Announcements, Told
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.plan import (
    Assignment,
    AssignmentState,
    Plan,
    Protocol,
    Reason,
    Verdict,
)

ADDRESS = ip_address("192.0.2.1")
WEB, CART = ServiceKey("shop", "web"), ServiceKey("shop", "cart")
NODES = st.lists(st.booleans(), max_size=3)
WORLDS = st.lists(st.dictionaries(st.sampled_from("abcd"), NODES, max_size=4), max_size=6)


def verdict(
    key: ServiceKey,
    node: str,
    reason: Reason = Reason.ANNOUNCED,
    protocol: Protocol | None = Protocol.BGP,
    message: str = "",
) -> Verdict:
    """What a node says of a Service."""
    return Verdict(key, ADDRESS, node, protocol, reason, message or f"{reason.value} on {node}")


def plan(*verdicts: Verdict, states: dict[ServiceKey, AssignmentState] | None = None) -> Plan:
    """A plan of these verdicts; every Service of them is assigned."""
    keys = {**dict.fromkeys((one.service for one in verdicts), AssignmentState.ASSIGNED)}
    made = {**keys, **(states or {})}
    assignments = tuple(Assignment(key, state, message="waits") for key, state in made.items())
    return Plan(assignments=assignments, verdicts=verdicts)


def words(told: list[Told]) -> list[tuple[ServiceKey, str]]:
    """Services and reasons."""
    return [(one.service, one.event.reason) for one in told]


def test_a_restart_tells_nothing() -> None:
    """What the first plan says was told before; what is another in the next is told."""
    seen = Announcements()
    no = verdict(CART, "a", Reason.NO_ENDPOINTS)
    assert seen.observe(plan(verdict(WEB, "a"), no)) == []
    assert seen.observe(plan(verdict(WEB, "a"), no)) == []
    told = seen.observe(plan(verdict(WEB, "a"), verdict(CART, "a")))
    assert words(told) == [(CART, ANNOUNCED)]


def test_nodes_that_come_and_go_tell_nothing() -> None:
    """As long as one node announces, nothing is told; when the last ceases, it is told once."""
    seen = Announcements()
    seen.observe(plan())
    assert words(seen.observe(plan(verdict(WEB, "a")))) == [(WEB, ANNOUNCED)]
    assert seen.observe(plan(verdict(WEB, "a"), verdict(WEB, "b"))) == []
    assert seen.observe(plan(verdict(WEB, "a", Reason.DRAINING), verdict(WEB, "b"))) == []
    both = [verdict(WEB, node, Reason.DRAINING) for node in "ab"]
    assert words(seen.observe(plan(*both))) == [(WEB, NOT_ANNOUNCED)]
    assert seen.observe(plan(verdict(WEB, "a", Reason.NO_ENDPOINTS), both[1])) == []


def test_the_first_reason_of_each_protocol_is_said() -> None:
    """Who reads the Event sees why, for BGP and for layer 2."""
    seen = Announcements()
    seen.observe(plan())
    (told,) = seen.observe(
        plan(
            verdict(WEB, "a", Reason.NO_LOCAL_ENDPOINTS, message="none here"),
            verdict(WEB, "a", Reason.NO_ENDPOINTS, Protocol.LAYER2, "none at all"),
            verdict(WEB, "b", Reason.NO_LOCAL_ENDPOINTS, message="neither"),
        )
    )
    assert told.event.type == "Warning"
    assert told.event.message == "no node announces it: bgp: none here; layer2: none at all"


def test_no_protocol_is_meant() -> None:
    """An address that no advertisement covers is said to be so, once for all nodes."""
    seen = Announcements()
    seen.observe(plan())
    why = "no BGPAdvertisement or L2Advertisement covers pool edge"
    said = [verdict(WEB, n, Reason.NO_MATCHING_ADVERTISEMENT, None, why) for n in "ab"]
    (told,) = seen.observe(plan(*said))
    assert told.event.message == f"no node announces it: {why}"


def test_where_it_is_announced() -> None:
    """Few nodes are named, many are counted."""
    seen = Announcements()
    seen.observe(plan())
    many = [verdict(WEB, node) for node in "abcd"]
    (told,) = seen.observe(plan(*many, verdict(WEB, "b", protocol=Protocol.LAYER2)))
    assert told.event.type == "Normal"
    assert told.event.message == "announced with bgp from 4 nodes and layer2 from node b"


def test_lost_addresses_and_nodes() -> None:
    """A Service that loses its address, or the last node, ceases; one that is deleted is silent."""
    seen = Announcements()
    third = ServiceKey("shop", "third")
    seen.observe(plan(verdict(WEB, "a"), verdict(CART, "a"), verdict(third, "a")))
    after = {CART: AssignmentState.PENDING, WEB: AssignmentState.IGNORED}
    (told,) = seen.observe(plan(states=after))
    assert (told.service, told.event.message) == (CART, "no node announces it: waits")
    assert words(seen.observe(plan(verdict(WEB, "a")))) == [(WEB, ANNOUNCED)]


@given(WORLDS)
def test_told_is_what_changed(worlds: list[dict[str, list[bool]]]) -> None:
    """Whatever verdicts come and go, those Services are told that are otherwise than before."""
    seen = Announcements()
    seen.observe(plan())
    known: dict[tuple[str, int, bool], Verdict] = {}
    state: dict[str, bool] = {}
    for world in worlds:
        verdicts = [
            known.setdefault((name, i, yes), _verdict(name, i, yes=yes))
            for name, nodes in sorted(world.items())
            for i, yes in enumerate(nodes)
        ]
        now = {name: any(nodes) for name, nodes in world.items() if nodes}
        expected = {
            (ServiceKey("n", name), ANNOUNCED if yes else NOT_ANNOUNCED)
            for name, yes in now.items()
            if state.get(name) is not yes
        }
        assert set(words(seen.observe(plan(*verdicts)))) == expected
        state = now


def _verdict(name: str, node: int, *, yes: bool) -> Verdict:
    reason = Reason.ANNOUNCED if yes else Reason.NO_ENDPOINTS
    return verdict(ServiceKey("n", name), str(node), reason)
