"""What a virtual router's priority is, after what it tracks (keepalived's rules)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.model.virtual_router import (
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    Track,
    VirtualRouter,
)

_Binary: TypeAlias = InterfaceTrack | CommandTrack | HealthTrack
OWNER = 255
"""Priority of the owner of the addresses, that no weight changes (RFC 9568 5.2.4)."""
_LOWEST, _HIGHEST = 1, 254
_FATAL = -254
"""A file's number times its weight that takes any router down."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Results of what is tracked. None, or nothing at all, is no result yet.

    Interfaces are up or not; one that is not there is down. A file without a number counts as 0, as
    keepalived has it.
    """

    interfaces: Mapping[str, bool] = field(default_factory=dict)
    files: Mapping[str, int | None] = field(default_factory=dict)
    commands: Mapping[tuple[str, ...], bool | None] = field(default_factory=dict)
    health: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """The priority in force; `fault` says what takes the router down.

    `waits_for` names something without a weight that has no result yet: a router that is not
    running does not start before, one that runs goes on as it was.
    """

    priority: int
    fault: str | None = None
    waits_for: str | None = None


def standing(router: VirtualRouter, facts: Facts) -> Standing:
    """Return what `router` is worth: 1 to 254, or 255 for the owner."""
    fault = next((f"{name} is down" for name in _failed(router, facts)), None)
    waits_for = next(_pending(router, facts), None)
    gain = sum(_gain(track, facts) for track in router.track)
    priority = min(_HIGHEST, max(_LOWEST, router.priority + gain))
    return Standing(OWNER if router.priority == OWNER else priority, fault, waits_for)


def _failed(router: VirtualRouter, facts: Facts) -> Iterator[str]:
    """Name what takes the router down."""
    for track in router.track:
        if isinstance(track, FileTrack):
            number = facts.files.get(track.path) or 0
            if number * track.weight <= _FATAL or (track.weight == 0 and number != 0):
                yield track.path
    yield from (_name(track) for track in _vital(router) if _result(track, facts) is False)


def _pending(router: VirtualRouter, facts: Facts) -> Iterator[str]:
    """Name what could take the router down and has no result yet."""
    return (_name(track) for track in _vital(router) if _result(track, facts) is None)


def _vital(router: VirtualRouter) -> Iterator[_Binary]:
    """Return what has no weight: without it the router is down."""
    for track in router.track:
        if not isinstance(track, FileTrack) and track.weight == 0:
            yield track


def _gain(track: Track, facts: Facts) -> int:
    """Return what a track adds: a positive weight when it is good, a negative one when it is not."""
    if isinstance(track, FileTrack):
        return (facts.files.get(track.path) or 0) * track.weight
    result = _result(track, facts)
    if result is None:
        return 0
    return track.weight if result is (track.weight > 0) else 0


def _result(track: _Binary, facts: Facts) -> bool | None:
    match track:
        case InterfaceTrack(interface):
            return facts.interfaces.get(interface, False)
        case CommandTrack(command):
            return facts.commands.get(command)
        case HealthTrack(virtual_ip):
            return facts.health.get(virtual_ip)


def _name(track: _Binary) -> str:
    match track:
        case InterfaceTrack(interface):
            return interface
        case CommandTrack(command):
            return command[0]
        case HealthTrack(virtual_ip):
            return f"VirtualIP {virtual_ip}"
