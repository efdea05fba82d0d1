"""One virtual router (RFC 9568, RFC 3768): adverts and time go in, actions come out.

Times are seconds of one monotonic clock. The reactions are in `table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orchestrator.layer2.actions import Action, Announce, Became, Release, RouterState, Take
from orchestrator.layer2.frames.vrrp import Advert, Packet, Rejection, decode
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.adverts import Adverts, family_of_router, sending_mac
from orchestrator.layer2.routers.checks import refusal
from orchestrator.layer2.routers.report import Counters, Heard, RouterReport
from orchestrator.layer2.routers.table import TABLE, RouterEvent, Step
from orchestrator.layer2.routers.timer import RouterTimer, advert_interval_s
from orchestrator.layer2.routers.tracking import OWNER, Standing
from orchestrator.model.address import Family, IPAddress
from orchestrator.model.virtual_router import VirtualRouter

ANNOUNCE_INTERVAL_S = 1.0
"""Gratuitous frames are repeated that often at most while a rival is heard (layer2.md 6.7)."""


class VirtualRouterMachine:
    """The state machine of one virtual router. `start` begins, `leave` ends it.

    In a sync group (`router.sync_group`) it does not lead by itself: when its down timer is due it
    is `ready`, and `lead` is called once all of the group are. As Backup it is `following` while it
    hears a router that it lets be Master.
    """

    def __init__(
        self, router: VirtualRouter, port: Port | None, standing: Standing, now: float
    ) -> None:
        self.router = router
        self.state = RouterState.INIT
        self.since = now
        self.reason = "not started"
        self.ready = self.following = False
        self.heard: Heard | None = None
        self.counters = Counters()
        self._port = port
        self._adverts = Adverts(router, port)
        self._standing = standing
        self._group_fault: str | None = None
        self._running = False
        self._timer = RouterTimer(router, standing.priority)
        self._preempt_at: float | None = None
        self._assert_at = self._announce_at = now
        self._owes_announce = False
        self._latest: tuple[Packet, Advert] | None = None
        self._steps: dict[Step, Callable[[float], list[Action]]] = {
            Step.SEND_ADVERT: lambda _now: self._send(self.priority),
            Step.SEND_PRIORITY_ZERO: lambda _now: self._send(0),
            Step.ASSERT: self._assert,
            Step.ANNOUNCE: self._announce,
            Step.ANNOUNCE_OWED: lambda now: self._announce(now) if self._owes_announce else [],
            Step.TAKE: lambda _now: [*self._takes()],
            Step.RELEASE: lambda _now: self._releases(),
            Step.HAND_OVER: self._timed(self._timer.hand_over),
            Step.FIRST_PERIOD: self._timed(self._timer.first_period),
            Step.NEXT_PERIOD: self._timed(self._timer.next_period),
            Step.LISTEN: self._timed(self._listen),
            Step.FOLLOW: self._timed(self._follow),
            Step.SHORTEN: self._timed(self._timer.shorten),
        }

    @property
    def priority(self) -> int:
        """The priority in force."""
        return self._standing.priority

    @property
    def own_fault(self) -> str | None:
        """What takes this router down by itself, in words; None for nothing."""
        name = self.router.interface
        if self._port is None:
            return f"there is no interface {name}"
        if not self._port.up:
            return f"{name} is down"
        if self._adverts.source is None:
            ipv4 = family_of_router(self.router) is Family.IPV4
            return f"{name} has no {'IPv4' if ipv4 else 'IPv6 link-local'} address"
        return self._standing.fault

    @property
    def posture(self) -> tuple[RouterState, bool, bool]:
        """What its sync group looks at."""
        return self.state, self.ready, self.following

    @property
    def places(self) -> list[tuple[str, IPAddress]]:
        """Port and address of all that it takes and releases."""
        return [(take.port, take.address) for take in self._takes()]

    @property
    def finished(self) -> bool:
        """Tell whether it does not run, and hands over no longer."""
        return not self._running and self._timer.due is None

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        return self._timer.due

    def start(self, now: float) -> list[Action]:
        """Begin to take part."""
        self._running = True
        return self._judge(now)

    def leave(self, now: float) -> list[Action]:
        """Stop; a Master says so, and answers until a successor is heard or for HAND_OVER_S."""
        self._running = False
        return self._react(RouterEvent.STOPPED, now, "stopped")

    def cut_short(self) -> list[Action]:
        """End handing over now."""
        if self._running or self._timer.due is None:
            return []
        self._timer.due = None
        return self._releases()

    def step_back(self, now: float) -> list[Action]:
        """Give up what it has and listen: the process slept, and others may have taken over."""
        return self._react(RouterEvent.STEPPED_BACK, now, "woken after a pause")

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due."""
        if self._timer.due is None or now < self._timer.due:
            return []
        if not self._running:
            return self.cut_short()
        if self.state is RouterState.BACKUP and self.router.sync_group is not None:
            self.ready, self.following, self._timer.due = True, False, None
            return []
        return self._react(RouterEvent.TIMER, now, self._silence(now))

    def want(self, router: VirtualRouter, standing: Standing, now: float) -> list[Action]:
        """Take a changed configuration of the same interface, VRID, version and family.

        The election goes on; a Master takes and releases what was added and removed.
        """
        before = self._owned()
        if router.sync_group != self.router.sync_group:
            self._group_fault = None
        self.router = self._timer.router = router
        self._renew()
        if self.state is RouterState.MASTER:
            self._timer.sooner(now)
        actions = [*self._exchange(before), *self.stand(standing, now)]
        if self.ready and router.sync_group is None:
            actions += self.lead(now)
        return actions

    def port(self, port: Port | None, now: float) -> list[Action]:
        """Take how its interface is, None when there is none."""
        self._port = port
        self._renew()
        gone = port is None or not port.up
        return [*(self.cut_short() if gone else []), *self._judge(now)]

    def stand(self, standing: Standing, now: float) -> list[Action]:
        """Take what tracking says; a new priority goes out with the next advert."""
        self._standing = standing
        self._timer.priority = standing.priority
        return self._judge(now)

    def receive(self, packet: Packet, now: float) -> list[Action]:
        """Take a packet of protocol 112 with this VRID that came in on this router's interface."""
        advert = self._read(packet)
        if isinstance(advert, Rejection):
            self.counters.rejected[advert] += 1
            return []
        self._count(advert)
        if advert.priority:
            self.heard = Heard(packet.source, advert.priority, advert.interval_ms / 1000, now)
        if not self._running:
            return self.cut_short() if advert.priority else []
        event = self._event(packet, advert, now)
        return self._react(event, now, f"{packet.source} has priority {advert.priority}")

    # For the sync group

    def group_fault(self, fault: str | None, now: float) -> list[Action]:
        """Take whether another router of the sync group is down, and why."""
        self._group_fault = fault
        return self._judge(now)

    def lead(self, now: float) -> list[Action]:
        """Become Master, as every router of the sync group is ready."""
        return self._react(RouterEvent.TIMER, now, self._silence(now))

    def step_down(self, reason: str, now: float) -> list[Action]:
        """Be Master no longer, as a router of the sync group is not."""
        return self._react(RouterEvent.GROUP_STEPPED_DOWN, now, reason)

    # Adverts heard

    def _read(self, packet: Packet) -> Advert | Rejection:
        """Read and check; what a Master repeats is looked at once."""
        if self._latest is not None and self._latest[0] == packet:
            return self._latest[1]
        advert = decode(packet)
        if isinstance(advert, Rejection):
            return advert
        refused = refusal(self.router, self._adverts, packet, advert)
        if refused is not None:
            return refused
        self._latest = packet, advert
        return advert

    def _count(self, advert: Advert) -> None:
        counters = self.counters
        counters.adverts_received += 1
        counters.priority_zero_received += advert.priority == 0
        counters.address_list_errors += advert.addresses != self._adverts.addresses
        counters.interval_differences += advert.interval_ms != self.router.advert_interval_ms
        counters.owner_conflicts += advert.priority == OWNER == self.priority

    def _event(self, packet: Packet, advert: Advert, now: float) -> RouterEvent:
        if advert.priority == 0:
            return RouterEvent.PRIORITY_ZERO
        if self._is_better(packet, advert):
            self._preempt_at = None
            return RouterEvent.BETTER
        tolerated = self.state is RouterState.BACKUP and not self._preempts(now)
        return RouterEvent.TOLERATED if tolerated else RouterEvent.WORSE

    def _is_better(self, packet: Packet, advert: Advert) -> bool:
        """Tell whether another has precedence; among equals the Master, then the higher address.

        Two owners are equals too, so that a wrong configuration leaves one Master.
        """
        if advert.priority != self.priority:
            return advert.priority > self.priority
        own = self._adverts.source
        return self.state is not RouterState.MASTER or own is None or int(packet.source) > int(own)

    def _preempts(self, now: float) -> bool:
        """Tell whether a worse Master is to be replaced; the delay begins when one is heard."""
        if not self.router.preempt and self.priority != OWNER:
            return False
        if self._preempt_at is None:
            self._preempt_at = now + self.router.preempt_delay_ms / 1000
        return now >= self._preempt_at

    # Changes of state

    def _judge(self, now: float) -> list[Action]:
        """Go to FAULT or come back from it, as things are."""
        if not self._running:
            return []
        fault = self.own_fault or self._group_fault
        if fault is not None:
            return self._fail(fault, now)
        if self.state not in (RouterState.INIT, RouterState.FAULT):
            return []
        if self._standing.waits_for is not None:
            self.reason = f"no result yet of {self._standing.waits_for}"
            return []
        alone = self.priority == OWNER and self.router.sync_group is None
        event = RouterEvent.OWNER_STARTED if alone else RouterEvent.STARTED
        word = "started" if self.state is RouterState.INIT else "the fault is over"
        return self._react(event, now, word)

    def _fail(self, fault: str, now: float) -> list[Action]:
        if self.state is RouterState.FAULT:
            self.reason = fault
        return self._react(RouterEvent.FAULTED, now, fault)

    def _react(self, event: RouterEvent, now: float, reason: str) -> list[Action]:
        """Do what the table says."""
        transition = TABLE.get((self.state, event))
        if transition is None:
            return []
        if transition.state is not self.state:
            self._timer.due, self.ready, self.following = None, False, False
        actions = [action for step in transition.steps for action in self._steps[step](now)]
        return [*actions, *self._become(transition.state, now, reason)]

    def _become(self, new: RouterState, now: float, reason: str) -> list[Action]:
        old = self.state
        if new is old:
            return []
        self.state, self.since, self.reason = new, now, reason
        self._preempt_at, self._owes_announce = None, False
        self.counters.became_master += new is RouterState.MASTER
        self.counters.released_master += old is RouterState.MASTER
        return [Became(self.router.name, old, new, self.priority, reason)]

    def _silence(self, now: float) -> str:
        """Say why it becomes Master."""
        if self.heard is None:
            return "no other router was heard"
        silent_s = now - self.heard.at
        if self.heard.priority < self.priority and silent_s < self._timer.down_interval_s:
            return f"{self.heard.address} has only priority {self.heard.priority}"
        return f"no advert of {self.heard.address} for {silent_s:.2f} s"

    # Steps

    @staticmethod
    def _timed(set_timer: Callable[[float], None]) -> Callable[[float], list[Action]]:
        def step(now: float) -> list[Action]:
            set_timer(now)
            return []

        return step

    def _send(self, priority: int) -> list[Action]:
        sends = self._adverts.of(priority)
        if sends and priority:
            self.counters.adverts_sent += 1
        elif sends:
            self.counters.priority_zero_sent += 1
        return [*sends]

    def _assert(self, now: float) -> list[Action]:
        """Send out of turn, but once an interval: storms must not be answered in kind."""
        if now < self._assert_at:
            return []
        self._assert_at = now + advert_interval_s(self.router)
        self._timer.period_from(now)
        return self._send(self.priority)

    def _announce(self, now: float) -> list[Action]:
        """Repeat gratuitous frames; what would come too soon is owed, as it may be the last word."""
        self._owes_announce = now < self._announce_at
        if self._owes_announce:
            return []
        self._announce_at = now + ANNOUNCE_INTERVAL_S
        return [Announce(take.port, take.address) for take in self._takes()]

    def _takes(self) -> list[Take]:
        router, mac = self.router, sending_mac(self.router)
        return [Take(router.interface, address.ip, mac) for address in router.all_addresses]

    def _releases(self) -> list[Action]:
        return [Release(take.port, take.address) for take in self._takes()]

    def _listen(self, now: float) -> None:
        self.ready = self.following = False
        self._timer.listen(now)

    def _follow(self, now: float) -> None:
        self.ready, self.following = False, True
        if self.heard is not None:
            self._timer.follow(now, self.heard.interval_s)

    # Configuration

    def _renew(self) -> None:
        self._adverts = Adverts(self.router, self._port)
        self._latest = None

    def _owned(self) -> list[Take]:
        return self._takes() if self.state is RouterState.MASTER else []

    def _exchange(self, before: list[Take]) -> list[Action]:
        after = self._owned()
        gone = [Release(take.port, take.address) for take in before if take not in after]
        return [*gone, *(take for take in after if take not in before)]

    def report(self) -> RouterReport:
        """Return all there is to tell of it now."""
        router = self.router
        return RouterReport(
            name=router.name,
            interface=router.interface,
            vrid=router.vrid,
            version=router.version,
            family=family_of_router(router),
            state=self.state,
            since=self.since,
            reason=self.reason,
            priority=router.priority,
            effective_priority=self.priority,
            addresses=tuple(take.address for take in self._takes()),
            heard=self.heard,
            counters=replace(self.counters, rejected=self.counters.rejected.copy()),
        )
