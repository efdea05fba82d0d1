"""What the layer2 process says of itself, put together from its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace

from orchestrator.adapters.layer2_wire import Happened, Overview
from orchestrator.layer2.actions import Became, Event, Happening
from orchestrator.layer2.engine import Engine
from orchestrator.layer2.frames.vrrp import Rejection
from orchestrator.layer2.routers.report import Report
from orchestrator.layer2.routers.report import RouterReport as MachineReport
from orchestrator.layer2.shared.report import SharedReport
from orchestrator.model.layer2_report import Lateness, OwnerReport, RouterReport
from orchestrator.roles.layer2.news import Place

REJECTED_AS = {
    "packet_length_errors": (Rejection.LENGTH, Rejection.TRUNCATED),
    "advertisements_interval_errors": (Rejection.INTERVAL, Rejection.OTHER_INTERVAL),
    "ip_ttl_errors": (Rejection.TTL,),
    "invalid_type_received": (Rejection.TYPE,),
    "authentication_invalid": (Rejection.AUTHENTICATION,),
    "authentication_mismatch": (Rejection.AUTHENTICATION_TYPE,),
    "authentication_failure": (Rejection.PASSWORD,),
}
"""keepalived-exporter's counters of adverts that were not heeded."""
COUNTED_AS = {
    "adverts_received": "advertisements_received",
    "adverts_sent": "advertisements_sent",
    "became_master": "become_master",
    "released_master": "release_master",
}
"""Our words -> keepalived-exporter's."""


def overview(
    engine: Engine,
    shared: SharedReport,
    lateness: Lateness,
    step_backs: int,
    limits: tuple[str, ...],
) -> Overview:
    """Return everything but who owns which address."""
    routers = engine.routers.report()
    return Overview(
        segments=shared.segments,
        routers=tuple(_router(router) for router in routers.routers),
        refused=_refused(shared.refused, routers),
        failovers=shared.failovers,
        step_backs=step_backs,
        lateness=lateness,
        limits=limits,
    )


def owner(engine: Engine, place: Place, now: float) -> OwnerReport | None:
    """Return who owns an address on a segment, with what was answered and announced."""
    found = engine.shared.owner(*place, now)
    answering = engine.answering.get(place[0])
    counts = answering.counts.get(place[1]) if answering else None
    if found is None or counts is None:
        return found
    return replace(found, answered=counts.answered, gratuitous=counts.gratuitous)


def _refused(hellos: Mapping[str, Mapping[str, int]], routers: Report) -> dict[str, dict[str, int]]:
    """Add up what was not heeded on each port, by cause."""
    found: dict[str, Counter[str]] = {name: Counter(causes) for name, causes in hellos.items()}
    for (port, cause), number in routers.rejected.items():
        found.setdefault(port, Counter())[cause.value] += number
    for router in routers.routers:
        for cause, number in router.counters.rejected.items():
            found.setdefault(router.interface, Counter())[cause.value] += number
    return {name: dict(causes) for name, causes in found.items() if causes}


def _router(report: MachineReport) -> RouterReport:
    heard = report.heard
    master = report.state.value == "master"
    return RouterReport(
        name=report.name,
        interface=report.interface,
        vrid=report.vrid,
        version=report.version,
        state=report.state.value,
        since=report.since,
        reason=report.reason,
        priority=report.priority,
        effective_priority=report.effective_priority,
        addresses=tuple(map(str, report.addresses)),
        master=None if master or heard is None else str(heard.address),
        heard_at=None if heard is None else heard.at,
        counters=_counters(report),
    )


def _counters(report: MachineReport) -> dict[str, int]:
    plain = asdict(replace(report.counters, rejected=Counter()))
    del plain["rejected"]
    found = {COUNTED_AS.get(name, name): number for name, number in plain.items()}
    for name, causes in REJECTED_AS.items():
        found[name] = sum(report.counters.rejected[cause] for cause in causes)
    return found


HAPPENED: dict[Happening, tuple[str, str, str]] = {
    Happening.CLAIMED: ("vip", "notOwner", "announced"),
    Happening.RELEASED: ("vip", "announced", "notOwner"),
    Happening.ADDRESS_CONFLICT: ("vip", "announced", "addressConflict"),
    Happening.KERNEL_ANSWERS: ("vip", "announced", "kernelAnswers"),
    Happening.MEMBER_JOINED: ("member", "", "joined"),
    Happening.MEMBER_LEFT: ("member", "joined", "left"),
    Happening.MEMBER_DIED: ("member", "joined", "died"),
}
"""Kind, old and new of an event; what is missing here is about the segment itself."""


def happened(one: Became | Event) -> Happened:
    """Put what happened into the words of the journal."""
    if isinstance(one, Became):
        old, new = one.old.value, one.new.value
        return Happened("virtualRouter", old, new, about=one.router, message=one.reason)
    kind, old, new = HAPPENED.get(one.happening, ("segment", "", one.happening.value))
    address = str(one.address) if one.address else ""
    return Happened(kind, old, new, one.port, address, one.about, one.message)
