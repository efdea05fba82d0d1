"""Sources to objects: reads what changed, and finds what each object is called and where it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.config.documents import MAX_BYTES, Document, split
from orchestrator.config.faults import Fault
from orchestrator.config.found import Contents, Found
from orchestrator.config.link import Good, ObjectKey
from orchestrator.config.objects import read_document
from orchestrator.config.schema import Scope
from orchestrator.config.source import Source
from orchestrator.config.tree import text_of
from orchestrator.model.problem import Problem, Severity

_READ_AT_HOME = ("Secret", "ConfigMap")
"""Kinds of everybody's that mean something to us only beside our configuration."""


class Placed(NamedTuple):
    """An object with its key and place: the source, and where in it its document is."""

    key: ObjectKey
    found: Found
    source: Source
    first_line: int
    start: int
    length: int

    @property
    def text(self) -> bytes:
        """Return the object's document."""
        return Document.again(self.source.text, self.start, self.length)

    @property
    def needs_linking(self) -> bool:
        """Tell whether more must be known than the object to say what it means."""
        return self.found.kind.strict or bool(self.found.faults)

    def problem(self, fault: Fault) -> Problem:
        """Return a fault of this object, in the words of the contract."""
        return problem_of(fault, str(self.key), self.source.name, self.first_line)


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


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one source holds; a source that did not change is not looked into again.

    `contents` are its documents by digest: one that did not change is not read again. `placed` has
    the first object of each name in it, `again` the others. Of the first, `offered` need linking,
    `taken` are what they are: their good versions by kind.
    """

    source: Source
    namespace: str
    contents: Mapping[bytes, Contents]
    placed: Mapping[ObjectKey, Placed]
    again: tuple[Placed, ...]
    offered: tuple[Placed, ...]
    taken: Mapping[str, Mapping[ObjectKey, Good]]
    problems: tuple[Problem, ...]
    lost: bool


Memo = Mapping[str, Part]
"""The parts of the last reading by the name of their source."""


@dataclass(slots=True)
class Gathered:
    """Everything that was read. `lost` names sources that held something unreadable.

    `overlapping` are sources some of whose objects had been given before by others.
    """

    placed: dict[ObjectKey, Placed] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    parts: dict[str, Part] = field(default_factory=dict)
    overlapping: set[str] = field(default_factory=set)

    def counts(self, part: Part, key: ObjectKey) -> bool:
        """Tell whether it is this part's object that is in force under `key`."""
        if part.source.name not in self.overlapping:
            return True
        return self.placed[key] is part.placed[key]


def gather(
    sources: Sequence[Source],
    namespace: str,
    memo: Memo,
    good: Mapping[ObjectKey, Good],
    known_sources: Iterable[str],
) -> Gathered:
    """Read all sources; `known_sources` are those that held an object last time.

    Objects that are `good` already are kept as they are.
    """
    gathered = Gathered()
    known = frozenset(known_sources)
    for source in sources:
        if len(source.text) > MAX_BYTES:
            _lose(gathered, source.name, f"is longer than {MAX_BYTES} bytes", Severity.ERROR)
        elif not source.text.strip() and source.name in known:
            message = "is empty; what it held stays in force"
            _lose(gathered, source.name, message, Severity.WARNING)
        else:
            part = memo.get(source.name)
            if part is None or part.source != source or part.namespace != namespace:
                part = _read_source(source, namespace, memo, good)
            _add(gathered, part)
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


def _read_source(
    source: Source, namespace: str, memo: Memo, good: Mapping[ObjectKey, Good]
) -> Part:
    contents: dict[bytes, Contents] = {}
    problems: list[Problem] = []
    placed: dict[ObjectKey, Placed] = {}
    again: list[Placed] = []
    for document in split(source.text):
        digest = _digest(document.text, trusted=source.trusted)
        read = contents[digest] = _known(digest, source, memo) or read_document(
            document.text, trusted=source.trusted
        )
        for name, fault in read.notes:
            problems.append(problem_of(fault, name, source.name, document.first_line))
        objects = _placed(read, source, document, namespace)
        again.extend(one for one in objects if placed.setdefault(one.key, one) is not one)
    return Part(
        source=source,
        namespace=namespace,
        contents=contents,
        placed=placed,
        again=tuple(again),
        offered=tuple(one for one in placed.values() if one.needs_linking),
        taken=_taken(placed.values(), good),
        problems=tuple(problems),
        lost=any(read.lost for read in contents.values())
        or any(
            one.found.faulty and (key.kind, key.name) == ("ConfigMap", "config")
            for key, one in placed.items()
        ),
    )


