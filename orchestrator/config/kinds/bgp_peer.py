"""BGPPeer: one BGP session per selected node, as in v1beta2 (metallb.md 1.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.config.faults import Faults
from orchestrator.config.formats import (
    parse_duration,
    parse_host_address,
    parse_ipv4,
    whole_seconds,
)
from orchestrator.config.item import Item
from orchestrator.config.kinds.bgp_peer_rules import CONNECT_TIME_RULE, timers_rule
from orchestrator.config.kinds.names import INTERFACE_OR_EMPTY
from orchestrator.config.schema import (
    AtMostOne,
    Boolean,
    Broken,
    Choice,
    ExactlyOne,
    Field,
    Holds,
    Integer,
    Kind,
    Opaque,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.config.selectors import selectors, selectors_field
from orchestrator.model.address import IPAddress, family_of
from orchestrator.model.policy import Peer

AS_NUMBER = Integer(0, 2**32 - 1)
DURATION = Parsed("a duration", parse_duration)
MAX_PASSWORD = 80
"""Longest TCP-MD5 key that Linux takes, in bytes."""
_LONGEST_TIME_S = 65535
_ROUTABLE = "give the router a global or unique local address"


def has_line_break(password: str) -> bool:
    """Tell whether a password has what MetalLB refuses in one."""
    return "\n" in password or "\r" in password


def _or_none(parse: Callable[[str], IPAddress]) -> Callable[[str], IPAddress | None]:
    """Take empty text as absent, as the Go types of MetalLB do."""
    return lambda text: parse(text) if text else None


def _router_id(text: str) -> IPAddress:
    address = parse_ipv4(text)
    if address.is_unspecified:
        raise ValueError("a router id is not zero (RFC 6286)")
    return address


_ADDRESS = Parsed("an address", _or_none(parse_host_address))


def timers_s(values: Values) -> tuple[int | None, int | None]:
    """Hold and keepalive time in seconds; one that is missing follows from the other."""
    hold, keepalive = (
        None if values[name] is None else whole_seconds(values[name])
        for name in ("holdTime", "keepaliveTime")
    )
    if hold is None and keepalive is not None:
        hold = whole_seconds(3 * values["keepaliveTime"])
    return hold, keepalive


def _timers_fit(values: Values) -> Broken | None:
    """RFC 4271 4.2: hold time is zero or at least three seconds, in 16 bits."""
    hold, keepalive = timers_s(values)
    if hold is None:
        return None
    field = "keepaliveTime" if values["holdTime"] is None else "holdTime"
    if hold < 0 or hold in (1, 2) or hold > _LONGEST_TIME_S:
        return Broken(field, f"a hold time of {hold} s; it is 0, or 3 s to {_LONGEST_TIME_S} s")
    if keepalive is None or values["holdTime"] is None:
        return None
    if not 0 <= values["keepaliveTime"] <= values["holdTime"]:
        return Broken("keepaliveTime", f"keepalive time {keepalive} s exceeds hold time {hold} s")
    return None


def _connect_time_fits(values: Values) -> Broken | None:
    time = values["connectTime"]
    if time is None or (time % 10**9 == 0 and 1 <= time // 10**9 <= _LONGEST_TIME_S):
        return None
    return Broken("connectTime", f"must be whole seconds, 1 to {_LONGEST_TIME_S}")


def _internal(values: Values) -> bool:
    """Tell whether MetalLB, or the session itself, is inside one AS."""
    return values["peerASN"] in (values["myASN"], values["localASN"])


def _multihop_fits(values: Values) -> Broken | None:
    if not values["ebgpMultiHop"] or not _internal(values):
        return None
    return Broken("ebgpMultiHop", "is for eBGP, and this session is iBGP", "remove it")


def _addresses_fit(values: Values) -> Broken | None:
    peer, source = values["peerAddress"], values["sourceAddress"]
    if peer is not None and peer.version == 6 and peer.is_link_local:
        return Broken(
            "peerAddress", "a link-local address does not say on which interface", _ROUTABLE
        )
    if peer is not None and source is not None and family_of(peer) is not family_of(source):
        return Broken("sourceAddress", "is not of the family of peerAddress")
    return None


def _has_own_as(values: Values) -> Broken | None:
    return None if values["myASN"] else Broken("myASN", "an AS number is not 0 (RFC 7607)")


HAS_OWN_AS = Holds("`myASN` is not 0", _has_own_as, "self.myASN != 0")
TIMERS_FIT = Holds(
    "`holdTime` is 0 or 3 s to 65535 s, and `keepaliveTime` at most that",
    _timers_fit,
    timers_rule(keepalive_given="has(self.keepaliveTime)"),
)
MULTIHOP_FITS = Holds(
    "`ebgpMultiHop` is for eBGP",
    _multihop_fits,
    "!(has(self.ebgpMultiHop) && self.ebgpMultiHop) || !has(self.peerASN)"
    " || !(self.peerASN in [self.myASN, has(self.localASN) ? self.localASN : 0])",
)
ADDRESSES_FIT = Holds(
    "`peerAddress` is not link-local, and `sourceAddress` of its family", _addresses_fit
)

_PASSWORD_SECRET = Record(
    (
        Field("name", Text(max_length=253), "Name of the Secret.", default=""),
        Field(
            "namespace", Text(max_length=63), "Not used: Secrets live beside the peer.", default=""
        ),
    )
)

_SPEC = Record(
    fields=(
        Field("myASN", AS_NUMBER, "Own AS number.", required=True),
        Field("peerASN", AS_NUMBER, "The peer's AS number.", default=0),
        Field(
            "dynamicASN",
            Choice(("internal", "external")),
            "Not possible with ExaBGP, which must know the peer's AS number.",
            default="",
        ),
        Field(
            "localASN", Integer(1, 2**32 - 1), "AS number used on this session instead of myASN."
        ),
        Field("peerAddress", _ADDRESS, "The peer's address."),
        Field(
            "interface",
            INTERFACE_OR_EMPTY,
            "Not possible with ExaBGP, which must know the peer's address.",
        ),
        Field("sourceAddress", _ADDRESS, "Own address of the session; else the kernel's choice."),
        Field("peerPort", Integer(1, 16384), "TCP port of the peer.", default=179),
        Field("holdTime", DURATION, "Hold time, 0 or at least 3 s; 90 s when absent."),
        Field("keepaliveTime", DURATION, "Keepalive time; always sent at a third of holdTime."),
        Field("connectTime", DURATION, "Time between attempts; has no effect with ExaBGP."),
        Field("routerID", Parsed("a router id", _or_none(_router_id)), "BGP identifier."),
        selectors_field("nodeSelectors", "Nodes that have this session; none means all."),
        Field(
            "password",
            Text("text", max_length=MAX_PASSWORD),
            "TCP-MD5 key (RFC 2385); better in a Secret.",
            default="",
            secret=True,
        ),
        Field("passwordSecret", _PASSWORD_SECRET, "kubernetes.io/basic-auth Secret with the key."),
        Field(
            "bfdProfile",
            Text(max_length=253),
            "BFDProfile; the session runs without BFD in this version.",
            default="",
        ),
        Field(
            "enableGracefulRestart",
            Boolean(),
            "Ask the peer to keep routes over a restart (RFC 4724).",
            default=False,
        ),
        Field("ebgpMultiHop", Boolean(), "The eBGP peer is more than one hop away.", default=False),
        Field(
            "vrf",
            Text(max_length=64),
            "Not possible with ExaBGP, which has no VRFs.",
            default="",
        ),
        Field("disableMP", Boolean(), "Deprecated in MetalLB; has no effect.", default=False),
        Field(
            "dualStackAddressFamily",
            Boolean(),
            "Carry both families on the session, not only its own.",
            default=False,
        ),
    ),
    rules=(
        HAS_OWN_AS,
        ExactlyOne(("peerASN", "dynamicASN")),
        ExactlyOne(("peerAddress", "interface")),
        AtMostOne(("password", "passwordSecret")),
        TIMERS_FIT,
        Holds("`connectTime` is 1 to 65535 whole seconds", _connect_time_fits, CONNECT_TIME_RULE),
        MULTIHOP_FITS,
        ADDRESSES_FIT,
    ),
)

FIELDS = {field.name: field for field in _SPEC.fields}
"""The fields of `spec` by name."""

ANNOTATIONS = (
    Field(
        "orchestrator.io/ttl-security",
        Boolean(),
        "Demand TTL 255 from the peer, one hop away (GTSM, RFC 5082).",
        default=False,
    ),
    Field(
        "orchestrator.io/passive",
        Boolean(),
        "Wait for the peer to connect instead of connecting.",
        default=False,
    ),
)


@dataclass(frozen=True, slots=True)
class PeerDraft:
    """A peer whose password may still be in a Secret."""

    peer: Peer
    secret: str | None = None


_HAS_NO_EFFECT = {
    "connectTime": "has no effect: ExaBGP chooses the time between attempts",
    "disableMP": "is deprecated and has no effect",
}


def _warn(spec: Values, faults: Faults) -> None:
    hold, keepalive = timers_s(spec)
    if keepalive is not None and hold is not None and keepalive != hold // 3:
        message = f"keepalives are sent at a third of the hold time, every {hold // 3} s"
        faults.warn(("spec", "keepaliveTime"), message, "keepaliveIgnored")
    for name, message in _HAS_NO_EFFECT.items():
        if spec[name]:
            faults.warn(("spec", name), f"{name} {message}", "notSupported")


def _refuse_impossible(spec: Values, faults: Faults) -> None:
    """Refuse what ExaBGP cannot do (DESIGN 5, rule 12); nothing of it is dropped in silence."""
    own = f"write peerASN: {spec['myASN']}"
    other = "write the router's AS number as peerASN; several routers need a BGPPeer each"
    instead = {
        "vrf": ("sessions in a VRF", "use an address reached from the default VRF; remove vrf"),
        "dynamicASN": (
            "peers of unknown AS number",
            own if spec["dynamicASN"] == "internal" else other,
        ),
        "interface": (
            "unnumbered sessions",
            "give the router an address on that link and write it as peerAddress",
        ),
    }
    for name, (what, hint) in instead.items():
        if spec[name]:
            message = f"{name} is not possible: ExaBGP has no {what}"
            faults.add(("spec", name), message, "notPossible", hint=hint)


def _refuse_contradiction(item: Item, faults: Faults) -> None:
    if item.settings["orchestrator.io/ttl-security"] and item.body["spec"]["ebgpMultiHop"]:
        path = ("metadata", "annotations", "orchestrator.io/ttl-security")
        faults.add(
            path, "ttl-security is for a peer one hop away, not with ebgpMultiHop", "brokenRule"
        )


def _password(spec: Values, faults: Faults) -> str | None:
    password: str = spec["password"]
    if len(password.encode("utf-8")) > MAX_PASSWORD:
        faults.add(("spec", "password"), f"is longer than {MAX_PASSWORD} bytes", "invalidValue")
    elif has_line_break(password):
        faults.add(("spec", "password"), "has a line break, as no router has", "invalidValue")
    return password or None


def build(item: Item, faults: Faults) -> PeerDraft:
    """Return what a peer means by itself."""
    spec = item.body["spec"]
    _warn(spec, faults)
    _refuse_impossible(spec, faults)
    _refuse_contradiction(item, faults)
    secret = spec["passwordSecret"]
    password = _password(spec, faults)
    return PeerDraft(_peer(item, password), secret["name"] or None if secret else None)


def _peer(item: Item, password: str | None) -> Peer:
    spec = item.body["spec"]
    connect = spec["connectTime"]
    return Peer(
        name=item.name,
        my_asn=spec["myASN"],
        peer_asn=spec["peerASN"],
        address=spec["peerAddress"],
        port=spec["peerPort"],
        source_address=spec["sourceAddress"],
        local_asn=spec["localASN"],
        hold_time_s=timers_s(spec)[0],
        connect_time_s=None if connect is None else whole_seconds(connect),
        router_id=spec["routerID"],
        node_selectors=selectors(spec["nodeSelectors"]),
        password=password,
        bfd_profile=spec["bfdProfile"] or None,
        graceful_restart=spec["enableGracefulRestart"],
        ebgp_multihop=spec["ebgpMultiHop"],
        dual_stack=spec["dualStackAddressFamily"],
        ttl_security=item.settings["orchestrator.io/ttl-security"],
        passive=item.settings["orchestrator.io/passive"],
    )


KIND = Kind(
    name="BGPPeer",
    group="metallb.io",
    versions=("v1beta2",),
    doc="A BGP session to one router, from every node that is selected.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=build,
    annotations=ANNOTATIONS,
    example="""\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: r1}
spec:
  myASN: 64500
  peerASN: 64510
  peerAddress: 192.168.121.1
  holdTime: 30s
  ebgpMultiHop: true
  nodeSelectors:
  - matchLabels: {rack: a}
""",
)
