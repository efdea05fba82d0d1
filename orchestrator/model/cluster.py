"""What there is to announce and where: Services, endpoints, nodes, virtual IPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from orchestrator.model.address import Family, IPAddress
from orchestrator.model.selector import Labels
from orchestrator.model.virtual_ip import VirtualIP

DRAIN, DRAIN_WAIT = "orchestrator.io/drain", "orchestrator.io/drain-wait"
"""Annotations of a Node: since when it drains, and seconds until its routes are withdrawn."""
MAX_DRAIN_WAIT_S = 86400
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
HOSTNAME_LABEL = "kubernetes.io/hostname"


class ServiceKey(NamedTuple):
    """Namespace and name; a VirtualIP's is `virtualip/NAME`.

    A tuple, because it is hashed and compared more often than anything else.
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class TrafficPolicy(Enum):
    """`spec.externalTrafficPolicy`."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class FamilyPolicy(Enum):
    """`spec.ipFamilyPolicy`."""

    SINGLE_STACK = "SingleStack"
    PREFER_DUAL_STACK = "PreferDualStack"
    REQUIRE_DUAL_STACK = "RequireDualStack"


@dataclass(frozen=True, slots=True, order=True)
class Port:
    """A port of a Service; `protocol` is TCP, UDP or SCTP."""

    protocol: str
    number: int


@dataclass(frozen=True, slots=True)
class Service:
    """A Service as far as load balancing needs it.

    `families` are those of its cluster IPs, the preferred one first; none where there are none. `ingress` the addresses in its
    status (the durable memory of allocation). `requested_*` come from annotations or
    `spec.loadBalancerIP`; a request that cannot be read is in `malformed_request`.
    `deprecated_annotations` are those of the old group that are in use. `created` is RFC 3339
    text, so it sorts.
    """

    key: ServiceKey
    load_balancer: bool = True
    load_balancer_class: str | None = None
    labels: Labels = field(default_factory=dict)
    traffic_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    family_policy: FamilyPolicy = FamilyPolicy.SINGLE_STACK
    families: tuple[Family, ...] = ()
    ports: frozenset[Port] = frozenset()
    pod_selector: str = ""
    sharing_key: str = ""
    requested_addresses: tuple[IPAddress, ...] = ()
    requested_pool: str | None = None
    malformed_request: str | None = None
    ingress: tuple[IPAddress, ...] = ()
    allocated_pool: str | None = None
    deprecated_annotations: tuple[str, ...] = ()
    created: str = ""
    uid: str = ""

    @property
    def backend_key(self) -> str:
        """What two Services on one address must have in common (metallb.md 3.1)."""
        return self.pod_selector if self.traffic_policy is TrafficPolicy.LOCAL else ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `usable` is MetalLB's serving test: ready nil or true, or serving true."""

    node: str | None
    usable: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A node. `drain` is the time in the annotation `orchestrator.io/drain`, None when absent.

    `drain_wait_s` is how long routes are only made unattractive, None for as long as usual.
    `cordoned` is `spec.unschedulable`: new pods are kept off.
    """

    name: str
    labels: Labels = field(default_factory=dict)
    network_unavailable: bool = False
    drain: str | None = None
    addresses: tuple[IPAddress, ...] = ()
    cordoned: bool = False
    drain_wait_s: float | None = None

    @property
    def excluded(self) -> bool:
        """Tell whether the node is labelled out of load balancing."""
        return EXCLUDE_LABEL in self.labels


@dataclass(frozen=True, slots=True)
class Cluster:
    """An immutable snapshot of the world to be announced."""

    services: Mapping[ServiceKey, Service] = field(default_factory=dict)
    endpoints: Mapping[ServiceKey, tuple[Endpoint, ...]] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    namespaces: Mapping[str, Labels] = field(default_factory=dict)
    virtual_ips: Mapping[str, VirtualIP] = field(default_factory=dict)
