"""The conversation with ExaBGP, against the model of it in tests/fakes."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.bgp.actions import Changed, Note, Reconnect, SendLine, one_change
from orchestrator.bgp.exabgp import Conversation
from orchestrator.bgp.render import Surroundings
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.session_state import RouteStatus, SessionStatus
from tests.fakes.exabgp_pair import OWN, Pair, fake_peer, fake_rib

R, S = fake_peer("r", 1), fake_peer("s", 3)


@pytest.fixture
def pair() -> Pair:
    """Both peers are up and hold 192.0.2.1/32 with MED 1."""
    pair = Pair()
    pair.connect()
    pair.want({R: fake_rib({1: 1}), S: fake_rib({1: 1})})
    pair.settle()
    pair.up(R, S)
    pair.settle()
    assert pair.held(R) == pair.held(S) == {1: 1}
    pair.sent.clear()
    return pair


def resets(pair: Pair) -> dict[str, int]:
    """How often each session was reset."""
    return {address: peer.resets for address, peer in pair.fake.peers.items()}


def test_before_it_is_known_what_is_wanted_it_only_looks() -> None:
    """A fresh speaker asks, and changes nothing, until it is told what should be (P7)."""
    pair = Pair()
    pair.connect()
    pair.settle()
    assert pair.sent == ["show neighbor json", "show neighbor configuration"]
    assert pair.talk.reachable


def test_equal_wishes_cost_nothing(pair: Pair) -> None:
    """Wanting the same again sends nothing."""
    pair.want({R: fake_rib({1: 1}), S: fake_rib({1: 1})})
    pair.settle()
    assert pair.sent == []


def test_peers_have_their_own_routes(pair: Pair) -> None:
    """A change for one peer is not sent to another."""
    pair.want({R: fake_rib({1: 1, 2: 2}), S: fake_rib({1: 1})})
    pair.settle()
    assert pair.held(R) == {1: 1, 2: 2}
    assert pair.held(S) == {1: 1}


def test_a_changed_peer_resets_itself_only(pair: Pair) -> None:
    """Another hold time resets that session; the other one is not touched."""
    changed = fake_peer("r", 1, hold_time_s=33)
    pair.want({changed: fake_rib({1: 1}), S: fake_rib({1: 1})})
    pair.settle()
    assert resets(pair) == {"10.0.0.1": 1, "10.0.0.3": 0}
    pair.up(R)
    pair.settle()
    assert pair.held(R) == {1: 1}


def test_a_changed_as_number_names_the_new_session(pair: Pair) -> None:
    """After the peer's AS has changed, commands name the session by its new numbers."""
    pair.want({fake_peer("r", 1, 64999): fake_rib({1: 1, 2: 2}), S: fake_rib({1: 1})})
    pair.settle()
    pair.up(R)
    pair.settle()
    assert pair.held(R) == {1: 1, 2: 2}


def test_a_peer_that_goes_and_comes_back(pair: Pair) -> None:
    """A peer that is not wanted any more is removed; wanted again it gets its routes."""
    pair.want({S: fake_rib({1: 1})})
    pair.settle()
    assert set(pair.fake.peers) == {"10.0.0.3"}
    pair.want({R: fake_rib({2: 2}), S: fake_rib({1: 1})})
    pair.settle()
    pair.up(R)
    pair.settle()
    assert pair.held(R) == {2: 2}


def test_a_peer_given_up_for_a_moment_is_not_reset(pair: Pair) -> None:
    """A peer that is wanted again before its removal came into force keeps its session and its state."""
    pair.fake.peers["10.0.0.3"].stalled = True
    pair.want({R: fake_rib({1: 1}), S: fake_rib({1: 2})})
    pair.want({S: fake_rib({1: 2})})
    pair.settle(0.5)
    pair.want({R: fake_rib({1: 1, 2: 2}), S: fake_rib({1: 2})})
    pair.fake.peers["10.0.0.3"].stalled = False
    pair.settle()
    assert resets(pair) == {"10.0.0.1": 0, "10.0.0.3": 0}
    assert pair.held(R) == {1: 1, 2: 2}
    assert pair.talk.sessions()["r"].status is SessionStatus.UP


