"""CustomResourceDefinitions of all kinds of our groups, out of what the reader reads by.

Nothing is converted between the two versions of BGPPeer: the older one's fields are a part of the
newer one's, written alike, so the strategy `None` (which changes the apiVersion only) does what
MetalLB runs a webhook for, and needs no server that could be away. `webhook: null` takes MetalLB's
away where a patch or server-side apply would leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orchestrator.config.kinds.registry import KINDS, OUR_GROUPS
from orchestrator.config.kinds.status_kinds import STATUS_KINDS
from orchestrator.config.publish.openapi import Extras, Schema, properties
from orchestrator.config.publish.publication import PUBLISHED, Column, Published
from orchestrator.config.schema import Field, Kind, Opaque, Record

Definition = dict[str, Any]

_STANDARD: Schema = {
    "apiVersion": {"type": "string", "description": "Group and version of the kind."},
    "kind": {"type": "string", "description": "Name of the kind."},
    "metadata": {"type": "object"},
}


class _Version(NamedTuple):
    """One version of a kind: what it is for, and its body."""

    name: str
    doc: str
    body: Record


def definitions() -> list[Definition]:
    """Return the definition of every kind of our groups, by group and plural."""
    kinds: dict[tuple[str, str], list[_Version]] = {}
    for group, name, version in _published():
        kinds.setdefault((group, name), []).append(version)
    made = (_definition(group, name, versions) for (group, name), versions in kinds.items())
    return sorted(made, key=file_name)


def file_name(definition: Definition) -> str:
    """Return the name of the file that holds a definition, as MetalLB's are called."""
    spec = definition["spec"]
    return f"{spec['group']}_{spec['names']['plural']}.yaml"


def _published() -> Iterator[tuple[str, str, _Version]]:
    for kind in KINDS:
        if kind.group in OUR_GROUPS:
            for version in kind.versions:
                yield kind.group, kind.name, _Version(version, kind.doc, _body(kind))
    for state in STATUS_KINDS:
        body = Record(
            (
                Field("spec", Record(()), "Has no fields."),
                Field("status", state.status, "What is the case."),
            )
        )
        yield state.group, state.name, _Version(state.version, state.doc, body)


def _body(kind: Kind) -> Record:
    """Return the body with what the status really has, in place of what the reader skips."""
    status = Field("status", PUBLISHED[kind.name].status, "Written by the controller.")
    fields = (status if isinstance(field.type, Opaque) else field for field in kind.body.fields)
    return Record(tuple(fields), kind.body.rules)


def _definition(group: str, name: str, versions: Sequence[_Version]) -> Definition:
    published = PUBLISHED[name]
    names: dict[str, Any] = {
        "kind": name,
        "listKind": f"{name}List",
        "plural": published.plural,
        "singular": name.lower(),
    }
    if published.short_names:
        names["shortNames"] = list(published.short_names)
    ordered = sorted(versions, key=lambda version: version.name)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{published.plural}.{group}"},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced",
            "conversion": {"strategy": "None", "webhook": None},
            "versions": [
                _version(version, published, stored=version is ordered[-1]) for version in ordered
            ],
        },
    }


def _version(version: _Version, published: Published, *, stored: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": version.name, "served": True, "storage": stored}
    if version.name in published.deprecated:
        entry["deprecated"] = True
        entry["deprecationWarning"] = published.deprecated[version.name]
    if published.columns:
        entry["additionalPrinterColumns"] = list(_columns(published.columns))
    extras = published.extras.get(version.name, Extras())
    entry["schema"] = {"openAPIV3Schema": _root(version, extras)}
    entry["subresources"] = {"status": {}}
    return entry


def _columns(columns: Iterable[Column]) -> Iterator[dict[str, Any]]:
    for column in columns:
        entry = {"name": column.name, "type": column.type, "jsonPath": column.path}
        yield {**entry, "priority": column.priority} if column.priority else entry


def _root(version: _Version, extras: Extras) -> Schema:
    schema = properties(version.body, extras)
    schema["properties"] = {**_STANDARD, **schema["properties"]}
    return {"description": version.doc, **schema}
