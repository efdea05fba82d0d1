"""ExaBGP's configuration file out of the wanted sessions; what cannot be done is a problem.

Only numbers, addresses, allow-listed interface names and passwords get into the text, since the
file can start programs (DESIGN 5, rule 13). Each neighbor's description is a digest of its own
statements: `show neighbor configuration` then tells which version of it is in force.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.bgp.adj_rib_out import RESTART_TIME_S
from orchestrator.bgp.secret import md5_statements
from orchestrator.bgp.wire import Link, link_of
from orchestrator.model.address import IPAddress, family_of
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Problem, Severity

PROCESS = "relay"
"""Name of ExaBGP's only API process."""
RELAY_COMMAND = "python3 -m orchestrator.adapters.relay"
"""The relay, found through the PATH that the exabgp role gives ExaBGP."""
DEFAULT_HOLD_TIME_S = 90
ROUTER_ID_NOTE = "# router-id {}"
"""First line of the file: lets the next speaker keep the identifier."""
LARGEST_ASN = (1 << 32) - 1
GTSM_TTL = 255
"""RFC 5082: only packets that no router forwarded are accepted."""

Addresses = Mapping[str, IPAddress]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the configuration depends on beside the sessions.

    `sources` is the own address towards a peer, by peer name, where none is configured.
    """

    router_id: IPAddress
    sources: Addresses = field(default_factory=dict)
    relay_command: str = RELAY_COMMAND


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One session as rendered; `digest` changes with any of its statements."""

    peer: str
    link: Link
    digest: str
    graceful_restart: bool
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rendering:
    """The whole file, what is in it, and what is not and why."""

    text: str = field(repr=False)
    neighbors: tuple[Neighbor, ...]
    problems: tuple[Problem, ...]


def render(sessions: Sequence[Session], around: Surroundings) -> Rendering:
    """Render `sessions`; one that cannot be had is left out and is an error problem.

    Fields that ExaBGP has nothing for (connectTime, bfdProfile) are warned about where the
    configuration is read, with their place.
    """
    neighbors: list[Neighbor] = []
    problems: list[Problem] = []
    taken: set[IPAddress] = set()
    for peer in (session.peer for session in sessions):
        address = _plain(peer.address)
        found = [*_errors(peer, address, around), *_duplicate(peer, address, taken)]
        problems += found
        if not found:
            taken.add(address)
            neighbors.append(_neighbor(peer, address, around))
    note = ROUTER_ID_NOTE.format(around.router_id)
    text = "\n".join([note, process_section(around.relay_command), *(n.text for n in neighbors)])
    return Rendering(text, tuple(neighbors), tuple(problems))


def process_section(relay_command: str = RELAY_COMMAND) -> str:
    """Return the section that starts the relay: all there is in the neighbor-less skeleton."""
    return f"process {PROCESS} {{\n  run {relay_command};\n  encoder json;\n}}\n"


def _plain(address: IPAddress) -> IPAddress:
    """Drop an IPv6 zone, which ExaBGP does not read."""
    return ipaddress.IPv6Address(int(address)) if address.version == 6 else address


def _error(peer: Peer, code: str, path: str, message: str, hint: str | None = None) -> Problem:
    return Problem(Severity.ERROR, code, f"BGPPeer {peer.name}", message, path=path, hint=hint)


def _duplicate(peer: Peer, address: IPAddress, taken: set[IPAddress]) -> Iterator[Problem]:
    if address in taken:
        yield _error(
            peer,
            "duplicatePeer",
            "spec.peerAddress",
            f"another peer of this node has the address {address}",
            "keep one of them, or select different nodes",
        )


def _errors(peer: Peer, address: IPAddress, around: Surroundings) -> Iterator[Problem]:
    yield from _number_errors(peer)
    yield from _address_errors(peer, address, around)
    if peer.password is not None and md5_statements(peer.password) is None:
        yield _error(
            peer, "badPassword", "spec.password", "a TCP-MD5 password has 1 to 80 bytes of text"
        )
    if peer.ttl_security and peer.ebgp_multihop:
        message = "TTL security accepts no forwarded packets, so it cannot go with multihop"
        yield _error(peer, "ttlSecurityMultihop", "spec.ebgpMultiHop", message)