def test_a_peer_that_goes_gets_no_route_of_a_withdrawn_vip(pair: Pair) -> None:
    """While its removal is blocked, what is wanted nowhere is withdrawn from a peer and never announced."""
    pair.fake.peers["10.0.0.1"].stalled = True
    pair.want({R: fake_rib({1: 9}), S: fake_rib({1: 1, 2: 2})})
    pair.settle(0.5)
    pair.want({R: fake_rib({1: 9, 2: 2, 3: 3}), S: fake_rib({1: 5, 2: 2, 3: 3})})
    pair.want({R: fake_rib({1: 9, 2: 2, 3: 3})})
    pair.sent.clear()
    pair.want({R: fake_rib({1: 9})})
    pair.settle(1.0)
    assert pair.held(S).keys() == {1}
    assert not any(" announce " in line and "192.0.2.3/32" in line for line in pair.sent)


def test_timeouts_run_on_for_a_peer_that_goes(pair: Pair) -> None:
    """A withdraw that does not reach the wire is sent again also to a peer that is to go."""
    pair.fake.peers["10.0.0.1"].stalled = True
    pair.want({R: {}, S: fake_rib({1: 1})})
    while pair.step():
        pass
    pair.want({S: fake_rib({1: 1})})
    pair.settle(0.8)
    assert sum("10.0.0.1 " in line and " withdraw " in line for line in pair.sent) == 2


def test_a_graceful_peer_is_emptied_before_it_is_removed() -> None:
    """A peer that would keep routes over a restart gets their withdraw before its session goes."""
    graceful = fake_peer("r", 1, graceful_restart=True)
    pair = Pair()
    pair.connect()
    pair.want({graceful: fake_rib({1: 1}), S: {}})
    pair.settle()
    pair.up(graceful, S)
    pair.settle()
    pair.sent.clear()
    pair.want({S: {}})
    pair.settle()
    assert "withdraw route 192.0.2.1/32" in pair.sent[0]
    assert pair.sent[1] == "reload"


def test_reload_waits_for_quiet_and_a_stalled_peer_is_torn_down(pair: Pair) -> None:
    """A reload that a stalled peer blocks happens after its teardown, within some seconds."""
    pair.fake.peers["10.0.0.1"].stalled = True
    new = fake_peer("t", 4)
    began = pair.now
    pair.want({R: fake_rib({1: 9}), S: fake_rib({1: 1})})
    pair.want({R: fake_rib({1: 9}), S: fake_rib({1: 1}), new: {}})
    pair.settle(20.0)
    assert "10.0.0.4" in pair.fake.peers
    assert pair.fake.lost_reloads > 0
    assert resets(pair)["10.0.0.3"] == 0
    assert resets(pair)["10.0.0.1"] == 1
    assert any("reset" in note.text for note in pair.notes)
    assert pair.now - began < 21.0


def test_withdraws_reach_other_peers_while_a_reload_is_blocked(pair: Pair) -> None:
    """Routes keep flowing to the others while a stalled peer keeps a reload from happening (P2)."""
    pair.fake.peers["10.0.0.1"].stalled = True
    pair.want({R: fake_rib({1: 9}), S: fake_rib({1: 1})})
    pair.want({R: fake_rib({1: 9}), S: fake_rib({1: 1}), fake_peer("t", 4): {}})
    pair.settle(1.0)
    assert "10.0.0.4" not in pair.fake.peers
    pair.want({R: fake_rib({1: 9}), S: {}, fake_peer("t", 4): {}})
    pair.settle(0.7)
    assert pair.held(S) == {}


def test_a_refused_file_is_a_problem_and_the_old_sessions_stay(pair: Pair) -> None:
    """When ExaBGP does not take the file, a problem says so and everything else goes on."""
    pair.fake.refuses = True
    new = fake_peer("t", 4)
    pair.want({R: fake_rib({2: 2}), S: fake_rib({1: 1}), new: {}})
    pair.settle(10.0)
    assert [problem.code for problem in pair.talk.problems] == ["reloadRefused"]
    assert pair.held(R) == {2: 2}
    pair.fake.refuses = False
    pair.settle(60.0)
    assert pair.talk.problems == ()


def test_states_follow_the_sessions(pair: Pair) -> None:
    """A session is up, down with its reason, unknown without ExaBGP; `since` is when that began."""
    pair.now = 500.0
    pair.fake.session_down("10.0.0.1", "hold timer expired")
    pair.settle()
    state = pair.talk.sessions()["r"]
    assert (state.status, state.last_error) == (SessionStatus.DOWN, "hold timer expired")
    assert state.since == pytest.approx(500.0, abs=0.1)
    pair.disconnect()
    assert pair.talk.sessions()["s"].status is SessionStatus.UNKNOWN
    assert not pair.talk.reachable


