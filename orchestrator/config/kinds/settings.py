"""Settings: what holds for the whole installation (DESIGN 10)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_host_address, parse_pattern
from orchestrator.config.item import Item
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Field,
    Integer,
    Kind,
    ListOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.model.settings import LogSettings, Membership, Settings, Transport

PATTERNS = ListOf(
    Parsed("a regular expression", lambda text: parse_pattern(_short(text))),
    max_items=1000,
    unique=True,
)
"""Regular expressions of interface names, as in MetalLB's excludel2.yaml (metallb.md 4.5)."""
_MAX_PATTERN = 256
_LISTENS = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[0-9]{1,5})")


def _short(text: str) -> str:
    if len(text) > _MAX_PATTERN:
        raise ValueError(f"it is longer than {_MAX_PATTERN} characters")
    return text


def _endpoint(text: str) -> str:
    """Check ADDRESS:PORT, an IPv6 address in brackets, or `off`."""
    found = _LISTENS.fullmatch(text)
    if text == "off":
        return text
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        raise ValueError("write it like 127.0.0.1:7472 or [::1]:7472")
    version = 6 if found["six"] is not None else 4
    try:
        address = ipaddress.ip_address(found["six"] or found["four"])
    except ValueError:
        raise ValueError("it begins with an address; an IPv6 address is in brackets") from None
    if address.version != version:
        raise ValueError("an IPv6 address is in brackets")
    return text


_MEMBERSHIP = Record(
    (
        Field(
            "vrid",
            Integer(1, 255),
            "Number of this installation on its segments; others there have another.",
            default=1,
        ),
        Field(
            "intervalMs",
            Integer(10, 10_000),
            "Time between hellos; a member is dead after three.",
            default=100,
        ),
        Field(
            "preemptDelayMs",
            Integer(0, 3_600_000),
            "How long a better node is up before it takes an address over; 0 is at once.",
            default=5000,
        ),
        Field(
            "authSecret",
            Text(max_length=253),
            "Secret whose key `secretkey` authenticates hellos; empty for none. In a cluster it is "
            "`memberlist` when absent, and the controller makes that one.",
        ),
        Field(
            "transport",
            Choice(tuple(transport.value for transport in Transport)),
            "How hellos travel; unicast goes to the addresses of Nodes.",
            default=Transport.MULTICAST.value,
        ),
        Field(
            "check",
            ListOf(Parsed("an address", parse_host_address), max_items=100, unique=True),
            "Addresses that are asked before a node that lost all members takes more over; "
            "the default gateway when empty.",
            default=(),
        ),
    )
)
_STATUS_OBJECTS = Record(
    (
        Field(
            "bgp",
            Boolean(),
            "Write a ServiceBGPStatus for each Service and node, as MetalLB does.",
            default=False,
        ),
    )
)
_LOG = Record(
    (
        Field(
            "level", Choice(("debug", "info", "warning", "error")), "Least level that is written."
        ),
        Field("format", Choice(("json", "text")), "Form of the lines; text on a terminal."),
    )
)

_SPEC = Record(
    (
        Field("membership", _MEMBERSHIP, "Who shares addresses on layer 2."),
        Field(
            "excludedInterfaces",
            PATTERNS,
            "Regular expressions of interfaces without layer 2; MetalLB's list when absent.",
        ),
        Field(
            "maxDraining",
            Integer(1, 1000),
            "Most nodes that drain at once; the others wait.",
            default=1,
        ),
        Field(
            "drainOnCordon",
            Boolean(),
            "A node that is cordoned (`kubectl cordon`, `kubectl drain`) drains as if it were "
            "annotated, after those that are.",
            default=False,
        ),
        Field("statusObjects", _STATUS_OBJECTS, "Which reports are written to the cluster."),
        Field(
            "http",
            Parsed("ADDRESS:PORT or off", _endpoint),
            "Where HTTP is served, unless --http says so; 127.0.0.1:7472 when absent.",
        ),
        Field("log", _LOG, "Logs, unless the command line says so."),
    )
)


@dataclass(frozen=True, slots=True)
class SettingsDraft:
    """Settings; `excluded` is None when the object does not name interfaces to leave out."""

    settings: Settings
    excluded: tuple[str, ...] | None


def _membership(values: Values | None) -> Membership:
    if values is None:
        return Membership()
    return Membership(
        vrid=values["vrid"],
        interval_ms=values["intervalMs"],
        preempt_delay_ms=values["preemptDelayMs"],
        auth_secret=values["authSecret"],
        transport=Transport(values["transport"]),
        check_addresses=values["check"],
    )


def _build(item: Item, faults: Faults) -> SettingsDraft:
    del faults
    spec = item.body["spec"]
    log = spec["log"] or {"level": None, "format": None}
    settings = Settings(
        membership=_membership(spec["membership"]),
        max_draining=spec["maxDraining"],
        drain_on_cordon=spec["drainOnCordon"],
        bgp_status_objects=bool(spec["statusObjects"] and spec["statusObjects"]["bgp"]),
        http=spec["http"],
        log=LogSettings(log["level"], log["format"]),
    )
    return SettingsDraft(settings, spec["excludedInterfaces"])


KIND = Kind(
    name="Settings",
    group="orchestrator.io",
    versions=("v1alpha1",),
    doc="Settings of the whole installation. There is one such object, of any name.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: orchestrator.io/v1alpha1
kind: Settings
metadata: {name: all}
spec:
  membership: {vrid: 7, intervalMs: 100, check: [192.0.2.254]}
  excludedInterfaces: ["^docker.*", "^veth.*", "^lo$"]
  maxDraining: 2
  log: {level: info, format: json}
""",
)
