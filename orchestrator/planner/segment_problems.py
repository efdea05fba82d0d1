"""What is wrong on the segments of a node, as problems that `status` lists (DESIGN 8.1)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import Layer2Report, OwnerReport, SegmentReport, Trouble
from orchestrator.model.plan import Reason
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Transport

MOST_ADDRESSES = 20
"""Addresses that are named one by one."""


SAME_NAME = "sameName"
_HINTS = {
    SAME_NAME: "give each host a --node of its own",
    Reason.KERNEL_ANSWERS.value: "set strictARP in kube-proxy, or arp_ignore=1 there",
}


def segment_problems(report: Layer2Report, node: str, transport: Transport) -> Iterator[Problem]:
    """Yield what an operator has to look at."""
    found = list(troubles(report, node))
    rivals = [one for one in found if one.address is not None]
    of_segments = (one for one in found if one.address is None)
    yield from map(_problem, (*of_segments, *rivals[:MOST_ADDRESSES]))
    if len(rivals) > MOST_ADDRESSES:
        text = f"and {len(rivals) - MOST_ADDRESSES} more addresses; see `orchestrator vips`"
        yield Problem(Severity.WARNING, rivals[-1].code, "addresses", text)
    if transport is Transport.UNICAST:
        yield from _without_peers(report)


def _without_peers(report: Layer2Report) -> Iterator[Problem]:
    text = "no other Node has an address on this link, so with transport unicast nothing is shared here"
    for segment in report.segments:
        if segment.state == "none":
            name = f"interface {segment.interface}"
            yield Problem(Severity.WARNING, "noSegment", name, text)


def troubles(report: Layer2Report, node: str) -> Iterator[Trouble]:
    """Yield what only `node` knows of its segments, in the order of interfaces and addresses."""
    for segment in sorted(report.segments, key=lambda one: one.interface):
        yield from _of_segment(segment, node)
    for address in sorted(report.owners, key=lambda one: (one.version, int(one))):
        for owner in report.owners[address]:
            yield from _of_address(address, owner)


def _of_segment(segment: SegmentReport, node: str) -> Iterator[Trouble]:
    if segment.state == "silent":
        text = f"another host on this segment is called {node} too, so this one stays silent"
        yield Trouble(SAME_NAME, segment.interface, text)
    if segment.state == "isolated":
        text = "all members are lost and the gateway is not heard"
        yield Trouble(Reason.ISOLATED.value, segment.interface, text)


def _of_address(address: IPAddress, owner: OwnerReport) -> Iterator[Trouble]:
    place = owner.interface
    if owner.conflict:
        text = f"{owner.conflict} on {place} says it has this address too"
        yield Trouble(Reason.ADDRESS_CONFLICT.value, place, text, address, owner.conflict)
    elif owner.kernel_answers:
        text = f"the kernel of {owner.kernel_answers} answers for it on {place}"
        yield Trouble(Reason.KERNEL_ANSWERS.value, place, text, address, owner.kernel_answers)


def _problem(trouble: Trouble) -> Problem:
    same = trouble.code == SAME_NAME
    return Problem(
        Severity.ERROR if same else Severity.WARNING,
        trouble.code,
        f"address {trouble.address}" if trouble.address else f"interface {trouble.interface}",
        trouble.message,
        hint=_HINTS.get(trouble.code),
    )
