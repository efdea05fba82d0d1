"""What the operator wants, as it changes: files and health in, plans out, by the real planner."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from orchestrator.model.address import AddressRange
from orchestrator.model.cluster import Cluster
from orchestrator.model.community import Community
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Plan
from orchestrator.model.policy import BGPAdvertisement, Peer, Policy, Pool
from orchestrator.model.route import PathAttributes
from orchestrator.model.virtual_ip import Check, Health, OnDown, PathByHealth, TcpProbe, VirtualIP
from orchestrator.planner import plan
from tests.fakes.exabgp import Attributes
from tests.fakes.exabgp_pair import OWN, fake_peer

NODE = "a"
VIPS = 8
PEERS = (("r", 1, 64500, False), ("s", 3, 64501, False), ("t", 4, 64500, True))
"""Name, last number of the address, AS number, graceful restart."""
HEALTHS = tuple(Health)
PHASES = tuple(DrainPhase)
POOL = Pool(
    "edge",
    (AddressRange(ipaddress.ip_address("192.0.2.0"), ipaddress.ip_address("192.0.2.255"), 24),),
)
CHECK = Check(TcpProbe("127.0.0.1", 80))
PATHS = {
    Health.UP: PathByHealth(med=10),
    Health.DOWN: PathByHealth(med=900, communities=frozenset({Community(64500, 666)})),
}


@dataclass
class Intent:
    """Everything that decides the plan."""

    vips: set[int] = field(default_factory=set)
    health: dict[int, Health] = field(default_factory=dict)
    colour: int = 0
    """Community of all routes: changing it changes every route at once."""
    aggregated: bool = False
    peers: dict[str, int] = field(default_factory=dict)
    """Wanted peers with their hold time: changing it resets the session."""
    drain: DrainPhase = DrainPhase.NONE

    def plan(self) -> Plan:
        """Plan for the only node."""
        health = {f"v{number}": self.health.get(number, Health.UP) for number in self.vips}
        cluster = Cluster(virtual_ips={f"v{n}": _vip(n) for n in sorted(self.vips)})
        policy = Policy((POOL,), self._advertisements(), self._peers())
        return plan(cluster, policy, Local(node=NODE, health=health, drain=self.drain))

    def _advertisements(self) -> tuple[BGPAdvertisement, ...]:
        colours = frozenset({Community(64500, self.colour)})
        hosts = BGPAdvertisement("hosts", communities=colours)
        whole = BGPAdvertisement("whole", aggregation_length=30, local_pref=50)
        return (hosts, whole) if self.aggregated else (hosts,)

    def _peers(self) -> tuple[Peer, ...]:
        return tuple(
            fake_peer(name, last, asn, graceful_restart=graceful, hold_time_s=self.peers[name])
            for name, last, asn, graceful in PEERS
            if name in self.peers
        )


def _vip(number: int) -> VirtualIP:
    """Every second VIP is demoted when it is not up, the others are withdrawn."""
    return VirtualIP(
        f"v{number}",
        (ipaddress.ip_address(f"192.0.2.{number}"),),
        check=CHECK,
        on_down=OnDown.DEMOTE if number % 2 else OnDown.WITHDRAW,
        paths=PATHS,
    )


Table = dict[str, dict[str, Attributes]]
"""By the peer's address: prefix -> attribute words, as they are in commands."""


def table_of(decided: Plan) -> Table:
    """What routers must hold by a plan, in the words of the model of ExaBGP."""
    ribs = decided.ribs[NODE]
    return {
        str(session.peer.address): {
            str(prefix): words(route.attributes, session.peer)
            for prefix, route in ribs[session.peer.name].items()
        }
        for session in decided.sessions
    }


def words(attributes: PathAttributes, peer: Peer) -> Attributes:
    """Attributes with every default of the protocol filled in (RFC 4271 5.1)."""
    found = {"next-hop": str(attributes.next_hop or OWN)}
    if attributes.med is not None:
        found["med"] = str(attributes.med)
    if peer.ibgp:
        local_pref = 100 if attributes.local_pref is None else attributes.local_pref
        found["local-preference"] = str(local_pref)
    else:
        path = attributes.as_path or (peer.my_asn,)
        found["as-path"] = " ".join(map(str, path))
    if attributes.communities:
        found["community"] = " ".join(map(str, attributes.communities))
    return tuple(sorted(found.items()))
