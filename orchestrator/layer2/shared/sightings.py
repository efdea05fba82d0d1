"""Whose ARP and NA for our addresses are seen: a hint about others, never a reason to release.

A member's MAC that is no claimant means that its kernel answers (kube-proxy with IPVS and without
strictARP); any other MAC is a stranger with our address (RFC 5227, DESIGN 8.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.layer2.actions import Event, Happening
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.shared.changes import address_of
from orchestrator.layer2.shared.claim import Key
from orchestrator.layer2.shared.membership import Member
from orchestrator.layer2.shared.station import Station

QUIET_S = 10.0
"""One address and MAC are told of once in this time (RFC 5227 2.4)."""
REMEMBERED_S = 60.0
"""A rival that was seen so long ago is gone."""
HANDOVER_S = 2.0
"""A former owner may answer for so long after we have taken an address over."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody else that said it has an address of ours.

    `member` is its name if it is one, and `heard` tells whether its hellos came in then.
    """

    mac: MAC
    member: str
    heard: bool
    first: float
    seen: float
    told: float = float("-inf")

    @property
    def certain(self) -> bool:
        """Tell whether it is more than a last frame of a member that gave the address up."""
        return not self.member or self.seen - self.first >= HANDOVER_S


class Sightings:
    """What was seen on one segment, the last rival of each address that is ours."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._seen: dict[Key, Sighting] = {}

    def see(self, key: Key, mac: MAC, now: float) -> list[Event]:
        """Take a sighting; return what is to be told of it."""
        ownership = self._station.ownership
        if key not in ownership.mine.claims:
            self._seen.pop(key, None)
            return []
        members = [one for one in self._station.members if one.mac == mac]
        if any(self._may_answer(one, key, now) for one in members):
            return []
        seen = self._seen[key] = self._sighting(key, mac, members[0] if members else None, now)
        if not seen.certain or now - seen.told < QUIET_S:
            return []
        self._seen[key] = replace(seen, told=now)
        happening = Happening.KERNEL_ANSWERS if members else Happening.ADDRESS_CONFLICT
        address = address_of(key)
        return [Event(self._station.port.name, happening, address, seen.member or str(mac))]

    def _sighting(self, key: Key, mac: MAC, member: Member | None, now: float) -> Sighting:
        name, heard = ("", False) if member is None else (member.name, member.is_heard(now))
        last = self._seen.get(key)
        if last is None or (last.mac, last.heard) != (mac, heard) or self._is_past(last, now):
            return Sighting(mac, name, heard, now, now)
        return replace(last, seen=now)

    def _is_past(self, one: Sighting, now: float) -> bool:
        """Tell whether a sighting says nothing any more.

        A member that was heard anew since was cut off before, and rightly had the address there.
        """
        member = self._station.members.by_name.get(one.member)
        rejoined = member is not None and member.hearing_since > one.first
        return rejoined or now - one.seen >= REMEMBERED_S

    def _may_answer(self, member: Member, key: Key, now: float) -> bool:
        """Tell whether a member claims the address, or has just handed it over."""
        since = self._station.ownership.owned_since(key)
        return key in member.claims.claims or now - since < HANDOVER_S

    def lately(self, now: float) -> list[Key]:
        """Return the addresses of ours at which a rival was seen lately, be that certain or not."""
        claims = self._station.ownership.mine.claims
        return [
            key for key, one in self._seen.items() if key in claims and not self._is_past(one, now)
        ]

    def of(self, key: Key, now: float) -> Sighting | None:
        """Return the rival of an address of ours, if it was seen lately."""
        last = self._seen.get(key)
        ours = key in self._station.ownership.mine.claims
        if last is None or not ours or not last.certain or self._is_past(last, now):
            return None
        return last
