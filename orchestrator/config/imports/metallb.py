"""MetalLB v0.9 to v0.12: its ConfigMap to the objects that its own converter makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.config.documents import UnreadableError, split
from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_duration
from orchestrator.config.imports.result import Imported, UnreadableImportError, duration
from orchestrator.config.imports.verify import verified
from orchestrator.config.objects import nodes_of
from orchestrator.config.old.recognise import OldConfig, OldObject, old_config
from orchestrator.config.old.schema import whole_seconds
from orchestrator.config.read import read
from orchestrator.config.schema import Boolean, Integer
from orchestrator.config.source import Source
from orchestrator.config.tree import Mapping, Scalar, Sequence, Tree, is_null
from orchestrator.config.walk import FAULTY, read_value
from orchestrator.model.problem import Severity

_NUMBER = Integer(0, 2**32 - 1)
_TIMES = ("holdTime", "keepaliveTime")
_DEFAULT = "metallb-system"


def read_metallb(text: bytes) -> Imported:
    """Convert every configuration in a file. Raises UnreadableImportError when it has none."""
    configs = list(_configs(text))
    if not configs:
        why = "wants a ConfigMap named config with data.config, or that text itself"
        raise UnreadableImportError(1, f"holds no configuration of MetalLB v0.9 to v0.12: {why}")
    found = [
        (first_line + one.node.mark.line, one)
        for first_line, config in configs
        for one in config.objects
    ]
    result = Imported(namespace=_namespace([one for _, one in found]))
    left_out = _refused(text, result)
    for line, one in found:
        key = (one.kind.name, _name(one))
        if key not in left_out:
            left_out.add(key)  # of two with one name the first counts
            _add(result, line, one)
    return verified(result)


def _configs(text: bytes) -> Iterator[tuple[int, OldConfig]]:
    """Every configuration with the line before its document."""
    for document in split(text):
        try:
            nodes = nodes_of(document.text)
        except UnreadableError as error:
            line = document.first_line + error.mark.line
            raise UnreadableImportError(line, error.message) from None
        for node in nodes:
            config = old_config(node, document.text)
            if config is not None:
                yield document.first_line, config


def _refused(text: bytes, result: Imported) -> set[tuple[str, str]]:
    """Note what is wrong with the configuration; return kind and name of what is left out."""
    left_out = set()
    for problem in read([Source("-", text)], namespace=result.namespace or _DEFAULT).problems:
        if problem.severity is Severity.WARNING:
            continue
        line = int(problem.place.rsplit(":", 2)[1])
        what = " ".join(part for part in (problem.object, problem.path) if part not in ("", "-"))
        hint = f" ({problem.hint})" if problem.hint else ""
        result.lose(line, what or "the configuration", problem.message + hint)
        kind, _, name = problem.object.partition(" ")
        left_out.add((kind, name.rsplit("/", 1)[-1]))
    return left_out


def _namespace(found: Iterable[OldObject]) -> str:
    """Find the namespace that the configuration is written for."""
    for one in found:
        namespace = _metadata(one).entries.get("namespace")
        if isinstance(namespace, Scalar) and namespace.text:
            return namespace.text
    return ""


def _metadata(one: OldObject) -> Mapping:
    metadata = one.node.entries["metadata"]
    assert isinstance(metadata, Mapping)
    return metadata


def _name(one: OldObject) -> str:
    name = _metadata(one).entries["name"]
    assert isinstance(name, Scalar)
    return name.text


def _add(result: Imported, line: int, one: OldObject) -> None:
    name, spec = _name(one), plain(one.node.entries["spec"])
    if one.kind.name == "BGPPeer":
        password = spec.pop("password", "")
        if password:
            spec["passwordSecret"] = {"name": f"{name}-password"}
            result.add_password(line, f"{name}-password", password)
        spec |= {key: _time(spec[key]) for key in _TIMES if key in spec}
        spec = {key: value for key, value in spec.items() if value != ""}
    comment = "\n".join(fault.message for fault in one.faults)
    result.add(line, one.kind.name, name, spec, comment=comment)


def _time(text: str) -> str:
    return duration(whole_seconds(parse_duration(text)))


def plain(node: Tree) -> Any:
    """Return a tree as Python has it: text, numbers, booleans, lists and mappings."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if is_null(node):
        return None
    for wanted in (Boolean(), _NUMBER) if node.plain else ():
        value = read_value(wanted, node, (), Faults(lambda: node))
        if value is not FAULTY:
            return value
    return node.text
