"""Properties of the health monitor under random results, times and restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.health.actions import HealthChanged, StartProbe
from orchestrator.health.monitor import HealthMonitor
from orchestrator.health.tally import Tally
from orchestrator.model.virtual_ip import Check, Health, TcpProbe

COUNTS = st.integers(1, 5)
RESULTS = st.lists(st.booleans(), max_size=60)


def longest_run(results: list[bool], value: bool) -> int:
    """Length of the run of `value` at the end of `results`."""
    count = 0
    for result in reversed(results):
        if result is not value:
            break
        count += 1
    return count


@given(RESULTS, COUNTS, COUNTS, st.none() | st.booleans())
def test_state_changes_only_after_enough_in_a_row(
    results: list[bool], rise: int, fall: int, start: bool | None
) -> None:
    """The state changes exactly when `rise` (or `fall`) results in a row speak against it."""
    tally = Tally(start)
    for index, ok in enumerate(results):
        before = tally.up
        tally.take(ok=ok, rise=rise, fall=fall)
        if before is None:
            assert tally.up is ok
            continue
        since = longest_run(results[: index + 1], ok)
        if tally.up is not before:
            assert ok is tally.up
            assert since >= (rise if ok else fall)
        elif ok is not before:
            assert tally.unsure
        else:
            assert not tally.unsure


@given(RESULTS, COUNTS, COUNTS)
def test_a_long_run_always_wins(results: list[bool], rise: int, fall: int) -> None:
    """Whatever came before, `rise` good results end in up and `fall` bad ones in down."""
    for value, count in ((True, rise), (False, fall)):
        tally = Tally()
        for ok in [*results, *[value] * count]:
            tally.take(ok=ok, rise=rise, fall=fall)
        assert tally.up is value


@dataclass
class World:
    """A monitor with its open probes and what it has said."""

    monitor: HealthMonitor
    open: dict[str, int] = field(default_factory=dict)
    said: dict[str, Health] = field(default_factory=dict)

    def take(self, actions: list[object]) -> None:
        """Note what is open and said; a probe is never started while one is open."""
        for action in actions:
            if isinstance(action, StartProbe):
                assert action.name not in self.open
                self.open[action.name] = action.probe_id
            elif isinstance(action, HealthChanged):
                assert self.said.get(action.name) is action.old
                assert action.new is not action.old
                self.said[action.name] = action.new


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.01, 3)), max_size=60)


@given(STEPS, st.dictionaries(st.sampled_from("abc"), st.sampled_from(list(Health))))
def test_what_is_said_is_what_is_so(
    steps: list[tuple[str, bool, float]], known: dict[str, Health]
) -> None:
    """The changes told add up to `health()`; there is always a timer or an open probe per check."""
    check = Check(TcpProbe("127.0.0.1", 1), 1000, 200, 500, rise=2, fall=2)
    world = World(HealthMonitor(known), said=dict(known))
    now = 0.0
    world.take(list(world.monitor.want(dict.fromkeys("abc", check), now)))
    for name, ok, passed in steps:
        now += passed
        world.take(list(world.monitor.handle_timer(now)))
        if name in world.open:
            probe_id = world.open.pop(name)
            world.take(list(world.monitor.result(name, probe_id, ok, "", now)))
        assert world.monitor.health() == world.said
        assert len(world.open) == 3 or world.monitor.next_timer() is not None
        timer = world.monitor.next_timer()
        assert timer is None or timer > now
