"""`orchestrator check`: read and validate files exactly as the daemons do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from orchestrator.cli import options
from orchestrator.cli.failure import REFUSED
from orchestrator.model.problem import Problem, Severity


@click.command()
@options.filenames(required=True)
@options.output()
@options.namespace
@click.option(
    "--strict",
    is_flag=True,
    envvar="ORCHESTRATOR_STRICT",
    show_envvar=True,
    help="Refuse warnings and waiting references too.",
)
def check(*, filename: tuple[Path, ...], output: str, namespace: str, strict: bool) -> None:
    """Validate configuration files; exit status 0 when they are valid, else 1."""
    from orchestrator.cli.offline import read_files

    reading = read_files(filename, namespace)
    valid = not reading.problems if strict else reading.valid
    if output == "table":
        _print_lines(reading.problems, valid=valid)
    else:
        _print_document(reading.problems, output, valid=valid)
    raise SystemExit(0 if valid else REFUSED)


def _print_document(problems: Iterable[Problem], output: str, *, valid: bool) -> None:
    from orchestrator.cli.output import print_document
    from orchestrator.planner.document import problem_document

    found = [problem_document(problem) for problem in problems]
    print_document({"valid": valid, "problems": found}, output)


def _print_lines(problems: tuple[Problem, ...], *, valid: bool) -> None:
    """Print a line for each problem, as compilers do, so that editors can jump to it."""
    for problem in problems:
        click.echo(_line(problem))
    counts = [
        f"{number} {severity.value}"
        for severity in Severity
        if (number := sum(problem.severity is severity for problem in problems))
    ]
    click.echo(f"{'valid' if valid else 'not valid'}: {', '.join(counts) or 'no problems'}")


def _line(problem: Problem) -> str:
    about = [problem.object] if problem.object and problem.object not in problem.place else []
    about += [problem.path] if problem.path else []
    where = f"{' '.join(about)}: " if about else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.place}: {problem.severity.value}: {where}{problem.message}{hint}"