def test_a_peer_that_cannot_be_had_is_down_with_its_reason(pair: Pair) -> None:
    """A peer left out of the configuration shows as down, and why."""
    nobody = Peer("d", 64500, 64501, ipaddress.ip_address("224.0.0.9"))
    pair.want({R: fake_rib({1: 1}), S: fake_rib({1: 1}), nobody: fake_rib({1: 1})})
    pair.settle()
    state = pair.talk.sessions()["d"]
    assert state.status is SessionStatus.DOWN
    assert "no host's address" in str(state.last_error)
    route = next(iter(fake_rib({1: 1})))
    assert pair.talk.route_status("d", route) is RouteStatus.DESIRED


def test_holding_is_over_all_peers(pair: Pair) -> None:
    """A prefix is held as long as one peer may have it."""
    prefix = next(iter(fake_rib({1: 1})))
    pair.want({R: {}, S: fake_rib({1: 1})})
    pair.settle()
    assert pair.talk.holding(pair.now) == {prefix}
    pair.want({R: {}, S: {}})
    assert pair.talk.holding(pair.now) == {prefix}
    pair.settle()
    assert pair.talk.holding(pair.now) == frozenset()


def test_what_somebody_else_cleared_is_announced_again(pair: Pair) -> None:
    """After the relay's orphan hold has withdrawn everything, what is wanted comes back."""
    pair.fake.write("clear adj-rib out")
    pair.fake.turn()
    pair.fake.read()
    pair.new_speaker()
    pair.settle()
    assert pair.held(R) == pair.held(S) == {1: 1}


def test_an_answer_to_nothing_means_starting_over() -> None:
    """An answer that belongs to no command is taken for answers out of step."""
    talk = Conversation()
    talk.connected(0.0)
    first = talk.receive(b"[]\ndone\n", 0.0)
    assert SendLine("show neighbor configuration") in first
    assert any(isinstance(one, Reconnect) for one in talk.receive(b"done\ndone\n", 0.0))


def test_a_failed_question_is_asked_again() -> None:
    """When ExaBGP answers a question with `error`, it is asked again after a while."""
    talk = Conversation()
    talk.connected(0.0)
    assert talk.receive(b"error\n", 0.0) == []
    at = talk.next_timer()
    assert at is not None
    assert SendLine("show neighbor json") in talk.handle_timer(at)


def test_a_refused_command_is_logged_with_its_text(pair: Pair) -> None:
    """`error` for a route names the command, since ExaBGP does not."""
    pair.fake.peers["10.0.0.1"].body = pair.fake.peers["10.0.0.1"].body.replace("64500", "1")
    pair.want({R: fake_rib({1: 1, 2: 2}), S: fake_rib({1: 1})})
    pair.settle()
    told = [note for note in pair.notes if note.text == "ExaBGP refused a command"]
    assert "announce route 192.0.2.2/32" in str(told[0].keys["command"])
    assert [problem.code for problem in pair.talk.problems] == ["routeNotSent"]


def test_the_window_is_limited() -> None:
    """However much is wanted, only so many commands wait for an answer at once (rule 7)."""
    talk = Conversation()
    talk.connected(0.0)
    routes = fake_rib({number: number for number in range(200)})
    sent = talk.want([Session("a", R)], {"r": routes}, Surroundings(OWN), 0.0)
    shown = b'[{"fsm": "ESTABLISHED", "local": {"address": "10.0.0.2"}, "peer": {"address": "10.0.0.1"}, "families": ["ipv4 unicast"]}]\ndone\n'
    sent += talk.receive(shown, 0.0)
    digest = next(one.text for one in sent if hasattr(one, "text") and "description" in one.text)
    name = digest.split('description "')[1].split('"')[0]
    talk.receive(f'neighbor 10.0.0.1 {{\ndescription "{name}";\n}}\ndone\n'.encode(), 0.0)
    lines = [one for one in talk.receive(b"done\n", 0.0) if isinstance(one, SendLine)]
    assert len(lines) == 40
    more = [one for one in talk.receive(b"done\ndone\n", 0.0) if isinstance(one, SendLine)]
    assert len(more) == 2


def test_one_change_is_told_once() -> None:
    """Several changes at once are told as one, and other actions keep their order."""
    a, b = Note("info", "a"), Note("info", "b")
    assert one_change([a, Changed(), b, Changed()]) == [a, Changed(), b]
    assert one_change([a, b]) == [a, b]
