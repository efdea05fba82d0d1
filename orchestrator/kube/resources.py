"""The resources that the roles read and write, in one place (DESIGN 9)."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.kube.resource import Resource

SERVICES = Resource("", "v1", "services", "Service", field_selector="spec.type=LoadBalancer")
"""Only those of type LoadBalancer: to a watch, one that changes its type is gone."""
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
NODES = Resource("", "v1", "nodes", "Node")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource(
    "", "v1", "configmaps", "ConfigMap", field_selector="metadata.name=metallb-excludel2"
)
"""Only the one that means something to a speaker (metallb.md 1.9)."""
EVENTS = Resource("", "v1", "events", "Event")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

IP_ADDRESS_POOLS = Resource("metallb.io", "v1beta1", "ipaddresspools", "IPAddressPool")
BGP_PEERS = Resource("metallb.io", "v1beta2", "bgppeers", "BGPPeer")
BGP_ADVERTISEMENTS = Resource("metallb.io", "v1beta1", "bgpadvertisements", "BGPAdvertisement")
L2_ADVERTISEMENTS = Resource("metallb.io", "v1beta1", "l2advertisements", "L2Advertisement")
BFD_PROFILES = Resource("metallb.io", "v1beta1", "bfdprofiles", "BFDProfile")
COMMUNITIES = Resource("metallb.io", "v1beta1", "communities", "Community")
SETTINGS = Resource("orchestrator.io", "v1alpha1", "settings", "Settings")

CONFIGURATION_STATES = Resource(
    "metallb.io", "v1beta1", "configurationstates", "ConfigurationState"
)
SERVICE_L2_STATUSES = Resource("metallb.io", "v1beta1", "servicel2statuses", "ServiceL2Status")
SERVICE_BGP_STATUSES = Resource("metallb.io", "v1beta1", "servicebgpstatuses", "ServiceBGPStatus")
SPEAKER_STATES = Resource("orchestrator.io", "v1alpha1", "speakerstates", "SpeakerState")

_CLUSTER = (SERVICES, ENDPOINT_SLICES, NODES, NAMESPACES)
_CONFIGURATION = (
    IP_ADDRESS_POOLS,
    BGP_PEERS,
    BGP_ADVERTISEMENTS,
    L2_ADVERTISEMENTS,
    BFD_PROFILES,
    COMMUNITIES,
    SETTINGS,
    SECRETS,
)
WRITTEN_BY_NODES = (
    SERVICE_L2_STATUSES,
    SERVICE_BGP_STATUSES,
    CONFIGURATION_STATES,
    SPEAKER_STATES,
)
"""What a speaker writes of its node, and a gone node leaves behind."""


def watched_by_speaker(namespace: str) -> tuple[Resource, ...]:
    """Return what a speaker watches; `namespace` is our own.

    Namespaces too: without their labels a pool that is for some of them is nobody's.
    """
    return (*_CLUSTER, *_in_namespace((*_CONFIGURATION, CONFIG_MAPS), namespace))


def watched_by_controller(namespace: str) -> tuple[Resource, ...]:
    """Return what the controller watches, besides the Lease; `namespace` is our own."""
    return (*_CLUSTER, *_in_namespace(_CONFIGURATION, namespace))


def written_by_nodes(namespace: str) -> tuple[Resource, ...]:
    """Return where all that speakers write of their nodes is; `namespace` is our own."""
    return _in_namespace(WRITTEN_BY_NODES, namespace)


def _in_namespace(resources: tuple[Resource, ...], namespace: str) -> tuple[Resource, ...]:
    return tuple(replace(resource, namespace=namespace) for resource in resources)
