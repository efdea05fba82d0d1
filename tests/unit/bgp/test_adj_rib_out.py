"""The adj-rib-out of one peer, change by change."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from orchestrator.bgp.adj_rib_out import RESTART_TIME_S, UNFLUSHED_LIMIT, AdjRibOut
from orchestrator.bgp.events import UpdateSent
from orchestrator.bgp.flight import FLUSH_TIMEOUT_S, RESENDS, STALL_LIMIT_S, WITHDRAW_TIMEOUT_S
from orchestrator.bgp.lines import Line
from orchestrator.bgp.wire import Change, Link
from orchestrator.model.address import Family
from orchestrator.model.route import PathAttributes, Rib, Route
from orchestrator.model.session_state import RouteStatus

PEER, OWN = ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("10.0.0.2")
LINK = Link(PEER, 64500, 64500, (Family.IPV4,), OWN)
PLENTY = 1000


def net(number: int) -> ipaddress.IPv4Network:
    """The prefix of a number."""
    return ipaddress.IPv4Network((0xC6120000 + number, 32))


def rib(meds: Mapping[int, int | None]) -> Rib:
    """Routes by number, with a MED each."""
    routes = (Route(net(n), PathAttributes(med=med)) for n, med in meds.items())
    return {route.prefix: route for route in routes}


def attributes(med: int | None) -> PathAttributes:
    """Attributes as they are on the wire."""
    return PathAttributes(next_hop=OWN, local_pref=100, med=med)


def live(shown: Mapping[int, int | None] | None = None, **options: bool) -> AdjRibOut:
    """A peer that is up, and holds what is shown."""
    out = AdjRibOut(LINK, **options)
    out.up(OWN)
    for number, med in (shown or {}).items():
        out.shown(Change(net(number), attributes(med)))
    out.shown_all()
    return out


def changes(lines: list[Line]) -> list[tuple[int, int | str | None]]:
    """Number and MED (or `gone`) of every change, in order."""
    return [
        (int(c.prefix.network_address) - 0xC6120000, c.attributes.med if c.attributes else "gone")
        for line in lines
        for c in line.changes
    ]


def flush(out: AdjRibOut, lines: list[Line], now: float = 0.0) -> None:
    """ExaBGP takes the lines and writes them to the peer."""
    for line in lines:
        out.accepted(line.changes, now)
        out.flushed(UpdateSent(PEER, line.changes), now)


def test_nothing_is_sent_before_the_session_is_up() -> None:
    """A peer that is down gets nothing (rule 1), nor one whose routes were not shown yet (rule 9)."""
    out = AdjRibOut(LINK)
    out.want(rib({1: 1}))
    assert out.take(PLENTY, 0.0) == []
    out.up(OWN)
    assert out.take(PLENTY, 0.0) == []
    out.shown_all()
    assert changes(out.take(PLENTY, 0.0)) == [(1, 1)]


def test_nothing_is_sent_before_it_is_known_what_is_wanted() -> None:
    """A predecessor's routes stay until it is known what should be (P7)."""
    out = live({1: 1, 2: 2})
    assert out.take(PLENTY, 0.0) == []
    assert out.ends_due() == ()
    out.want(rib({1: 1}))
    assert changes(out.take(PLENTY, 0.0)) == [(2, "gone")]


def test_only_differences_are_sent() -> None:
    """What ExaBGP holds already is flushed without a command (rule 3)."""
    out = live({1: 1, 2: 2, 3: 3})
    out.want(rib({1: 1, 2: 7, 4: 4}))
    assert sorted(changes(out.take(PLENTY, 0.0)), key=str) == [(2, 7), (3, "gone"), (4, 4)]
    assert out.status(net(1)) is RouteStatus.FLUSHED


def test_one_unflushed_change_a_prefix_and_the_newest_waits() -> None:
    """The next change of a prefix is sent when the one before it is on the wire, and is the newest (rule 2)."""
    out = live()
    out.want(rib({1: 1}))
    first = out.take(PLENTY, 0.0)
    for med in (2, 3, 4):
        out.want(rib({1: med}))
    out.accepted(first[0].changes, 0.0)
    assert out.take(PLENTY, 0.0) == []
    out.flushed(UpdateSent(PEER, first[0].changes), 0.0)
    assert changes(out.take(PLENTY, 0.0)) == [(1, 4)]


def test_an_older_update_is_no_barrier() -> None:
    """A replayed update with other attributes does not release the next change (trap 4)."""
    out = live({1: 1})
    out.want(rib({1: 2}))
    sent = out.take(PLENTY, 0.0)
    out.want(rib({1: 3}))
    out.flushed(UpdateSent(PEER, (Change(net(1), attributes(1)),)), 0.0)
    assert out.take(PLENTY, 0.0) == []
    out.flushed(UpdateSent(PEER, sent[0].changes), 0.0)
    assert changes(out.take(PLENTY, 0.0)) == [(1, 3)]


