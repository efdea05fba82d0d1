"""Node and Namespace: labels, conditions and addresses."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_address
from orchestrator.config.item import Item
from orchestrator.config.schema import Boolean, Field, Kind, ListOf, Record, Scope, Text, Values
from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Node
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


def _build(item: Item, faults: Faults) -> Node:
    del faults
    status = item.body["status"]
    unavailable = any(
        condition["type"] == "NetworkUnavailable" and condition["status"] == "True"
        for condition in status["conditions"]
    )
    return Node(
        name=item.name,
        labels=item.labels,
        network_unavailable=unavailable,
        drain=item.annotations.get("orchestrator.io/drain"),
        cordoned=item.body["spec"]["unschedulable"],
        addresses=_addresses(status["addresses"]),
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
