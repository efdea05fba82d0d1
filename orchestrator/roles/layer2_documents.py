"""What is known of layer 2 as JSON: segments of an address, virtual routers (CLI.md, HTTP)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.adapters import clock
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import (
    Layer2Report,
    MemberReport,
    OwnerReport,
    RouterReport,
    SegmentReport,
)
from orchestrator.planner.explain_router import ROUTER_NAMESPACE

Document = dict[str, Any]


def layer2_document(report: Layer2Report) -> Document:
    """Return segments, and the counters of the process."""
    lateness = report.lateness
    return {
        "segments": [
            {
                "interface": segment.interface,
                "state": segment.state,
                "counted": segment.counted,
                "mergedInto": segment.merged_into,
                "members": [_member(member) for member in segment.members],
            }
            for segment in report.segments
        ],
        "refused": report.refused,
        "failovers": report.failovers,
        "stepBacks": report.step_backs,
        "lateness": {
            "bounds": lateness.bounds,
            "counts": lateness.counts,
            "sum": lateness.sum_s,
            "longest": lateness.longest_s,
        },
        "limits": report.limits,
    }


def address_segments(report: Layer2Report, address: IPAddress | None) -> list[Document]:
    """Return `segments` of one address in `/api/v1/vips`: who owns it, and who else is there."""
    if address is None:
        return []
    segments = {segment.interface: segment for segment in report.segments}
    return [
        _segment(owner, segments.get(owner.interface)) for owner in report.owners.get(address, ())
    ]


def _segment(owner: OwnerReport, segment: SegmentReport | None) -> Document:
    return {
        "interface": owner.interface,
        "owner": owner.owner,
        "since": clock.wall_of(owner.since),
        "wanted": owner.wanted,
        "counted": segment is not None and segment.counted,
        "state": segment.state if segment else None,
        "members": [_member(member) for member in segment.members] if segment else [],
        "gratuitousSent": owner.gratuitous,
        "requestsAnswered": owner.answered,
        "conflict": owner.conflict or None,
        "kernelAnswers": owner.kernel_answers or None,
    }


def _member(member: MemberReport) -> Document:
    return {
        "node": member.node,
        "state": member.state if member.alive else "down",
        "lastHeardMs": _age_ms(member.heard_at),
    }


def _age_ms(moment: float) -> int:
    return max(0, round(1000 * (clock.monotonic() - moment)))


def router_documents(report: Layer2Report) -> list[Document]:
    """Return what `status` says of each virtual router."""
    return [_router(router) for router in report.routers]


def _router(router: RouterReport) -> Document:
    return {
        "name": router.name,
        "interface": router.interface,
        "vrid": router.vrid,
        "version": router.version,
        "state": router.state,
        "since": clock.wall_of(router.since),
        "message": router.reason,
        "priority": router.priority,
        "effectivePriority": router.effective_priority,
        "addresses": list(router.addresses),
        "master": router.master,
        "lastHeardMs": None if router.heard_at is None else _age_ms(router.heard_at),
        "counters": dict(sorted(router.counters.items())),
    }


def router_vips(report: Layer2Report) -> Iterator[Document]:
    """Yield the items of `vips` for addresses of virtual routers."""
    for router in report.routers:
        for address in router.addresses:
            yield _router_vip(router, address)


def _router_vip(router: RouterReport, address: str) -> Document:
    master = router.state == "master"
    where = f"{router.state} on {router.interface}"
    return {
        "service": f"{ROUTER_NAMESPACE}/{router.name}",
        "address": address,
        "protocol": "layer2",
        "reason": "announced" if master else "notOwner",
        "message": f"{where}: {router.reason}" if router.reason else where,
        "since": clock.wall_of(router.since),
        "health": None,
        "segments": [
            {
                "interface": router.interface,
                "owner": router.master,
                "since": clock.wall_of(router.since),
                "wanted": router.state != "fault",
                "members": [],
            }
        ],
    }
