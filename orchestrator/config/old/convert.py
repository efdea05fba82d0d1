"""The old configuration to specs of today's kinds, which keep the places of what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Texts
from dataclasses import replace
from typing import Any, NamedTuple

from orchestrator.config.faults import Fault, Faults, shown
from orchestrator.config.formats import looks_like_community
from orchestrator.config.kinds import (
    bfd_profile,
    bgp_advertisement,
    bgp_peer,
    community,
    ip_address_pool,
    l2_advertisement,
)
from orchestrator.config.old.checks import check
from orchestrator.config.old.names import object_name
from orchestrator.config.old.schema import CONFIG, hold_time_s, whole_seconds
from orchestrator.config.old.texts import as_declared
from orchestrator.config.schema import Field, Integer, Kind, Record, Values
from orchestrator.config.tree import Mapping, Mark, Path, Scalar, Sequence, Tree, is_null
from orchestrator.config.walk import FAULTY, read_record
from orchestrator.model.problem import Severity

_STRICT = frozenset({"unknownField", "duplicateKey"})
"""Faults for which the whole text is refused, as strict YAML did."""

_PEER_FIELDS = {
    "my-asn": "myASN",
    "peer-asn": "peerASN",
    "peer-address": "peerAddress",
    "source-address": "sourceAddress",
    "peer-port": "peerPort",
    "router-id": "routerID",
    "password": "password",
    "ebgp-multihop": "ebgpMultiHop",
}
_POOL_FIELDS = {
    "addresses": "addresses",
    "avoid-buggy-ips": "avoidBuggyIPs",
    "auto-assign": "autoAssign",
}
_ADVERTISEMENT_FIELDS = {
    "aggregation-length": "aggregationLength",
    "aggregation-length-v6": "aggregationLengthV6",
    "localpref": "localPref",
}
_PROFILE_FIELDS = {
    "receive-interval": "receiveInterval",
    "transmit-interval": "transmitInterval",
    "detect-multiplier": "detectMultiplier",
    "echo-interval": "echoInterval",
    "echo-mode": "echoMode",
    "passive-mode": "passiveMode",
    "minimum-ttl": "minimumTtl",
}


class Converted(NamedTuple):
    """One object that the configuration means; `faults` were found in the old text."""

    kind: Kind
    name: str
    spec: Mapping
    faults: tuple[Fault, ...] = ()


class Conversion(NamedTuple):
    """What became of a configuration; `faults` are of the whole, and belong to no object."""

    objects: tuple[Converted, ...]
    faults: tuple[Fault, ...] = ()


def convert(root: Tree) -> Conversion:
    """Convert a configuration; one with an unknown or repeated key is refused as a whole."""
    tree = as_declared(CONFIG, root)
    faults = Faults(lambda: tree)
    values = read_record(CONFIG, tree, (), faults)
    refused = any(fault.code in _STRICT or not _owner(fault.path) for fault in faults.found)
    if refused or not isinstance(tree, Mapping):
        return Conversion((), tuple(faults.found))
    check(values, faults)
    return _Converter(tree, values, faults).conversion()


def _owner(path: Path) -> Path:
    """Path of the entry that a fault belongs to, or nothing when it belongs to none."""
    if path[:1] == ("bgp-communities",):
        return path[:1] if len(path) > 1 else ()
    if len(path) < 3:
        return ()
    return path[:4] if path[2] == "bgp-advertisements" and len(path) > 3 else path[:2]


def _with_any_port(kind: Kind) -> Kind:
    """Declare the peer of the old format, which took every TCP port."""
    port = Integer(0, 65535)
    return replace(kind, body=_with_type(kind.body, ("spec", "peerPort"), port))


def _with_type(record: Record, path: tuple[str, ...], wanted: Integer) -> Record:
    def changed(field: Field) -> Field:
        if field.name != path[0]:
            return field
        if len(path) == 1:
            return replace(field, type=wanted)
        assert isinstance(field.type, Record)
        return replace(field, type=_with_type(field.type, path[1:], wanted))

    return replace(record, fields=tuple(changed(field) for field in record.fields))


_PEER = _with_any_port(bgp_peer.KIND)


class _Converter:
    """Makes the objects of one configuration."""

    def __init__(self, tree: Mapping, values: Values, faults: Faults) -> None:
        self._tree = tree
        self._values = values
        self._faults = faults
        self._profiles = self._names("bfd-profiles", "BFDProfile")
        self._pools = self._names("address-pools", "IPAddressPool")
        self._owned: dict[Path, list[Fault]] = {}
        for fault in faults.found:
            self._owned.setdefault(_owner(fault.path), []).append(fault)
        self._advertisements = 0

    def conversion(self) -> Conversion:
        """Convert everything; what belongs to no object with a usable name is told apart."""
        objects = tuple(self._objects())
        owned = {id(fault) for converted in objects for fault in converted.faults}
        rest = tuple(fault for fault in self._faults.found if id(fault) not in owned)
        return Conversion(objects, rest)

    def _objects(self) -> Iterator[Converted]:
        yield from self._bfd_profiles()
        yield from self._communities()
        yield from self._peers()
        yield from self._all_pools()

    def _entries(self, key: str) -> list[Mapping]:
        node = self._tree.entries.get(key)
        items = node.items if isinstance(node, Sequence) else []
        return [item for item in items if isinstance(item, Mapping)]

    def _of(self, *path: str | int) -> tuple[Fault, ...]:
        return tuple(self._owned.get(path, ()))

    def _names(self, key: str, kind: str) -> list[str | None]:
        """Names of a list's objects; None where there is none, or it was taken before."""
        names: list[str | None] = []
        first: dict[str, int] = {}
        for index, entry in enumerate(self._values[key]):
            name = self._name(entry["name"], (key, index, "name"), kind)
            if name is not None and first.setdefault(name, index) != index:
                message = f"name {shown(name)} is taken by {key}[{first[name]}]"
                hint = "each entry needs a name of its own"
                self._faults.add((key, index, "name"), message, "duplicateName", hint=hint)
                name = None
            names.append(name)
        return names

    def _name(self, given: Any, path: Path, kind: str) -> str | None:
        if given is FAULTY or not given:
            return None
        name = object_name(given)
        if name is None:
            message = f"no object's name can be made of {shown(given)}"
            self._faults.add(path, message, "invalidValue", hint="use small letters, digits and -")
        elif name != given:
            message = (
                f"{shown(given)} is called {name} here: a {kind} has a name as Kubernetes wants"
            )
            hint = "write that name here and wherever a Service asks for the pool"
            self._faults.warn(path, message, "renamed", hint=hint if "Pool" in kind else None)
        return name

    def _bfd_profiles(self) -> Iterator[Converted]:
        for index, node in enumerate(self._entries("bfd-profiles")):
            name = self._profiles[index]
            if name is not None:
                faults = self._of("bfd-profiles", index)
                yield Converted(bfd_profile.KIND, name, renamed(node, _PROFILE_FIELDS), faults)

    def _communities(self) -> Iterator[Converted]:
        node = self._tree.entries.get("bgp-communities")
        if not isinstance(node, Mapping) or not node.entries:
            return
        aliases: list[Tree] = [
            mapping(node.marks[name], name=text(name, node.marks[name]), value=value)
            for name, value in sorted(node.entries.items())
            if not is_null(value)
        ]
        spec = mapping(node.mark, communities=Sequence(aliases, node.mark))
        yield Converted(community.KIND, "communities", spec, self._of("bgp-communities"))

    def _peers(self) -> Iterator[Converted]:
        for index, node in enumerate(self._entries("peers")):
            faults = self._of("peers", index)
            spec = renamed(node, _PEER_FIELDS)
            if not any(fault.severity is Severity.ERROR for fault in faults):
                _complete_peer(spec, node, self._values["peers"][index])
            yield Converted(_PEER, f"peer{index + 1}", spec, faults)

    def _all_pools(self) -> Iterator[Converted]:
        advertised: list[Converted] = []
        for index, node in enumerate(self._entries("address-pools")):
            advertisements = list(self._of_pool(index, node))
            name = self._pools[index]
            if name is not None:
                faults = self._of("address-pools", index)
                spec = renamed(node, _POOL_FIELDS)
                yield Converted(ip_address_pool.KIND, name, spec, faults)
                advertised.extend(advertisements)
        yield from (one for one in advertised if one.kind is bgp_advertisement.KIND)
        layer2 = (one for one in advertised if one.kind is l2_advertisement.KIND)
        for number, converted in enumerate(layer2, 1):
            yield converted._replace(name=f"l2advertisement{number}")

    def _of_pool(self, index: int, node: Mapping) -> Iterator[Converted]:
        """Advertisements of one pool. They are numbered over all pools, also those left out."""
        protocol = self._values["address-pools"][index]["protocol"]
        pools = Sequence([text(self._pools[index] or "", node.mark)], node.mark)
        if protocol == "layer2":
            spec = mapping(node.mark, ipAddressPools=pools)
            yield Converted(l2_advertisement.KIND, "", spec)
        elif protocol == "bgp":
            listed = node.entries.get("bgp-advertisements")
            entries = listed.items if isinstance(listed, Sequence) else []
            for number, entry in enumerate(entries or [mapping(node.mark)]):
                if isinstance(entry, Mapping):
                    faults = self._of("address-pools", index, "bgp-advertisements", number)
                    yield self._bgp_advertisement(entry, pools, faults)

    def _bgp_advertisement(
        self, node: Mapping, pools: Sequence, faults: tuple[Fault, ...]
    ) -> Converted:
        self._advertisements += 1
        spec = renamed(node, _ADVERTISEMENT_FIELDS)
        spec.entries["ipAddressPools"] = pools
        spec.marks["ipAddressPools"] = pools.mark
        communities = node.entries.get("communities")
        if isinstance(communities, Sequence):
            aliases = self._values["bgp-communities"]
            spec.entries["communities"] = _known(communities, aliases)
            spec.marks["communities"] = node.marks["communities"]
        return Converted(
            bgp_advertisement.KIND, f"bgpadvertisement{self._advertisements}", spec, faults
        )


