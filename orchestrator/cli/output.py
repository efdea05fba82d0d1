"""Printing of answers: JSON and YAML for scripts, tables for people."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def print_document(document: Any, output: str) -> None:
    """Print `document` (what JSON can hold) as `json` or `yaml`."""
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def painted(text: str, colour: str) -> str:
    """Colour text for a terminal; anywhere else, and with NO_COLOR, it stays as it is."""
    plain = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
    return text if plain else click.style(text, fg=colour)


COUNTLESS = 1 << 62
"""From this many addresses on a pool's number says nothing (metallb.md 1.1, status)."""


def usage(count: Mapping[str, int]) -> str | None:
    """Say how much of a pool is in use; nothing where it has no addresses of the family."""
    in_use, total = count["inUse"], count["total"]
    if total >= COUNTLESS:
        return f"{in_use} in use"
    return f"{in_use} of {total} in use" if total else None


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; a missing value is shown as a dash."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("-" if cell is None or cell == "" else str(cell) for cell in row))
    if sys.stdout.isatty():
        Console().print(table)
        return
    # A pipe has no width: nothing is folded there, so that grep finds whole cells.
    console = Console(width=4000, file=io.StringIO())
    with console.capture() as lines:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in lines.get().splitlines()))
