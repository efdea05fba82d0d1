"""Whether this node answers for an address on layer 2, as its layer2 process says (DESIGN 8.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import Layer2Report, OwnerReport
from orchestrator.model.live import Live
from orchestrator.model.plan import Protocol, Reason, Verdict
from orchestrator.planner.step import Step, broken, good

_STEP = "elected"


def may_answer(verdict: Verdict) -> bool:
    """Tell whether the plan lets this node answer; who does is decided on the segment."""
    return verdict.protocol is Protocol.LAYER2 and verdict.reason in {
        Reason.ANNOUNCED,
        Reason.NOT_OWNER,
    }


def elected(verdict: Verdict, live: Live) -> Step:
    """Say whether this node answers for the address of `verdict`, which it may."""
    assert verdict.address is not None
    if live.layer2 is None:
        text = "the layer2 process does not answer: see the log of the role layer2"
        return broken(_STEP, Reason.NOT_SENT, text)
    unbound = live.unbound.get(verdict.address)
    if unbound is not None:
        text = f"{verdict.address} is held back until it is bound: {unbound}"
        return broken(_STEP, Reason.NOT_SENT, text)
    return _Segments(live.layer2, verdict.address, verdict.node).judge()


def owned(report: Layer2Report, node: str) -> int:
    """Count the addresses that `node` answers for on segments that count."""
    return sum(bool(_Segments(report, address, node).ours) for address in report.owners)


def members(
    report: Layer2Report, address: IPAddress | None, here: str
) -> Iterator[tuple[str, Step]]:
    """Yield the other members of the segments by name, with what is heard of each here."""
    if address is None:
        return
    found = _Segments(report, address, here)
    owners = {owner.owner: owner.interface for owner in found.owners}
    segments = [segment for segment in report.segments if segment.counted]
    names = {member.node for segment in segments for member in segment.members}
    alive = {one.node for segment in segments for one in segment.members if one.alive}
    for name in sorted(names - {here}):
        if name in owners:
            yield name, good(_STEP, f"answered by {name} on {owners[name]}")
        elif name in alive:
            yield name, broken(_STEP, Reason.NOT_OWNER, f"{name} is alive and does not answer")
        else:
            yield name, broken(_STEP, Reason.MEMBER_DOWN, f"{name} is not heard any more")


@dataclass(frozen=True, slots=True)
class _Segments:
    """What is known of one address on the segments that count."""

    report: Layer2Report
    address: IPAddress
    node: str

    @property
    def owners(self) -> list[OwnerReport]:
        counted = {one.interface for one in self.report.segments if one.counted}
        found = self.report.owners.get(self.address, ())
        return [owner for owner in found if owner.interface in counted]

    @property
    def ours(self) -> list[OwnerReport]:
        return [owner for owner in self.owners if owner.owner == self.node]

    def judge(self) -> Step:
        ours = self.ours
        for owner in ours:
            if owner.conflict:
                text = f"{owner.conflict} on {owner.interface} says it has {self.address} too"
                return broken(_STEP, Reason.ADDRESS_CONFLICT, text)
            if owner.kernel_answers:
                text = (
                    f"the kernel of {owner.kernel_answers} answers for {self.address} on "
                    f"{owner.interface}: set strictARP in kube-proxy, or arp_ignore=1 there"
                )
                return broken(_STEP, Reason.KERNEL_ANSWERS, text)
        if ours:
            return good(_STEP, f"answered by {self.node} on {_names(ours)}")
        return self._not_ours()

    def _not_ours(self) -> Step:
        owners = self.owners
        if not owners:
            text = f"{self.node} has no interface that is up and may answer for {self.address}"
            return broken(_STEP, Reason.NOT_OWNER, text)
        isolated = {one.interface for one in self.report.segments if one.state == "isolated"}
        for owner in owners:
            if owner.owner is None and owner.interface in isolated:
                text = f"{owner.interface} lost all members and its gateway does not answer"
                return broken(_STEP, Reason.ISOLATED, text)
        words = ", ".join(f"{owner.owner or 'nobody'} on {owner.interface}" for owner in owners)
        return broken(_STEP, Reason.NOT_OWNER, f"answered by {words}")


def _names(owners: Iterable[OwnerReport]) -> str:
    return ", ".join(owner.interface for owner in owners)
