"""The health monitor: every transition, timing, restarts and changed checks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.health.actions import (
    Action,
    CancelProbe,
    HealthChanged,
    LookForDisableFile,
    StartProbe,
)
from orchestrator.health.monitor import LOOK_INTERVAL_S, HealthMonitor
from orchestrator.model.virtual_ip import Check, Health, TcpProbe

UP, DOWN, DISABLED = Health.UP, Health.DOWN, Health.DISABLED
PROBE = TcpProbe("127.0.0.1", 80)
CHECK = Check(PROBE, interval_ms=2000, fast_interval_ms=500, timeout_ms=1000, rise=2, fall=3)


class Playbook:
    """One monitor of one check, `a`, driven by results; collects what it says."""

    def __init__(self, check: Check = CHECK, known: Health | None = None) -> None:
        self.monitor = HealthMonitor({} if known is None else {"a": known})
        self.now = 100.0
        self.changes: list[HealthChanged] = []
        self.started: list[tuple[float, int]] = []
        self.looked: list[float] = []
        self.cancelled: list[int] = []
        self.file_present = False
        self.want(check)

    def want(self, check: Check | None) -> None:
        """Ask for the check, or for none."""
        self.take(self.monitor.want({} if check is None else {"a": check}, self.now))

    def take(self, actions: list[Action]) -> None:
        """Sort actions, and answer the question about the disable file."""
        for action in actions:
            if isinstance(action, HealthChanged):
                self.changes.append(action)
            elif isinstance(action, StartProbe):
                self.started.append((self.now, action.probe_id))
            elif isinstance(action, CancelProbe):
                self.cancelled.append(action.probe_id)
            else:
                assert isinstance(action, LookForDisableFile)
                self.looked.append(self.now)
                self.take(self.monitor.disabled(action.name, self.file_present, self.now))

    def advance_to_probe(self) -> int:
        """Let time pass until the next probe starts; return its id."""
        before = len(self.started)
        for _ in range(100):
            if len(self.started) > before:
                return self.started[-1][1]
            self.tick()
        raise AssertionError("no probe was started")

    def tick(self) -> None:
        """Let time pass until the next timer."""
        due = self.monitor.next_timer()
        assert due is not None
        self.now = max(self.now, due)
        self.take(self.monitor.handle_timer(self.now))

    def results(self, pattern: str) -> None:
        """Give results one by one, `+` for good, `-` for bad."""
        for sign in pattern:
            waiting = self.started and self.started[-1][1] not in self.answered
            probe_id = self.started[-1][1] if waiting else self.advance_to_probe()
            self.answered.add(probe_id)
            self.take(self.monitor.result("a", probe_id, sign == "+", f"saw {sign}", self.now))

    @property
    def answered(self) -> set[int]:
        """Probe ids that have a result."""
        if not hasattr(self, "_answered"):
            self._answered: set[int] = set()
        return self._answered

    @property
    def health(self) -> Health | None:
        """What the monitor says of `a`."""
        return self.monitor.health().get("a")


@pytest.mark.parametrize(
    ("known", "pattern", "expected"),
    [
        (None, "", None),
        (None, "+", UP),
        (None, "-", DOWN),
        (UP, "", UP),
        (UP, "-", UP),
        (UP, "--", UP),
        (UP, "---", DOWN),
        (UP, "--+--", UP),
        (UP, "--+---", DOWN),
        (DOWN, "", DOWN),
        (DOWN, "+", DOWN),
        (DOWN, "++", UP),
        (DOWN, "+-+", DOWN),
        (DOWN, "+-++", UP),
        (None, "+---++", UP),
        (DISABLED, "", DISABLED),
        (DISABLED, "+", UP),
        (DISABLED, "-", DOWN),
    ],
)
def test_transitions(known: Health | None, pattern: str, expected: Health | None) -> None:
    """Health after these results, from this start, with rise 2 and fall 3."""
    playbook = Playbook(known=known)
    playbook.results(pattern)
    assert playbook.health is expected


def test_change_names_old_new_and_what_was_seen() -> None:
    """A change is told once, with the state before, after, and the last detail."""
    playbook = Playbook()
    playbook.results("+---")
    assert playbook.changes == [
        HealthChanged("a", None, UP, "saw +"),
        HealthChanged("a", UP, DOWN, "saw -"),
    ]


def test_intervals() -> None:
    """Probes come at the interval, and at the fast one while the state may be about to change."""
    playbook = Playbook()
    playbook.results("++-++")
    times = [when - playbook.started[0][0] for when, _ in playbook.started]
    assert times == [0.0, 2.0, 4.0, 4.5, 6.5]


def test_slow_probe_delays_the_next() -> None:
    """A probe that lasts longer than the interval is followed at once, never overlapped."""
    playbook = Playbook(replace(CHECK, interval_ms=500))
    first = playbook.started[-1][1]
    playbook.now += 0.9
    assert playbook.monitor.handle_timer(playbook.now) == []
    playbook.take(playbook.monitor.result("a", first, True, "", playbook.now))
    assert len(playbook.started) == 2
    assert playbook.started[-1][0] == playbook.now


def test_start_carries_timeout_and_probe() -> None:
    """A probe is started with the check's probe and its timeout in seconds."""
    actions = HealthMonitor().want({"a": CHECK}, 0.0)
    assert actions == [StartProbe("a", 1, PROBE, 1.0)]


