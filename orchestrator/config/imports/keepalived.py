"""keepalived: VRRP instances to VirtualRouters; IPVS, routes and mail have no place here."""

from __future__ import annotations

import re

from orchestrator.config.imports.blocks import Statement, keepalived_tokens, statements
from orchestrator.config.imports.keepalived_instance import Surroundings, add_instance
from orchestrator.config.imports.result import Imported
from orchestrator.config.imports.verify import verified

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_DEFINITION = re.compile(rf"\$({_NAME})=(.*)")
_USE = re.compile(rf"\$(?:\{{({_NAME})\}}|({_NAME}))")

_LOST = {
    "include": "other files are not read: import each, or put them into one",
    "virtual_server": "IPVS balancing is not done here: keep it, or use a proxy behind the VIP",
    "virtual_server_group": "IPVS balancing is not done here",
    "static_ipaddress": "addresses that stay are the network configuration's business",
    "static_routes": "routes that stay are the network configuration's business",
    "static_rules": "rules that stay are the network configuration's business",
    "vrrp_track_process": "no processes are followed: track a command such as pgrep",
    "track_process": "no processes are followed: track a command such as pgrep",
    "bfd_instance": "BFD is not part of this version",
    "linkbeat_use_polling": "link state comes from the kernel",
    "net_namespace": "start `orchestrator run` inside the namespace (ip netns exec)",
    "instance": "several instances on one host: give each its own --runtime-dir and --http",
}
_GLOBAL = {
    "notification_email": "no mail is sent: alert on /metrics, or use notify",
    "script_user": "commands run as the user of the service",
    "vrrp_mcast_group4": "adverts go to 224.0.0.18 (RFC 9568)",
    "vrrp_mcast_group6": "adverts go to ff02::12 (RFC 9568)",
    "enable_snmp_vrrp": "there is no SNMP: see /metrics",
}
_NOT_NEEDED = frozenset({"router_id", "enable_script_security", "vrrp_version", "vrrp_strict"})
_NO_PLACE = "has no place here"


def read_keepalived(text: bytes) -> Imported:
    """Convert a keepalived.conf. Raises UnreadableImportError when braces do not pair."""
    result = Imported()
    source = _without_conditions(text.decode("utf-8", "replace"), result)
    tree = statements(keepalived_tokens(source))
    around = Surroundings()
    for statement in tree:
        _look_around(statement, around, result)
    for statement in tree:
        if statement.name == "vrrp_instance":
            add_instance(statement, around, result)
    return verified(result)


def _without_conditions(text: str, result: Imported) -> str:
    """Replace variables, and blank out what is only for some hosts or begins with ~."""
    variables: dict[str, str] = {}
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        definition = _DEFINITION.match(line.strip())
        if definition:
            variables[definition[1]] = definition[2].strip().strip('"')
            lines.append("")
        elif line.lstrip().startswith(("@", "~")):
            result.lose(number, line.strip(), "lines for some hosts only are not read")
            lines.append("")
        else:
            lines.append(_USE.sub(lambda use: variables.get(use[1] or use[2], use[0]), line))
    return "\n".join(lines)


def _look_around(statement: Statement, around: Surroundings, result: Imported) -> None:
    """Take what instances refer to; note what has no place."""
    name = statement.name
    if name == "vrrp_script":
        around.scripts[" ".join(statement.rest)] = statement
    elif name in ("vrrp_track_file", "track_file"):
        around.files[" ".join(statement.rest)] = statement
    elif name == "vrrp_sync_group":
        _sync_group(statement, around, result)
    elif name == "global_defs":
        _globals(statement, around, result)
    elif name != "vrrp_instance":
        result.lose(statement.line, statement.text(), _LOST.get(name, _NO_PLACE))


def _globals(statement: Statement, around: Surroundings, result: Imported) -> None:
    for setting in statement.inner:
        if setting.name == "vrrp_version" and setting.rest in (("2",), ("3",)):
            around.version = int(setting.rest[0])
        elif setting.name == "default_interface" and setting.rest:
            around.interface = setting.rest[0]
        elif setting.name not in _NOT_NEEDED:
            why = _GLOBAL.get(setting.name, _NO_PLACE)
            if setting.name.startswith("smtp"):
                why = _GLOBAL["notification_email"]
            if setting.name.startswith("vrrp_garp") or setting.name.startswith("vrrp_gna"):
                why = "gratuitous ARP is sent at 0, 50 ms, 1 s and 5 s, then every 60 s"
            result.lose(setting.line, f"global_defs: {setting.text()}", why)


def _sync_group(statement: Statement, around: Surroundings, result: Imported) -> None:
    group = " ".join(statement.rest)
    for setting in statement.inner:
        if setting.name == "group":
            members = [word for inner in setting.inner for word in inner.words]
            around.groups.update(dict.fromkeys([*setting.rest, *members], group))
        elif setting.name.startswith("notify"):
            why = "a group has no notify here: set notify on its VirtualRouters"
            result.lose(setting.line, f"vrrp_sync_group {group}: {setting.text()}", why)
        else:
            result.lose(setting.line, f"vrrp_sync_group {group}: {setting.text()}", _NO_PLACE)
