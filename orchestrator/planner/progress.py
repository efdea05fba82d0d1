"""How far an announcement really got: session up, sent, flushed, towards every peer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.model.address import IPAddress, IPNetwork, family_of
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan, Protocol, Reason, Verdict
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionStatus
from orchestrator.planner.advertise import prefix_of
from orchestrator.planner.elected import elected, may_answer
from orchestrator.planner.step import Step, broken, good

REACHED = {
    RouteStatus.SENT: (Reason.NOT_SENT, {RouteStatus.SENT, RouteStatus.FLUSHED}),
    RouteStatus.FLUSHED: (Reason.NOT_ACKNOWLEDGED, {RouteStatus.FLUSHED}),
}
"""State to reach -> the reason while it is not reached, and the states that are enough."""


@dataclass(slots=True)
class Progress:
    """Follows announced addresses of one plan; keeps what it looked up in the RIBs."""

    plan: Plan
    live: Live
    lengths: dict[tuple[str, str, int], tuple[int, ...]] = field(default_factory=dict)

    def steps(self, verdict: Verdict) -> list[Step]:
        """Return the links after those that the plan decides, up to the first that is broken."""
        if self.live.unheard:
            return [self._unheard(verdict)]
        if verdict.protocol is Protocol.LAYER2:
            return [elected(verdict, self.live)]
        routes = self._routes(verdict)
        if not routes:
            text = f"no session of {verdict.node} takes this route: see peers, families, problems"
            return [broken("session", Reason.PEER_DOWN, text)]
        up = {peer: prefixes for peer, prefixes in routes.items() if self._is_up(peer)}
        states = ", ".join(f"{peer} {self._session_text(peer)}" for peer in routes)
        if not up:
            return [broken("session", Reason.PEER_DOWN, states)]
        return [good("session", states), *self._transfer(verdict, up)]

    def _unheard(self, verdict: Verdict) -> Step:
        if verdict.protocol is Protocol.LAYER2:
            return broken("elected", Reason.NOT_SENT, self.live.unheard)
        return broken("session", Reason.PEER_DOWN, self.live.unheard)

    def words(self, verdict: Verdict) -> str:
        """Return the words of the plan's verdict, with what a failing check saw."""
        detail = self.live.details.get(verdict.service.name)
        if verdict.reason is Reason.UNHEALTHY and detail:
            return f"{verdict.message}: {detail}"
        return verdict.message

    def goes_on(self, verdict: Verdict) -> bool:
        """Tell whether what really is decides, and not the plan alone."""
        return verdict.announced or may_answer(verdict)

    def last(self, verdict: Verdict) -> Step:
        """Return the link that decides: the first broken one, else the last."""
        return self.steps(verdict)[-1]

    def _transfer(self, verdict: Verdict, up: dict[str, list[IPNetwork]]) -> Iterator[Step]:
        unbound = self.live.unbound.get(verdict.address) if verdict.address else None
        if unbound is not None:
            text = f"{verdict.address} is held back until it is bound: {unbound}"
            yield broken("sent", Reason.NOT_SENT, text)
            return
        for status, (reason, enough) in REACHED.items():
            late = [peer for peer, prefixes in up.items() if not self._all(peer, prefixes, enough)]
            if late:
                text = f"not yet {status.value} to {', '.join(late)}"
                yield broken(status.value, reason, text + self._doubt(verdict, late))
                return
            yield good(status.value, f"to {', '.join(up)}")

    def _doubt(self, verdict: Verdict, peers: list[str]) -> str:
        assert verdict.address is not None
        family = family_of(verdict.address)
        doubts = [self.live.doubts.get((peer, family)) for peer in peers]
        return "".join(f": {doubt}" for doubt in doubts if doubt)

    def _all(self, peer: str, prefixes: list[IPNetwork], enough: set[RouteStatus]) -> bool:
        return all(self.live.route_status(peer, prefix) in enough for prefix in prefixes)

    def _routes(self, verdict: Verdict) -> dict[str, list[IPNetwork]]:
        """Prefixes, by peer, that carry the address of `verdict` for its Service."""
        if verdict.address is None:
            return {}
        name = str(verdict.service)
        found: dict[str, list[IPNetwork]] = {}
        for peer, rib in self.plan.ribs.get(verdict.node, {}).items():
            for prefix in self._candidates(verdict.node, peer, rib, verdict.address):
                if prefix in rib and name in rib[prefix].services:
                    found.setdefault(peer, []).append(prefix)
        return found

    def _candidates(
        self, node: str, peer: str, rib: Rib, address: IPAddress
    ) -> Iterator[IPNetwork]:
        key = (node, peer, address.version)
        if key not in self.lengths:
            self.lengths[key] = tuple({p.prefixlen for p in rib if p.version == address.version})
        return (prefix_of(address, length) for length in self.lengths[key])

    def _is_up(self, peer: str) -> bool:
        state = self.live.sessions.get(peer)
        return state is not None and state.status is SessionStatus.UP

    def _session_text(self, peer: str) -> str:
        state = self.live.sessions.get(peer)
        if state is None:
            return SessionStatus.UNKNOWN.value
        error = f" ({state.last_error})" if state.last_error and not self._is_up(peer) else ""
        return f"{state.status.value}{error}"
