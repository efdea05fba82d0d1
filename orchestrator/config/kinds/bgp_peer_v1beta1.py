"""BGPPeer v1beta1: the deprecated form of a peer, with fewer fields (metallb.md 1.4)."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.kinds.bgp_peer import (
    ADDRESSES_FIT,
    ANNOTATIONS,
    FIELDS,
    HAS_OWN_AS,
    MULTIHOP_FITS,
    TIMERS_FIT,
    PeerDraft,
    build,
)
from orchestrator.config.kinds.bgp_peer_rules import timers_rule
from orchestrator.config.schema import (
    Broken,
    Field,
    Holds,
    Integer,
    Kind,
    Opaque,
    Record,
    Rule,
    Values,
)
from orchestrator.config.selectors import SELECTOR_V1BETA1, selector_list

_DEFAULT_PORT = 179
_KEEPALIVE_GIVEN = "has(self.keepaliveTime) && duration(self.keepaliveTime) != duration('0s')"


def _has_peer_as(values: Values) -> Broken | None:
    return None if values["peerASN"] else Broken("peerASN", "an AS number is not 0 (RFC 7607)")


def _has_peer_address(values: Values) -> Broken | None:
    return None if values["peerAddress"] else Broken("peerAddress", "peerAddress is empty")


def _given(values: Values) -> Values:
    """Return the values of v1beta2: what v1beta1 lacks is as if it were not given.

    A keepalive time of zero is how v1beta1 writes none.
    """
    missing = {name: field.default for name, field in FIELDS.items()}
    keepalive = values["keepaliveTime"] or None
    return {**missing, **values, "keepaliveTime": keepalive}


def _as_v1beta2(rule: Holds, cel: str = "") -> Holds:
    return Holds(rule.words, lambda values: rule.check(_given(values)), cel)


_RULES: tuple[Rule, ...] = (
    HAS_OWN_AS,
    Holds("`peerASN` is not 0", _has_peer_as, "self.peerASN != 0"),
    Holds("`peerAddress` is not empty", _has_peer_address, "self.peerAddress != ''"),
    _as_v1beta2(TIMERS_FIT, timers_rule(_KEEPALIVE_GIVEN)),
    _as_v1beta2(
        MULTIHOP_FITS,
        "!(has(self.ebgpMultiHop) && self.ebgpMultiHop) || self.peerASN != self.myASN",
    ),
    _as_v1beta2(ADDRESSES_FIT),
)

_SPEC = Record(
    fields=(
        FIELDS["myASN"],
        replace(FIELDS["peerASN"], required=True),
        replace(FIELDS["peerAddress"], required=True),
        FIELDS["sourceAddress"],
        Field("peerPort", Integer(0, 16384), "TCP port of the peer; 0 means 179.", default=0),
        FIELDS["holdTime"],
        FIELDS["keepaliveTime"],
        FIELDS["routerID"],
        Field(
            "nodeSelectors",
            selector_list(SELECTOR_V1BETA1),
            "Nodes that have this session; none means all.",
            default=(),
        ),
        FIELDS["password"],
        FIELDS["bfdProfile"],
        FIELDS["ebgpMultiHop"],
    ),
    rules=_RULES,
)


def _build(item: Item, faults: Faults) -> PeerDraft:
    spec = _given(item.body["spec"])
    spec = {**spec, "peerPort": spec["peerPort"] or _DEFAULT_PORT}
    return build(replace(item, body={"spec": spec}), faults)


KIND = Kind(
    name="BGPPeer",
    group="metallb.io",
    versions=("v1beta1",),
    doc="The deprecated form of a BGPPeer; v1beta2 has all of its fields and more.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=_build,
    annotations=ANNOTATIONS,
    example="""\
apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: {name: r1}
spec:
  myASN: 64500
  peerASN: 64510
  peerAddress: 192.168.121.1
  nodeSelectors:
  - matchExpressions: [{key: rack, operator: In, values: [a, b]}]
""",
)
