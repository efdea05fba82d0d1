"""IPAddressPool: where addresses come from (metallb.md 1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_range
from orchestrator.config.item import Item
from orchestrator.config.schema import (
    Boolean,
    Field,
    Integer,
    Kind,
    ListOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.config.selectors import selectors, selectors_field
from orchestrator.model.address import AddressRange
from orchestrator.model.policy import Pool, ServiceAllocation

_INT32 = Integer(-(2**31), 2**31 - 1)

_ALLOCATION = Record(
    (
        Field("priority", _INT32, "Lower is tried first; 0 comes last.", default=0),
        Field(
            "namespaces",
            ListOf(Text(max_length=63), max_items=1000, unique=True),
            "Namespaces whose Services may use the pool.",
            default=(),
        ),
        selectors_field("namespaceSelectors", "The same by the namespaces' labels."),
        selectors_field("serviceSelectors", "Services that may use the pool, by label."),
    )
)

_SPEC = Record(
    (
        Field(
            "addresses",
            ListOf(Parsed("an address range", parse_range), min_items=1),
            "CIDRs or `first-last` ranges of either family, used in this order.",
            required=True,
        ),
        Field(
            "autoAssign",
            Boolean(),
            "Whether addresses are taken without being asked for by pool or address.",
            default=True,
        ),
        Field(
            "avoidBuggyIPs",
            Boolean(),
            "Whether IPv4 addresses that end in .0 or .255 are left out.",
            default=False,
        ),
        Field("serviceAllocation", _ALLOCATION, "Restricts the pool to some Services."),
    )
)


def _allocation(values: Values | None) -> ServiceAllocation | None:
    if values is None:
        return None
    return ServiceAllocation(
        priority=values["priority"],
        namespaces=frozenset(values["namespaces"]),
        namespace_selectors=selectors(values["namespaceSelectors"]),
        service_selectors=selectors(values["serviceSelectors"]),
    )


def overlapping(ranges: Iterable[AddressRange]) -> tuple[int, int] | None:
    """Find two ranges that share an address; their indices in order, None when none do."""
    ordered = sorted(enumerate(ranges), key=lambda pair: (pair[1].family, int(pair[1].first)))
    widest: tuple[int, AddressRange] | None = None
    for index, addresses in ordered:
        if widest is not None and widest[1].overlaps(addresses):
            return min(widest[0], index), max(widest[0], index)
        widest = (index, addresses)
    return None


def _refuse_overlap(ranges: Sequence[AddressRange], faults: Faults) -> None:
    pair = overlapping(ranges)
    if pair is not None:
        message = f"overlaps spec.addresses[{pair[0]}] of the same pool"
        path = ("spec", "addresses", pair[1])
        faults.add(path, message, "overlappingRanges", hint="remove one of them")


def _build(item: Item, faults: Faults) -> Pool:
    spec = item.body["spec"]
    _refuse_overlap(spec["addresses"], faults)
    return Pool(
        name=item.name,
        ranges=spec["addresses"],
        auto_assign=spec["autoAssign"],
        avoid_buggy_ips=spec["avoidBuggyIPs"],
        allocation=_allocation(spec["serviceAllocation"]),
        labels=item.labels,
    )


KIND = Kind(
    name="IPAddressPool",
    group="metallb.io",
    versions=("v1beta1",),
    doc="A pool of addresses that Services and VirtualIPs take theirs from.",
    body=Record(
        (
            Field("spec", _SPEC, required=True),
            Field("status", Opaque(), "Written by the controller; not read."),
        )
    ),
    build=_build,
    example="""\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: shop
  labels: {zone: a}
spec:
  addresses: [192.0.2.0/25, 198.51.100.10-198.51.100.20, "2001:db8::/120"]
  avoidBuggyIPs: true
  serviceAllocation:
    priority: 10
    namespaces: [shop]
    serviceSelectors:
    - matchExpressions: [{key: tier, operator: In, values: [web, api]}]
""",
)
