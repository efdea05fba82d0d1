"""What the layer2 role says has happened, as changes for the journal (CLI.md, events)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.adapters.layer2_wire import Happened
from orchestrator.model.change import Change
from orchestrator.model.plan import Plan


def layer2_changes(happened: Iterable[Happened], node: str, plan: Plan) -> Iterator[Change]:
    """Yield a change for each, and for each Service on the address it is about.

    `peer` is the member or virtual router that it is about.
    """
    services: dict[str, list[str]] = {}
    for election in plan.elections if happened else ():
        services.setdefault(str(election.address), []).append(str(election.service))
    for one in happened:
        for service in services.get(one.address, [""]):
            yield _change(one, node, service)


def _change(one: Happened, node: str, service: str) -> Change:
    return Change(
        one.kind,
        one.old or None,
        one.new or None,
        reason=one.new if one.kind == "vip" else None,
        message=": ".join(filter(None, (one.interface, one.message))),
        service=service or None,
        vip=one.address or None,
        node=node,
        peer=one.about or None,
    )
