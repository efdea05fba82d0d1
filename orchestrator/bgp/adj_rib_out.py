"""The adj-rib-out of one peer: brings what ExaBGP holds for it to what is wanted, change by change.

Sans-I/O. The rules it keeps are those of DESIGN 5: nothing is sent to a peer that is not up (1); a
prefix has at most one change that is not yet on the wire (2); no change is sent that changes
nothing, and none is waited for without limit (3); withdraws go first (17). The order of `send
update` events is the order on the wire, so the last one seen is what the peer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum

from orchestrator.bgp.difference import differences
from orchestrator.bgp.events import UpdateSent
from orchestrator.bgp.flight import RESENDS, InFlight
from orchestrator.bgp.lines import Line, next_line
from orchestrator.bgp.wire import PROBE, Change, Link
from orchestrator.model.address import Family, IPAddress, IPNetwork
from orchestrator.model.route import PathAttributes, Rib
from orchestrator.model.session_state import RouteStatus

UNFLUSHED_LIMIT = 400
"""Prefixes of one peer that may be on their way to the wire at once."""
RESTART_TIME_S = 120
"""Graceful restart: how long a peer keeps our routes without us (RFC 4724; FRR's default too)."""


class Phase(Enum):
    """Where a session is: `ASKING` is up, but ExaBGP has not yet said what it holds."""

    DOWN = "down"
    ASKING = "asking"
    LIVE = "live"


class AdjRibOut:
    """Desired, sent and flushed routes of one peer. Times are seconds of any steady clock."""

    def __init__(self, link: Link, *, graceful_restart: bool = False) -> None:
        self.link = link
        self.graceful_restart = graceful_restart
        self._configured = link
        self._negotiated: tuple[Family, ...] | None = None
        self._extended: bool | None = None
        self.phase = Phase.DOWN
        self.epoch = 0
        """Grows with every session; tells answers about this one from those about the last."""
        self.updates = 0
        """UPDATEs that reached the peer's socket."""
        self._desired: Rib = {}
        self._known = False
        self._held: dict[IPNetwork, PathAttributes] = {}
        self._shown: dict[IPNetwork, PathAttributes] = {}
        self._doubtful: set[IPNetwork] = set()
        self._pending: dict[IPNetwork, InFlight] = {}
        self._withdraws: dict[IPNetwork, None] = {}
        self._announces: dict[IPNetwork, PathAttributes] = {}
        self._refused: dict[IPNetwork, str] = {}
        self._rejected: dict[IPNetwork, PathAttributes] = {}
        self._singly: set[IPNetwork] = set()
        self._resent: dict[IPNetwork, int] = {}
        self._ends_due: set[Family] = set()
        self._progress_at = 0.0
        self._check_at: float | None = None
        self._stale_until = 0.0

    # What is wanted

    def want(self, rib: Rib) -> None:
        """Take the whole desired adj-rib-out."""
        old, self._desired = self._desired, rib
        first, self._known = not self._known, True
        if self.phase is not Phase.LIVE:
            return
        if first:
            self._reconsider_all()
        elif old is not rib:
            self._reconsider(differences(old, rib))

    def narrow(self, ribs: Mapping[str, Rib]) -> None:
        """Want no longer, of what was wanted, what none of `ribs` has: for a peer that is to go."""
        self.want(
            {p: r for p, r in self._desired.items() if any(p in rib for rib in ribs.values())}
        )

    def relink(self, link: Link, *, graceful_restart: bool) -> None:
        """Take what a reload changed in the session; an own address learnt before is kept."""
        self.graceful_restart = graceful_restart
        if link.local_address is None:
            link = replace(link, local_address=self.link.local_address)
        if link != self._configured:
            self._configured = link
            self._agree()
            if self.phase is Phase.LIVE:
                self._reconsider_all()

    def _agree(self) -> None:
        """Leave only what the peer agreed to carry."""
        self.link = self._configured.agreed(self._negotiated, self._extended)

    # What ExaBGP tells

    def up(self, local: IPAddress | None, families: tuple[Family, ...] | None = None) -> None:
        """Begin a session: nothing is sent before ExaBGP has shown what it holds for the peer."""
        self._forget_flight()
        self.phase = Phase.ASKING
        self.epoch += 1
        self._shown = {}
        self._rejected.clear()
        self._singly.clear()
        self._resent.clear()
        if local is not None:
            self._configured = replace(self._configured, local_address=local)
        self._negotiated = families
        self._agree()
        self._ends_due = set(self.link.families) if self.graceful_restart else set()

    def negotiated(self, *, extended_next_hop: bool | None) -> None:
        """Take whether this session carries IPv6 next hops for IPv4 routes; None is not known."""
        if extended_next_hop is self._extended:
            return
        self._extended = extended_next_hop
        before = self.link
        self._agree()
        if self.phase is Phase.LIVE and self.link != before:
            self._reconsider_all()

    def down(self, now: float) -> None:
        """End a session: what was on its way may or may not be replayed in the next one."""
        before, self.phase = self.phase, Phase.DOWN
        self.negotiated(extended_next_hop=None)
        if before is Phase.DOWN:
            return
        self._forget_flight()
        self._stale_until = now + RESTART_TIME_S if self.graceful_restart else now

    def lost(self) -> None:
        """ExaBGP's process or the way to it is gone; all is asked for again later."""
        self._forget_flight()
        if self.phase is Phase.LIVE:
            self.phase = Phase.ASKING
        self.negotiated(extended_next_hop=None)

    def shown(self, change: Change) -> None:
        """Take one route that ExaBGP says it holds."""
        if change.attributes is not None:
            self._shown[change.prefix] = self.link.canonical(change.attributes)

    def shown_all(self) -> None:
        """End the list: from here on changes are sent."""
        if self.phase is Phase.ASKING:
            self._held, self._shown = self._shown, {}
            self.phase = Phase.LIVE
            if self.link.extended_next_hop is None:
                self._doubtful.add(PROBE)
            self._reconsider_all()

    def restart_showing(self) -> None:
        """Forget what was shown so far: a new list begins."""
        self._shown = {}

    def accepted(self, changes: Iterable[Change], now: float) -> None:
        """ExaBGP took a line (`done`): parsed, not sent (DESIGN 5, rule 2)."""
        for change in changes:
            flight = self._pending.get(change.prefix)
            if flight is not None:
                flight.accepted = True
                flight.sent_at = now

    def rejected(self, changes: tuple[Change, ...]) -> None:
        """ExaBGP refused a line (`error`): its parts are tried singly, a single one is given up."""
        for change in changes:
            self._pending.pop(change.prefix, None)
            if len(changes) > 1:
                self._singly.add(change.prefix)
            elif change.attributes is not None:
                self._rejected[change.prefix] = change.attributes
            else:
                self._doubtful.discard(change.prefix)
                self._held.pop(change.prefix, None)
        self._reconsider(change.prefix for change in changes)

    def flushed(self, update: UpdateSent, now: float) -> None:
        """Take note that an UPDATE reached the peer's socket."""
        self.updates += 1
        if self.phase is not Phase.LIVE:
            return
        self._progress_at = now
        if update.end_of_rib is not None:
            self._ends_due.discard(update.end_of_rib)
        for change in update.changes:
            self._on_wire(change)

    def _on_wire(self, change: Change) -> None:
        prefix = change.prefix
        attributes = None if change.attributes is None else self.link.canonical(change.attributes)
        before = self._held.pop(prefix, None)
        if attributes is not None:
            self._held[prefix] = attributes
        flight = self._pending.get(prefix)
        if flight is not None and not _same(attributes, flight.attributes):
            return  # an older change of the prefix: ours is still to come
        self._pending.pop(prefix, None)
        self._doubtful.discard(prefix)
        self._resent.pop(prefix, None)
        if flight is None and self._is_overtaken(prefix, before, attributes):
            self._force(prefix)
        else:
            self._reconsider((prefix,))

    def _is_overtaken(
        self, prefix: IPNetwork, before: PathAttributes | None, seen: PathAttributes | None
    ) -> bool:
        """Tell whether what is wanted was followed by an older change: a predecessor's (rule 2)."""
        target = self._target(prefix)
        return target is not None and _same(before, target) and not _same(seen, target)

    def _force(self, prefix: IPNetwork) -> None:
        """Withdraw, and only then announce what ExaBGP might take for a repetition.

        A withdraw is always sent, and the announce after it is then none.
        """
        self._doubtful.add(prefix)
        self._announces.pop(prefix, None)
        self._withdraws[prefix] = None

    # What is to be sent

    def take(self, weight: int, now: float) -> list[Line]:
        """Return lines to be sent now, worth about `weight` of the window, withdraws first."""
        if self.phase is not Phase.LIVE or not self._known:
            return []
        lines: list[Line] = []
        while weight > 0 and len(self._pending) < UNFLUSHED_LIMIT:
            line = next_line(self.link, self._withdraws, self._announces, self._singly)
            if line is None:
                break
            self._fly(line, now)
            lines.append(line)
            weight -= line.weight
        return lines

    def _fly(self, line: Line, now: float) -> None:
        for change in line.changes:
            self._withdraws.pop(change.prefix, None)
            self._announces.pop(change.prefix, None)
            tries = self._resent.get(change.prefix, 0)
            flight = self._pending[change.prefix] = InFlight(change.attributes, now, tries)
            due = now + flight.patience_s
            self._check_at = due if self._check_at is None else min(self._check_at, due)

    def ends_due(self) -> tuple[Family, ...]:
        """Families whose full set is on the wire and whose End-of-RIB is still to be sent."""
        if self.phase is not Phase.LIVE or not self._known or not self.settled:
            return ()
        return tuple(sorted(self._ends_due))

    def end_taken(self, family: Family) -> None:
        """ExaBGP took the command for an End-of-RIB."""
        self._ends_due.discard(family)

    # Time

    def next_timer(self) -> float | None:
        """When `handle_timer` is to be called, if at all."""
        return self._check_at if self._pending else None

    def handle_timer(self, now: float) -> None:
        """Look into changes that did not reach the wire in time."""
        if self._check_at is None or now < self._check_at:
            return
        late = [prefix for prefix, flight in self._pending.items() if flight.late(now)]
        for prefix in late:
            self._look_into(prefix, now)
        patience = min((flight.patience_s for flight in self._pending.values()), default=0.0)
        self._check_at = now + patience / 2 if self._pending else None

    def _look_into(self, prefix: IPNetwork, now: float) -> None:
        flight = self._pending[prefix]
        if flight.held_up(self._progress_at, now):
            return
        del self._pending[prefix]
        tries = self._resent[prefix] = self._resent.get(prefix, 0) + 1
        if tries > RESENDS:
            self._believe(prefix, flight.attributes)
        else:
            self._force(prefix)

    def _believe(self, prefix: IPNetwork, attributes: PathAttributes | None) -> None:
        self._doubtful.discard(prefix)
        if attributes is None:
            self._held.pop(prefix, None)
        else:
            self._held[prefix] = attributes
        self._reconsider((prefix,))

    # What there is to know

    @property
    def settled(self) -> bool:
        """Tell whether nothing waits to be sent or flushed."""
        return not (self._pending or self._withdraws or self._announces)

    @property
    def unflushed(self) -> bool:
        """Tell whether changes were sent that are not on the wire yet."""
        return bool(self._pending)

    def status(self, prefix: IPNetwork) -> RouteStatus:
        """How far the desired route for `prefix` got."""
        route = self._desired.get(prefix)
        if self.phase is not Phase.LIVE or route is None or prefix in self._refused:
            return RouteStatus.DESIRED
        flight = self._pending.get(prefix)
        if flight is not None:
            target = self.link.canonical(route.attributes)
            return RouteStatus.SENT if flight.attributes == target else RouteStatus.DESIRED
        waiting = prefix in self._announces or prefix in self._withdraws
        return RouteStatus.DESIRED if waiting or prefix not in self._held else RouteStatus.FLUSHED

    def counts(self) -> tuple[int, int, int]:
        """Numbers of routes desired, sent (flushed ones included) and flushed."""
        if self.phase is not Phase.LIVE or not self._known:
            return len(self._desired), 0, 0
        flying = [p for p in self._pending if p in self._desired]
        waiting = len(self._announces) + len(self._refused)
        waiting += sum(p in self._desired for p in self._withdraws)
        flushed = len(self._desired) - waiting - len(flying)
        sent = sum(self._pending[p].attributes is not None for p in flying)
        return len(self._desired), flushed + sent, flushed

    def holding(self, now: float) -> frozenset[IPNetwork]:
        """Prefixes that the peer may hold from us, by all that is known."""
        if self.phase is Phase.DOWN and now >= self._stale_until:
            return frozenset()
        return frozenset().union(self._held, self._pending, self._doubtful)

    def refusals(self) -> dict[IPNetwork, str]:
        """Desired routes that cannot be sent in this session, and why."""
        return dict(self._refused)

    # The difference

    def _forget_flight(self) -> None:
        self._doubtful.update(self._pending)
        self._pending.clear()
        self._withdraws.clear()
        self._announces.clear()
        self._check_at = None

    def _reconsider_all(self) -> None:
        self._refused.clear()
        self._reconsider(dict.fromkeys((*self._desired, *self._held, *self._doubtful)))

    def _reconsider(self, prefixes: Iterable[IPNetwork]) -> None:
        for prefix in prefixes:
            self._withdraws.pop(prefix, None)
            self._announces.pop(prefix, None)
            if prefix in self._pending:
                continue
            target = self._target(prefix)
            if target is None:
                if self._is_undecided(prefix):
                    continue  # what a predecessor, who knew, left of it stays
                if prefix in self._held or prefix in self._doubtful:
                    self._withdraws[prefix] = None
            elif not _same(self._held.get(prefix), target):
                self._announces[prefix] = target
            else:
                self._doubtful.discard(prefix)

    def _is_undecided(self, prefix: IPNetwork) -> bool:
        route = self._desired.get(prefix)
        return route is not None and self.link.is_undecided(route)

    def _target(self, prefix: IPNetwork) -> PathAttributes | None:
        self._refused.pop(prefix, None)
        route = self._desired.get(prefix)
        if route is None:
            return None
        reason = self.link.refusal(route)
        target = self.link.canonical(route.attributes)
        if reason is None and self._rejected.get(prefix) == target:
            reason = "ExaBGP refused the command"
        if reason is not None:
            self._refused[prefix] = reason
            return None
        return target


def _same(seen: PathAttributes | None, meant: PathAttributes | None) -> bool:
    """Tell whether what was seen is what was meant, where the own address may not be known."""
    if seen is None or meant is None or meant.next_hop is not None:
        return seen == meant
    return replace(seen, next_hop=None) == meant
