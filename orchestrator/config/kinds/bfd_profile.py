"""BFDProfile: timers of BFD sessions beside BGP sessions (metallb.md 1.5, RFC 5880)."""

from __future__ import annotations

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import Boolean, Field, Integer, Kind, Opaque, Record
from orchestrator.model.policy import BFDProfile

_INTERVAL = Integer(10, 60000)

_SPEC = Record(
    (
        Field("receiveInterval", _INTERVAL, "Shortest time between packets received, in ms."),
        Field("transmitInterval", _INTERVAL, "Time between packets sent, in ms."),
        Field("detectMultiplier", Integer(2, 255), "Packets that may be lost before it is down."),
        Field("echoInterval", _INTERVAL, "Shortest time between echo packets received, in ms."),
        Field("echoMode", Boolean(), "Send echo packets; IPv4 and one hop only.", default=False),
        Field("passiveMode", Boolean(), "Wait for the router to begin.", default=False),
        Field("minimumTtl", Integer(1, 254), "Least TTL taken over several hops (RFC 5883)."),
    )
)


def _build(item: Item, faults: Faults) -> BFDProfile:
    del faults
    spec = item.body["spec"]
    return BFDProfile(
        name=item.name,
        receive_interval_ms=spec["receiveInterval"],
        transmit_interval_ms=spec["transmitInterval"],
        detect_multiplier=spec["detectMultiplier"],
        echo_interval_ms=spec["echoInterval"],
        echo_mode=spec["echoMode"],
        passive_mode=spec["passiveMode"],
        minimum_ttl=spec["minimumTtl"],
    )


_NO_SPEC = {field.name: field.default for field in _SPEC.fields}

KIND = Kind(
    name="BFDProfile",
    group="metallb.io",
    versions=("v1beta1",),
    doc="Timers for the BFD sessions of BGPPeers that name it. This version does not run BFD yet.",
    body=Record((Field("spec", _SPEC, default=_NO_SPEC), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata: {name: fast}
spec: {receiveInterval: 100, transmitInterval: 100, detectMultiplier: 3}
""",
)
