"""L2Advertisement: which addresses nodes answer ARP and NDP for, and where (metallb.md 1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.kinds.advertisement import WHAT_FIELDS, References, what
from orchestrator.config.kinds.names import INTERFACE
from orchestrator.config.schema import Field, Integer, Kind, ListOf, Opaque, Record
from orchestrator.config.selectors import SELECTOR, selector
from orchestrator.model.policy import L2Advertisement, Preference

_PREFERENCE = Record(
    (
        Field("weight", Integer(1, 100), "What the node's rank gains.", required=True),
        Field("preference", SELECTOR, "Nodes that gain it; an empty one means all.", required=True),
    )
)

_SPEC = Record(
    (
        *WHAT_FIELDS,
        Field(
            "interfaces",
            ListOf(INTERFACE, max_items=1000),
            "Interfaces that are announced on; none means all. Does not choose the node.",
            default=(),
        ),
        Field(
            "preferredNodeSelectors",
            ListOf(_PREFERENCE, max_items=100),
            "Nodes that are preferred; weights add up, and the hash decides among equals.",
            default=(),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class L2AdvertisementDraft:
    """An advertisement whose pools are still names."""

    advertisement: L2Advertisement
    references: References


def _build(item: Item, faults: Faults) -> L2AdvertisementDraft:
    del faults
    spec = item.body["spec"]
    advertisement = L2Advertisement(
        name=item.name,
        **what(spec),
        interfaces=frozenset(spec["interfaces"]),
        preferences=tuple(
            Preference(entry["weight"], selector(entry["preference"]))
            for entry in spec["preferredNodeSelectors"]
        ),
    )
    return L2AdvertisementDraft(advertisement, References(spec["ipAddressPools"]))


_NO_SPEC = {field.name: field.default for field in _SPEC.fields}

KIND = Kind(
    name="L2Advertisement",
    group="metallb.io",
    versions=("v1beta1",),
    doc="Announces addresses of pools on layer 2. An empty one announces all from every node.",
    body=Record((Field("spec", _SPEC, default=_NO_SPEC), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: edge}
spec:
  interfaces: [eth0]
  nodeSelectors:
  - matchLabels: {role: edge}
  preferredNodeSelectors:
  - weight: 50
    preference: {matchLabels: {rack: a}}
""",
)