def renamed(node: Mapping, names: Texts[str, str]) -> Mapping:
    """Copy a mapping's fields under their new names; those without one are left out."""
    kept = [key for key in names if key in node.entries]
    return Mapping(
        {names[key]: node.entries[key] for key in kept},
        {names[key]: node.marks[key] for key in kept},
        [],
        node.mark,
    )


def text(words: str, mark: Mark) -> Scalar:
    """Make a text that stands at `mark`."""
    return Scalar(words, plain=False, mark=mark)


def mapping(mark: Mark, **entries: Tree) -> Mapping:
    """Make a mapping that stands at `mark`."""
    return Mapping(dict(entries), {key: node.mark for key, node in entries.items()}, [], mark)


def _complete_peer(spec: Mapping, node: Mapping, values: Values) -> None:
    """Add what does not keep its form: times, which are always said, selectors and profile."""
    if values["peer-port"] == 0:
        del spec.entries["peerPort"]
    added: dict[str, Tree] = {}
    hold = node.entries.get("hold-time", node)
    added["holdTime"] = text(f"{hold_time_s(values)}s", hold.mark)
    keepalive = node.entries.get("keepalive-time")
    if values["keepalive-time"] is not None and keepalive is not None:
        added["keepaliveTime"] = text(f"{whole_seconds(values['keepalive-time'])}s", keepalive.mark)
    selectors = node.entries.get("node-selectors")
    if isinstance(selectors, Sequence):
        added["nodeSelectors"] = _selectors(selectors, values["node-selectors"])
    if values["bfd-profile"]:
        mark = node.entries["bfd-profile"].mark
        added["bfdProfile"] = text(object_name(values["bfd-profile"]) or "", mark)
    spec.entries.update(added)
    spec.marks.update({name: value.mark for name, value in added.items()})


def _selectors(nodes: Sequence, values: tuple[Values, ...]) -> Sequence:
    """Convert node selectors; of equal ones, which were allowed, the first is taken."""
    first = [index for index, value in enumerate(values) if value not in values[:index]]
    return nodes._replace(items=[_selector(nodes.items[index]) for index in first])


def _selector(node: Tree) -> Tree:
    assert isinstance(node, Mapping)
    names = {"match-labels": "matchLabels", "match-expressions": "matchExpressions"}
    return renamed(node, names)


def _known(communities: Sequence, aliases: Texts[str, str]) -> Sequence:
    """Give values for aliases that look like one: what is defined goes before what is written."""

    def value(node: Tree) -> Tree:
        if isinstance(node, Scalar) and node.text in aliases and looks_like_community(node.text):
            return node._replace(text=aliases[node.text])
        return node

    return communities._replace(items=[value(node) for node in communities.items])
