"""`orchestrator crds`: the CustomResourceDefinitions, out of the schema that files are read by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="YAML documents, or one JSON list; `kubectl apply -f -` takes both.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write one YAML file for each definition into this directory instead.",
)
def crds(*, output: str, directory: Path | None) -> None:
    """Print the CustomResourceDefinitions of every kind that is read or written."""
    from orchestrator.config.publish.definitions import definitions

    made = definitions()
    if directory is not None:
        _write(made, directory)
    elif output == "json":
        from orchestrator.cli.output import print_document

        print_document({"apiVersion": "v1", "kind": "List", "items": made}, "json")
    else:
        click.echo("".join(document_of(definition) for definition in made), nl=False)


def _write(made: list[dict[str, Any]], directory: Path) -> None:
    from orchestrator.cli.failure import fail
    from orchestrator.config.publish.definitions import file_name

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for definition in made:
            path = directory / file_name(definition)
            path.write_text(document_of(definition), encoding="utf-8")
    except OSError as error:
        fail(str(directory), f"cannot be written: {error.strerror}")


def document_of(definition: dict[str, Any]) -> str:
    """Return a definition as a YAML document, as it is kept in deploy/crds."""
    import yaml

    text: str = yaml.safe_dump(
        definition, sort_keys=False, allow_unicode=True, explicit_start=True, width=100
    )
    return text
