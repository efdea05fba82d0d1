"""A configuration on its way into force."""

from __future__ import annotations

import ipaddress

from orchestrator.bgp.reload import (
    BLOCK_LIMIT_S,
    FAREWELL_LIMIT_S,
    LAST_RETRY_S,
    PAUSE_LIMIT_S,
    REFUSED_AFTER,
    Reload,
    Step,
)

PEER = ipaddress.ip_address("10.0.0.1")
OLD, NEW = {PEER: "old"}, {PEER: "new"}


def step(reload: Reload) -> Step:
    """The step it is at; a function, so that the type checker does not think it constant."""
    return reload.step


def paused(reload: Reload) -> bool:
    """Whether routes wait for it."""
    return reload.paused


def refused(reload: Reload) -> bool:
    """Whether the file seems to be refused."""
    return reload.refused


def due(now: float = 0.0) -> Reload:
    """A reload that is needed since `now`."""
    reload = Reload()
    reload.in_force(OLD, now)
    reload.want(NEW, now)
    return reload


def test_nothing_to_do_when_in_force() -> None:
    """What is in force already needs no reload, whichever is known first."""
    first = Reload()
    first.want(NEW, 0.0)
    assert step(first) == Step.NOTHING
    first.in_force(NEW, 0.0)
    assert step(first) == Step.NOTHING
    assert not first.pending


def test_a_reload_goes_through_its_steps() -> None:
    """Farewell, quiet, reload, verify, and then it is in force."""
    reload = due()
    assert step(reload) == Step.FAREWELL
    assert not paused(reload)
    reload.advance(0.0, said_farewell=True, blocked=True)
    assert step(reload) == Step.QUIET
    assert paused(reload)
    reload.advance(0.0, said_farewell=True, blocked=False)
    assert step(reload) == Step.RELOAD
    reload.reloaded()
    assert step(reload) == Step.VERIFY
    reload.in_force(NEW, 0.0)
    assert step(reload) == Step.NOTHING
    assert not reload.pending


def test_farewell_and_quiet_are_not_waited_for_without_limit() -> None:
    """A peer that does not take its withdraws, or is never quiet, delays a reload for a moment only."""
    reload = due()
    reload.advance(FAREWELL_LIMIT_S, said_farewell=False, blocked=True)
    assert step(reload) == Step.QUIET
    assert reload.next_timer() == FAREWELL_LIMIT_S + PAUSE_LIMIT_S
    reload.advance(FAREWELL_LIMIT_S + PAUSE_LIMIT_S, said_farewell=False, blocked=True)
    assert step(reload) == Step.RELOAD


def test_a_lost_reload_is_tried_again_with_routes_flowing_between() -> None:
    """After a reload that was lost, routes are not paused until the next try (rule 8)."""
    reload = due()
    reload.advance(0.0, said_farewell=True, blocked=False)
    reload.reloaded()
    reload.in_force(OLD, 0.0)
    assert step(reload) == Step.WAIT
    assert not paused(reload)
    at = reload.next_timer()
    assert at is not None
    reload.advance(at, said_farewell=True, blocked=False)
    assert step(reload) == Step.RELOAD


def test_a_peer_that_blocks_is_torn_down() -> None:
    """A peer with updates pending for 5 s is torn down, then the reload is sent (rule 14)."""
    reload = due()
    now = 0.0
    while step(reload) != Step.TEARDOWN:
        assert now < BLOCK_LIMIT_S + 2
        now += 0.05
        reload.advance(now, said_farewell=True, blocked=True)
        if step(reload) == Step.RELOAD:
            reload.reloaded()
            reload.in_force(OLD, now)
    assert now >= BLOCK_LIMIT_S
    reload.torn_down(now)
    assert step(reload) == Step.RELOAD


def test_a_refused_file_is_named_and_tried_seldom() -> None:
    """A file that is never taken is a problem, and is tried less and less often."""
    reload = due()
    now = 0.0
    for _ in range(20):
        reload.advance(now, said_farewell=True, blocked=False)
        reload.reloaded()
        reload.in_force(OLD, now)
        at = reload.next_timer()
        assert at is not None
        assert at - now < LAST_RETRY_S + 0.001
        now = at
    assert refused(reload)
    assert REFUSED_AFTER < 20
    reload.want(OLD, now)
    assert not refused(reload)
    assert step(reload) == Step.NOTHING


def test_a_newer_configuration_takes_the_place_of_one_under_way() -> None:
    """When the wanted configuration changes while one is being verified, the newest comes into force."""
    reload = due()
    reload.advance(0.0, said_farewell=True, blocked=False)
    reload.reloaded()
    newest = {PEER: "newest"}
    reload.want(newest, 0.1)
    reload.in_force(NEW, 0.1)
    at = reload.next_timer()
    assert at is not None
    reload.advance(at, said_farewell=True, blocked=False)
    reload.reloaded()
    reload.in_force(newest, at)
    assert not reload.pending
