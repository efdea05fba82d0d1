"""Sources to objects: reads what changed, and finds what each object is called and where it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.config.documents import MAX_BYTES, Document, split
from orchestrator.config.faults import Fault
from orchestrator.config.link import ObjectKey
from orchestrator.config.objects import Contents, Found, read_document
from orchestrator.config.schema import Scope
from orchestrator.config.source import Source
from orchestrator.config.tree import text_of
from orchestrator.model.problem import Problem, Severity

Memo = Mapping[bytes, Contents]
"""What documents held, by digest: a document that did not change is not read again."""


class Placed(NamedTuple):
    """An object with its key and place: the source's name and the document."""

    key: ObjectKey
    found: Found
    source: str
    document: Document

    @property
    def first_line(self) -> int:
        """Return the number of lines before the document."""
        return self.document.first_line

    def problem(self, fault: Fault) -> Problem:
        """Return a fault of this object, in the words of the contract."""
        return problem_of(fault, str(self.key), self.source, self.first_line)


def problem_of(fault: Fault, name: str, source: str, first_line: int) -> Problem:
    """Return a fault with the place it has in its source."""
    return Problem(
        severity=fault.severity,
        code=fault.code,
        object=name or source,
        message=fault.message,
        place=f"{source}:{first_line + fault.mark.line}:{fault.mark.column}",
        path=text_of(fault.path),
        hint=fault.hint,
    )


@dataclass(slots=True)
class Gathered:
    """Everything that was read. `lost` names sources that held something unreadable."""

    placed: dict[ObjectKey, Placed] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    memo: dict[bytes, Contents] = field(default_factory=dict)


def gather(
    sources: Sequence[Source], namespace: str, memo: Memo, known_sources: Iterable[str]
) -> Gathered:
    """Read all sources; `known_sources` are those that held an object last time."""
    gathered = Gathered()
    known = frozenset(known_sources)
    for source in sources:
        if len(source.text) > MAX_BYTES:
            _lose(gathered, source.name, f"is longer than {MAX_BYTES} bytes", Severity.ERROR)
        elif not source.text.strip() and source.name in known:
            message = "is empty; what it held stays in force"
            _lose(gathered, source.name, message, Severity.WARNING)
        else:
            _read_source(gathered, source, namespace, memo)
            if source.name in known and source.name in gathered.lost:
                _say_what_stays(gathered, source.name)
    return gathered


def _lose(gathered: Gathered, name: str, message: str, severity: Severity) -> None:
    gathered.lost.add(name)
    hint = "remove the file to delete its objects" if severity is Severity.WARNING else None
    place = f"{name}:1:1"
    gathered.problems.append(Problem(severity, "unreadable", name, message, place, hint=hint))


def _say_what_stays(gathered: Gathered, name: str) -> None:
    """Tell where an unreadable part means that the rest of the file is kept."""
    message = "has an unreadable part: whatever it held before and no longer shows stays in force"
    place = f"{name}:1:1"
    problem = Problem(Severity.WARNING, "lastGoodStays", name, message, place)
    gathered.problems.append(problem)


def _read_source(gathered: Gathered, source: Source, namespace: str, memo: Memo) -> None:
    for document in split(source.text):
        digest = _digest(document.text, trusted=source.trusted)
        contents = memo.get(digest) or read_document(document.text, trusted=source.trusted)
        gathered.memo[digest] = contents
        if contents.lost:
            gathered.lost.add(source.name)
        for name, fault in contents.notes:
            problem = problem_of(fault, name, source.name, document.first_line)
            gathered.problems.append(problem)
        for found in contents.found:
            _place(gathered, found, source.name, document, namespace)


def _digest(text: bytes, *, trusted: bool) -> bytes:
    return hashlib.blake2b(text, digest_size=16, key=b"trusted" if trusted else b"").digest()


def _place(
    gathered: Gathered, found: Found, source: str, document: Document, namespace: str
) -> None:
    found = _at_home(found, namespace)
    if found.kind.name == "Secret" and found.namespace != namespace:
        return
    key = ObjectKey(found.kind.name, found.namespace, found.name)
    placed = Placed(key, found, source, document)
    first = gathered.placed.setdefault(key, placed)
    if first is not placed and (found.faulty or first.found.draft != found.draft):
        line = first.first_line + first.found.mark.line
        message = f"is given twice, first in {first.source}:{line}; the first one counts"
        fault = Fault((), found.mark, message, "duplicateObject", hint="remove one of them")
        gathered.problems.append(placed.problem(fault))


def _at_home(found: Found, namespace: str) -> Found:
    """Put configuration where it lives, or refuse what lives elsewhere (CLI.md, common rules)."""
    if found.kind.scope is Scope.CONFIGURATION:
        if not found.namespace:
            return found._replace(namespace=namespace)
        if found.namespace != namespace:
            return _elsewhere(found, namespace)
    elif found.kind.name == "Secret" and not found.namespace:
        return found._replace(namespace=namespace)
    return found


def _elsewhere(found: Found, namespace: str) -> Found:
    message = f"is in namespace {found.namespace}; configuration is read in {namespace} only"
    hint = f"move it to {namespace}, or see --namespace"
    path = ("metadata", "namespace")
    fault = Fault(path, found.mark, message, "wrongNamespace", Severity.ERROR, hint)
    return found._replace(draft=None, faults=(*found.faults, fault))