def test_withdraws_go_first() -> None:
    """Withdraws are sent before announces that were wanted earlier (rule 17)."""
    out = live({1: 1})
    out.want(rib({1: 1, 2: 2}))
    out.want(rib({2: 2}))
    assert changes(out.take(PLENTY, 0.0)) == [(1, "gone"), (2, 2)]


def test_equal_attributes_share_lines() -> None:
    """Routes with the same attributes go 100 to a line; others have lines of their own."""
    out = live()
    out.want(rib({**dict.fromkeys(range(150), 1), 500: 5}))
    lines = out.take(PLENTY, 0.0)
    assert [len(line.changes) for line in lines] == [100, 50, 1]


def test_the_number_of_unflushed_changes_is_limited() -> None:
    """A peer that takes nothing gets a limited number of changes."""
    out = live()
    out.want(rib(dict.fromkeys(range(2000), 1)))
    taken = sum(len(line.changes) for line in out.take(PLENTY, 0.0))
    assert taken == UNFLUSHED_LIMIT
    assert out.take(PLENTY, 0.0) == []


def test_a_ghost_is_withdrawn() -> None:
    """A route that was on its way when the session ended, and is wanted no more, is withdrawn (trap 2)."""
    out = live()
    out.want(rib({1: 1}))
    out.take(PLENTY, 0.0)
    out.down(1.0)
    out.want(rib({}))
    out.up(OWN)
    out.shown_all()
    assert changes(out.take(PLENTY, 2.0)) == [(1, "gone")]


def test_what_appears_uninvited_is_mended() -> None:
    """A withdraw that somebody else asked for, or an announce nobody wants, is undone."""
    out = live({1: 1})
    out.want(rib({1: 1}))
    out.flushed(UpdateSent(PEER, (Change(net(1), None), Change(net(2), attributes(2)))), 0.0)
    lines = out.take(PLENTY, 0.0)
    assert changes(lines) == [(1, "gone"), (2, "gone")]  # 1: ExaBGP may mean it to be there
    flush(out, lines)
    assert changes(out.take(PLENTY, 0.0)) == [(1, 1)]


def test_a_withdraw_that_is_not_flushed_is_sent_again() -> None:
    """A withdraw swallowed in the first batch of a session is sent again, a few times at most."""
    out = live({1: 1})
    out.want(rib({}))
    now = 0.0
    for _ in range(RESENDS + 1):
        lines = out.take(PLENTY, now)
        assert changes(lines) == [(1, "gone")]
        out.accepted(lines[0].changes, now)
        now += 2 * FLUSH_TIMEOUT_S
        out.handle_timer(now)
    assert out.settled
    assert not out.holding(now)


def test_a_swallowed_withdraw_delays_the_next_announce_for_a_moment_only() -> None:
    """A withdraw that the first batch of a session swallowed is sent again within half a second.

    So a VIP that is wanted again meanwhile does not wait for the long timeout (P1).
    """
    out = live({1: 1})
    out.want(rib({}))
    out.accepted(out.take(PLENTY, 0.0)[0].changes, 0.0)
    out.want(rib({1: 2}))
    assert out.take(PLENTY, 0.1) == []
    assert out.next_timer() == WITHDRAW_TIMEOUT_S
    out.handle_timer(WITHDRAW_TIMEOUT_S)
    lines = out.take(PLENTY, WITHDRAW_TIMEOUT_S)
    assert changes(lines) == [(1, "gone")]
    flush(out, lines, WITHDRAW_TIMEOUT_S)
    assert changes(out.take(PLENTY, WITHDRAW_TIMEOUT_S)) == [(1, 2)]


def test_an_announce_taken_for_a_repetition_is_forced() -> None:
    """An announce that brings no update while others do is sent anew behind a withdraw."""
    out = live()
    out.want(rib({1: 1, 2: 2}))
    lines = out.take(PLENTY, 0.0)
    for line in lines:
        out.accepted(line.changes, 0.0)
    out.flushed(UpdateSent(PEER, lines[1].changes), 4.0)
    assert out.next_timer() == FLUSH_TIMEOUT_S
    out.handle_timer(FLUSH_TIMEOUT_S)
    again = out.take(PLENTY, 6.0)
    assert changes(again) == [(1, "gone")]
    flush(out, again, 6.0)
    assert changes(out.take(PLENTY, 6.0)) == [(1, 1)]


def test_a_stalled_peer_is_waited_for() -> None:
    """Announces to a peer that takes nothing at all stay on their way for a minute."""
    out = live()
    out.want(rib({1: 1}))
    lines = out.take(PLENTY, 0.0)
    out.accepted(lines[0].changes, 0.0)
    now = 0.0
    while now < STALL_LIMIT_S - FLUSH_TIMEOUT_S:
        now += FLUSH_TIMEOUT_S
        out.handle_timer(now)
        assert out.take(PLENTY, now) == []
    assert out.status(net(1)) is RouteStatus.SENT


