"""Schedules: what happens when, drawn from a seed, and played."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.model.virtual_ip import Health
from tests.simulation.chances import Chances
from tests.simulation.intent import HEALTHS, PEERS, PHASES, VIPS
from tests.simulation.story import Happening
from tests.simulation.world import World

LENGTH = 40
HOLD_TIMES_S = (30, 60)


def draw(seed: int) -> tuple[Happening, ...]:
    """Make a schedule: bursts with quiet times in between, ever more changes than faults."""
    chances = Chances(seed)
    kinds = [kind for kind, (weight, _) in KINDS.items() for _ in range(weight)]
    if seed % 8 == 0:
        kinds += ["events lost"] * 3
    found = []
    for _ in range(chances.between(5, LENGTH)):
        gap_ms = chances.one_of((0, 0, 1, 3, 10, 50, 400, 3000))
        found.append(Happening(gap_ms, chances.one_of(kinds), chances.below(1 << 16)))
    return tuple(found)


def play(seed: int, schedule: Sequence[Happening]) -> World:
    """Let everything of `schedule` happen, then mend all and settle. FoulError when it went wrong."""
    world = World(Chances(seed + 1))
    world.intent.peers = dict.fromkeys((name for name, *_ in PEERS), HOLD_TIMES_S[0])
    world.intent.vips = {1, 2, 3}
    world.start_speaker()
    world.settle()
    for happening in schedule:
        world.run_for(happening.after_ms / 1000)
        KINDS[happening.kind][1](world, happening.number)
    _quiet(world, 0)
    return world


# What can happen

Kind = Callable[[World, int], None]


def _vip(world: World, number: int) -> None:
    world.intent.vips ^= {1 + number % VIPS}
    world.want()


def _health(world: World, number: int) -> None:
    world.intent.health[1 + number % VIPS] = HEALTHS[number // VIPS % len(HEALTHS)]
    world.want()


def _everything(world: World, number: int) -> None:
    states = (Health.UP, Health.DOWN)
    world.intent.vips = set(range(1, VIPS + 1))
    world.intent.health = {vip: states[number >> vip & 1] for vip in world.intent.vips}
    world.want()


def _colour(world: World, number: int) -> None:
    world.intent.colour = number % 3
    world.want()


def _aggregate(world: World, _number: int) -> None:
    world.intent.aggregated = not world.intent.aggregated
    world.want()


def _drain(world: World, number: int) -> None:
    world.intent.drain = PHASES[number % len(PHASES)]
    world.want()


def _peer(world: World, number: int) -> None:
    name = PEERS[number % len(PEERS)][0]
    if name in world.intent.peers:
        del world.intent.peers[name]
    else:
        world.intent.peers[name] = HOLD_TIMES_S[0]
    world.want()


def _hold_time(world: World, number: int) -> None:
    name = PEERS[number % len(PEERS)][0]
    world.intent.peers[name] = HOLD_TIMES_S[number // 8 % 2]
    world.want()


def _speaker(world: World, number: int) -> None:
    world.kill_speaker()
    world.after(number % 300 / 1000, world.start_speaker)


def _hang_up(world: World, number: int) -> None:
    world.hang_up()
    world.after(number % 100 / 1000, world.connect)


def _exabgp(world: World, _number: int) -> None:
    if world.exabgp_runs:
        world.kill_exabgp()


def _relay(world: World, _number: int) -> None:
    world.kill_relay()


def _reset(world: World, number: int) -> None:
    address = _address(number)
    if world.exabgp_runs and address in world.exabgp.peers:
        world.exabgp.session_down(address)


def _refuse(world: World, number: int) -> None:
    _reset(world, number)
    address = _address(number)
    world.refusing.add(address)
    world.after(number % 5000 / 1000, lambda: world.refusing.discard(address))


def _stall(world: World, number: int) -> None:
    peer = world.exabgp.peers.get(_address(number))
    if peer is not None:
        peer.stalled = True
        world.referee.stalled(peer.address)

        def flow() -> None:
            peer.stalled = False

        world.after(number % 8000 / 1000, flow)


def _freeze(world: World, number: int) -> None:
    if world.exabgp_runs:
        world.exabgp_runs = False

        def thaw() -> None:
            world.exabgp_runs = True

        world.after(number % 2000 / 1000, thaw)


def _refuse_file(world: World, number: int) -> None:
    world.exabgp.refuses = True

    def mend() -> None:
        world.exabgp.refuses = False

    world.after(number % 3000 / 1000, mend)


def _lose(world: World, number: int) -> None:
    world.referee.lossy = True
    world.relay.lose = 1 + number % 3


def _quiet(world: World, _number: int) -> None:
    world.want()
    world.settle()


def _address(number: int) -> str:
    return f"10.0.0.{PEERS[number % len(PEERS)][1]}"


KINDS: dict[str, tuple[int, Kind]] = {
    "vip": (6, _vip),
    "health": (8, _health),
    "everything": (3, _everything),
    "colour": (4, _colour),
    "aggregate": (2, _aggregate),
    "drain": (2, _drain),
    "peer": (2, _peer),
    "hold time": (2, _hold_time),
    "speaker killed": (2, _speaker),
    "connection lost": (1, _hang_up),
    "exabgp killed": (1, _exabgp),
    "relay killed": (1, _relay),
    "session reset": (3, _reset),
    "router refuses": (1, _refuse),
    "router stalls": (2, _stall),
    "exabgp frozen": (1, _freeze),
    "file refused": (1, _refuse_file),
    "events lost": (0, _lose),
    "quiet": (3, _quiet),
}
"""How often, out of the sum, and what it does."""
