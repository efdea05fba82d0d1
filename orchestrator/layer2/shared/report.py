"""What shared VIPs look like from this node: segments, members, who owns what (DESIGN 8.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.layer2.shared.changes import address_of
from orchestrator.layer2.shared.claim import Key
from orchestrator.layer2.shared.hello import State
from orchestrator.layer2.shared.segment import Segment
from orchestrator.layer2.shared.sightings import Sightings
from orchestrator.layer2.shared.station import Phase
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired
from orchestrator.model.layer2_report import MemberReport, OwnerReport, SegmentReport

NOT_HEARD = float("-inf")


@dataclass(frozen=True, slots=True)
class SharedReport:
    """The part of `Layer2Report` that is about shared VIPs, in the same words."""

    segments: tuple[SegmentReport, ...] = ()
    owners: Mapping[IPAddress, tuple[OwnerReport, ...]] = field(default_factory=dict)
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failovers: int = 0


def report_of(
    parts: Iterable[tuple[Segment, Sightings]], desired: Desired, now: float, *, owners: bool
) -> SharedReport:
    """Return what is to be told of all segments, with or without each owner."""
    segments, found = [], dict[IPAddress, list[OwnerReport]]()
    refused, failovers = {}, 0
    for segment, sightings in parts:
        name = segment.port.name
        segments.append(_segment(segment, desired))
        for address, owner in _owners(segment, sightings, now) if owners else ():
            found.setdefault(address, []).append(owner)
        refused[name] = {cause.value: count for cause, count in segment.refused.items()}
        failovers += segment.ownership.failovers
    by_address = {address: tuple(of_it) for address, of_it in found.items()}
    return SharedReport(tuple(segments), by_address, refused, failovers)


def _segment(segment: Segment, desired: Desired) -> SegmentReport:
    return SegmentReport(
        interface=segment.port.name,
        state=_state(segment),
        counted=_counts(segment, desired),
        merged_into=segment.merged_into,
        members=tuple(
            MemberReport(one.name, _word(one.state), one.last, one.alive)
            for one in segment.members
            if one.last != NOT_HEARD
        ),
    )


def _state(segment: Segment) -> str:
    isolated = segment.phase is Phase.MEMBER and segment.isolation.active
    return _word(State.ISOLATED) if isolated else segment.phase.value


def _word(state: State) -> str:
    return state.name.lower()


def _counts(segment: Segment, desired: Desired) -> bool:
    """Tell whether the segment has weight: an empty one that nothing points to has none."""
    own = {one.ip for one in segment.port.addresses}
    named = segment.port.name in desired.named_interfaces
    return segment.ever_heard or named or bool(own & desired.internal_addresses)


def _owners(
    segment: Segment, sightings: Sightings, now: float
) -> Iterable[tuple[IPAddress, OwnerReport]]:
    for key in segment.ownership.stakes:
        yield address_of(key), owner_of(segment, sightings, key, now)


def owner_of(segment: Segment, sightings: Sightings, key: Key, now: float) -> OwnerReport:
    """Return what is to be told of one address that is elected on `segment`."""
    ownership, seen = segment.ownership, sightings.of(key, now)
    return OwnerReport(
        interface=segment.port.name,
        owner=ownership.owner(key),
        since=ownership.owned_since(key),
        wanted=ownership.stakes[key].wish.wanted,
        conflict=str(seen.mac) if seen is not None and not seen.member else "",
        kernel_answers=seen.member if seen is not None else "",
    )
