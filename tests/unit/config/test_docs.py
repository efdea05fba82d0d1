"""The configuration page says what the declarations say, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.config.kinds.registry import KINDS
from orchestrator.config.publish.tables import with_reference
from orchestrator.config.schema import Field, ListOf, Opaque, Record, Type
from tests.unit.config.samples import read_text

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_reference_is_current() -> None:
    """The generated parts of docs/configuration.md are up to date.

    To renew them, write `with_reference(page)` of orchestrator.config.publish.tables back to the page.
    """
    page = PAGE.read_text(encoding="utf-8")
    assert with_reference(page) == page


def test_examples_are_valid() -> None:
    """Every whole example of the page is read without a problem."""
    examples = re.findall(
        r"```yaml\n(apiVersion.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(examples) >= 2
    for example in examples:
        assert read_text(example).problems == ()


def test_every_kind_of_ours_has_an_example() -> None:
    """The example of a kind is an object of that kind and version, and more than a name."""
    for kind in KINDS:
        if kind.strict:
            assert f"apiVersion: {kind.group}/{kind.versions[0]}\n" in kind.example
            assert f"kind: {kind.name}\n" in kind.example
            assert "\nspec:" in kind.example


def fields_of(wanted: Type) -> list[Field]:
    """All fields inside a type."""
    if isinstance(wanted, ListOf):
        return fields_of(wanted.item)
    if not isinstance(wanted, Record):
        return []
    inner = [field for own in wanted.fields for field in fields_of(own.type)]
    return [*wanted.fields, *inner]


def test_every_field_of_ours_is_documented() -> None:
    """Each field of our kinds has a sentence that ends with a full stop."""
    for kind in KINDS:
        if not kind.strict:
            continue
        for field in (*fields_of(kind.body), *kind.annotations):
            if not isinstance(field.type, Opaque) and field.name != "spec":
                assert field.doc.endswith("."), (kind.name, field.name)
