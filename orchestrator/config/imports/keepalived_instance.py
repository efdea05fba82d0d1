"""One vrrp_instance of keepalived to one VirtualRouter."""

from __future__ import annotations

import ipaddress
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.config.imports.blocks import Statement
from orchestrator.config.imports.keepalived_track import file_track, interface_track, script_track
from orchestrator.config.imports.result import Imported
from orchestrator.config.imports.words import command, number
from orchestrator.config.old.names import object_name

_PASSWORD_LENGTH = 8
_NOT_NEEDED = frozenset(
    {
        "state",
        "preempt",
        "accept",
        "native_ipv6",
        "debug",
        "dont_track_primary",
        "skip_check_adv_addr",
    }
)
_LOST = {
    "unicast_src_ip": "adverts are sent from the first address of the interface",
    "mcast_src_ip": "adverts are sent from the first address of the interface",
    "virtual_routes": "routes are not set: a notify command may do it",
    "virtual_rules": "rules are not set: a notify command may do it",
    "no_accept": "the addresses accept traffic (accept mode is always on)",
    "strict_mode": "there is no strict mode",
    "smtp_alert": "no mail is sent: alert on /metrics, or use notify",
    "lvs_sync_daemon_interface": "IPVS is not done here",
    "lvs_sync_daemon": "IPVS is not done here",
    "track_process": "no processes are followed: track a command such as pgrep",
    "track_bfd": "BFD is not part of this version",
    "vmac_xmit_base": "adverts of a virtual MAC are sent from it",
}
_BY_STATE = "one notify command gets every new state among its arguments: write one for all"
_GARP = "gratuitous ARP is sent at 0, 50 ms, 1 s and 5 s, then every 60 s"
_NO_PLACE = "has no place here"
_FLAGS = frozenset(
    {"home", "-nodad", "nodad", "noprefixroute", "no-track", "no_track", "deprecated"}
)
_ADDRESS_LOST = {
    "label": "interfaces have no labels here",
    "brd": "no broadcast address is set",
    "broadcast": "no broadcast address is set",
    "scope": "the scope is the kernel's choice",
    "peer": "point-to-point addresses are not set",
}


@dataclass(slots=True)
class Surroundings:
    """What instances refer to: scripts and files by name, the group of each, and defaults."""

    scripts: dict[str, Statement] = field(default_factory=dict)
    files: dict[str, Statement] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    version: int = 2
    interface: str = ""


def add_instance(statement: Statement, around: Surroundings, result: Imported) -> None:
    """Add the VirtualRouter that an instance is."""
    name = " ".join(statement.rest) or "unnamed"
    instance = _Instance(name, around, result)
    for setting in statement.inner:
        instance.take(setting)
    comment = f"vrrp_instance {name}"
    result.add(
        statement.line,
        "VirtualRouter",
        result.name("VirtualRouter", name),
        instance.spec(),
        comment=comment,
    )


