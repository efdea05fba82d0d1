"""Whatever a speaker tells of its node is read back as the node itself has it, as far as it is told."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.speaker_state import Session, SpeakerReport, Unflushed, status_of
from orchestrator.kube.told import Clock, lives
from orchestrator.kube.told_flags import local_of
from orchestrator.model.layer2_report import Layer2Report, OwnerReport
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan, Reason
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus
from orchestrator.model.settings import Transport
from orchestrator.planner.segment_problems import segment_problems
from tests.unit.kube.test_told_layer2 import known, planned, report, step, told
from tests.unit.planner.world import R1

PEERS = ("r1", "r2", "r3")
MAC = "02:00:00:00:00:09"
CLOCK = Clock(float, 0.0)
ROUTES = [ip_network(f"203.0.113.{number}") for number in range(20)]
counts = st.integers(0, 99)
sessions = st.lists(
    st.builds(
        SessionState,
        peer=st.sampled_from(PEERS),
        status=st.sampled_from(SessionStatus),
        since=st.integers(0, 10**9).map(float),
        last_error=st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=20),
        desired=counts,
        sent=counts,
        flushed=counts,
    ),
    unique_by=lambda one: one.peer,
)
waiting = st.dictionaries(
    st.tuples(st.sampled_from(PEERS), st.sampled_from(ROUTES)),
    st.sampled_from([RouteStatus.DESIRED, RouteStatus.SENT]),
    max_size=30,
)


@st.composite
def reports(draw: st.DrawFn) -> Layer2Report:
    """What the layer2 process of n1 may say of the VIP: it sees nobody else where it is isolated."""
    owners, states = [], {}
    for name in draw(st.lists(st.sampled_from(["eth0", "eth1", "eth2"]), unique=True)):
        states[name] = draw(st.sampled_from(["member", "isolated", "silent"]))
        seen = {"member": (None, "n1", "n2"), "isolated": (None, "n1"), "silent": (None, "n2")}
        owner = draw(st.sampled_from(seen[states[name]]))
        rivals: list[dict[str, Any]] = [{}]
        if owner == "n1":
            rivals += [{"conflict": MAC}, {"kernel_answers": "n2"}]
        rival = draw(st.sampled_from(rivals))
        owners.append(OwnerReport(name, owner, 0.0, wanted=owner == "n1", **rival))
    return report(*sorted(owners, key=lambda one: one.interface), **states)


@given(sessions, waiting)
def test_sessions_and_routes(
    states: list[SessionState], routes: dict[tuple[str, Any], RouteStatus]
) -> None:
    """Every session and every route that waits, as it was told."""
    unflushed = [Unflushed(peer, one, how) for (peer, one), how in routes.items()]
    made = SpeakerReport(
        "n1",
        "1",
        tuple(Session(replace(R1, name=one.peer), one, str(one.since)) for one in states),
        tuple(unflushed),
    )
    document = {"metadata": {"name": "n1"}, "status": status_of(made)}
    live = lives(Plan(), ("n1",), [document], (), CLOCK)["n1"]
    assert live.sessions == {one.peer: one for one in states}
    assert all(live.route_status(one.peer, one.prefix) is one.state for one in unflushed)


@given(reports())
def test_layer_2(there: Layer2Report) -> None:
    """The same reason; where something is wrong in the same words, and as the same problems."""
    made = planned()
    live = told(made, there)
    wrong = {Reason.ADDRESS_CONFLICT, Reason.KERNEL_ANSWERS, Reason.ISOLATED}
    here, away = step(made, known(there)), step(made, live)
    assert away.reason is here.reason
    assert away == here or here.reason not in wrong
    assert live.layer2 is not None
    problems = [segment_problems(one, "n1", Transport.MULTICAST) for one in (live.layer2, there)]
    assert list(problems[0]) == list(problems[1])


@given(st.none() | st.text(min_size=1), st.booleans())
def test_flags(lb_class: str | None, ignored: bool) -> None:
    """The flags of a single speaker are those that are taken."""
    made = SpeakerReport("n1", "1", lb_class=lb_class, ignore_exclude_label=ignored)
    document = {"metadata": {"name": "n1"}, "status": status_of(made)}
    wanted = Local(lb_class=lb_class, ignore_exclude_label=ignored)
    assert local_of(Local(), [document]) == (wanted, ())
