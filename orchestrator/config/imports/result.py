"""What an import gives: objects of ours, what was not carried over, and both as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from orchestrator.config.kinds.secret import BASIC_AUTH
from orchestrator.config.old.names import object_name

API_VERSIONS = {
    "IPAddressPool": "metallb.io/v1beta1",
    "BGPPeer": "metallb.io/v1beta2",
    "BGPAdvertisement": "metallb.io/v1beta1",
    "L2Advertisement": "metallb.io/v1beta1",
    "BFDProfile": "metallb.io/v1beta1",
    "Community": "metallb.io/v1beta1",
    "VirtualIP": "orchestrator.io/v1alpha1",
    "VirtualRouter": "orchestrator.io/v1alpha1",
    "Settings": "orchestrator.io/v1alpha1",
    "Secret": "v1",
}
_ORDER = list(API_VERSIONS)
_TOO_LONG = 1_000_000
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class UnreadableImportError(Exception):
    """A file that cannot be taken apart at all; `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Made(NamedTuple):
    """An object of ours, the line it was made of, and what a reader should know of it."""

    document: dict[str, Any]
    line: int
    comment: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name."""
        return self.document["kind"], self.document["metadata"]["name"]


class NotCarriedOver(NamedTuple):
    """Something that has no place in our objects: where it is, what it is, and why not."""

    line: int
    what: str
    why: str


@dataclass(slots=True)
class Imported:
    """Collects the outcome of one import; `namespace` is where its objects are to live, if said."""

    namespace: str = ""
    made: list[Made] = field(default_factory=list)
    lost: list[NotCarriedOver] = field(default_factory=list)
    _names: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(
        self,
        line: int,
        kind: str,
        name: str,
        spec: dict[str, Any],
        *,
        comment: str = "",
        annotations: dict[str, str] | None = None,
    ) -> None:
        """Add an object; fields that are None are left out."""
        metadata = self._metadata(name)
        if annotations:
            metadata["annotations"] = annotations
        document = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata}
        given = {key: value for key, value in spec.items() if value is not None}
        self.made.append(Made({**document, "spec": given}, line, comment))

    def add_password(self, line: int, name: str, password: str) -> None:
        """Add a Secret with the TCP-MD5 key of a peer."""
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self._metadata(name),
            "type": BASIC_AUTH,
            "stringData": {"password": password},
        }
        self.made.append(Made(document, line, "keep this out of version control"))

    def _metadata(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": self.namespace} if self.namespace else {"name": name}

    def lose(self, line: int, what: str, why: str) -> None:
        """Note what is not carried over."""
        self.lost.append(NotCarriedOver(line, printable(what), printable(why)))

    def name(self, kind: str, text: str) -> str:
        """Make a name for an object of `kind` that no other has."""
        wanted = object_name(text) or f"{kind.lower()}-{_slug(text)}".rstrip("-")
        name, number = wanted, self._names.get((kind, wanted), 0)
        while (kind, name) in self._names:
            number += 1
            name = f"{wanted}-{number}"
        self._names[kind, wanted] = max(number, 1)
        self._names.setdefault((kind, name), 1)
        return name

    def ordered(self) -> list[Made]:
        """Return the objects as one reads them: pools, peers, advertisements, VIPs, Secrets."""
        return sorted(self.made, key=lambda made: _ORDER.index(made.document["kind"]))

    def losses(self) -> list[NotCarriedOver]:
        """Return what was not carried over, in order of the file, each once."""
        return sorted(set(self.lost))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:40].strip("-")


def printable(text: str, limit: int = 200) -> str:
    """Text of an input on one line, safe for a terminal."""
    short = text if len(text) <= limit else text[:limit] + "..."
    return "".join(c if c.isprintable() else " " for c in short)


def yaml_of(objects: Iterable[Made]) -> str:
    """Write objects as YAML documents, each with its comment."""
    return "---\n".join(_document(made) for made in objects)


def _document(made: Made) -> str:
    comment = "".join(f"# {printable(line)}\n" for line in made.comment.splitlines())
    text = yaml.dump(made.document, Dumper=_DUMPER, sort_keys=False, width=_TOO_LONG)
    return comment + text


def duration(seconds: float) -> str:
    """Write a time as Go does: 90 is `1m30s`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
