"""What happens to virtual routers on one segment, drawn from a seed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from orchestrator.model.virtual_router import VirtualRouter
from tests.simulation.chances import Chances
from tests.simulation.story import Happening
from tests.simulation.virtual_router_segment import NIC, VIPS, VIPS_IPV6, Segment

LENGTH = 25
PRIORITIES = (1, 50, 100, 100, 150, 200, 254)
INTERVALS_MS = (100, 100, 100, 50, 200)
DELAYS_MS = (0, 0, 0, 300, 2000)


def cast(chances: Chances) -> list[VirtualRouter]:
    """Draw 2 to 6 routers that differ in priority, interval and preemption; rarely one is owner."""
    mixed = chances.below(3) == 0
    all_preempt = chances.below(2) == 0
    interval_ms = chances.one_of(INTERVALS_MS)
    routers = [
        VirtualRouter(
            f"router-{number}",
            NIC,
            51,
            priority=chances.one_of(PRIORITIES),
            advert_interval_ms=chances.one_of(INTERVALS_MS) if mixed else interval_ms,
            preempt=all_preempt or chances.below(2) == 0,
            preempt_delay_ms=chances.one_of(DELAYS_MS),
            addresses=VIPS[:1],
            excluded_addresses=VIPS[1:],
        )
        for number in range(chances.between(2, 6))
    ]
    if chances.below(8) == 0:
        routers[0] = replace(routers[0], priority=255)
    wire = chances.one_of(WIRES)
    return [wire(index, routers) for index in range(len(routers))]


def _multicast(index: int, routers: Sequence[VirtualRouter]) -> VirtualRouter:
    return routers[index]


def _ipv6(index: int, routers: Sequence[VirtualRouter]) -> VirtualRouter:
    return replace(routers[index], addresses=VIPS_IPV6, excluded_addresses=())


def _version_2(index: int, routers: Sequence[VirtualRouter]) -> VirtualRouter:
    return replace(routers[index], version=2, advert_interval_ms=1000, password="secret")


def _unicast(index: int, routers: Sequence[VirtualRouter]) -> VirtualRouter:
    numbers = range(1, len(routers) + 1)
    peers = tuple(ipaddress.ip_address(f"192.0.2.{n}") for n in numbers if n != index + 1)
    return replace(routers[index], unicast_peers=peers)


WIRES = (_multicast, _multicast, _multicast, _ipv6, _version_2, _unicast)
"""How adverts travel."""


def draw(seed: int) -> tuple[Happening, ...]:
    """Make a schedule."""
    chances = Chances(seed)
    kinds = [kind for kind, (weight, _) in KINDS.items() for _ in range(weight)]
    return tuple(
        Happening(
            chances.one_of((0, 0, 1, 10, 50, 120, 400, 1500)),
            chances.one_of(kinds),
            chances.below(1 << 16),
        )
        for _ in range(chances.between(2, LENGTH))
    )


def play(seed: int, schedule: Sequence[Happening]) -> Segment:
    """Let everything happen, then peace; FoulError when it went wrong."""
    chances = Chances(seed + 1)
    segment = Segment(chances, cast(chances))
    for index in range(len(segment.hosts)):
        segment.after(chances.below(300) / 1000, partial(segment.start, index))
    segment.run_for(0.3)
    for happening in schedule:
        segment.trace.append(f"{segment.now:.3f} {happening}")
        KINDS[happening.kind][1](segment, happening.number)
        segment.run_for(happening.after_ms / 1000)
    segment.heal()
    segment.trace.append(f"{segment.now:.3f} healed")
    segment.settle()
    return segment


def _who(segment: Segment, number: int) -> int:
    return number % len(segment.hosts)


def _kill(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    segment.kill(index)
    segment.after(number % 1500 / 1000, partial(segment.start, index))


def _stop(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    segment.stop(index)
    segment.after(1 + number % 1500 / 1000, partial(segment.start, index))


def _pause(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    segment.pause(index)
    segment.after(number % 997 / 1000, partial(segment.wake, index))


def _carrier(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    segment.carrier(index, up=False)
    segment.after(number % 911 / 1000, partial(segment.carrier, index, up=True))


def _priority(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    priority = PRIORITIES[number // 8 % len(PRIORITIES)]
    segment.configure(index, replace(segment.hosts[index].router, priority=priority))


def _preempt(segment: Segment, number: int) -> None:
    index = _who(segment, number)
    router = segment.hosts[index].router
    segment.configure(index, replace(router, preempt=not router.preempt))


def _loss(segment: Segment, number: int) -> None:
    segment.loss_percent = (5, 20, 50, 90)[number % 4]


def _one_way(segment: Segment, number: int) -> None:
    one, other = _who(segment, number), _who(segment, number // 8)
    if one != other:
        segment.cut.add((one, other))


def _split(segment: Segment, number: int) -> None:
    sides = [number >> index & 1 for index in range(len(segment.hosts))]
    every = range(len(sides))
    segment.cut |= {(a, b) for a in every for b in every if sides[a] != sides[b]}


def _mend(segment: Segment, _number: int) -> None:
    segment.cut.clear()
    segment.loss_percent = 0


KINDS: dict[str, tuple[int, Callable[[Segment, int], None]]] = {
    "killed": (4, _kill),
    "stopped": (3, _stop),
    "paused": (4, _pause),
    "cable": (3, _carrier),
    "priority": (4, _priority),
    "preempt": (1, _preempt),
    "loss": (3, _loss),
    "one way": (3, _one_way),
    "split": (3, _split),
    "mended": (6, _mend),
}
"""How often, out of the sum, and what it does."""
