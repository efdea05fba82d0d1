"""A change that was sent and is not on the wire yet, and how long that may last."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.route import PathAttributes

FLUSH_TIMEOUT_S = 5.0
"""How long a change that ExaBGP took may stay off the wire before it is looked into."""
WITHDRAW_TIMEOUT_S = 0.5
"""The same for a withdraw that was sent once: the first batch of a session swallows withdraws."""
PROGRESS_S = FLUSH_TIMEOUT_S / 2
"""A peer that took an UPDATE so recently is not stalled."""
STALL_LIMIT_S = 60.0
"""How long nothing at all may reach a peer's wire before changes to it are sent anew."""
RESENDS = 3
"""Times a withdraw is sent again before it is believed."""


@dataclass(slots=True)
class InFlight:
    """A change under way; `tries` counts how often it was sent anew. `attributes` None withdraws."""

    attributes: PathAttributes | None
    sent_at: float
    tries: int = 0
    accepted: bool = False

    @property
    def patience_s(self) -> float:
        """How long to wait for it; sending a withdraw again does no harm, so it begins early."""
        first_withdraw = self.attributes is None and not self.tries
        return WITHDRAW_TIMEOUT_S if first_withdraw else FLUSH_TIMEOUT_S

    def late(self, now: float) -> bool:
        """Tell whether ExaBGP took it so long ago that it is to be looked into."""
        return self.accepted and now - self.sent_at >= self.patience_s

    def held_up(self, progress_at: float, now: float) -> bool:
        """Tell whether an announce only waits behind others for a peer that takes nothing now."""
        if self.attributes is None or now - self.sent_at >= STALL_LIMIT_S:
            return False
        return progress_at <= self.sent_at or now - progress_at > PROGRESS_S
