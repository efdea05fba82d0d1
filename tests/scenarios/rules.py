"""Scenario files for MetalLB's rules: objects go in, and the answers of `plan` are compared.

# words for the reader
rule NAME ...            the rules of docs/metallb.md that the file shows
plan FILE ... [FLAG ...] plan these files of the archive, as `orchestrator plan -f` does with them
again FILE ... [FLAG ..] the same, after the addresses of the last plan were written into status
problems | assignments | events | pools | sessions | routes | layer2 | verdicts [WORD ...]
                         what must be so now: all lines, or all that have these words
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from orchestrator.cli.main import main
from tests.scenarios import txtar
from tests.scenarios.script import Step, steps_of

DIRECTORY = Path(__file__).parent / "metallb"
Document = dict[str, Any]


@dataclass(frozen=True)
class RuleScenario:
    """A whole file."""

    name: str
    rules: tuple[str, ...]
    steps: tuple[Step, ...]
    files: dict[str, str]


def rule_scenarios() -> list[Path]:
    """All scenario files for rules, by name."""
    return sorted(DIRECTORY.glob("*.txtar"))


def read(path: Path) -> RuleScenario:
    """Read a scenario file. ValueError, with the place, for a line that means nothing."""
    archive = txtar.parse(path.read_text("utf-8"))
    steps = list(steps_of(path.name, archive.comment))
    for step in steps:
        _check(step, archive.files)
    return RuleScenario(
        name=path.stem,
        rules=tuple(word for step in steps if step.verb == "rule" for word in step.words),
        steps=tuple(step for step in steps if step.verb != "rule"),
        files=archive.files,
    )


def files_of(step: Step, files: Iterable[str]) -> list[str]:
    """Return the words of a `plan` step that are files of the archive."""
    known = set(files)
    return [word for word in step.words if word in known]


def _check(step: Step, files: dict[str, str]) -> None:
    if step.verb in ("plan", "again"):
        good = bool(files_of(step, files)) and not step.expected
        good = good and all(not word.endswith(".yaml") for word in _flags(step, files))
    elif step.verb == "rule":
        good = bool(step.words) and not step.expected
    else:
        good = step.verb in TABLES
    if not good:
        raise ValueError(f"{step.place}: cannot do {step.verb} {' '.join(step.words)}")


def _flags(step: Step, files: Iterable[str]) -> list[str]:
    known = set(files)
    return [word for word in step.words if word not in known]


class Player:
    """Plays one file: plans in a directory of its own, and compares."""

    def __init__(self, scenario: RuleScenario, directory: Path) -> None:
        self._scenario = scenario
        self._directory = directory
        self._plan: Document = {}

    def play(self) -> None:
        """Do every step; AssertionError with its place when something is not as expected."""
        for number, step in enumerate(self._scenario.steps):
            if step.verb in TABLES:
                lines = TABLES[step.verb](self._plan)
                step.compare(line for line in lines if set(step.words) <= set(line.split()))
            else:
                self._decide(step, self._directory / str(number))

    def _decide(self, step: Step, directory: Path) -> None:
        texts = {name: self._scenario.files[name] for name in files_of(step, self._scenario.files)}
        if step.verb == "again":
            texts = {name: _with_status(text, self._plan) for name, text in texts.items()}
        self._plan = plan_of(texts, _flags(step, self._scenario.files), directory)


def plan_of(texts: Mapping[str, str], flags: Sequence[str], directory: Path) -> Document:
    """Run `orchestrator plan -o json` on these files, written into a new directory."""
    directory.mkdir()
    arguments = ["plan", "-o", "json", *flags]
    for name, text in texts.items():
        (directory / name).write_text(text)
        arguments += ["-f", str(directory / name)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    document: Document = json.loads(result.stdout)
    return document


def inputs_of(scenario: RuleScenario) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Yield the files and flags of every `plan` step."""
    for step in scenario.steps:
        if step.verb == "plan":
            texts = {name: scenario.files[name] for name in files_of(step, scenario.files)}
            yield texts, _flags(step, scenario.files)


def _with_status(text: str, plan: Document) -> str:
    """Write the addresses of `plan` into the status of the Services in `text`."""
    known = {entry["service"]: entry for entry in plan["assignments"]}
    documents = [_one_with_status(document, known) for document in yaml.safe_load_all(text)]
    return yaml.safe_dump_all(documents)


