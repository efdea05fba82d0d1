"""Every scenario file for a rule of MetalLB, and the table in docs/metallb.md that names them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.scenarios.rules import (
    TABLES,
    Player,
    files_of,
    inputs_of,
    plan_of,
    read,
    rule_scenarios,
)

PAGE = Path(__file__).parents[2] / "docs" / "metallb.md"
ROW = re.compile(r"^\| `(?P<rule>[a-z0-9-]+)` \|.*\| (?P<files>[^|]*) \|[^|]*\|$", re.MULTILINE)


@pytest.mark.parametrize("path", rule_scenarios(), ids=lambda path: path.stem)
def test_plan_follows_the_rule(path: Path, tmp_path: Path) -> None:
    """`orchestrator plan` says of each input what the file expects."""
    Player(read(path), tmp_path).play()


@pytest.mark.parametrize("path", rule_scenarios(), ids=lambda path: path.stem)
def test_rule_scenario_uses_all_of_its_files(path: Path) -> None:
    """A scenario plans every file it has, expects something after each plan, and names its rules."""
    scenario = read(path)
    used = {name for step in scenario.steps for name in files_of(step, scenario.files)}
    assert used == set(scenario.files)
    assert scenario.rules
    verbs = [step.verb for step in scenario.steps]
    after_plans = [verbs[index + 1 :][:1] for index, v in enumerate(verbs) if v not in TABLES]
    assert all(follower and follower[0] in TABLES for follower in after_plans)


@pytest.mark.parametrize("path", rule_scenarios(), ids=lambda path: path.stem)
def test_order_of_files_and_objects_does_not_matter(path: Path, tmp_path: Path) -> None:
    """The same objects in reverse give the same plan to the letter, and the same problems."""
    for number, (texts, flags) in enumerate(inputs_of(read(path))):
        reverse = {name: _reversed(text) for name, text in reversed(texts.items())}
        one = plan_of(texts, flags, tmp_path / f"{number}-as-written")
        other = plan_of(reverse, flags, tmp_path / f"{number}-reversed")
        assert _about(one.pop("problems")) == _about(other.pop("problems"))
        assert json.dumps(one) == json.dumps(other)


def _reversed(text: str) -> str:
    return "\n---\n".join(reversed(text.split("\n---\n")))


def _about(problems: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return sorted(tuple(p[key] for key in ("severity", "code", "object", "path")) for p in problems)


def test_page_names_every_rule_with_its_scenarios() -> None:
    """The table of docs/metallb.md has each rule once, with the scenarios that show it."""
    shown: dict[str, set[str]] = {}
    for path in rule_scenarios():
        for rule in read(path).rules:
            shown.setdefault(rule, set()).add(path.stem)
    rows = [(m["rule"], m["files"]) for m in ROW.finditer(PAGE.read_text("utf-8"))]
    assert len(rows) == len({rule for rule, _ in rows})
    assert {rule: set(files.split(", ")) for rule, files in rows} == shown
