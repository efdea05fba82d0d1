"""What should be true: assignments, sessions, a RIB per peer, and a verdict for every VIP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.address import Family, IPAddress
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Problem
from orchestrator.model.route import Rib


class Reason(Enum):
    """Why an address is, or is not, assigned or announced; the values are stable (CLI.md)."""

    NOT_LOAD_BALANCER = "notLoadBalancer"
    OTHER_CLASS = "otherClass"
    NO_POOLS = "noPools"
    NO_CLUSTER_IPS = "noClusterIPs"
    NOT_ENOUGH_CLUSTER_IPS = "notEnoughClusterIPs"
    INVALID_REQUEST = "invalidRequest"
    FAMILY_MISMATCH = "familyMismatch"
    REQUEST_POOL_MISMATCH = "requestPoolMismatch"
    UNKNOWN_POOL = "unknownPool"
    POOL_NOT_COMPATIBLE = "poolNotCompatible"
    ADDRESS_NOT_IN_POOL = "addressNotInPool"
    SHARING_MISMATCH = "sharingMismatch"
    PORT_IN_USE = "portInUse"
    NO_AVAILABLE_ADDRESSES = "noAvailableAddresses"
    ANNOUNCED = "announced"
    NO_MATCHING_ADVERTISEMENT = "noMatchingAdvertisement"
    CONFLICTING_ADVERTISEMENTS = "conflictingAdvertisements"
    NOT_OWNER = "notOwner"
    SHARED_IP_WITH_SERVICE_SELECTOR = "sharedIPWithServiceSelector"
    NODE_NETWORK_UNAVAILABLE = "nodeNetworkUnavailable"
    NODE_LABELED_EXCLUDE_BALANCERS = "nodeLabeledExcludeBalancers"
    NO_LOCAL_ENDPOINTS = "noLocalEndpoints"
    NO_ENDPOINTS = "noEndpoints"
    NO_IP_ALLOCATED = "noIPAllocated"
    IP_NOT_ALLOWED = "ipNotAllowed"
    MEMBER_DOWN = "memberDown"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    NO_NEXT_HOP = "noNextHop"
    PEER_DOWN = "peerDown"
    NOT_SENT = "notSent"
    NOT_ACKNOWLEDGED = "notAcknowledged"
    ADDRESS_CONFLICT = "addressConflict"
    KERNEL_ANSWERS = "kernelAnswers"
    ISOLATED = "isolated"


class AssignmentState(Enum):
    """State of a Service's addresses; `IGNORED` is not ours to serve."""

    ASSIGNED = "assigned"
    PENDING = "pending"
    IGNORED = "ignored"


class Origin(Enum):
    """How a Service came by its addresses."""

    KEPT = "kept"
    REQUESTED = "requested"
    AUTOMATIC = "automatic"


class Protocol(Enum):
    """How an address is announced."""

    BGP = "bgp"
    LAYER2 = "layer2"


@dataclass(frozen=True, slots=True)
class KubernetesEvent:
    """An Event the controller would write for a Service, with MetalLB's reason and text."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """The addresses of one Service, or why it has none."""

    service: ServiceKey
    state: AssignmentState
    addresses: tuple[IPAddress, ...] = ()
    pool: str | None = None
    origin: Origin | None = None
    reason: Reason | None = None
    message: str | None = None
    events: tuple[KubernetesEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A BGP session that a node is to have."""

    node: str
    peer: Peer

    @property
    def families(self) -> tuple[Family, ...]:
        """Families whose routes the session carries."""
        return self.peer.families


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a node announces an address, and the first reason if it does not.

    `alike` are further nodes of which the same is true, where a plan asks about `anywhere`.
    """

    service: ServiceKey
    address: IPAddress | None
    node: str
    protocol: Protocol | None
    reason: Reason
    message: str
    alike: tuple[str, ...] = ()

    @property
    def announced(self) -> bool:
        """`announced` is the only yes."""
        return self.reason is Reason.ANNOUNCED


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that may answer for an address on layer 2.

    `score` is the weight of the preferences that chose it; `interfaces` None means all.
    """

    node: str
    score: int = 0
    interfaces: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Election:
    """Who answers for an address of a Service on layer 2: `candidates` in order of rank.

    `key` is the address that is hashed with each node's name (metallb.md 4.1, DESIGN 8.1).
    """

    service: ServiceKey
    address: IPAddress
    key: IPAddress
    candidates: tuple[Candidate, ...] = ()

    @property
    def owner(self) -> Candidate | None:
        """The first candidate, as if all were alive; None when nobody may answer."""
        return self.candidates[0] if self.candidates else None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that should be true; `ribs` are by node, then by the name of the peer."""

    assignments: tuple[Assignment, ...] = ()
    sessions: tuple[Session, ...] = ()
    ribs: Mapping[str, Mapping[str, Rib]] = field(default_factory=dict)
    elections: tuple[Election, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    bindings: Mapping[IPAddress, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
