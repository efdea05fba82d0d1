"""The state machine of a virtual router as a table (RFC 9568 6.4, RFC 3768 6.4).

FAULT, which the RFCs do not have, is keepalived's: something that the router depends on is down.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.layer2.actions import RouterState

INIT, BACKUP, MASTER, FAULT = RouterState


class RouterEvent(Enum):
    """What a virtual router reacts to; the value is its name in the diagram."""

    STARTED = "started, or the fault is over"
    OWNER_STARTED = "started as owner (255)"
    FAULTED = "a fault"
    STOPPED = "stopped"
    TIMER = "the timer is due"
    PRIORITY_ZERO = "an advert of priority 0"
    BETTER = "an advert of a better router"
    WORSE = "an advert of a worse router"
    TOLERATED = "an advert of a worse router, preemption off or delayed"
    GROUP_STEPPED_DOWN = "another router of the sync group steps down"
    STEPPED_BACK = "the process slept too long"


class Step(Enum):
    """What a virtual router does on the way; the value is its name in the diagram."""

    SEND_ADVERT = "send an advert"
    SEND_PRIORITY_ZERO = "send priority 0"
    ASSERT = "send an advert, once an interval"
    ANNOUNCE = "repeat gratuitous frames, once a second"
    ANNOUNCE_OWED = "repeat gratuitous frames that came too soon"
    TAKE = "take the addresses"
    RELEASE = "release the addresses"
    HAND_OVER = "release when a successor is heard, in 1 s at the latest"
    FIRST_PERIOD = "begin the periods of adverts"
    NEXT_PERIOD = "wait an interval"
    LISTEN = "start the down timer"
    FOLLOW = "learn the interval, restart the down timer"
    SHORTEN = "shorten the down timer to the skew"


class Transition(NamedTuple):
    """The state that follows, and what to do on the way, in this order."""

    state: RouterState
    steps: tuple[Step, ...] = ()


_LISTENING = Transition(BACKUP, (Step.LISTEN,))
_LEADING = Transition(MASTER, (Step.SEND_ADVERT, Step.TAKE, Step.FIRST_PERIOD))
_ASSERTING = Transition(MASTER, (Step.ASSERT, Step.ANNOUNCE))
_FOLLOWING = Transition(BACKUP, (Step.FOLLOW,))

TABLE: Mapping[tuple[RouterState, RouterEvent], Transition] = MappingProxyType(
    {
        (INIT, RouterEvent.STARTED): _LISTENING,
        (INIT, RouterEvent.OWNER_STARTED): _LEADING,
        (INIT, RouterEvent.FAULTED): Transition(FAULT),
        (FAULT, RouterEvent.STARTED): _LISTENING,
        (FAULT, RouterEvent.OWNER_STARTED): _LEADING,
        (FAULT, RouterEvent.STOPPED): Transition(INIT),
        (BACKUP, RouterEvent.TIMER): _LEADING,
        (BACKUP, RouterEvent.PRIORITY_ZERO): Transition(BACKUP, (Step.SHORTEN,)),
        (BACKUP, RouterEvent.BETTER): _FOLLOWING,
        (BACKUP, RouterEvent.TOLERATED): _FOLLOWING,
        (BACKUP, RouterEvent.WORSE): Transition(BACKUP),
        (BACKUP, RouterEvent.STEPPED_BACK): _LISTENING,
        (BACKUP, RouterEvent.FAULTED): Transition(FAULT),
        (BACKUP, RouterEvent.STOPPED): Transition(INIT),
        (MASTER, RouterEvent.TIMER): Transition(
            MASTER, (Step.SEND_ADVERT, Step.ANNOUNCE_OWED, Step.NEXT_PERIOD)
        ),
        (MASTER, RouterEvent.PRIORITY_ZERO): _ASSERTING,
        (MASTER, RouterEvent.WORSE): _ASSERTING,
        # The last advert tells the better router that clients may believe this one (layer2.md 0.8).
        (MASTER, RouterEvent.BETTER): Transition(
            BACKUP, (Step.SEND_ADVERT, Step.RELEASE, Step.FOLLOW)
        ),
        (MASTER, RouterEvent.GROUP_STEPPED_DOWN): Transition(
            BACKUP, (Step.SEND_PRIORITY_ZERO, Step.RELEASE, Step.LISTEN)
        ),
        # A Master that took over meanwhile hears so that clients may believe this one.
        (MASTER, RouterEvent.STEPPED_BACK): Transition(
            BACKUP, (Step.SEND_PRIORITY_ZERO, Step.RELEASE, Step.LISTEN)
        ),
        (MASTER, RouterEvent.FAULTED): Transition(FAULT, (Step.SEND_PRIORITY_ZERO, Step.RELEASE)),
        (MASTER, RouterEvent.STOPPED): Transition(INIT, (Step.SEND_PRIORITY_ZERO, Step.HAND_OVER)),
    }
)
"""Every reaction there is; an event that a state does not name is nothing to it."""