def _known(digest: bytes, source: Source, memo: Memo) -> Contents | None:
    """Find a document that was read before, most likely in the same source."""
    own = memo.get(source.name)
    if own is not None and digest in own.contents:
        return own.contents[digest]
    parts = (part.contents for part in memo.values())
    return next((contents[digest] for contents in parts if digest in contents), None)


def _placed(
    contents: Contents, source: Source, document: Document, namespace: str
) -> Iterator[Placed]:
    for elsewhere in contents.found:
        found = _at_home(elsewhere, namespace)
        ours = not found.converted and found.kind.name not in _READ_AT_HOME
        if ours or found.namespace == namespace:
            key = ObjectKey(found.kind.name, found.namespace, found.name)
            yield Placed(
                key, found, source, document.first_line, document.start, len(document.text)
            )


def _taken(
    placed: Iterable[Placed], good: Mapping[ObjectKey, Good]
) -> dict[str, dict[ObjectKey, Good]]:
    """Return the good versions of objects that are what they are, known ones as they were."""
    taken: dict[str, dict[ObjectKey, Good]] = {}
    for key, found, source, *_ in placed:
        if found.kind.strict or found.faults or found.draft is None:
            continue
        fresh = Good(found.draft, source.name, found.created)
        known = good.get(key)
        if known is not None and known.value == fresh.value:
            fresh = known if known == fresh else fresh._replace(value=known.value)
        taken.setdefault(key.kind, {})[key] = fresh
    return taken


def _add(gathered: Gathered, part: Part) -> None:
    gathered.parts[part.source.name] = part
    gathered.problems.extend(part.problems)
    if part.lost:
        gathered.lost.add(part.source.name)
    again = part.again
    if gathered.placed.keys().isdisjoint(part.placed):
        gathered.placed.update(part.placed)
    else:
        gathered.overlapping.add(part.source.name)
        again = (*part.placed.values(), *again)
    for placed in again:
        _add_again(gathered, placed)


def _add_again(gathered: Gathered, placed: Placed) -> None:
    """Add an object whose name may be taken; of several, those that differ are a problem.

    Equal ones too in one source, when they are configuration, as in MetalLB: there it is a slip,
    while a list of Services may name them twice (`kubectl get all,services`).
    """
    first = gathered.placed.setdefault(placed.key, placed)
    if first is placed:
        return
    kind = placed.found.kind
    slip = first.source.name == placed.source.name and first.found.kind is kind
    slip = slip and kind.scope is Scope.CONFIGURATION
    if slip or placed.found.faulty or first.found.draft != placed.found.draft:
        line = first.first_line + first.found.mark.line
        message = f"is given twice, first in {first.source.name}:{line}; the first one counts"
        fault = Fault((), placed.found.mark, message, "duplicateObject", hint="remove one of them")
        gathered.problems.append(placed.problem(fault))


def _digest(text: bytes, *, trusted: bool) -> bytes:
    return hashlib.blake2b(text, digest_size=16, key=b"trusted" if trusted else b"").digest()


def _at_home(found: Found, namespace: str) -> Found:
    """Put configuration where it lives, or refuse what lives elsewhere (CLI.md, common rules)."""
    if found.kind.scope is Scope.CONFIGURATION:
        if not found.namespace:
            return found._replace(namespace=namespace)
        if found.namespace != namespace:
            return _elsewhere(found, namespace)
    elif found.kind.name in _READ_AT_HOME and not found.namespace:
        return found._replace(namespace=namespace)
    return found


def _elsewhere(found: Found, namespace: str) -> Found:
    message = f"is in namespace {found.namespace}; configuration is read in {namespace} only"
    hint = f"move it to {namespace}, or see --namespace"
    path = ("metadata", "namespace")
    fault = Fault(path, found.mark, message, "wrongNamespace", Severity.ERROR, hint)
    return found._replace(draft=None, faults=(*found.faults, fault))