def test_result_of_an_old_probe_is_ignored() -> None:
    """A result that comes twice, late, or for nobody changes nothing."""
    playbook = Playbook()
    playbook.results("+")
    probe_id = playbook.started[-1][1]
    for name in ("a", "b"):
        assert playbook.monitor.result(name, probe_id, False, "", playbook.now) == []
    assert playbook.health is UP


def test_restart_flaps_nothing() -> None:
    """With known health nothing is said until enough results speak against it."""
    for known, pattern in ((UP, "+++"), (UP, "--"), (DOWN, "---"), (DOWN, "+")):
        playbook = Playbook(known=known)
        playbook.results(pattern)
        assert playbook.changes == []
        assert playbook.health is known


def test_changed_check_keeps_its_health() -> None:
    """Another probe for the same VIP cancels the running one and counts anew from the same state."""
    playbook = Playbook()
    playbook.results("+--")
    running = playbook.advance_to_probe()
    playbook.want(replace(CHECK, probe=TcpProbe("127.0.0.1", 81)))
    assert playbook.cancelled == [running]
    assert playbook.health is UP
    playbook.results("--")
    assert playbook.health is UP
    playbook.results("-")
    assert playbook.health is DOWN


def test_same_check_again_changes_nothing() -> None:
    """Asking for what is there already has no effect."""
    playbook = Playbook()
    playbook.results("+")
    timer = playbook.monitor.next_timer()
    playbook.want(CHECK)
    assert playbook.cancelled == []
    assert playbook.monitor.next_timer() == timer


def test_removed_check_is_forgotten() -> None:
    """A check that is not wanted any more is cancelled, and unknown when it comes back."""
    playbook = Playbook()
    playbook.results("+")
    running = playbook.advance_to_probe()
    playbook.want(None)
    assert playbook.cancelled == [running]
    assert playbook.health is None
    assert playbook.monitor.next_timer() is None
    playbook.want(CHECK)
    assert playbook.health is None


def test_disable_file_decides_at_once() -> None:
    """While the disable file is there the state is disabled; afterwards what the probes say."""
    playbook = Playbook(replace(CHECK, disable_file="/run/off"))
    playbook.results("+")
    assert playbook.health is UP
    playbook.file_present = True
    playbook.now += LOOK_INTERVAL_S
    playbook.take(playbook.monitor.handle_timer(playbook.now))
    assert playbook.health is DISABLED
    playbook.results("---")
    assert playbook.health is DISABLED
    playbook.file_present = False
    playbook.now += LOOK_INTERVAL_S
    playbook.take(playbook.monitor.handle_timer(playbook.now))
    assert playbook.health is DOWN


def test_disable_file_is_seen_before_up_is_said() -> None:
    """A VIP that is disabled when we start is never called up."""
    check = replace(CHECK, disable_file="/run/off")
    monitor = HealthMonitor()
    actions = monitor.want({"a": check}, 0.0)
    assert actions[0] == LookForDisableFile("a", "/run/off")
    assert monitor.result("a", 1, True, "", 0.1) == []
    changes = monitor.disabled("a", True, 0.2)
    assert changes == [HealthChanged("a", None, DISABLED, "disable file")]


def test_disable_file_no_longer_named() -> None:
    """A check that no longer names its disable file is not disabled any more."""
    playbook = Playbook(replace(CHECK, disable_file="/run/off"))
    playbook.file_present = True
    playbook.now += LOOK_INTERVAL_S
    playbook.take(playbook.monitor.handle_timer(playbook.now))
    playbook.results("+")
    assert playbook.health is DISABLED
    playbook.want(CHECK)
    assert playbook.health is UP


def test_first_probes_are_spread() -> None:
    """The first probes of many checks are spread evenly, and one check alone starts at once."""
    monitor = HealthMonitor()
    checks = {f"vip{number:03}": CHECK for number in range(100)}
    started = sum(isinstance(action, StartProbe) for action in monitor.want(checks, 0.0))
    assert started == 1
    times: list[float] = []
    for _ in range(99):
        due = monitor.next_timer()
        assert due is not None
        times.append(due)
        monitor.handle_timer(due)
    assert times == sorted(times)
    assert times[-1] < CHECK.fast_interval_ms / 1000
    assert len(set(times)) == 99


def test_timers_do_not_pile_up() -> None:
    """However long a monitor runs, it holds a few timers for a check, not one for each event."""
    playbook = Playbook(replace(CHECK, interval_ms=3_600_000, disable_file="/run/off"))
    playbook.results("+")
    for _ in range(500):
        playbook.tick()
    assert len(playbook.monitor._timers) < 10
