"""Reads what an import made, so that nothing is printed that `check` would refuse."""

from __future__ import annotations

from orchestrator.config.imports.result import Imported, yaml_of
from orchestrator.config.read import read
from orchestrator.config.source import Source
from orchestrator.model.problem import Problem, Severity

_DEFAULT = "metallb-system"


def verified(imported: Imported) -> Imported:
    """Take out the objects that are not valid here, and say so."""
    text = yaml_of(imported.made).encode()
    problems = read([Source("import", text)], namespace=imported.namespace or _DEFAULT).problems
    wrong = {_key(problem): problem for problem in problems if problem.severity is Severity.ERROR}
    for made in imported.made:
        problem = wrong.get(made.key)
        if problem is not None:
            path = f"{problem.path}: " if problem.path else ""
            imported.lose(made.line, " ".join(made.key), path + problem.message)
    imported.made = [made for made in imported.made if made.key not in wrong]
    return imported


def _key(problem: Problem) -> tuple[str, str]:
    kind, _, name = problem.object.partition(" ")
    return kind, name.rsplit("/", 1)[-1]
