"""The format of MetalLB v0.9 to v0.12, as data (metallb.md section 6).

Its names are those of the ConfigMap's text. What it means is said by the kinds it is converted to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.config.formats import (
    parse_duration,
    parse_host_address,
    parse_ipv4,
    parse_range,
)
from orchestrator.config.schema import (
    Boolean,
    Broken,
    Choice,
    Field,
    Holds,
    Integer,
    ListOf,
    MapOf,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.config.selectors import LABEL_KEY, LABEL_VALUE
from orchestrator.model.selector import Operator

SECOND_NS = 10**9
_LONGEST_TIME_S = 65535
_UINT32 = 2**32 - 1


def _or_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Take empty text as absent, as the Go types of MetalLB do."""
    return lambda text: parse(text) if text else None


_SOME_ADDRESS = Parsed("an address", _or_none(parse_host_address))
_DURATION = Parsed("a duration", _or_none(parse_duration))
_NAME = Text("a name", min_length=1)


def whole_seconds(duration_ns: int) -> int:
    """Cut a duration to whole seconds, as MetalLB of that age did (later ones round)."""
    return int(duration_ns / SECOND_NS)


def hold_time_s(values: Values) -> int:
    """Hold time in seconds; 90 when none is given."""
    given = values["hold-time"]
    return 90 if given is None else whole_seconds(given)


def _times_fit(values: Values) -> Broken | None:
    hold, keepalive = hold_time_s(values), values["keepalive-time"]
    if hold < 0 or hold in (1, 2) or hold > _LONGEST_TIME_S:
        why = f"a hold time of {hold} s; it is 0, or 3 s to {_LONGEST_TIME_S} s"
        return Broken("hold-time", why)
    if keepalive is not None and not 0 <= whole_seconds(keepalive) <= hold:
        why = f"keepalive time {whole_seconds(keepalive)} s exceeds hold time {hold} s"
        return Broken("keepalive-time", why)
    return None


def _multihop_fits(values: Values) -> Broken | None:
    if not values["ebgp-multihop"] or values["my-asn"] != values["peer-asn"]:
        return None
    return Broken("ebgp-multihop", "is for eBGP, and this session is iBGP", "remove it")


_EXPRESSION = Record(
    fields=(
        Field("key", LABEL_KEY, "Label key the condition is about.", required=True),
        Field(
            "operator",
            Choice(tuple(operator.value for operator in Operator)),
            "How the label is compared.",
            required=True,
        ),
        Field("values", ListOf(LABEL_VALUE, max_items=1000), "Values to compare with.", default=()),
    ),
    words="a condition on a label",
)

_SELECTOR = Record(
    fields=(
        Field(
            "match-labels", MapOf(LABEL_VALUE, LABEL_KEY), "Labels that must be equal.", default={}
        ),
        Field(
            "match-expressions",
            ListOf(_EXPRESSION, max_items=100),
            "Conditions that must all hold.",
            default=(),
        ),
    ),
    words="a node selector",
)

PEER = Record(
    fields=(
        Field("my-asn", Integer(1, _UINT32), "Own AS number.", required=True),
        Field("peer-asn", Integer(1, _UINT32), "The peer's AS number.", required=True),
        Field(
            "peer-address",
            Parsed("an address", parse_host_address),
            "The peer's address.",
            required=True,
        ),
        Field("source-address", _SOME_ADDRESS, "Own address of the session."),
        Field("peer-port", Integer(0, 65535), "TCP port of the peer; 0 is 179.", default=179),
        Field("hold-time", _DURATION, "Hold time, 0 or at least 3 s; 90 s when absent."),
        Field("keepalive-time", _DURATION, "Keepalive time; a third of hold-time when absent."),
        Field("router-id", Parsed("a router id", _or_none(parse_ipv4)), "BGP identifier."),
        Field(
            "node-selectors",
            ListOf(_SELECTOR, max_items=100),
            "Nodes that have this session.",
            default=(),
        ),
        Field("password", Text(), "TCP-MD5 key (RFC 2385).", default="", secret=True),
        Field("bfd-profile", Text(), "One of `bfd-profiles`.", default=""),
        Field(
            "ebgp-multihop", Boolean(), "The eBGP peer is more than one hop away.", default=False
        ),
    ),
    rules=(
        Holds("`hold-time` is 0 or 3 s to 65535 s, and `keepalive-time` at most that", _times_fit),
        Holds("`ebgp-multihop` is for eBGP", _multihop_fits),
    ),
    words="a mapping (a peer)",
)

ADVERTISEMENT = Record(
    fields=(
        Field("aggregation-length", Integer(1, 32), "Prefix length of IPv4 routes."),
        Field("aggregation-length-v6", Integer(1, 128), "Prefix length of IPv6 routes."),
        Field("localpref", Integer(0, _UINT32), "LOCAL_PREF on iBGP sessions."),
        Field(
            "communities",
            ListOf(Text("a community", min_length=1), max_items=63, unique=True),
            "`A:B`, or names of `bgp-communities`.",
            default=(),
        ),
    ),
    words="a mapping (a BGP advertisement)",
)


def _advertisements_fit(values: Values) -> Broken | None:
    if values["protocol"] == "bgp" or not values["bgp-advertisements"]:
        return None
    why = "bgp-advertisements are for pools of protocol bgp, not of layer2"
    return Broken("bgp-advertisements", why, "remove them, or write protocol: bgp")


POOL = Record(
    fields=(
        Field("name", _NAME, "Name of the pool.", required=True),
        Field(
            "protocol",
            Choice(("bgp", "layer2")),
            "How its addresses are announced.",
            required=True,
        ),
        Field(
            "addresses",
            ListOf(Parsed("an address range", parse_range), min_items=1),
            "CIDRs or `first-last` ranges.",
            required=True,
        ),
        Field("avoid-buggy-ips", Boolean(), "Leave out .0 and .255.", default=False),
        Field("auto-assign", Boolean(), "Use the pool without being asked for it.", default=True),
        Field(
            "bgp-advertisements",
            ListOf(ADVERTISEMENT, max_items=1000),
            "How it is announced with protocol bgp; one plain announcement when absent.",
            default=(),
        ),
    ),
    rules=(Holds("`bgp-advertisements` are for protocol bgp", _advertisements_fit),),
    words="a mapping (an address pool)",
)

_INTERVAL = Integer(10, 60000)

BFD_PROFILE = Record(
    fields=(
        Field("name", _NAME, "Name of the profile.", required=True),
        Field("receive-interval", _INTERVAL, "Milliseconds."),
        Field("transmit-interval", _INTERVAL, "Milliseconds."),
        Field("detect-multiplier", Integer(2, 255), "Packets that may be lost."),
        Field("echo-interval", _INTERVAL, "Milliseconds."),
        Field("echo-mode", Boolean(), "Send echo packets.", default=False),
        Field("passive-mode", Boolean(), "Let the peer begin.", default=False),
        Field("minimum-ttl", Integer(1, 254), "Least TTL that is accepted."),
    ),
    words="a mapping (a BFD profile)",
)

CONFIG = Record(
    fields=(
        Field("peers", ListOf(PEER), "BGP sessions.", default=()),
        Field("bgp-communities", MapOf(Text()), "Names for communities.", default={}),
        Field("address-pools", ListOf(POOL), "Pools of addresses.", default=()),
        Field("bfd-profiles", ListOf(BFD_PROFILE), "BFD profiles.", default=()),
    ),
    words="a mapping (peers, bgp-communities, address-pools, bfd-profiles)",
)

KEYS = frozenset(field.name for field in CONFIG.fields)
"""Top-level keys of the format."""
