"""Node and Namespace: labels, conditions and addresses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_address
from orchestrator.config.item import Item
from orchestrator.config.schema import Boolean, Field, Kind, ListOf, Record, Scope, Text, Values
from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import DRAIN, DRAIN_WAIT, MAX_DRAIN_WAIT_S, Node
from orchestrator.model.selector import Labels

_ADDRESS = Record(
    (Field("type", Text(), default=""), Field("address", Text(), default="")), lenient=True
)
_CONDITION = Record(
    (Field("type", Text(), default=""), Field("status", Text(), default="")), lenient=True
)
_STATUS = Record(
    (
        Field("addresses", ListOf(_ADDRESS), "Addresses of the node.", default=()),
        Field("conditions", ListOf(_CONDITION), "NetworkUnavailable takes it out.", default=()),
    ),
    lenient=True,
)
_NO_STATUS: Values = {"addresses": (), "conditions": ()}
_SPEC = Record(
    (Field("unschedulable", Boolean(), "The node is cordoned.", default=False),), lenient=True
)
_NO_SPEC: Values = {"unschedulable": False}


def _addresses(entries: Iterable[Values]) -> tuple[IPAddress, ...]:
    """Return internal addresses first, then external ones; names are left out."""
    found: list[IPAddress] = []
    by_type = {"InternalIP": 0, "ExternalIP": 1}
    wanted = [entry for entry in entries if entry["type"] in by_type]
    for entry in sorted(wanted, key=lambda entry: by_type[entry["type"]]):
        try:
            found.append(parse_address(entry["address"]))
        except ValueError:
            continue
    return tuple(found)


def _drain_wait_s(item: Item, faults: Faults) -> float | None:
    text = item.annotations.get(DRAIN_WAIT)
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        wait_s = float(text)
        if 0 <= wait_s <= MAX_DRAIN_WAIT_S:
            return wait_s
    message = f"{text!r} is not a number of seconds up to {MAX_DRAIN_WAIT_S}: it counts as absent"
    faults.warn(("metadata", "annotations", DRAIN_WAIT), message, "invalidValue")
    return None


def _build(item: Item, faults: Faults) -> Node:
    status = item.body["status"]
    unavailable = any(
        condition["type"] == "NetworkUnavailable" and condition["status"] == "True"
        for condition in status["conditions"]
    )
    return Node(
        name=item.name,
        labels=item.labels,
        network_unavailable=unavailable,
        drain=item.annotations.get(DRAIN),
        cordoned=item.body["spec"]["unschedulable"],
        addresses=_addresses(status["addresses"]),
        drain_wait_s=_drain_wait_s(item, faults),
    )


def _build_namespace(item: Item, faults: Faults) -> Labels:
    del faults
    return item.labels


NODE = Kind(
    name="Node",
    group="",
    versions=("v1",),
    doc="A node: labels for selectors, NetworkUnavailable, the exclude label.",
    body=Record(
        (
            Field("spec", _SPEC, default=_NO_SPEC),
            Field("status", _STATUS, default=_NO_STATUS),
        ),
        lenient=True,
    ),
    build=_build,
    scope=Scope.CLUSTER,
)

NAMESPACE = Kind(
    name="Namespace",
    group="",
    versions=("v1",),
    doc="A namespace: its labels, for pools' namespaceSelectors.",
    body=Record((), lenient=True),
    build=_build_namespace,
    scope=Scope.CLUSTER,
)