def _one_with_status(document: Document, known: dict[str, Document]) -> Document:
    metadata = document["metadata"]
    entry = known.get(f"{metadata.get('namespace', 'default')}/{metadata['name']}")
    if document["kind"] != "Service" or entry is None:
        return document
    ingress = [{"ip": address} for address in entry["addresses"]]
    annotations = dict(metadata.get("annotations", {}))
    if entry["pool"] is not None:
        annotations["metallb.io/ip-allocated-from-pool"] = entry["pool"]
    return {
        **document,
        "metadata": {**metadata, "annotations": annotations},
        "status": {"loadBalancer": {"ingress": ingress}},
    }


def _problems(plan: Document) -> Iterator[str]:
    """SEVERITY CODE FILE:LINE PATH OBJECT."""
    for entry in plan["problems"]:
        place = Path(entry["place"].rsplit(":", 1)[0]).name
        words = (entry["severity"], entry["code"], place, entry["path"], entry["object"])
        yield " ".join(word for word in words if word)


def _assignments(plan: Document) -> Iterator[str]:
    """SERVICE ADDRESS,ADDRESS from POOL ORIGIN [but REASON], or SERVICE STATE REASON."""
    for entry in plan["assignments"]:
        if entry["state"] != "assigned":
            yield f"{entry['service']} {entry['state']} {entry['reason']}"
            continue
        addresses = ",".join(entry["addresses"])
        but = f" but {entry['reason']}" if entry["reason"] else ""
        yield f"{entry['service']} {addresses} from {entry['pool']} {entry['origin']}{but}"


def _events(plan: Document) -> Iterator[str]:
    """SERVICE TYPE REASON: the message."""
    for entry in plan["assignments"]:
        for event in entry["events"]:
            yield f"{entry['service']} {event['type']} {event['reason']}: {event['message']}"


def _pools(plan: Document) -> Iterator[str]:
    """NAME ipv4 IN-USE/TOTAL ipv6 IN-USE/TOTAL, without a family that it has not."""
    for entry in plan["pools"]:
        counts = [
            f"{family} {entry[family]['inUse']}/{entry[family]['total']}"
            for family in ("ipv4", "ipv6")
            if entry[family]["total"]
        ]
        yield " ".join((entry["name"], *counts))


def _sessions(plan: Document) -> Iterator[str]:
    """NODE PEER ADDRESS:PORT OWN-ASN PEER-ASN ibgp|ebgp FAMILY,FAMILY."""
    for entry in plan["sessions"]:
        kind = "ibgp" if entry["ibgp"] else "ebgp"
        place = f"{entry['address']}:{entry['port']}"
        numbers = f"{entry['myASN']} {entry['peerASN']}"
        families = ",".join(entry["families"])
        yield f"{entry['node']} {entry['peer']} {place} {numbers} {kind} {families}"


def _routes(plan: Document) -> Iterator[str]:
    """NODE PEER PREFIX [via HOP] [pref N] [med N] [communities C,C] [large L,L] [path A,A]."""
    for entry in plan["routes"]:
        words = [entry["node"], entry["peer"], entry["prefix"]]
        words += [f"via {entry['nextHop']}"] if entry["nextHop"] != "self" else []
        for name, key in (("pref", "localPref"), ("med", "med")):
            words += [f"{name} {entry[key]}"] if entry[key] is not None else []
        for name, key in (
            ("communities", "communities"),
            ("large", "largeCommunities"),
            ("path", "asPath"),
        ):
            words += [f"{name} {','.join(map(str, entry[key]))}"] if entry[key] else []
        yield " ".join(words)


def _layer2(plan: Document) -> Iterator[str]:
    """SERVICE ADDRESS OWNER then NODE,NODE [on INTERFACE,INTERFACE]; nobody without an owner."""
    for entry in plan["layer2"]:
        words = [entry["service"], entry["address"], entry["owner"] or "nobody"]
        if entry["candidates"][1:]:
            words.append(f"then {','.join(entry['candidates'][1:])}")
        if entry["interfaces"] is not None:
            words.append(f"on {','.join(entry['interfaces'])}")
        yield " ".join(words)


def _verdicts(plan: Document) -> Iterator[str]:
    """NODE SERVICE ADDRESS PROTOCOL REASON."""
    for entry in plan["verdicts"]:
        words = ("node", "service", "address", "protocol", "reason")
        yield " ".join(entry[word] or "-" for word in words)


TABLES: dict[str, Callable[[Document], Iterable[str]]] = {
    "problems": _problems,
    "assignments": _assignments,
    "events": _events,
    "pools": _pools,
    "sessions": _sessions,
    "routes": _routes,
    "layer2": _layer2,
    "verdicts": _verdicts,
}
"""What can be compared, as lines."""
