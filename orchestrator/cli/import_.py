"""`orchestrator import`: another system's configuration, written as objects of ours."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.failure import REFUSED, fail

if TYPE_CHECKING:
    from orchestrator.config.imports.result import Imported

_READERS = {
    "metallb-configmap": ("metallb", "read_metallb"),
    "keepalived": ("keepalived", "read_keepalived"),
    "exabgp": ("exabgp", "read_exabgp"),
    "kube-vip": ("kube_vip", "read_kube_vip"),
    "purelb": ("purelb", "read_purelb"),
}
"""Format -> module of config/imports and the function in it; imported when it is asked for."""


@click.command("import")
@click.argument("format_name", metavar="FORMAT", type=click.Choice(list(_READERS)))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How the objects are printed.",
)
def import_(*, format_name: str, file: Path, output: str) -> None:
    """Write FILE of another system as objects of ours, and list what is not carried over.

    FORMAT is metallb-configmap, keepalived, exabgp, kube-vip or purelb; FILE may be - for standard
    input. The objects go to standard output, the list to standard error. Exit status 0 when
    everything was carried over, 1 when something was not.
    """
    from orchestrator.config.imports.result import UnreadableImportError

    name, text = _text(file)
    try:
        imported = _reader(format_name)(text)
    except UnreadableImportError as error:
        fail(f"{name}:{error.line}", error.message)
    if output == "json":
        _print_json(imported, name)
    else:
        _print_yaml(imported, name)
    raise SystemExit(REFUSED if imported.lost else 0)


def _reader(format_name: str) -> Callable[[bytes], Imported]:
    module, function = _READERS[format_name]
    loaded = importlib.import_module(f"orchestrator.config.imports.{module}")
    reader: Callable[[bytes], Imported] = getattr(loaded, function)
    return reader


def _text(file: Path) -> tuple[str, bytes]:
    """Name and text of the file; one that cannot be read ends the process with status 3."""
    from orchestrator.adapters.files import load
    from orchestrator.config.documents import MAX_BYTES

    if file.is_dir():
        fail(str(file), "is a directory: give one file")
    wants_stdin = str(file) == "-"
    loaded = load([file], stdin=sys.stdin.buffer.read() if wants_stdin else None)
    if loaded.unread:
        fail(loaded.problems[0].object, loaded.problems[0].message)
    source = loaded.sources[0]
    if len(source.text) > MAX_BYTES:
        fail(source.name, f"is longer than {MAX_BYTES} bytes")
    return source.name, source.text


def _losses(imported: Imported, name: str) -> list[dict[str, Any]]:
    return [
        {"place": f"{name}:{lost.line}", "what": lost.what, "why": lost.why}
        for lost in imported.losses()
    ]


def _print_json(imported: Imported, name: str) -> None:
    from orchestrator.cli.output import print_document

    objects = [made.document for made in imported.ordered()]
    print_document({"objects": objects, "notCarriedOver": _losses(imported, name)}, "json")


def _print_yaml(imported: Imported, name: str) -> None:
    from orchestrator.config.imports.result import yaml_of

    click.echo(yaml_of(imported.ordered()), nl=False)
    for lost in _losses(imported, name):
        click.echo(f"{lost['place']}: not carried over: {lost['what']}: {lost['why']}", err=True)
