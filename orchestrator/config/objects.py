"""Documents to objects: finds the kind, expands lists, and makes every object's draft.

What an object means by itself is decided here; how objects fit together comes in `link`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.config.documents import UnreadableError, parse
from orchestrator.config.fast.objects import quick_object
from orchestrator.config.fast.pieces import Outline, Piece, outline_of
from orchestrator.config.fast.plain import DoubtError
from orchestrator.config.faults import Fault, Faults, shown
from orchestrator.config.found import Contents, Found, home_of
from orchestrator.config.item import METADATA, Item
from orchestrator.config.kinds import config_map
from orchestrator.config.kinds.registry import OUR_GROUPS, kind_of, our_kind_names, why_not_read
from orchestrator.config.old.recognise import OldConfig, is_bare, old_config
from orchestrator.config.schema import Kind
from orchestrator.config.tree import Mapping, Path, Scalar, Sequence, Tree
from orchestrator.config.walk import FAULTY, nearest, read_record, read_text
from orchestrator.model.problem import Severity

_TOP_LEVEL = ("apiVersion", "kind", "metadata")
_PREFIX = "orchestrator.io/"


def read_document(text: bytes, *, trusted: bool) -> Contents:
    """Read one document; whatever is wrong with it is in the result."""
    try:
        return _read_pieces(text, outline_of(text), trusted=trusted)
    except DoubtError:
        return _read_whole(text, trusted=trusted)


def _read_pieces(text: bytes, outline: Outline, *, trusted: bool) -> Contents:
    """Read the objects of a document one by one, most of them without places."""
    reader = _Reader(text, trusted=trusted)
    for position, piece in enumerate(outline.pieces):
        try:
            found = quick_object(piece, outline, position, trusted=trusted)
        except DoubtError:
            reader.read_piece(piece.node(), outline, position)
        else:
            reader.found.extend(() if found is None else (found,))
    return Contents(tuple(reader.found), tuple(reader.notes), reader.lost)


def _read_whole(text: bytes, *, trusted: bool) -> Contents:
    try:
        root = parse(text)
    except UnreadableError as error:
        fault = Fault((), error.mark, error.message, "unreadable", Severity.ERROR, error.hint)
        return Contents(notes=(("", fault),), lost=True)
    reader = _Reader(text, trusted=trusted)
    if root is not None:
        reader.read(root)
    return Contents(tuple(reader.found), tuple(reader.notes), reader.lost)


class _Reader:
    """Gathers the objects of one document."""

    def __init__(self, text: bytes, *, trusted: bool) -> None:
        self._text = text
        self.found: list[Found] = []
        self.notes: list[tuple[str, Fault]] = []
        self.lost = False
        self._trusted = trusted

    def read(self, root: Tree) -> None:
        """Read an object, or all objects of a list."""
        position = 0
        for node, api_version, kind in _expanded(root):
            old = old_config(node, self._text)
            if old is not None:
                self._old(old, node, position)
            else:
                self._new(node, api_version, kind, position)
            position += 1 + len(old.objects if old else ())

    def read_piece(self, node: Tree, outline: Outline, position: int) -> None:
        """Read one object by itself; DoubtError when it has to be seen with the whole document."""
        if old_config(node, self._text) is not None or not (outline.is_list or _is_alone(node)):
            raise DoubtError
        api_version = _word(node, "apiVersion") or outline.api_version
        self._new(node, api_version, _word(node, "kind") or outline.kind, position, alone=True)

    def _new(
        self,
        node: Tree,
        api_version: str | None,
        kind: str | None,
        position: int,
        *,
        alone: bool = False,
    ) -> None:
        if api_version is None or kind is None or not isinstance(node, Mapping):
            self._lose(node)
        else:
            self._object(node, api_version, kind, position, alone=alone)

    def _old(self, old: OldConfig, node: Tree, position: int) -> None:
        """Take a configuration of MetalLB v0.9 to v0.12 as the objects it means."""
        assert isinstance(node, Mapping)
        if is_bare(node):
            self.notes.extend(("", fault) for fault in old.faults)
            self.lost |= any(fault.severity is not Severity.WARNING for fault in old.faults)
        else:
            self._known(config_map.KIND, node, position, old.faults)
        for index, one in enumerate(old.objects, position + 1):
            self._known(one.kind, one.node, index, one.faults, converted=True)

    def _lose(self, node: Tree) -> None:
        self.lost = True
        message = "not a Kubernetes object: apiVersion and kind are needed"
        hint = "begin each object with `apiVersion: GROUP/VERSION` and `kind: KIND`"
        fault = Fault((), node.mark, message, "notAnObject", Severity.ERROR, hint)
        self.notes.append(("", fault))

    def _object(
        self, node: Mapping, api_version: str, kind_name: str, index: int, *, alone: bool
    ) -> None:
        group, _, version = api_version.rpartition("/")
        kind = kind_of(group, version, kind_name)
        if kind is not None:
            self._known(kind, node, index, alone=alone)
        elif group in OUR_GROUPS:
            reason = why_not_read(group, version, kind_name)
            hint = nearest(kind_name, our_kind_names()) if "no such kind" in reason else None
            message = f"{kind_name} {api_version} is not read: {reason}"
            fault = Fault((), node.mark, message, "kindNotRead", Severity.WARNING, hint)
            self.notes.append((_label(kind_name, node), fault))

    def _known(
        self,
        kind: Kind,
        node: Mapping,
        index: int,
        known: tuple[Fault, ...] = (),
        *,
        converted: bool = False,
        alone: bool = False,
    ) -> None:
        """Read an object of a kind; `known` are faults that were found before."""
        faults = Faults(lambda: node)
        faults.found.extend(known)
        item = _read_item(kind, node, faults, trusted=self._trusted)
        if item is None:
            self._lose_faulty(kind, node, faults)
            return
        if converted and any(fault.severity is not Severity.WARNING for fault in known):
            faults.found[:] = known  # what follows from them would say it twice
        draft = kind.build(item, faults) if not faults.errors else None
        if faults.errors:
            draft = None
        found = Found(
            kind,
            item.namespace,
            item.name,
            item.created,
            draft,
            tuple(faults.found),
            node.mark,
            index,
            converted,
            alone,
        )
        self.found.append(found)

    def _lose_faulty(self, kind: Kind, node: Mapping, faults: Faults) -> None:
        """Note an object that has no usable name, so that nobody can tell which it is."""
        self.lost = True
        name = _label(kind.name, node)
        self.notes.extend((name, fault) for fault in faults.found)


class Nodes:
    """The trees of a document that was read before, parsed once more when a place is asked for."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._whole: list[Tree] = []
        self._pieces: list[Piece] = []

    def of(self, found: Found) -> Tree:
        """Return the tree of an object."""
        if not found.alone:
            self._whole = self._whole or nodes_of(self._text)
            return self._whole[found.position]
        self._pieces = self._pieces or outline_of(self._text).pieces
        return self._pieces[found.position].node()