def _number_errors(peer: Peer) -> Iterator[Problem]:
    if not 1 <= peer.peer_asn <= LARGEST_ASN:
        yield _error(peer, "badAsn", "spec.peerASN", f"{peer.peer_asn} is not an AS number")
    if not 1 <= peer.session_asn <= LARGEST_ASN:
        yield _error(peer, "badAsn", "spec.myASN", f"{peer.session_asn} is not an AS number")
    if not 1 <= peer.port <= 65535:
        yield _error(peer, "badPort", "spec.peerPort", f"{peer.port} is not a TCP port")
    hold = _hold_time(peer)
    if hold != 0 and not 3 <= hold <= 65535:
        yield _error(peer, "badHoldTime", "spec.holdTime", "RFC 4271 4.2: 0, or 3 s to 65535 s")


def _address_errors(peer: Peer, address: IPAddress, around: Surroundings) -> Iterator[Problem]:
    if address.is_link_local and address.version == 6:
        message = "a link-local address is not enough: the interface cannot be told"
        yield _error(peer, "linkLocalPeer", "spec.peerAddress", message)
    if address.is_multicast or address.is_unspecified:
        yield _error(peer, "badAddress", "spec.peerAddress", f"{address} is no host's address")
    source = _source(peer, around)
    if source is not None and family_of(source) is not family_of(address):
        message = f"{source} and the peer's address {address} are of different families"
        yield _error(peer, "sourceFamily", "spec.sourceAddress", message)
    if peer.passive and source is None:
        message = "a passive session listens on its source address, and none is known"
        yield _error(peer, "passiveWithoutSource", "spec.sourceAddress", message, "give it")


def _source(peer: Peer, around: Surroundings) -> IPAddress | None:
    source = peer.source_address or around.sources.get(peer.name)
    return None if source is None else _plain(source)


def _hold_time(peer: Peer) -> int:
    return DEFAULT_HOLD_TIME_S if peer.hold_time_s is None else peer.hold_time_s


def _neighbor(peer: Peer, address: IPAddress, around: Surroundings) -> Neighbor:
    source = _source(peer, around)
    statements = [*_statements(peer, source, around), *_sections(peer)]
    body = "\n".join(f"  {statement}" for statement in statements)
    digest = hashlib.sha256(f"{address}\n{body}".encode()).hexdigest()[:16]
    text = f'neighbor {address} {{\n  description "{digest}";\n{body}\n}}\n'
    link = link_of(peer, address, source)
    return Neighbor(peer.name, link, digest, peer.graceful_restart, text)


def _statements(peer: Peer, source: IPAddress | None, around: Surroundings) -> Iterator[str]:
    yield f"router-id {peer.router_id or around.router_id};"
    yield f"local-address {source or 'auto'};"
    yield f"local-as {peer.session_asn};"
    yield f"peer-as {peer.peer_asn};"
    yield f"hold-time {_hold_time(peer)};"
    if peer.passive:
        yield "passive true;"
        yield f"listen {peer.port};"
    else:
        yield f"connect {peer.port};"
    yield from _hops(peer)
    if peer.password is not None:
        yield from md5_statements(peer.password) or ()
    if peer.graceful_restart:
        yield "manual-eor true;"


def _hops(peer: Peer) -> Iterator[str]:
    if peer.ttl_security:
        yield f"outgoing-ttl {GTSM_TTL};"
        yield f"incoming-ttl {GTSM_TTL};"
    elif not peer.ibgp and not peer.ebgp_multihop:
        yield "outgoing-ttl 1;"


def _sections(peer: Peer) -> Iterator[str]:
    restart = RESTART_TIME_S if peer.graceful_restart else "disable"
    yield f"capability {{ graceful-restart {restart}; }}"
    families = " ".join(f"{family} unicast;" for family in peer.families)
    yield f"family {{ {families} }}"
    told = "neighbor-changes;"
    if peer.offers_extended_next_hop:
        yield "nexthop { ipv4 unicast ipv6; }"
        told += " negotiated;"
    yield f"api {{ processes [ {PROCESS} ]; {told} send {{ parsed; update; }} }}"
