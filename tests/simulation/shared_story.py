"""What happens in one play of shared VIPs: drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from orchestrator.model.settings import Transport
from tests.simulation.chances import Chances
from tests.simulation.shared_views import draw_rules
from tests.simulation.shared_world import World
from tests.simulation.story import FoulError, Happening

GAPS_MS = (0, 5, 30, 100, 250, 400, 900, 1800)
TRACE = 40
"""Lines of the trace that a foul shows."""


Kind = Callable[[World, int], None]


def is_gentle(seed: int) -> bool:
    """Tell whether in a play one thing happens after the other, each from peace."""
    return seed % 2 == 0


def draw(seed: int) -> list[Happening]:
    """Draw what happens."""
    chances = Chances(seed + 1)
    weight_at = 0 if is_gentle(seed) else 1
    bag = [kind for kind, (*weights, _) in KINDS.items() for _ in range(weights[weight_at])]
    return [
        Happening(chances.one_of(GAPS_MS), chances.one_of(bag), chances.below(1 << 16))
        for _ in range(chances.between(1, 3 if is_gentle(seed) else 7))
    ]


def play(seed: int, story: Sequence[Happening]) -> None:
    """Play it all, mend all, and see that peace comes and lasts."""
    chances = Chances(seed)
    world = World(draw_rules(chances), chances)
    world.referee.disturb(0.0, world.referee.start_s + 0.2)
    try:
        for name in world.rules.nodes:
            world.after(world.chances.below(200) / 1000, partial(world.start, name))
        if is_gentle(seed):
            _play_gently(world, story)
        else:
            _play(world, story)
    except FoulError as foul:
        foul.add_note("\n".join([repr(world.rules), *world.trace[-TRACE:]]))
        raise


def _play_gently(world: World, story: Sequence[Happening]) -> None:
    for happening in story[: 1 if world.is_crowded else len(story)]:
        world.run_until_calm()
        world.referee.judge_best()
        _happen(world, happening)
    world.run_until_calm()
    world.referee.judge_best()


def _play(world: World, story: Sequence[Happening]) -> None:
    world.run_for(0.3 if world.is_crowded else world.chances.one_of((0.3, 1.0, 2.0)))
    for happening in story[: 2 if world.is_crowded else len(story)]:
        world.run_for(happening.after_ms / (4000 if world.is_crowded else 1000))
        _happen(world, happening)
    world.run_for(0.2)
    _happen(world, Happening(0, "mended", 0))
    lasting_s = 0.3 if world.is_crowded else world.rules.preempt_delay_s + 0.5
    world.run_for(world.referee.start_s + lasting_s)


def _happen(world: World, happening: Happening) -> None:
    world.trace.append(f"{world.now:9.4f} {happening}")
    KINDS[happening.kind][2](world, happening.number)


# What may happen


def _name(world: World, number: int) -> str:
    return world.rules.nodes[number % len(world.rules.nodes)]


def _kill(world: World, number: int) -> None:
    """From peace on, each address is taken over once."""
    referee, calm = world.referee, _calm(world)
    referee.disturb(world.now, referee.failover_s)
    world.hosts[_name(world, number)].kill()
    if calm and not world.planner.stale:
        referee.count_takes()
        world.run_for(referee.failover_s)
        referee.judge_failover()


def _calm(world: World) -> bool:
    """Tell whether there was peace for long, with all nodes on one segment alone."""
    alike = all(list(host.up.values()) == [True] and host.runs for host in world.hosts.values())
    return alike and world.referee.peace(world.now, world.rules.preempt_delay_s + 0.1)


def _restart(world: World, number: int) -> None:
    """A process ends, and after up to 0.5 s another one begins."""
    name = _name(world, number)
    world.hosts[name].kill()
    delay_s = number // 64 % 500 / 1000
    world.referee.disturb(world.now, delay_s + world.referee.start_s)
    world.after(delay_s, partial(_start, world, name))


def _start(world: World, name: str) -> None:
    if world.hosts[name].vips is None:
        world.referee.disturb(world.now, world.referee.start_s)
        world.start(name)


def _leave(world: World, number: int) -> None:
    """A node stops in good order: from peace on, no request goes unanswered."""
    host = world.hosts[_name(world, number)]
    if host.runs:
        peace = world.referee.peace(world.now)
        world.referee.disturb(world.now, world.referee.slots_s + 1.0)
        world.referee.handing_over = peace
        host.leave(world.now)


def _pause(world: World, number: int) -> None:
    host = world.hosts[_name(world, number)]
    length_s = (1 + number // 64 % 1000) / 1000
    if host.runs:
        host.sleep()
        world.referee.disturb(world.now, length_s + world.referee.start_s)
        world.after(length_s, partial(_wake, world, host.name))


def _wake(world: World, name: str) -> None:
    host = world.hosts[name]
    if host.asleep:
        host.wake(world.now)


def _pair_cut(world: World, number: int) -> None:
    """Two do not hear each other: in peace, and while a third hears both, nothing may move."""
    a, b = _name(world, number), _name(world, number // 64)
    if a == b or not (_calm(world) and len(world.rules.nodes) > 2):
        return
    world.cuts |= {(a, b), (b, a)}
    world.referee.steady = True
    world.run_for((100 + number % 900) / 1000)
    world.cuts.clear()
    world.run_for(world.referee.failover_s)
    world.referee.steady = False


def _one_way(world: World, number: int) -> None:
    """Some do not hear some others, with no rule in it."""
    world.referee.begin("cuts")
    for at in range(1 + number % 4):
        world.cuts.add((_name(world, number // (3 + at)), _name(world, number // (64 + at))))


def _cut_off(world: World, number: int) -> None:
    """One cannot hear anybody, or be heard: the others take over in time."""
    name = _name(world, number)
    referee = world.referee
    if not _calm(world) or world.is_crowded:
        return
    others = [other for other in world.hosts if other != name] + [""]
    deaf = bool(number // 64 % 2)
    world.cuts |= {(other, name) if deaf else (name, other) for other in others}
    referee.disturb(world.now, referee.failover_s + 0.2)
    referee.cut_off(name)
    world.run_for(referee.failover_s + 0.2 + number % 500 / 1000)
    world.cuts.clear()
    referee.all_there()
    referee.disturb(world.now, referee.failover_s)


def _split(world: World, number: int) -> None:
    world.referee.begin("split")
    for at, name in enumerate(world.rules.nodes):
        world.group[name] = number >> at % 16 & 1


def _lossy(world: World, number: int) -> None:
    world.referee.begin("loss")
    world.loss_percent = (5, 20, 50, 90)[number % 4]


def _slow(world: World, _number: int) -> None:
    """Frames overtake each other."""
    world.referee.begin("slow")
    world.slow = True


def _link(world: World, number: int) -> None:
    """A port goes down, or comes up."""
    host = world.hosts[_name(world, number)]
    nic = list(host.up)[number // 64 % len(host.up)]
    host.up[nic] = not host.up[nic]
    up = host.up[nic]
    settles_s = world.referee.start_s if up else world.referee.failover_s
    world.referee.disturb(world.now, settles_s)
    host.plug(world.now)


def _change(world: World, number: int) -> None:
    """Plans change, and nodes see it one after the other."""
    peace = world.referee.peace(world.now)
    world.planner.change(number)
    latest_ms = 0
    for name in world.rules.nodes:
        delay_ms = world.chances.below(1 + number % 300)
        latest_ms = max(latest_ms, delay_ms)
        world.after(delay_ms / 1000, partial(world.tell, name))
    world.referee.disturb(world.now, latest_ms / 1000 + world.referee.slots_s)
    world.referee.handing_over = peace and number // 4096 % 8 > 2


def _stale(world: World, number: int) -> None:
    """A node's plan is old, or fresh again: that alone moves nothing."""
    world.planner.stale ^= {_name(world, number)}
    world.tell(_name(world, number))


