"""Rules about a BGPPeer's times in CEL, for the API server; `bgp_peer` has the same in Python.

Times are rounded to seconds, halves away from zero, and then compared.
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


def _rounded_fits(time: str) -> str:
    """RFC 4271 4.2: zero, or at least three seconds in 16 bits."""
    zero = f"({time} > duration('-500ms') && {time} < duration('500ms'))"
    return f"({zero} || ({time} >= duration('2500ms') && {time} < duration('65535500ms')))"


def timers_rule(keepalive_given: str) -> str:
    """Return the rule of hold and keepalive time, of which either may be missing."""
    hold_fits = f"(!has(self.holdTime) || {_rounded_fits(_HOLD)})"
    tripled = f"({_KEEPALIVE} + {_KEEPALIVE} + {_KEEPALIVE})"
    both = f"({_KEEPALIVE} >= duration('0s') && {_KEEPALIVE} <= {_HOLD})"
    fits = f"(has(self.holdTime) ? {both} : {_rounded_fits(tripled)})"
    return f"{hold_fits} && (!({keepalive_given}) || {fits})"
