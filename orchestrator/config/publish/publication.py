"""How kinds are called at the API server, and what `kubectl get` shows of them.

Names, columns and written defaults of the metallb.io group are MetalLB's, so that its users' scripts
go on working and either set of definitions can be installed over the other. What a pool has left
comes after its columns: that it has nothing is the usual answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.config.kinds.status_kinds import POOL_STATUS
from orchestrator.config.publish.openapi import Extras
from orchestrator.config.schema import Record

NO_FIELDS = Record(())


class Column(NamedTuple):
    """One column of `kubectl get`; one of priority above 0 is shown with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What a kind's definition has besides its schema.

    `extras` are by version; a version that is not named has `Extras()`. `deprecated` has the
    versions that should no longer be used, with the warning the server gives.
    """

    plural: str
    columns: tuple[Column, ...] = ()
    short_names: tuple[str, ...] = ()
    status: Record = NO_FIELDS
    extras: Mapping[str, Extras] = field(default_factory=dict)
    deprecated: Mapping[str, str] = field(default_factory=dict)


_PASSED_ON = Extras(written=frozenset())
_AGE = Column("Age", ".metadata.creationTimestamp", "date")
_SELECTIONS = (
    Column("IPAddressPools", ".spec.ipAddressPools"),
    Column("IPAddressPool Selectors", ".spec.ipAddressPoolSelectors"),
)
_NODES = Column("Node Selectors", ".spec.nodeSelectors", priority=10)
_IMMUTABLE_STATUS = Extras(
    written=frozenset(),
    immutable=frozenset({"status.node", "status.serviceName", "status.serviceNamespace"}),
)


def _service_columns(first: str) -> tuple[Column, ...]:
    return (
        Column(first, ".status.node"),
        Column("Service Name", ".status.serviceName"),
        Column("Service Namespace", ".status.serviceNamespace"),
    )


PUBLISHED: Mapping[str, Published] = {
    "IPAddressPool": Published(
        "ipaddresspools",
        (
            Column("Auto Assign", ".spec.autoAssign", "boolean"),
            Column("Avoid Buggy IPs", ".spec.avoidBuggyIPs", "boolean"),
            Column("Addresses", ".spec.addresses"),
            Column("Free IPv4", ".status.availableIPv4", "integer"),
            Column("Free IPv6", ".status.availableIPv6", "integer"),
        ),
        status=POOL_STATUS,
        extras={"v1beta1": Extras(frozenset({"spec.autoAssign", "spec.avoidBuggyIPs"}))},
    ),
    "BGPAdvertisement": Published(
        "bgpadvertisements",
        (*_SELECTIONS, Column("Peers", ".spec.peers"), _NODES),
        extras={
            "v1beta1": Extras(frozenset({"spec.aggregationLength", "spec.aggregationLengthV6"}))
        },
    ),
    "L2Advertisement": Published(
        "l2advertisements",
        (*_SELECTIONS, Column("Interfaces", ".spec.interfaces"), _NODES),
        extras={"v1beta1": _PASSED_ON},
    ),
    "BGPPeer": Published(
        "bgppeers",
        (
            Column("Address", ".spec.peerAddress"),
            Column("ASN", ".spec.peerASN"),
            Column("BFD Profile", ".spec.bfdProfile"),
            Column("Multi Hops", ".spec.ebgpMultiHop"),
        ),
        extras={
            "v1beta1": _PASSED_ON,
            "v1beta2": Extras(
                written=frozenset(
                    {"spec.peerPort", "spec.disableMP", "spec.dualStackAddressFamily"}
                ),
                immutable=frozenset({"spec.enableGracefulRestart"}),
                atomic=frozenset({"spec.passwordSecret"}),
            ),
        },
        deprecated={"v1beta1": "metallb.io/v1beta1 BGPPeer is deprecated; write v1beta2"},
    ),
    "BFDProfile": Published(
        "bfdprofiles",
        (
            Column("Passive Mode", ".spec.passiveMode", "boolean"),
            Column("Transmit Interval", ".spec.transmitInterval", "integer"),
            Column("Receive Interval", ".spec.receiveInterval", "integer"),
            Column("Multiplier", ".spec.detectMultiplier", "integer"),
        ),
        extras={"v1beta1": _PASSED_ON},
    ),
    "Community": Published("communities", extras={"v1beta1": _PASSED_ON}),
    "ServiceL2Status": Published(
        "servicel2statuses",
        _service_columns("Allocated Node"),
        extras={"v1beta1": _IMMUTABLE_STATUS},
    ),
    "ServiceBGPStatus": Published(
        "servicebgpstatuses", _service_columns("Node"), extras={"v1beta1": _IMMUTABLE_STATUS}
    ),
    "ConfigurationState": Published(
        "configurationstates",
        (
            Column("Result", ".status.result"),
            Column("ErrorSummary", ".status.errorSummary"),
            _AGE,
        ),
        extras={"v1beta1": _PASSED_ON},
    ),
    "VirtualIP": Published(
        "virtualips",
        (
            Column("Addresses", ".spec.addresses"),
            Column("Pool", ".spec.pool"),
            Column("On Down", ".spec.onDown"),
            _AGE,
        ),
        ("vip",),
    ),
    "VirtualRouter": Published(
        "virtualrouters",
        (
            Column("Interface", ".spec.interface"),
            Column("VRID", ".spec.vrid", "integer"),
            Column("Priority", ".spec.priority", "integer"),
            Column("Addresses", ".spec.addresses"),
            _AGE,
        ),
        ("vrouter",),
    ),
    "Settings": Published("settings", (_AGE,)),
    "SpeakerState": Published(
        "speakerstates",
        (
            Column("Version", ".status.version"),
            Column("Sessions", ".status.established"),
            Column("Routes", ".status.routes.desired", "integer"),
            Column("Flushed", ".status.routes.flushed", "integer"),
            Column("Owned", ".status.owned", "integer"),
            Column("Told", ".status.renewTime", "date"),
            _AGE,
            Column("Last Error", ".status.lastError"),
        ),
    ),
}
