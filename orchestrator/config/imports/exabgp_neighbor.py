"""One neighbor of ExaBGP to one BGPPeer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from orchestrator.config.imports.blocks import Statement
from orchestrator.config.imports.exabgp_route import Session, routes
from orchestrator.config.imports.result import Imported, duration
from orchestrator.config.imports.words import number

_AS_NUMBER = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,5}))?")
_NOT_NEEDED = frozenset(
    {"description", "host-name", "domain-name", "group-updates", "auto-flush", "adj-rib-out"}
    | {"adj-rib-in", "manual-eor", "rate-limit", "api", "static", "announce", "capability"}
    | {"family", "local-as", "peer-as", "local-address", "incoming-ttl", "outgoing-ttl"}
    | {"nexthop"}
)
_LOST = {
    "md5-base64": "write the password itself into the Secret",
    "md5-ip": "the key is for the session's addresses",
    "listen": "a passive peer is listened for on the session's address, port 179",
    "source-interface": "interfaces of sessions are not chosen: set local-address",
    "process": "programs do not drive the routes: write a check (http, tcp, exec) in the VirtualIP",
    "add-path": "ADD-PATH is not used",
    "flow": "FlowSpec is not announced",
    "l2vpn": "VPLS and EVPN are not announced",
    "tcp-ao": "TCP-AO is not used: md5-password is",
}
_CAPABILITIES_NOT_NEEDED = frozenset({"asn4", "route-refresh", "software-version", "nexthop"})
_NO_PLACE = "has no place here"
_OFF = frozenset({"disable", "false", "no", "off", "0"})
_ANNOTATION = "orchestrator.io/"


def add_peer(neighbor: Statement, result: Imported) -> str | None:
    """Add the BGPPeer that a neighbor is; return its name, or None when it has no place."""
    address = neighbor.rest[0] if neighbor.rest else ""
    session = session_of(neighbor)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        why = "a session is with one address: ranges of peers are not used"
        result.lose(neighbor.line, neighbor.text(), why)
        return None
    if not session.own_as or not session.peer_as:
        why = "local-as and peer-as must be AS numbers here"
        result.lose(neighbor.line, neighbor.text(), why)
        return None
    name = result.name("BGPPeer", f"peer-{address}")
    peer = _Peer(name, neighbor, session, result)
    spec = peer.spec(address)
    comment = " ".join(_word(neighbor, "description"))
    annotations = peer.annotations
    result.add(neighbor.line, "BGPPeer", name, spec, comment=comment, annotations=annotations)
    return name


def session_of(neighbor: Statement) -> Session:
    """Return AS numbers (0 for none) and own address of a neighbor."""
    local = _word(neighbor, "local-address")
    given = local[0] if local and local[0] != "auto" else ""
    return Session(_as_number(neighbor, "local-as"), _as_number(neighbor, "peer-as"), given)


def _word(neighbor: Statement, name: str) -> tuple[str, ...]:
    """Value of the last setting of a name: a neighbor's own comes after its templates'."""
    found: tuple[str, ...] = ()
    for setting in neighbor.inner:
        if setting.name == name:
            found = setting.rest
    return found


def _as_number(neighbor: Statement, name: str) -> int:
    words = _word(neighbor, name)
    found = _AS_NUMBER.fullmatch(words[0]) if words else None
    if found is None:
        return 0
    high, low = int(found[1]), found[2]
    return high if low is None else (high << 16) + int(low)


class _Peer:
    """Gathers the settings of one neighbor."""

    def __init__(self, name: str, neighbor: Statement, session: Session, result: Imported) -> None:
        self._name = name
        self._neighbor = neighbor
        self._session = session
        self._result = result
        self._spec: dict[str, Any] = {}
        self.annotations: dict[str, str] = {}

    def _lose(self, setting: Statement, what: str, why: str) -> None:
        self._result.lose(setting.line, f"neighbor {self._neighbor.rest[0]}: {what}", why)

    def spec(self, address: str) -> dict[str, Any]:
        """Return the BGPPeer's spec."""
        for setting in self._neighbor.inner:
            taker = _TAKERS.get(setting.name)
            if taker is not None:
                taker(self, setting)
            elif setting.name not in _NOT_NEEDED:
                self._lose(setting, setting.text(), _LOST.get(setting.name, _NO_PLACE))
        self._distance()
        self._families(address)
        self._capabilities()
        return {
            "myASN": self._session.own_as,
            "peerASN": self._session.peer_as,
            "peerAddress": address,
            "sourceAddress": self._session.local_address or None,
            **self._spec,
        }

    def hold_time(self, setting: Statement) -> None:
        """Take `hold-time`, in seconds."""
        value = number(setting.rest)
        if value is None or value < 0:
            self._lose(setting, setting.text(), "is not a number of seconds")
        else:
            self._spec["holdTime"] = duration(value)

    def router_id(self, setting: Statement) -> None:
        """Take `router-id`."""
        self._spec["routerID"] = setting.rest[0] if setting.rest else None

    def connect(self, setting: Statement) -> None:
        """Take the port that is connected to."""
        value = number(setting.rest)
        if value is None:
            self._lose(setting, setting.text(), "is not a port")
        else:
            self._spec["peerPort"] = int(value)

    def password(self, setting: Statement) -> None:
        """Put the TCP-MD5 key into a Secret."""
        if setting.rest:
            secret = f"{self._name}-password"
            self._spec["passwordSecret"] = {"name": secret}
            self._result.add_password(setting.line, secret, setting.rest[0])

    def passive(self, setting: Statement) -> None:
        """Take `passive`."""
        if not setting.rest or setting.rest[0] not in _OFF:
            self.annotations[_ANNOTATION + "passive"] = "true"

    def ttl_security(self, setting: Statement) -> None:
        """Take `ttl-security`."""
        if not setting.rest or setting.rest[0] not in _OFF:
            self.annotations[_ANNOTATION + "ttl-security"] = "true"

    def multihop(self, setting: Statement) -> None:
        """Take `multihop`: the number of hops is not limited here."""
        external = self._session.own_as != self._session.peer_as
        if external and (not setting.rest or setting.rest[0] not in _OFF):
            self._spec["ebgpMultiHop"] = True

    def _distance(self) -> None:
        """Tell GTSM and multihop from the TTLs: 255 inwards means one hop away (RFC 5082)."""
        incoming = number(_word(self._neighbor, "incoming-ttl"))
        outgoing = number(_word(self._neighbor, "outgoing-ttl"))
        external = self._session.own_as != self._session.peer_as
        if incoming == 255:
            self.annotations[_ANNOTATION + "ttl-security"] = "true"
        elif external and outgoing is not None and outgoing > 1:
            self._spec["ebgpMultiHop"] = True

    def _families(self, address: str) -> None:
        """Take the families; a session carries its own unless told otherwise."""
        families: set[str] = set()
        for setting in self._neighbor.inner:
            for family in setting.inner if setting.name == "family" else ():
                if family.rest == ("unicast",) and family.name in ("ipv4", "ipv6"):
                    families.add(family.name)
                elif family.words != ("all",):
                    self._lose(family, f"family {family.text()}", "only unicast is announced")
        if not any(setting.name == "family" for setting in self._neighbor.inner):
            families = self._routed()
        own = f"ipv{ipaddress.ip_address(address).version}"
        if families - {own}:
            self._spec["dualStackAddressFamily"] = True

    def _routed(self) -> set[str]:
        """Families of the routes: ExaBGP offers all where no `family` is written."""
        found = routes(self._neighbor.inner, self._session, lambda *_: None)
        return {f"ipv{route.prefix.version}" for route in found}

    def _capabilities(self) -> None:
        for setting in self._neighbor.inner:
            for capability in setting.inner if setting.name == "capability" else ():
                name, off = capability.name, bool(_OFF & set(capability.rest[:1]))
                if name == "graceful-restart":
                    self._spec["enableGracefulRestart"] = None if off else True
                elif name not in _CAPABILITIES_NOT_NEEDED and not off:
                    self._lose(capability, f"capability {capability.text()}", _NO_PLACE)


_TAKERS: dict[str, Callable[[_Peer, Statement], None]] = {
    "hold-time": _Peer.hold_time,
    "router-id": _Peer.router_id,
    "connect": _Peer.connect,
    "md5-password": _Peer.password,
    "passive": _Peer.passive,
    "ttl-security": _Peer.ttl_security,
    "multihop": _Peer.multihop,
}
