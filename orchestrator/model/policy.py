"""What the operator configured: pools, advertisements, peers, profiles."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.model.address import AddressRange, Family, IPAddress, family_of
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.selector import Labels, Selector, matches_any
from orchestrator.model.settings import Settings
from orchestrator.model.virtual_router import VirtualRouter


@dataclass(frozen=True, slots=True)
class ServiceAllocation:
    """Restricts a pool to some Services (MetalLB `spec.serviceAllocation`); priority 0 comes last."""

    priority: int = 0
    namespaces: frozenset[str] = frozenset()
    namespace_selectors: tuple[Selector, ...] = ()
    service_selectors: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """An IPAddressPool: where addresses come from, in the order they are listed."""

    name: str
    ranges: tuple[AddressRange, ...]
    auto_assign: bool = True
    avoid_buggy_ips: bool = False
    allocation: ServiceAllocation | None = None
    labels: Labels = field(default_factory=dict)

    def __contains__(self, address: object) -> bool:
        return any(address in addresses for addresses in self.ranges)

    def avoids(self, address: IPAddress) -> bool:
        """Tell whether the pool leaves out `address` for its ending: .0 or .255, IPv4 only."""
        return self.avoid_buggy_ips and address.version == 4 and int(address) & 0xFF in (0, 255)

    def has(self, family: Family) -> bool:
        """Tell whether the pool has any range of `family`."""
        return any(addresses.family is family for addresses in self.ranges)


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What every advertisement has: which pools, nodes and Services it is for.

    Empty `pools` and `pool_selectors` together mean all pools; no selectors mean everything.
    """

    name: str
    pools: frozenset[str] = frozenset()
    pool_selectors: tuple[Selector, ...] = ()
    node_selectors: tuple[Selector, ...] = ()
    service_selectors: tuple[Selector, ...] = ()

    def covers(self, pool: Pool) -> bool:
        """Tell whether addresses of `pool` are meant."""
        if not self.pools and not self.pool_selectors:
            return True
        selected = any(selector.matches(pool.labels) for selector in self.pool_selectors)
        return pool.name in self.pools or selected


@dataclass(frozen=True, slots=True)
class BGPAdvertisement(Advertisement):
    """A BGPAdvertisement: which addresses go to which peers from which nodes, and how.

    Empty `peers` means all peers. `as_path_prepend` is how many more times the own AS is put in
    front (eBGP only); it, `med` and `next_hop` come from the annotations of DESIGN 10.
    """

    peers: frozenset[str] = frozenset()
    aggregation_length: int = 32
    aggregation_length_v6: int = 128
    local_pref: int | None = None
    communities: frozenset[Community] = frozenset()
    large_communities: frozenset[LargeCommunity] = frozenset()
    med: int | None = None
    as_path_prepend: int = 0
    next_hop: IPAddress | None = None

    def aggregation(self, family: Family) -> int:
        """Prefix length that addresses of `family` are announced with."""
        return self.aggregation_length if family is Family.IPV4 else self.aggregation_length_v6


@dataclass(frozen=True, slots=True)
class Preference:
    """A soft preference for nodes: `weight` (1 to 100) counts for each that `selector` matches."""

    weight: int
    selector: Selector


@dataclass(frozen=True, slots=True)
class L2Advertisement(Advertisement):
    """An L2Advertisement: which addresses nodes may answer ARP and NDP for, and where.

    Empty `interfaces` means all. `preferences` rank nodes before the hash does (metallb.md 1.3).
    """

    interfaces: frozenset[str] = frozenset()
    preferences: tuple[Preference, ...] = ()


@dataclass(frozen=True, slots=True)
class BFDProfile:
    """A BFDProfile (RFC 5880): times in milliseconds; None leaves the default to whoever runs BFD."""

    name: str
    receive_interval_ms: int | None = None
    transmit_interval_ms: int | None = None
    detect_multiplier: int | None = None
    echo_interval_ms: int | None = None
    echo_mode: bool = False
    passive_mode: bool = False
    minimum_ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A BGPPeer: one session to one router, from every node that `node_selectors` match.

    `local_asn` replaces `my_asn` on this session. `password` is the TCP-MD5 key (RFC 2385) and never
    shown. `ttl_security` is GTSM (RFC 5082). `graceful_restart` is RFC 4724. Times are whole
    seconds; None is ours.
    """

    name: str
    my_asn: int
    peer_asn: int
    address: IPAddress
    port: int = 179
    source_address: IPAddress | None = None
    local_asn: int | None = None
    hold_time_s: int | None = None
    connect_time_s: int | None = None
    router_id: IPAddress | None = None
    node_selectors: tuple[Selector, ...] = ()
    password: str | None = field(default=None, repr=False)
    bfd_profile: str | None = None
    graceful_restart: bool = False
    ebgp_multihop: bool = False
    dual_stack: bool = False
    ttl_security: bool = False
    passive: bool = False

    @property
    def session_asn(self) -> int:
        """AS number that this side opens the session with."""
        return self.local_asn or self.my_asn

    @property
    def ibgp(self) -> bool:
        """Tell whether the session is inside one AS."""
        return self.peer_asn == self.session_asn

    @property
    def session_family(self) -> Family:
        """Family the session itself runs over."""
        return family_of(self.address)

    @property
    def families(self) -> tuple[Family, ...]:
        """Families whose routes the session carries, IPv4 first."""
        if self.dual_stack:
            return (Family.IPV4, Family.IPV6)
        return (self.session_family,)

    @property
    def offers_extended_next_hop(self) -> bool:
        """Tell whether IPv4 routes with an IPv6 next hop are offered to be sent (RFC 8950)."""
        return self.dual_stack and self.session_family is Family.IPV6

    def selects(self, node_labels: Labels) -> bool:
        """Tell whether nodes with these labels have this session."""
        return matches_any(self.node_selectors, node_labels)


@dataclass(frozen=True, slots=True)
class Policy:
    """All configuration in force.

    `pools_faulty` is set while an error problem stands on any pool: then no held address is
    released or given away (DESIGN 4).
    """

    pools: tuple[Pool, ...] = ()
    bgp_advertisements: tuple[BGPAdvertisement, ...] = ()
    peers: tuple[Peer, ...] = ()
    l2_advertisements: tuple[L2Advertisement, ...] = ()
    bfd_profiles: tuple[BFDProfile, ...] = ()
    virtual_routers: tuple[VirtualRouter, ...] = ()
    settings: Settings = field(default_factory=Settings)
    pools_faulty: bool = False