def nodes_of(text: bytes) -> list[Tree]:
    """Parse a document as a whole for the trees of its objects, converted ones included."""
    root = parse(text)
    nodes: list[Tree] = []
    for node, _, _ in _expanded(root) if root is not None else ():
        nodes.append(node)
        old = old_config(node, text)
        nodes.extend(one.node for one in (old.objects if old else ()))
    return nodes


def _expanded(root: Tree) -> Iterator[tuple[Tree, str | None, str | None]]:
    """Every object with its apiVersion and kind; lists are taken apart, one level deep."""
    api_version, kind = _word(root, "apiVersion"), _word(root, "kind")
    items = root.entries.get("items") if isinstance(root, Mapping) else None
    if kind is None or not kind.endswith("List") or not isinstance(items, Sequence):
        yield root, api_version, kind
        return
    member = kind.removesuffix("List") or None
    for node in items.items:
        own = _word(node, "apiVersion"), _word(node, "kind")
        yield node, own[0] or (api_version if member else None), own[1] or member


def _is_alone(node: Tree) -> bool:
    return any(one is node for one, _, _ in _expanded(node))


def _word(node: Tree, key: str) -> str | None:
    value = node.entries.get(key) if isinstance(node, Mapping) else None
    return value.text if isinstance(value, Scalar) and value.text else None


def _label(kind_name: str, node: Mapping) -> str:
    """Kind and name of an object as far as it can be told."""
    metadata = node.entries.get("metadata")
    name = _word(metadata, "name") if metadata is not None else None
    namespace = _word(metadata, "namespace") if metadata is not None else None
    return " ".join((kind_name, "/".join(part for part in (namespace, name) if part))).strip()


def _read_item(kind: Kind, node: Mapping, faults: Faults, *, trusted: bool) -> Item | None:
    """Read metadata and body; None when the object has no name that can be used."""
    metadata = _metadata(node, faults)
    if metadata is None:
        return None
    body = read_record(kind.body, _without(node, _TOP_LEVEL), (), faults)
    settings = _settings(kind, metadata["annotations"], faults)
    return Item(
        name=metadata["name"],
        namespace=home_of(kind, metadata["namespace"]),
        labels=metadata["labels"],
        annotations=metadata["annotations"],
        created=metadata["creationTimestamp"],
        uid=metadata["uid"],
        settings=settings,
        body=body,
        trusted=trusted,
    )


def _metadata(node: Mapping, faults: Faults) -> dict[str, Any] | None:
    metadata = node.entries.get("metadata")
    if metadata is None:
        faults.add(("metadata",), "metadata.name is missing", "missingField")
        return None
    values = read_record(METADATA, metadata, ("metadata",), faults)
    if values is FAULTY or not isinstance(values["name"], str):
        return None
    if values["namespace"] is FAULTY:
        return None
    defaults = {field.name: field.default for field in METADATA.fields}
    return {name: defaults[name] if value is FAULTY else value for name, value in values.items()}


def _without(node: Mapping, names: tuple[str, ...]) -> Mapping:
    entries = {key: value for key, value in node.entries.items() if key not in names}
    return Mapping(entries, node.marks, node.repeated, node.mark)


def _settings(kind: Kind, annotations: dict[str, str], faults: Faults) -> dict[str, Any]:
    """Values of the annotations that carry settings of ours."""
    values: dict[str, Any] = {}
    for field in kind.annotations:
        path: Path = ("metadata", "annotations", field.name)
        text = annotations.get(field.name)
        values[field.name] = field.default if text is None else read_text(field, text, path, faults)
    if kind.strict:
        _warn_of_unknown(kind, annotations, faults)
    return values


def _warn_of_unknown(kind: Kind, annotations: dict[str, str], faults: Faults) -> None:
    known = [field.name for field in kind.annotations]
    for name in annotations:
        if name.startswith(_PREFIX) and name not in known:
            path = ("metadata", "annotations", name)
            message = f"annotation {shown(name)} has no meaning on {kind.name}"
            faults.warn(path, message, "unknownAnnotation", hint=nearest(name, known))
