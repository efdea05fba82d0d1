"""VirtualRouter: one VRRP instance of a router VM (DESIGN 8.2, RFC 9568, RFC 3768)."""

from __future__ import annotations

import re

from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_host_address, parse_interface
from orchestrator.config.item import Item
from orchestrator.config.kinds.names import INTERFACE
from orchestrator.config.kinds.trust import COMMAND, check_program, refuse_untrusted
from orchestrator.config.kinds.virtual_router_track import TRACK, track
from orchestrator.config.schema import (
    Boolean,
    Broken,
    Choice,
    Field,
    Holds,
    Integer,
    Kind,
    ListOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.model.virtual_router import ChecksumForm, VirtualRouter

_ADDRESS = Parsed("an address, with or without /LENGTH", parse_interface)
_MAX_IN_ADVERT = 255
"""An advert counts its addresses in one byte (RFC 9568 5.2.5)."""
_MAX_PASSWORD = 8
_SHORTEST_MS, _LONGEST_MS = 10, 40_950
"""1 to 4095 hundredths of a second in version 3 (RFC 9568 5.2.7)."""
_LONGEST_V2_S = 255
_INTERVAL_RULE = (
    "self.version == 2"
    f" ? (self.advertIntervalMs % 1000 == 0 && self.advertIntervalMs >= 1000"
    f" && self.advertIntervalMs <= {1000 * _LONGEST_V2_S})"
    f" : (self.advertIntervalMs % 10 == 0 && self.advertIntervalMs <= {_LONGEST_MS})"
)
"""`_interval_fits` in CEL; both fields have their defaults by then."""

_AUTHENTICATION = Record(
    (
        Field(
            "password",
            Text("text of 1 to 8 printable ASCII characters", re.compile(r"[!-~]*"), 8, 1),
            f"Password of VRRPv2's PASS, up to {_MAX_PASSWORD} bytes; anyone on the wire can read it.",
            required=True,
            secret=True,
        ),
    )
)


def _interval_fits(values: Values) -> Broken | None:
    """Version 3 counts hundredths of a second in 12 bits, version 2 seconds in 8."""
    interval = values["advertIntervalMs"]
    if values["version"] == 2 and (interval % 1000 or not 1 <= interval // 1000 <= _LONGEST_V2_S):
        return Broken("advertIntervalMs", f"version 2 has whole seconds, 1 to {_LONGEST_V2_S}")
    if values["version"] == 3 and (interval % 10 or interval > _LONGEST_MS):
        message = f"version 3 has multiples of 10 ms, {_SHORTEST_MS} to {_LONGEST_MS}"
        return Broken("advertIntervalMs", message)
    return None


def _one_family(values: Values) -> Broken | None:
    families = {address.version for address in values["addresses"]}
    if len(families) > 1:
        hint = "write a VirtualRouter for each family; both may have the same vrid"
        return Broken("addresses", "a virtual router has addresses of one family", hint)
    if values["version"] == 2 and 6 in families:
        return Broken("version", "VRRP version 2 is for IPv4 only", "use version 3")
    return None


def _peers_fit(values: Values) -> Broken | None:
    families = {address.version for address in values["addresses"]}
    if any(peer.version not in families for peer in values["unicastPeers"]):
        return Broken("unicastPeers", "unicastPeers are of the family of addresses")
    return None


def _password_fits(values: Values) -> Broken | None:
    if values["authentication"] is None or values["version"] == 2:
        return None
    return Broken("authentication", "VRRP version 3 has no authentication", "remove it")


def _listed_once(values: Values) -> Broken | None:
    known = {address.ip for address in values["addresses"]}
    if any(address.ip in known for address in values["excludedAddresses"]):
        return Broken("excludedAddresses", "an address is in addresses already", "remove it here")
    return None


_SPEC = Record(
    fields=(
        Field("interface", INTERFACE, "Interface that adverts go out of.", required=True),
        Field("vrid", Integer(1, 255), "Number of the virtual router on its LAN.", required=True),
        Field("version", Integer(2, 3), "Version of VRRP; 2 is IPv4 only.", default=3),
        Field("priority", Integer(1, 255), "Highest wins; 255 owns the addresses.", default=100),
        Field(
            "advertIntervalMs",
            Integer(_SHORTEST_MS, _LONGEST_V2_S * 1000),
            "Time between adverts: 10 ms to 40.95 s, in version 2 whole seconds.",
            default=1000,
        ),
        Field("preempt", Boolean(), "Take over from a router of lower priority.", default=True),
        Field("preemptDelayMs", Integer(0, 3_600_000), "Wait that long before it.", default=0),
        Field(
            "addresses",
            ListOf(_ADDRESS, min_items=1, max_items=_MAX_IN_ADVERT, unique=True),
            "Addresses in adverts, of one family, in the order the other routers have them.",
            required=True,
        ),
        Field(
            "excludedAddresses",
            ListOf(_ADDRESS, unique=True),
            "Addresses that come and go with these without being in adverts.",
            default=(),
        ),
        Field("authentication", _AUTHENTICATION, "PASS of version 2 (RFC 2338)."),
        Field(
            "checksum",
            Choice(tuple(form.value for form in ChecksumForm)),
            "How version 3 adverts are summed over IPv4; `keepalived` is with pseudo header.",
            default=ChecksumForm.KEEPALIVED.value,
        ),
        Field(
            "unicastPeers",
            ListOf(Parsed("an address", parse_host_address), max_items=100, unique=True),
            "Other routers, that adverts are sent to instead of multicast.",
            default=(),
        ),
        Field(
            "virtualMAC",
            Boolean(),
            "Use the MAC 00:00:5e:00:01:VRID (IPv6: 02:VRID) on a macvlan.",
            default=False,
        ),
        Field(
            "bind",
            INTERFACE,
            "Where the addresses are put: `lo` has them at all times, `interface` (or the name of "
            "one) while this router is master, `none` leaves that to you.",
            default="lo",
        ),
        Field("track", ListOf(TRACK, max_items=100), "What the priority depends on.", default=()),
        Field(
            "syncGroup",
            Text(max_length=253),
            "VirtualRouters of one group change state together.",
            default="",
        ),
        Field(
            "notify",
            COMMAND,
            "Program (absolute path) and arguments, run at each change of state as keepalived does: "
            "`INSTANCE NAME STATE PRIORITY` follow, STATE being MASTER, BACKUP, FAULT or STOP; in "
            "trusted local files only.",
            default=(),
        ),
    ),
    rules=(
        Holds("`advertIntervalMs` suits `version`", _interval_fits, _INTERVAL_RULE),
        Holds("`addresses` are of one family, in version 2 IPv4", _one_family),
        Holds("`unicastPeers` are of the family of `addresses`", _peers_fit),
        Holds(
            "`authentication` is for version 2",
            _password_fits,
            "!has(self.authentication) || self.version == 2",
        ),
        Holds("no address is in both `addresses` and `excludedAddresses`", _listed_once),
    ),
)


def _check_host_parts(item: Item, faults: Faults) -> None:
    """Look at what runs or reads something of this host."""
    spec = item.body["spec"]
    if spec["notify"]:
        check_program(spec["notify"], ("spec", "notify"), faults)
        if not item.trusted:
            refuse_untrusted(("spec", "notify"), "notify", faults)
    for index, entry in enumerate(spec["track"]):
        path = ("spec", "track", index)
        if entry["command"]:
            check_program(entry["command"], (*path, "command"), faults)
        for name in ("file", "command"):
            if entry[name] and not item.trusted:
                refuse_untrusted((*path, name), name, faults)


def _warn(spec: Values, faults: Faults) -> None:
    first = spec["addresses"][0]
    if first.version == 6 and not first.is_link_local:
        message = "the first IPv6 address of a virtual router is link-local (RFC 9568 5.2.9)"
        faults.warn(
            ("spec", "addresses", 0), message, "noLinkLocalFirst", hint="put fe80::... first"
        )


def _build(item: Item, faults: Faults) -> VirtualRouter:
    _check_host_parts(item, faults)
    _warn(item.body["spec"], faults)
    return _virtual_router(item.name, item.body["spec"])


def _virtual_router(name: str, spec: Values) -> VirtualRouter:
    authentication = spec["authentication"]
    return VirtualRouter(
        name=name,
        interface=spec["interface"],
        vrid=spec["vrid"],
        version=spec["version"],
        priority=spec["priority"],
        advert_interval_ms=spec["advertIntervalMs"],
        preempt=spec["preempt"],
        preempt_delay_ms=spec["preemptDelayMs"],
        addresses=spec["addresses"],
        excluded_addresses=spec["excludedAddresses"],
        password=authentication["password"] if authentication else None,
        checksum=ChecksumForm(spec["checksum"]),
        unicast_peers=spec["unicastPeers"],
        virtual_mac=spec["virtualMAC"],
        bind={"none": None, "interface": spec["interface"]}.get(spec["bind"], spec["bind"]),
        track=tuple(track(entry) for entry in spec["track"]),
        sync_group=spec["syncGroup"] or None,
        notify=tuple(spec["notify"]),
    )


KIND = Kind(
    name="VirtualRouter",
    group="orchestrator.io",
    versions=("v1alpha1",),
    doc="A VRRP virtual router of a router VM, beside keepalived, FRR or a hardware router.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: orchestrator.io/v1alpha1
kind: VirtualRouter
metadata: {name: gateway}
spec:
  interface: eth0
  vrid: 51
  priority: 150
  advertIntervalMs: 100
  addresses: [192.0.2.254/24]
  track:
  - interface: eth1
  - {command: [/usr/local/bin/uplink-works], weight: -60}
""",
)
