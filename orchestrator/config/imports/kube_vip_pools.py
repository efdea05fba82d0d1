"""The ConfigMap `kubevip` of kube-vip's cloud provider to IPAddressPools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.config.formats import parse_range
from orchestrator.config.imports.objects_in import Node
from orchestrator.config.imports.ranges import Taken
from orchestrator.config.imports.result import Imported
from orchestrator.config.imports.words import is_true
from orchestrator.model.address import AddressRange

_GLOBAL = "global"
_DHCP = ("0.0.0.0/32", "0.0.0.0", "0.0.0.0-0.0.0.0")
_LOST = {
    "search-order": "addresses are given in the order of the pool",
    "allow-share": "Services share an address by the annotation metallb.io/allow-shared-ip",
}
_FALLS_BACK = "when it is full the pool `global` is used: kube-vip gave an error then"


class Pool(NamedTuple):
    """A pool that was added, and the interface its addresses are for, if one was said."""

    name: str
    interface: str


@dataclass(slots=True)
class _Given:
    """What the ConfigMap says of one namespace."""

    cidr: Node | None = None
    range: Node | None = None
    interface: Node | None = None


@dataclass(slots=True)
class _Reader:
    """Gathers the pools of the ConfigMap."""

    result: Imported
    by_namespace: dict[str, _Given] = field(default_factory=dict)
    skip_ends: bool = False
    taken: Taken = field(default_factory=Taken)

    def take(self, key: str, node: Node) -> None:
        """Take one key: WHAT-NAMESPACE, or a setting of all."""
        what, _, namespace = key.partition("-")
        if key == "skip-end-ips-in-cidr":
            self.skip_ends = is_true(node.text)
        elif what in ("cidr", "range", "interface") and namespace:
            given = self.by_namespace.setdefault(namespace, _Given())
            setattr(given, what, node)
        else:
            known = (why for name, why in _LOST.items() if key.startswith(name))
            self.result.lose(node.line, f"{key}: {node.text}", next(known, "has no place here"))

    def pools(self) -> Iterator[Pool]:
        """Add a pool for every namespace."""
        for namespace, given in self.by_namespace.items():
            node = given.cidr or given.range
            if node is None:
                continue
            if given.cidr is not None and given.range is not None:
                why = "kube-vip does not use it beside a cidr of the same namespace"
                self.result.lose(given.range.line, f"range-{namespace}", why)
            addresses = list(self._addresses(node))
            if addresses:
                yield self._pool(namespace, node, addresses)

    def _pool(self, namespace: str, node: Node, addresses: list[str]) -> Pool:
        name = self.result.name("IPAddressPool", namespace)
        own = namespace != _GLOBAL
        allocation = {"priority": 1, "namespaces": [namespace]} if own else None
        spec = {"addresses": addresses, "serviceAllocation": allocation}
        comment = _FALLS_BACK if own and _GLOBAL in self.by_namespace else ""
        self.result.add(node.line, "IPAddressPool", name, spec, comment=comment)
        return Pool(name, self._interface(namespace) or self._interface(_GLOBAL))

    def _interface(self, namespace: str) -> str:
        given = self.by_namespace.get(namespace)
        return given.interface.text if given is not None and given.interface is not None else ""

    def _addresses(self, node: Node) -> Iterator[str]:
        for part in node.text.split(","):
            text = part.strip()
            if not text:
                continue
            if text in _DHCP:
                self.result.lose(node.line, text, "addresses are not asked for by DHCP")
                continue
            try:
                addresses = parse_range(text)
            except ValueError as error:
                self.result.lose(node.line, text, str(error))
                continue
            if not self.taken.take(addresses):
                self.result.lose(node.line, text, "overlaps a pool before it")
                continue
            yield self._without_ends(text, addresses)

    def _without_ends(self, text: str, addresses: AddressRange) -> str:
        if not self.skip_ends or "-" in text or addresses.size < 3:
            return text
        return f"{addresses.first + 1}-{addresses.last - 1}"


def add_pools(config_maps: Iterable[Node], result: Imported) -> list[Pool]:
    """Add a pool for each namespace that a `kubevip` ConfigMap names."""
    reader = _Reader(result)
    for config_map in config_maps:
        for key, node in config_map.at("data").fields.items():
            reader.take(key, node)
    return list(reader.pools())