def _rotate(world: World, _number: int) -> None:
    """Keys are changed: first all accept both, then the new one is sent, then the old one goes."""
    old = world.planner.view.keys
    if not old or len(old) > 1:
        return
    new = old[0] + b"'"
    for keys in ((*old, new), (new, *old), (new,)):
        world.planner.view = replace(world.planner.view, keys=keys)
        for name in world.rules.nodes:
            world.after(world.chances.below(50) / 1000, partial(world.tell, name))
        world.run_for(0.06)


def _bridge(world: World, _number: int) -> None:
    """Somebody joins both segments, or takes them apart; over unicast no node could notice."""
    if world.rules.transport is Transport.UNICAST:
        return
    world.bridged = not world.bridged
    world.referee.disturb(world.now, 2 * world.referee.start_s)


def _mend(world: World, _number: int) -> None:
    world.mend()
    for disturbance in ("cuts", "split", "loss", "slow"):
        world.referee.end(disturbance)
    world.referee.disturb(world.now, world.referee.start_s)


KINDS: dict[str, tuple[int, int, Kind]] = {
    "killed": (4, 4, _kill),
    "restarted": (4, 4, _restart),
    "leaves": (3, 3, _leave),
    "paused": (4, 4, _pause),
    "pair cut": (6, 0, _pair_cut),
    "cut off": (4, 0, _cut_off),
    "one way": (0, 3, _one_way),
    "split": (0, 3, _split),
    "loss": (0, 3, _lossy),
    "slow": (0, 2, _slow),
    "link": (3, 3, _link),
    "change": (6, 8, _change),
    "stale": (0, 3, _stale),
    "keys": (1, 1, _rotate),
    "bridge": (2, 1, _bridge),
    "mended": (2, 4, _mend),
}
"""How often, out of the sum, in gentle plays and in others, and what it does."""
