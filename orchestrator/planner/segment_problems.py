"""What is wrong on the segments of this node, as problems that `status` lists (DESIGN 8.1)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.model.layer2_report import Layer2Report
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Transport

MOST_ADDRESSES = 20
"""Addresses that are named one by one."""


def segment_problems(report: Layer2Report, node: str, transport: Transport) -> Iterator[Problem]:
    """Yield what an operator has to look at."""
    for segment in report.segments:
        name = f"interface {segment.interface}"
        if segment.state == "silent":
            yield Problem(
                Severity.ERROR,
                "sameName",
                name,
                f"another host on this segment is called {node} too, so this one stays silent",
                hint="give each host a --node of its own",
            )
        if segment.state == "isolated":
            yield _warning("isolated", name, "all members are lost and the gateway is not heard")
        if segment.state == "none" and transport is Transport.UNICAST:
            text = "no other Node has an address on this link, so with transport unicast nothing is shared here"
            yield _warning("noSegment", name, text)
    yield from _of_addresses(report)


def _of_addresses(report: Layer2Report) -> Iterator[Problem]:
    rivals = [
        (address, owner)
        for address, owners in report.owners.items()
        for owner in owners
        if owner.conflict or owner.kernel_answers
    ]
    for address, owner in rivals[:MOST_ADDRESSES]:
        if owner.conflict:
            text = f"{owner.conflict} on {owner.interface} says it has this address too"
            yield _warning("addressConflict", f"address {address}", text)
        else:
            text = f"the kernel of {owner.kernel_answers} answers for it on {owner.interface}"
            yield _warning("kernelAnswers", f"address {address}", text)
    if len(rivals) > MOST_ADDRESSES:
        text = f"and {len(rivals) - MOST_ADDRESSES} more addresses; see `orchestrator vips`"
        yield _warning("addressConflict", "addresses", text)


def _warning(code: str, place: str, text: str) -> Problem:
    return Problem(Severity.WARNING, code, place, text)