def test_a_peer_that_stalls_amid_its_updates_loses_no_route() -> None:
    """A peer that took one of two announces and then nothing is waited for: no route is withdrawn."""
    out = live()
    out.want(rib({1: 1, 2: 2}))
    lines = out.take(PLENTY, 0.0)
    for line in lines:
        out.accepted(line.changes, 0.0)
    out.flushed(UpdateSent(PEER, lines[1].changes), 0.1)
    for checked in (1, 1.5, 2):
        out.handle_timer(checked * FLUSH_TIMEOUT_S)
        assert out.take(PLENTY, checked * FLUSH_TIMEOUT_S) == []
    out.flushed(UpdateSent(PEER, lines[0].changes), 11.0)
    assert out.settled


def test_an_older_change_behind_the_wanted_one_is_mended_at_once() -> None:
    """What a predecessor had queued and a slow peer took last is replaced, by a withdraw first.

    The same announce again would be none to ExaBGP, which means the peer to hold it already.
    """
    out = live({1: 1})
    out.want(rib({1: 2}))
    flush(out, out.take(PLENTY, 0.0))
    out.flushed(UpdateSent(PEER, (Change(net(1), attributes(1)),)), 0.1)
    lines = out.take(PLENTY, 0.1)
    assert changes(lines) == [(1, "gone")]
    flush(out, lines, 0.1)
    assert changes(out.take(PLENTY, 0.1)) == [(1, 2)]


def test_a_refused_line_is_tried_in_parts() -> None:
    """One bad route in a line does not keep the others back; it is given up and named."""
    out = live()
    out.want(rib({1: 1, 2: 1, 3: 1}))
    out.rejected(out.take(PLENTY, 0.0)[0].changes)
    lines = out.take(PLENTY, 0.0)
    assert [len(line.changes) for line in lines] == [1, 1, 1]
    out.rejected(lines[0].changes)
    flush(out, lines[1:])
    assert out.take(PLENTY, 0.0) == []
    assert list(out.refusals()) == [lines[0].changes[0].prefix]
    assert out.counts() == (3, 2, 2)


def test_status_follows_a_route() -> None:
    """A route is desired, then sent, then flushed; a session that ends makes it desired again."""
    out = live()
    out.want(rib({1: 1}))
    seen = [out.status(net(1))]
    lines = out.take(PLENTY, 0.0)
    seen.append(out.status(net(1)))
    flush(out, lines)
    seen.append(out.status(net(1)))
    out.down(1.0)
    seen.append(out.status(net(1)))
    assert [one.value for one in seen] == ["desired", "sent", "flushed", "desired"]


def test_counts_are_of_wanted_routes() -> None:
    """Sent includes flushed; a withdraw under way counts for nothing."""
    out = live({9: 9})
    out.want(rib({1: 1, 2: 2}))
    assert out.counts() == (2, 0, 0)
    lines = out.take(PLENTY, 0.0)
    assert out.counts() == (2, 2, 0)
    flush(out, lines[:2])
    assert out.counts() == (2, 2, 1)


def test_holding_until_the_withdraw_is_flushed() -> None:
    """A prefix is held from the moment it is announced until its withdraw is on the wire."""
    out = live()
    out.want(rib({1: 1}))
    lines = out.take(PLENTY, 0.0)
    assert out.holding(0.0) == {net(1)}
    flush(out, lines)
    out.want(rib({}))
    lines = out.take(PLENTY, 0.0)
    out.accepted(lines[0].changes, 0.0)
    assert out.holding(0.0) == {net(1)}
    flush(out, lines)
    assert out.holding(0.0) == frozenset()


def test_holding_over_a_restart() -> None:
    """A peer that is down holds nothing, unless it keeps routes for graceful restart."""
    for graceful in (False, True):
        out = live({1: 1}, graceful_restart=graceful)
        out.want(rib({1: 1}))
        out.down(10.0)
        assert bool(out.holding(11.0)) == graceful
        assert not out.holding(10.0 + RESTART_TIME_S)


def test_end_of_rib_after_the_full_set() -> None:
    """With graceful restart, End-of-RIB is due once everything is flushed, and once only (rule 10)."""
    out = live({1: 1}, graceful_restart=True)
    assert out.ends_due() == ()
    out.want(rib({1: 1, 2: 2}))
    lines = out.take(PLENTY, 0.0)
    assert out.ends_due() == ()
    flush(out, lines)
    assert out.ends_due() == (Family.IPV4,)
    out.end_taken(Family.IPV4)
    assert out.ends_due() == ()


def test_families_the_peer_does_not_take_are_not_sent() -> None:
    """A route of a family that was not agreed on is refused, and sent when it is in the next session."""
    both = Link(PEER, 64500, 64500, tuple(Family), OWN)
    out = AdjRibOut(both)
    prefix = ipaddress.ip_network("2001:db8::1/128")
    hop = ipaddress.ip_address("fd00::2")
    out.want({prefix: Route(prefix, PathAttributes(next_hop=hop))})
    out.up(OWN, (Family.IPV4,))
    out.shown_all()
    assert out.take(PLENTY, 0.0) == []
    assert list(out.refusals()) == [prefix]
    out.up(OWN, tuple(Family))
    out.shown_all()
    assert len(out.take(PLENTY, 0.0)) == 1
