"""Finds the old configuration: in the ConfigMap `config`, or as the bare text of a document."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.config.documents import UnreadableError, parse, split
from orchestrator.config.faults import Fault
from orchestrator.config.old.convert import Conversion, Converted, convert, mapping, text
from orchestrator.config.old.embedded import Embedded, embedded, moved
from orchestrator.config.old.schema import KEYS
from orchestrator.config.schema import Kind
from orchestrator.config.tree import Mapping, Mark, Scalar, Tree, is_null
from orchestrator.model.problem import Severity

_KEPT_METADATA = ("namespace", "creationTimestamp")


class OldObject(NamedTuple):
    """An object the configuration means, placed in the document it is written in."""

    kind: Kind
    node: Mapping
    faults: tuple[Fault, ...]


class OldConfig(NamedTuple):
    """A configuration that was found; `faults` are of the whole."""

    objects: tuple[OldObject, ...]
    faults: tuple[Fault, ...]


def old_config(node: Tree, document: bytes) -> OldConfig | None:
    """Convert the configuration that an object of a document is, or holds; None when it is none."""
    if not isinstance(node, Mapping):
        return None
    if is_bare(node):
        return _placed(convert(node), {}, Embedded(node.mark, 0))
    scalar = config_text(node)
    if scalar is None:
        return None
    return _embedded(scalar, node, embedded(document.decode("utf-8", "replace"), scalar))


def is_bare(node: Mapping) -> bool:
    """Tell whether a document is the configuration itself."""
    entries = node.entries
    return "apiVersion" not in entries and "kind" not in entries and bool(KEYS & entries.keys())


def config_text(node: Mapping) -> Scalar | None:
    """Text of the ConfigMap `config`; None for anything else."""
    if _word(node, "apiVersion") != "v1" or _word(node, "kind") != "ConfigMap":
        return None
    metadata, data = node.entries.get("metadata"), node.entries.get("data")
    if not isinstance(metadata, Mapping) or _word(metadata, "name") != "config":
        return None
    value = data.entries.get("config") if isinstance(data, Mapping) else None
    return value if isinstance(value, Scalar) and not is_null(value) else None


def _word(node: Mapping, key: str) -> str | None:
    value = node.entries.get(key)
    return value.text if isinstance(value, Scalar) else None


def _embedded(scalar: Scalar, config_map: Mapping, where: Embedded) -> OldConfig:
    documents = list(split(scalar.text.encode("utf-8", "replace")))
    if not documents:
        return OldConfig((), ())
    first, lines = documents[0], documents[0].first_line
    if where.first_line is not None:
        where = Embedded(where.start, where.first_line + lines, where.indent)
    try:
        root = parse(first.text)
    except UnreadableError as error:
        return OldConfig((), (_unreadable(error, where),))
    metadata = config_map.entries["metadata"]
    assert isinstance(metadata, Mapping)
    kept = {key: metadata.entries[key] for key in _KEPT_METADATA if key in metadata.entries}
    conversion = convert(root) if root is not None else Conversion(())
    found = _placed(conversion, kept, where)
    if len(documents) == 1:
        return found
    return found._replace(faults=(*found.faults, _several(scalar.mark)))


def _several(mark: Mark) -> Fault:
    message = "the text has several YAML documents; only one is read"
    hint = "join them into one"
    return Fault((), mark, message, "severalDocuments", Severity.WARNING, hint)


def _unreadable(error: UnreadableError, where: Embedded) -> Fault:
    message = error.message + where.words(error.mark)
    mark = where.place(error.mark)
    return Fault((), mark, message, "unreadable", Severity.ERROR, error.hint)


def _placed(conversion: Conversion, metadata: dict[str, Tree], where: Embedded) -> OldConfig:
    faults = tuple(_fault(fault, where) for fault in conversion.faults)
    objects = tuple(_object(converted, metadata, where) for converted in conversion.objects)
    return OldConfig(objects, faults)


def _fault(fault: Fault, where: Embedded) -> Fault:
    words = where.words(fault.mark)
    return fault._replace(mark=where.place(fault.mark), message=fault.message + words)


def _object(converted: Converted, metadata: dict[str, Tree], where: Embedded) -> OldObject:
    spec = moved(converted.spec, where)
    own = mapping(spec.mark, **metadata, name=text(converted.name, spec.mark))
    node = mapping(spec.mark, metadata=own, spec=spec)
    return OldObject(converted.kind, node, tuple(_fault(one, where) for one in converted.faults))
