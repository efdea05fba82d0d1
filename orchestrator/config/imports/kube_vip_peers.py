"""BGP sessions of kube-vip, out of its environment, to BGPPeers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from orchestrator.config.imports.objects_in import Node
from orchestrator.config.imports.result import Imported, duration
from orchestrator.config.imports.words import is_true, number

_UNNUMBERED = "unnumbered:"
_DEFAULT_PORT = "179"


class _Peer(NamedTuple):
    """One entry of bgp_peers, as text."""

    address: str
    as_number: str
    password: str = ""
    multihop: str = ""
    port: str = ""
    rest: str = ""


def add_peers(env: Mapping[str, Node], result: Imported) -> int:
    """Add a BGPPeer for every peer; return how many."""
    count = 0
    for line, entry in _entries(env):
        peer = _parsed(entry)
        if peer is None:
            shown = entry.split(":")[0]
            why = "wants ADDRESS:AS:PASSWORD:MULTIHOP:PORT with an address"
            result.lose(line, f"bgp_peers: {shown}", why)
        elif _add(line, peer, env, result):
            count += 1
    return count


def _text(env: Mapping[str, Node], name: str) -> str:
    return env[name].text if name in env else ""


def _entries(env: Mapping[str, Node]) -> Iterator[tuple[int, str]]:
    """Find the entries of bgp_peers, or the one peer that has variables of its own."""
    if _text(env, "bgp_peers"):
        for entry in env["bgp_peers"].text.split(","):
            if entry.strip():
                yield env["bgp_peers"].line, entry.strip()
    elif _text(env, "bgp_peeraddress"):
        address = _text(env, "bgp_peeraddress")
        names = ("bgp_peeras", "bgp_peerpass", "bgp_multihop")
        host = f"[{address}]" if ":" in address else address
        yield env["bgp_peeraddress"].line, ":".join((host, *(_text(env, name) for name in names)))


def _parsed(entry: str) -> _Peer | None:
    if entry.startswith(_UNNUMBERED):
        return None
    host, rest = entry.partition(":")[::2]
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        rest = rest.removeprefix(":")
    parts = [*rest.split(":", 4), "", "", "", ""]
    return _Peer(host, *parts[:5]) if host and parts[0] else None


def _add(line: int, peer: _Peer, env: Mapping[str, Node], result: Imported) -> bool:
    own, other = number([_text(env, "bgp_as")]), number([peer.as_number])
    what = f"bgp_peers: {peer.address}"
    if own is None or other is None:
        result.lose(line, what, "bgp_as and the peer's AS must be numbers")
        return False
    name = result.name("BGPPeer", f"peer-{peer.address}")
    spec: dict[str, Any] = {
        "myASN": int(own),
        "peerASN": int(other),
        "peerAddress": peer.address,
        "sourceAddress": _text(env, "bgp_sourceip") or None,
        "peerPort": _port(line, peer, result),
        "routerID": _text(env, "bgp_routerid") or None,
        "ebgpMultiHop": True if is_true(peer.multihop) and own != other else None,
        "holdTime": _time(env, "bgp_hold_time"),
        "keepaliveTime": _time(env, "bgp_keepalive_interval"),
    }
    if peer.password:
        spec["passwordSecret"] = {"name": f"{name}-password"}
        result.add_password(line, f"{name}-password", peer.password)
    if peer.rest.strip(":"):
        result.lose(line, f"{what}: {peer.rest}", "MP-BGP next hops and BFD are not set here")
    result.add(line, "BGPPeer", name, spec)
    return True


def _port(line: int, peer: _Peer, result: Imported) -> int | None:
    port = number([peer.port or _DEFAULT_PORT])
    if port is None:
        result.lose(line, f"bgp_peers: {peer.address}: port {peer.port}", "is not a port")
    return None if port is None or peer.port in ("", _DEFAULT_PORT) else int(port)


def _time(env: Mapping[str, Node], name: str) -> str | None:
    seconds = number([_text(env, name)])
    return duration(seconds) if seconds else None
