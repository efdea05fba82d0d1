"""What may happen to a reflector: objects change, and everything between it and them goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.kube.wire import Key
from tests.simulation.chances import Chances
from tests.simulation.reflector_world import SERVICES, World
from tests.simulation.story import FoulError, Happening

NAMES = 8
TRACE = 40
STEP_S = 0.2
HEALED_S = 240.0
"""Longer than silence, an answer's limit and the longest waits together."""


def draw(seed: int) -> list[Happening]:
    """Draw a story."""
    chances = Chances(seed + 7)
    kinds = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
    pauses = (5, 100, 1000, 9000, 40_000)
    return [
        Happening(chances.one_of(pauses), chances.one_of(kinds), chances.below(1 << 16))
        for _ in range(chances.between(4, 40))
    ]


def play(seed: int, story: Sequence[Happening]) -> None:
    """Play it all, mend all, and see that all there is becomes known."""
    world = World(Chances(seed))
    try:
        for number in range(world.chances.below(NAMES)):
            _put(world, number)
        world.start()
        for happening in story:
            _pass(world, happening.after_ms / 1000)
            world.trace.append(f"{world.now:9.3f} {happening}")
            KINDS[happening.kind](world, happening.number)
        _mend(world, 0)
        _pass(world, HEALED_S)
        world.judge()
    except FoulError as foul:
        foul.add_note("\n".join(world.trace[-TRACE:]))
        raise


def _pass(world: World, seconds: float) -> None:
    end = world.now + seconds
    while world.now < end:
        world.run_for(min(STEP_S, end - world.now))
        world.flow()
        if int(world.now) % 60 == 0:
            world.server.bookmark()


# What may happen


def _put(world: World, number: int) -> None:
    kind = "LoadBalancer" if number % 3 else "ClusterIP"
    metadata = {"namespace": "default", "name": f"s{number % NAMES}"}
    if kind == "ClusterIP":
        world.absent.add(Key("default", metadata["name"]))
    document = {"metadata": metadata, "spec": {"type": kind, "number": number}}
    world.server.put(SERVICES, document)


def _delete(world: World, number: int) -> None:
    name = "default", f"s{number % NAMES}"
    world.absent.add(Key(*name))
    world.server.delete(SERVICES, name)


def _restore(world: World, number: int) -> None:
    """The server comes back with an older store."""
    del number
    before = set(world.server.all(SERVICES))
    world.restore()
    world.absent.update(Key(*name) for name in before - set(world.server.all(SERVICES)))
    world.absent.update(
        Key(*n)
        for n, one in world.server.all(SERVICES).items()
        if one["spec"]["type"] != "LoadBalancer"
    )


def _set(name: str, value: object) -> Callable[[World, int], None]:
    def act(world: World, number: int) -> None:
        del number
        setattr(world, name, value)

    return act


def _refuse(world: World, number: int) -> None:
    world.refusing = (401, 403, 404, 429, 500, 503)[number % 6]


def _garble(world: World, number: int) -> None:
    world.garbling = number % 4


def _fall_silent(world: World, number: int) -> None:
    del number
    world.forget_line()


def _backup(world: World, number: int) -> None:
    del number
    world.backup = world.server.snapshot()


def _mend(world: World, number: int) -> None:
    del number
    world.down = world.silent = world.slow = False
    world.refusing = world.garbling = 0


KINDS: dict[str, Callable[[World, int], None]] = {
    "put": _put,
    "delete": _delete,
    "compacted": lambda world, _: world.server.compact(),
    "bookmark": lambda world, _: world.server.bookmark(),
    "cut": lambda world, _: world.server.cut(),
    "down": _set("down", value=True),
    "silent": _set("silent", value=True),
    "half open": _fall_silent,
    "slow": _set("slow", value=True),
    "refusing": _refuse,
    "garbled": _garble,
    "backup": _backup,
    "restored": _restore,
    "mended": _mend,
}
WEIGHTS = {kind: {"put": 8, "delete": 4, "mended": 4}.get(kind, 1) for kind in KINDS}