class _Instance:
    """Gathers the settings of one instance."""

    def __init__(self, name: str, around: Surroundings, result: Imported) -> None:
        self._name = name
        self._around = around
        self._result = result
        self._spec: dict[str, Any] = {}
        self._version = around.version
        self._interval_s = 1.0
        self._password: tuple[int, str] | None = None
        self._devices: list[str] = []
        self._interface = around.interface
        self._addresses: list[tuple[int, str]] = []
        self._excluded: list[str] = []
        self._track: list[dict[str, Any]] = []

    def take(self, setting: Statement) -> None:
        """Take one setting."""
        taker = _TAKERS.get(setting.name)
        if taker is not None:
            taker(self, setting)
        elif setting.name not in _NOT_NEEDED:
            why = _LOST.get(setting.name, _NO_PLACE)
            if setting.name.startswith("notify_"):
                why = _BY_STATE
            if setting.name.startswith(("garp_", "gna_")):
                why = _GARP
            self._lose(setting, setting.text(), why)

    def _lose(self, setting: Statement, what: str, why: str) -> None:
        self._result.lose(setting.line, f"vrrp_instance {self._name}: {what}", why)

    def spec(self) -> dict[str, Any]:
        """Return the VirtualRouter's spec."""
        family = ipaddress.ip_interface(self._addresses[0][1]).version if self._addresses else 4
        version = 3 if family == 6 else self._version
        spec = {
            "interface": self._interface or None,
            "vrid": self._spec.get("vrid"),
            "version": version,
            "priority": self._spec.get("priority"),
            "advertIntervalMs": self._interval(version),
            "preempt": self._spec.get("preempt"),
            "preemptDelayMs": self._spec.get("preemptDelayMs"),
            "addresses": [text for _, text in self._addresses if self._is_of(text, family)],
            "excludedAddresses": self._all_excluded(family) or None,
            "authentication": self._authentication(version),
            "unicastPeers": self._spec.get("unicastPeers"),
            "virtualMAC": self._spec.get("virtualMAC"),
            "bind": self._bind(),
            "track": self._track or None,
            "syncGroup": self._around.groups.get(self._name),
            "notify": self._spec.get("notify"),
        }
        return {key: value for key, value in spec.items() if value is not None}

    @staticmethod
    def _is_of(text: str, family: int) -> bool:
        return ipaddress.ip_interface(text).version == family

    def _all_excluded(self, family: int) -> list[str]:
        """Addresses outside adverts; keepalived puts those of the other family there too."""
        other = [text for _, text in self._addresses if not self._is_of(text, family)]
        return [*other, *self._excluded]

    def _interval(self, version: int) -> int:
        if version == 3:
            return max(round(self._interval_s * 100), 1) * 10
        whole = max(math.ceil(self._interval_s), 1)
        if whole != self._interval_s:
            why = "version 2 counts whole seconds: set vrrp_version 3 on all routers"
            self._result.lose(self._spec["intervalLine"], f"advert_int {self._interval_s}", why)
        return whole * 1000

    def _authentication(self, version: int) -> dict[str, str] | None:
        if self._password is None:
            return None
        line, password = self._password
        if version == 3:
            self._result.lose(line, "authentication", "VRRP version 3 has none (RFC 9568)")
            return None
        return {"password": password[:_PASSWORD_LENGTH]}

    def _bind(self) -> str | None:
        """Interface that the addresses go on: keepalived's own, unless the MAC is virtual."""
        if self._devices:
            return self._devices[0]
        return None if self._spec.get("virtualMAC") else self._interface or None

    def interface(self, setting: Statement) -> None:
        """Take `interface`."""
        self._interface = setting.rest[0] if setting.rest else ""

    def integer(self, setting: Statement) -> None:
        """Take a number that keeps its meaning."""
        value = number(setting.rest)
        names = {"virtual_router_id": "vrid", "priority": "priority"}
        if value is None:
            self._lose(setting, setting.text(), "is not a number")
        else:
            self._spec[names[setting.name]] = int(value)

    def version(self, setting: Statement) -> None:
        """Take `version`."""
        if setting.rest in (("2",), ("3",)):
            self._version = int(setting.rest[0])
        else:
            self._lose(setting, setting.text(), "versions are 2 and 3")

    def advert_int(self, setting: Statement) -> None:
        """Take `advert_int`, in seconds."""
        value = number(setting.rest)
        if value is None or value <= 0:
            self._lose(setting, setting.text(), "is not a number of seconds")
        else:
            self._interval_s = value
            self._spec["intervalLine"] = setting.line

    def nopreempt(self, setting: Statement) -> None:
        """Take `nopreempt`."""
        del setting
        self._spec["preempt"] = False

    def preempt_delay(self, setting: Statement) -> None:
        """Take `preempt_delay`, in seconds."""
        value = number(setting.rest)
        if value is None or value < 0:
            self._lose(setting, setting.text(), "is not a number of seconds")
        else:
            self._spec["preemptDelayMs"] = round(value * 1000)

    def use_vmac(self, setting: Statement) -> None:
        """Take `use_vmac`; the name of its interface is ours to choose."""
        del setting
        self._spec["virtualMAC"] = True

    def authentication(self, setting: Statement) -> None:
        """Take the password of PASS; AH is gone since RFC 3768."""
        words = [word for inner in setting.inner for word in inner.words]
        pairs = dict(itertools.pairwise(words))
        if pairs.get("auth_type", "PASS").upper() != "PASS":
            why = "only PASS is known: RFC 3768 took AH away"
            self._lose(setting, f"authentication {pairs['auth_type']}", why)
        elif "auth_pass" in pairs:
            self._password = setting.line, pairs["auth_pass"]

    def unicast_peer(self, setting: Statement) -> None:
        """Take the peers of unicast adverts."""
        words = [inner.words[0] for inner in setting.inner if inner.words]
        self._spec["unicastPeers"] = [word.partition("/")[0] for word in words]

    def notify(self, setting: Statement) -> None:
        """Take `notify`: the command gets the arguments that keepalived gives it."""
        if setting.rest:
            self._spec["notify"] = command(setting.rest[0], arguments=True)
            if object_name(self._name) != self._name:
                why = "the command gets the name of the object, in small letters"
                self._lose(setting, "notify: the second argument", why)

    def addresses(self, setting: Statement) -> None:
        """Take the addresses in adverts."""
        for entry in setting.inner:
            text = self._address(entry)
            if text is not None:
                self._addresses.append((entry.line, text))

    def excluded(self, setting: Statement) -> None:
        """Take the addresses outside adverts."""
        found = [self._address(entry) for entry in setting.inner]
        self._excluded.extend(text for text in found if text is not None)

    def _address(self, entry: Statement) -> str | None:
        text = entry.words[0]
        try:
            ipaddress.ip_interface(text)
        except ValueError:
            self._lose(entry, entry.text(), "is not an address")
            return None
        words = list(entry.rest)
        while words:
            option = words.pop(0)
            if option not in _FLAGS:
                self._option(entry, option, words.pop(0) if words else "")
        return text

    def _option(self, entry: Statement, option: str, value: str) -> None:
        if option == "dev":
            if value not in self._devices:
                self._devices.append(value)
            if self._devices[0] != value:
                why = (
                    f"all addresses of a VirtualRouter are put on one interface, {self._devices[0]}"
                )
                self._lose(entry, f"{entry.words[0]} dev {value}", why)
        elif option != "scope" or value not in ("global", "host", "link"):
            why = _ADDRESS_LOST.get(option, _NO_PLACE)
            self._lose(entry, f"{entry.words[0]} {option} {value}", why)

    def track(self, setting: Statement) -> None:
        """Take what the priority depends on."""
        for entry in setting.inner:
            made = self._one_track(setting.name, entry)
            if isinstance(made, str):
                self._lose(entry, f"{setting.name} {entry.text()}", made)
            else:
                self._track.append(made)

    def _one_track(self, kind: str, entry: Statement) -> dict[str, Any] | str:
        if kind == "track_interface":
            return interface_track(entry)
        if kind == "track_file":
            return file_track(entry, self._around.files.get(entry.words[0]))
        return script_track(entry, self._around.scripts.get(entry.words[0]), self._result)


_TAKERS: dict[str, Callable[[_Instance, Statement], None]] = {
    "interface": _Instance.interface,
    "virtual_router_id": _Instance.integer,
    "priority": _Instance.integer,
    "version": _Instance.version,
    "advert_int": _Instance.advert_int,
    "nopreempt": _Instance.nopreempt,
    "preempt_delay": _Instance.preempt_delay,
    "use_vmac": _Instance.use_vmac,
    "authentication": _Instance.authentication,
    "unicast_peer": _Instance.unicast_peer,
    "notify": _Instance.notify,
    "virtual_ipaddress": _Instance.addresses,
    "virtual_ipaddress_excluded": _Instance.excluded,
    "track_interface": _Instance.track,
    "track_file": _Instance.track,
    "track_script": _Instance.track,
}
