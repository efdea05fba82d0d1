"""Rules about a BGPPeer's times in CEL, for the API server; `bgp_peer` has the same in Python.

Times are cut to seconds, towards zero, before they are judged, as `whole_seconds` does.
"""

from __future__ import annotations

_HOLD = "duration(self.holdTime)"
_KEEPALIVE = "duration(self.keepaliveTime)"

CONNECT_TIME_RULE = (
    "!has(self.connectTime) || (duration(self.connectTime).getMilliseconds() % 1000 == 0"
    " && duration(self.connectTime) >= duration('1s')"
    " && duration(self.connectTime) <= duration('65535s'))"
)
"""Fractions of a millisecond are not seen, as in MetalLB's own rule."""


def _seconds_fit(time: str) -> str:
    """RFC 4271 4.2: zero, or at least three seconds in 16 bits."""
    zero = f"({time} > duration('-1s') && {time} < duration('1s'))"
    return f"({zero} || ({time} >= duration('3s') && {time} < duration('65536s')))"


def timers_rule(keepalive_given: str) -> str:
    """Return the rule of hold and keepalive time, of which either may be missing."""
    hold_fits = f"(!has(self.holdTime) || {_seconds_fit(_HOLD)})"
    tripled = f"({_KEEPALIVE} + {_KEEPALIVE} + {_KEEPALIVE})"
    both = f"({_KEEPALIVE} >= duration('0s') && {_KEEPALIVE} <= {_HOLD})"
    fits = f"(has(self.holdTime) ? {both} : {_seconds_fit(tripled)})"
    return f"{hold_fits} && (!({keepalive_given}) || {fits})"
