"""What the layer2 role says has happened, as changes for the journal (CLI.md, events)."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.adapters.layer2_wire import Happened
from orchestrator.model.change import Change


def layer2_changes(happened: Iterable[Happened], node: str) -> list[Change]:
    """Return a change for each; `peer` is the member or virtual router it is about."""
    return [
        Change(
            one.kind,
            one.old or None,
            one.new or None,
            reason=one.new if one.kind == "vip" else None,
            message=": ".join(filter(None, (one.interface, one.message))),
            vip=one.address or None,
            node=node,
            peer=one.about or None,
        )
        for one in happened
    ]
