"""BGPAdvertisement: which addresses go to which peers, and how (metallb.md 1.2)."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.config.communities import Listed, communities_field, listed
from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_host_address
from orchestrator.config.item import Item
from orchestrator.config.kinds.advertisement import WHAT_FIELDS, References, what
from orchestrator.config.kinds.names import OBJECT_NAMES
from orchestrator.config.schema import (
    Disjoint,
    Field,
    Integer,
    Kind,
    Opaque,
    Parsed,
    Record,
)
from orchestrator.model.policy import BGPAdvertisement

UINT32 = Integer(0, 2**32 - 1)
_AGGREGATED = "an aggregate cannot be made of some Services only"

_SPEC = Record(
    fields=(
        Field(
            "aggregationLength",
            Integer(1, 32),
            "Prefix length that IPv4 addresses are announced with.",
            default=32,
        ),
        Field(
            "aggregationLengthV6",
            Integer(0, 128),
            "Prefix length that IPv6 addresses are announced with.",
            default=128,
        ),
        Field("localPref", UINT32, "LOCAL_PREF on iBGP sessions; 0 leaves the default.", default=0),
        communities_field("communities", "`A:B`, `large:A:B:C`, or aliases of Community objects."),
        *WHAT_FIELDS,
        Field("peers", OBJECT_NAMES, "BGPPeers by name; none means all.", default=()),
    ),
    rules=(
        Disjoint("serviceSelectors", "aggregationLength", 32, _AGGREGATED),
        Disjoint("serviceSelectors", "aggregationLengthV6", 128, _AGGREGATED),
    ),
)

_ANNOTATIONS = (
    Field("orchestrator.io/med", UINT32, "MULTI_EXIT_DISC of the routes (RFC 4271 5.1.4)."),
    Field(
        "orchestrator.io/as-path-prepend",
        Integer(0, 16),
        "How many more times the own AS is put in front, on eBGP sessions.",
        default=0,
    ),
    Field(
        "orchestrator.io/next-hop",
        Parsed("an address", parse_host_address),
        "Next hop of the routes of its family, instead of the session's own address.",
    ),
)


@dataclass(frozen=True, slots=True)
class AdvertisementDraft:
    """An advertisement whose communities and references are still names."""

    advertisement: BGPAdvertisement
    communities: Listed
    references: References


def _build(item: Item, faults: Faults) -> AdvertisementDraft:
    del faults
    spec = item.body["spec"]
    settings = item.settings
    advertisement = BGPAdvertisement(
        name=item.name,
        **what(spec),
        peers=frozenset(spec["peers"]),
        aggregation_length=spec["aggregationLength"],
        aggregation_length_v6=spec["aggregationLengthV6"],
        local_pref=spec["localPref"] or None,
        med=settings["orchestrator.io/med"],
        as_path_prepend=settings["orchestrator.io/as-path-prepend"],
        next_hop=settings["orchestrator.io/next-hop"],
    )
    return AdvertisementDraft(
        advertisement,
        listed(spec["communities"], ("spec", "communities")),
        References(spec["ipAddressPools"], spec["peers"]),
    )


_NO_SPEC = {field.name: field.default for field in _SPEC.fields}

KIND = Kind(
    name="BGPAdvertisement",
    group="metallb.io",
    versions=("v1beta1",),
    doc="Announces addresses of pools to BGP peers. An empty one announces all to all.",
    body=Record((Field("spec", _SPEC, default=_NO_SPEC), Field("status", Opaque(), "Not read."))),
    build=_build,
    annotations=_ANNOTATIONS,
    example="""\
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: aggregate
  annotations: {orchestrator.io/med: "50"}
spec:
  aggregationLength: 26
  localPref: 200
  communities: ["64500:1", "large:64500:1:2"]
  nodeSelectors:
  - matchLabels: {rack: a}
""",
)
