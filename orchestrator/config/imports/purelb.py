"""PureLB: ServiceGroups to pools, LBNodeAgents to the interfaces of an L2Advertisement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.config.formats import parse_range
from orchestrator.config.imports.objects_in import Node, objects_in
from orchestrator.config.imports.ranges import Taken
from orchestrator.config.imports.result import Imported, UnreadableImportError
from orchestrator.config.imports.verify import verified

_INTERFACE = re.compile(r"[A-Za-z0-9_.@-]{1,15}")
_LISTS = frozenset({"v4pool", "v6pool", "v4pools", "v6pools"})
_ENTRY = ("subnet", "pool", "aggregation")
_DEFAULTS = ("", "default")
_NOT_NEEDED = frozenset(
    {"sendgarp", "garpConfig", "extlbint", "dummyInterface", "addressConfig", "skipIPv6DAD"}
)
_BY_NAME = "Services ask for it by metallb.io/address-pool, as they did by purelb.io/service-group"
_NO_PLACE = "has no place here"


def read_purelb(text: bytes) -> Imported:
    """Convert ServiceGroups and LBNodeAgents. Raises UnreadableImportError when there are none."""
    found = [node for node in objects_in(text) if _group(node) == "purelb.io"]
    groups = [node for node in found if node.at("kind").text == "ServiceGroup"]
    agents = [node for node in found if node.at("kind").text == "LBNodeAgent"]
    if not groups and not agents:
        raise UnreadableImportError(1, "holds no ServiceGroup or LBNodeAgent of purelb.io")
    return verified(_Reader().read(groups, agents))


def _group(node: Node) -> str:
    return node.at("apiVersion").text.partition("/")[0]


class _Reader:
    """Gathers pools by how they are announced."""

    def __init__(self) -> None:
        self._result = Imported()
        self._taken = Taken()
        self._layer2: list[str] = []
        self._remote: dict[tuple[int, int], list[str]] = {}

    def read(self, groups: list[Node], agents: list[Node]) -> Imported:
        """Convert everything."""
        for group in groups:
            self._pools(group)
        interfaces = [name for agent in agents for name in self._interfaces(agent)]
        line = (groups or agents)[0].line
        if self._layer2:
            spec = {"ipAddressPools": self._layer2, "interfaces": sorted(set(interfaces)) or None}
            name = self._result.name("L2Advertisement", "purelb-local")
            comment = "local addresses: one node answers for each, as with PureLB"
            self._result.add(line, "L2Advertisement", name, spec, comment=comment)
        for (v4, v6), pools in self._remote.items():
            self._advertise(line, v4, v6, pools)
        return self._result

    def _advertise(self, line: int, v4: int, v6: int, pools: list[str]) -> None:
        spec = {
            "ipAddressPools": pools,
            "aggregationLength": v4 or None,
            "aggregationLengthV6": v6 or None,
        }
        name = self._result.name("BGPAdvertisement", "purelb-remote")
        comment = "add a BGPPeer for each router: PureLB left the sessions to BIRD or FRR"
        self._result.add(line, "BGPAdvertisement", name, spec, comment=comment)
        why = "write a BGPPeer for each router that the routing daemon of the nodes spoke to"
        self._result.lose(line, "sessions of the routing daemon (BIRD, FRR)", why)

    def _pools(self, group: Node) -> None:
        """Make one pool of a ServiceGroup."""
        name = group.at("metadata", "name").text or "unnamed"
        for source, node in group.at("spec").fields.items():
            if source in ("local", "remote"):
                self._pool(name, node, remote=source == "remote")
            else:
                why = "addresses of another system are not asked for: write its ranges as a pool"
                what = f"ServiceGroup {name}: {source}"
                self._result.lose(node.line, what, why if source == "netbox" else _NO_PLACE)

    def _pool(self, group: str, node: Node, *, remote: bool) -> None:
        entries = list(self._entries(group, node))
        addresses = [text for entry in entries if (text := self._addresses(group, entry))]
        if not addresses:
            self._result.lose(node.line, f"ServiceGroup {group}", "it has no addresses of its own")
            return
        name = self._result.name("IPAddressPool", group)
        chosen = group == "default"
        spec = {"addresses": addresses, "autoAssign": None if chosen else False}
        comment = f"ServiceGroup {group}" + ("" if chosen else f"; {_BY_NAME}")
        self._result.add(node.line, "IPAddressPool", name, spec, comment=comment)
        lengths = self._aggregation(group, entries, remote=remote)
        if remote:
            self._remote.setdefault(lengths, []).append(name)
        else:
            self._layer2.append(name)

    def _entries(self, group: str, node: Node) -> Iterator[Node]:
        """Find the address pools of a ServiceGroup, in all forms it ever had."""
        if node.at("pool").given:
            yield node
        for key, value in node.fields.items():
            if key.lower() in _LISTS:
                yield from value.items if key.endswith("s") else [value]
            elif key not in _ENTRY and key not in _NOT_NEEDED:
                self._result.lose(value.line, f"ServiceGroup {group}: {key}", _NO_PLACE)

    def _addresses(self, group: str, entry: Node) -> str:
        """Return a pool's range; nothing, with a note, when it cannot be one."""
        node = entry.at("pool")
        what = f"ServiceGroup {group}: pool {node.text}"
        try:
            addresses = parse_range(node.text)
        except ValueError as error:
            self._result.lose(node.line if node.given else entry.line, what, str(error))
            return ""
        if not self._taken.take(addresses):
            self._result.lose(node.line, what, "overlaps a pool before it")
            return ""
        return node.text

    def _aggregation(self, group: str, entries: list[Node], *, remote: bool) -> tuple[int, int]:
        """Prefix lengths of both families that a remote pool is announced with; 0 is a host's."""
        lengths = [0, 0]
        for entry in entries:
            node = entry.at("aggregation")
            text = node.text if node.text not in _DEFAULTS else ""
            if remote:
                text = text or "/" + entry.at("subnet").text.partition("/")[2]
            if not text:
                continue
            family = 1 if ":" in entry.at("pool").text else 0
            digits = text.removeprefix("/")
            if not remote:
                why = "layer 2 has no prefix length: announce the pool over BGP for that"
                self._result.lose(node.line, f"ServiceGroup {group}: aggregation {text}", why)
            elif digits.isascii() and digits.isdecimal() and len(digits) <= 3:
                lengths[family] = self._length(group, entry, int(digits), family)
        return lengths[0], lengths[1]

    def _length(self, group: str, entry: Node, length: int, family: int) -> int:
        """Return a length that may be announced: none wider than what the pool owns."""
        try:
            owned = parse_range(entry.at("pool").text).mask_length
        except ValueError:
            return 0
        if length == (32, 128)[family]:
            return 0
        if length < owned:
            why = f"wider than the pool itself, which owns /{owned}: announced as single addresses"
            self._result.lose(entry.line, f"ServiceGroup {group}: aggregation /{length}", why)
            return 0
        return length

    def _interfaces(self, agent: Node) -> Iterator[str]:
        """Find the interfaces that local addresses are announced on; none means all."""
        name = agent.at("metadata", "name").text
        for key, node in agent.at("spec", "local").fields.items():
            what = f"LBNodeAgent {name}: {key} {node.text}"
            if key in ("localint", "localInterface"):
                if _INTERFACE.fullmatch(node.text) and node.text != "default":
                    yield node.text
                elif node.text not in _DEFAULTS:
                    why = "a pattern: name the interfaces in the L2Advertisement"
                    self._result.lose(node.line, what, why)
            elif key not in _NOT_NEEDED:
                self._result.lose(node.line, what, _NO_PLACE)
