"""The language of scenario files: one step a line, the lines it expects indented below it.

# words for the reader
on NODE ...                        the nodes that run an appliance; all read the same files
router NAME as ASN expects ASN [password WORD]      a router; peers are called NAME or NAME-...
lab                                this file is also played against the real thing
write FILE [as NAME]               put a file of the archive into the directory
delete NAME                        remove a file from the directory
health NODE VIP up|down|disabled   what the check of a VirtualIP finds on a node
drain NODE none|deprioritised|withdrawn
restart NODE                       the speaker of a node dies and starts again
routes | verdicts | assignments | problems | sessions      what must be so now, all of it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios import txtar

HEAD = frozenset({"on", "router", "lab"})
ACTIONS = {"write": (1, 3), "delete": (1, 1), "health": (3, 3), "drain": (2, 2), "restart": (1, 1)}
"""Steps that do something, with how many words they take."""
EXPECTATIONS = frozenset({"routes", "verdicts", "assignments", "problems", "sessions"})
DIRECTORY = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """A line of the script; `expected` are the lines below it, in order of the alphabet."""

    place: str
    verb: str
    words: tuple[str, ...]
    expected: tuple[str, ...] = ()

    def compare(self, seen: Iterable[str]) -> None:
        """AssertionError, with the place and both lists, unless what is seen is what is expected."""
        lines = sorted(seen)
        if lines != list(self.expected):
            told = "".join(f"\n    {line}" for line in self.expected)
            found = "".join(f"\n    {line}" for line in lines)
            raise AssertionError(f"{self.place}: {self.verb} should be{told}\nbut are{found}")


@dataclass(frozen=True)
class Router:
    """A router: its AS, the AS that it expects of the appliances, and their password."""

    name: str
    asn: int
    expects: int
    password: str | None


@dataclass(frozen=True)
class Scenario:
    """A whole file."""

    name: str
    nodes: tuple[str, ...]
    routers: tuple[Router, ...]
    lab: bool
    steps: tuple[Step, ...]
    files: dict[str, str]


def scenarios() -> list[Path]:
    """All scenario files, by name."""
    return sorted(DIRECTORY.glob("*.txtar"))


def read(path: Path) -> Scenario:
    """Read a scenario file. ValueError, with the place, for a line that means nothing."""
    archive = txtar.parse(path.read_text("utf-8"))
    steps = list(steps_of(path.name, archive.comment))
    head = [step for step in steps if step.verb in HEAD]
    nodes = tuple(name for step in head if step.verb == "on" for name in step.words)
    return Scenario(
        name=path.stem,
        nodes=nodes or ("a",),
        routers=tuple(_router(step) for step in head if step.verb == "router"),
        lab=any(step.verb == "lab" for step in head),
        steps=tuple(_checked(step, archive.files) for step in steps if step.verb not in HEAD),
        files=archive.files,
    )


def steps_of(name: str, text: str) -> Iterator[Step]:
    """Yield the steps of a script, each with the lines indented below it."""
    below: list[str] = []
    place, verb = "", ""
    words: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("#", 1)[0].rstrip()
        if not code:
            continue
        if code[0].isspace():
            below.append(" ".join(code.split()))
            continue
        if verb:
            yield Step(place, verb, words, tuple(sorted(below)))
        verb, *rest = code.split()
        place, words, below = f"{name}:{number}", tuple(rest), []
    if verb:
        yield Step(place, verb, words, tuple(sorted(below)))


def _router(step: Step) -> Router:
    name, _as, asn, _expects, expected, *secret = step.words
    return Router(name, int(asn), int(expected), secret[1] if secret else None)


def _checked(step: Step, files: dict[str, str]) -> Step:
    if step.verb in EXPECTATIONS:
        good = not step.words
    else:
        least, most = ACTIONS.get(step.verb, (1, 0))
        good = least <= len(step.words) <= most and not step.expected
        good = good and (step.verb != "write" or step.words[0] in files)
    if not good:
        raise ValueError(f"{step.place}: cannot do {step.verb} {' '.join(step.words)}")
    return step
