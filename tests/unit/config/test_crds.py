"""The CustomResourceDefinitions say what the reader's schema says, and what MetalLB's say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from orchestrator.cli.main import main
from orchestrator.config.kinds.registry import KINDS, OUR_GROUPS
from orchestrator.config.kinds.status_kinds import STATUS_KINDS
from orchestrator.config.publish.cel import validations
from orchestrator.config.publish.definitions import definitions, file_name
from orchestrator.config.publish.openapi import Extras, properties
from orchestrator.config.schema import (
    AtMost,
    AtMostOne,
    Boolean,
    Choice,
    Disjoint,
    ExactlyOne,
    Field,
    Holds,
    Integer,
    ListOf,
    MapOf,
    Opaque,
    Parsed,
    Record,
    Rule,
    Text,
)

DIRECTORY = Path(__file__).parents[3] / "deploy" / "crds"
BY_NAME = {made["metadata"]["name"]: made for made in definitions()}
WRITTEN_BY_METALLB = {
    ("ipaddresspools", "v1beta1"): {"autoAssign": True, "avoidBuggyIPs": False},
    ("bgpadvertisements", "v1beta1"): {"aggregationLength": 32, "aggregationLengthV6": 128},
    ("bgppeers", "v1beta2"): {
        "peerPort": 179,
        "disableMP": False,
        "dualStackAddressFamily": False,
    },
}
"""Defaults that MetalLB's API server writes into objects; into others it writes none."""


def run(*arguments: str) -> str:
    """Output of the command."""
    result = CliRunner().invoke(main, ["crds", *arguments])
    assert result.exit_code == 0
    return result.stdout


def versions(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Schema of each version."""
    return {
        version["name"]: version["schema"]["openAPIV3Schema"]["properties"]
        for version in definition["spec"]["versions"]
    }


def test_committed_files_are_current() -> None:
    """deploy/crds holds what the command prints; `orchestrator crds --directory` renews it."""
    files = sorted(DIRECTORY.glob("*.yaml"))
    assert [path.name for path in files] == [file_name(made) for made in definitions()]
    assert "".join(path.read_text(encoding="utf-8") for path in files) == run()


def test_files_and_documents_and_json_are_alike(tmp_path: Path) -> None:
    """YAML, JSON and the files of --directory hold the same definitions."""
    run("--directory", str(tmp_path / "new"))
    texts = [path.read_text(encoding="utf-8") for path in sorted((tmp_path / "new").iterdir())]
    assert [yaml.safe_load(text) for text in texts] == definitions()
    assert list(yaml.safe_load_all(run())) == definitions()
    assert json.loads(run("-o", "json"))["items"] == definitions()


def test_unwritable_directory_is_status_3(tmp_path: Path) -> None:
    """A directory that cannot be made is one line and status 3."""
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["crds", "--directory", str(tmp_path / "file" / "below")])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"orchestrator: {tmp_path}/file/below: cannot be written")


def test_every_kind_of_ours_has_one() -> None:
    """Each kind and version that is read or written has a definition, and no other has."""
    wanted = {
        (kind.group, kind.name, version)
        for kind in KINDS
        if kind.group in OUR_GROUPS
        for version in kind.versions
    } | {(state.group, state.name, state.version) for state in STATUS_KINDS}
    made = {
        (made["spec"]["group"], made["spec"]["names"]["kind"], version["name"])
        for made in definitions()
        for version in made["spec"]["versions"]
    }
    assert made == wanted


def test_names_are_unique() -> None:
    """No two definitions share a name, plural, singular or short name within a group."""
    names = [
        (made["spec"]["group"], name)
        for made in definitions()
        for entry in [made["spec"]["names"]]
        for name in {entry["plural"], entry["singular"], *entry.get("shortNames", ())}
    ]
    assert len(names) == len(set(names))


def test_newest_version_is_stored() -> None:
    """Exactly one version of each kind is stored, the newest; all are served."""
    for made in definitions():
        entries = made["spec"]["versions"]
        assert [entry["storage"] for entry in entries] == [False] * (len(entries) - 1) + [True]
        assert all(entry["served"] and "status" in entry["subresources"] for entry in entries)


def test_defaults_are_those_of_metallb() -> None:
    """The server writes into metallb.io objects the defaults that MetalLB's writes, no others."""
    for name, made in BY_NAME.items():
        plural, group = name.split(".", 1)
        for version, schema in versions(made).items():
            if group == "metallb.io":
                wanted = WRITTEN_BY_METALLB.get((plural, version), {})
                assert dict(defaults(schema["spec"])) == wanted, (name, version)


def defaults(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """All defaults inside a schema by field name."""
    for name, inner in schema.get("properties", {}).items():
        if "default" in inner:
            yield name, inner["default"]
        yield from defaults(inner)
        yield from defaults(inner.get("items", {}))


def spec_field(name: str, version: str, field: str) -> dict[str, Any]:
    """Schema of a field of the spec."""
    found: dict[str, Any] = versions(BY_NAME[name])[version]["spec"]["properties"][field]
    return found


def test_limits_of_the_schema_are_published() -> None:
    """Numbers, lists, words and patterns have at the server the limits they have in files."""
    port = spec_field("bgppeers.metallb.io", "v1beta2", "peerPort")
    assert (port["minimum"], port["maximum"], port["format"]) == (1, 16384, "int32")
    asn = spec_field("bgppeers.metallb.io", "v1beta2", "peerASN")
    assert (asn["maximum"], asn["format"]) == (4294967295, "int64")
    pools = spec_field("bgpadvertisements.metallb.io", "v1beta1", "ipAddressPools")
    assert (pools["maxItems"], pools["x-kubernetes-list-type"]) == (1000, "set")
    interface = spec_field("bgppeers.metallb.io", "v1beta2", "interface")
    assert interface["maxLength"] == 15
    assert interface["pattern"].startswith("^(?:")


def test_graceful_restart_cannot_be_changed() -> None:
    """As in MetalLB, enableGracefulRestart keeps its first value."""
    field = spec_field("bgppeers.metallb.io", "v1beta2", "enableGracefulRestart")
    assert [rule["rule"] for rule in field["x-kubernetes-validations"]] == ["self == oldSelf"]


RECORD = Record(
    (
        Field("text", Text()),
        Field("number", Integer(0, 9), default=2),
        Field("limit", Integer(0, 9)),
        Field("flag", Boolean(), default=False),
        Field("list", ListOf(Text())),
        Field("map", MapOf(Text())),
        Field("namespace", Text(), required=True),
        Field("inner", Record((Field("a", Text(), default=""), Field("b", Integer(0, 1))))),
        Field("full", Record((Field("a", Text(), default="x"),))),
        Field("time", Parsed("a time", int)),
    )
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            ExactlyOne(("text", "list")),
            (
                "(has(self.text) && self.text != '' ? 1 : 0)"
                " + (has(self.list) && size(self.list) > 0 ? 1 : 0) == 1"
            ),
        ),
        (
            AtMostOne(("flag", "namespace")),
            (
                "(has(self.flag) && self.flag ? 1 : 0)"
                " + (has(self.__namespace__) && self.__namespace__ != '' ? 1 : 0) <= 1"
            ),
        ),
        (
            AtMostOne(("inner", "full")),
            (
                "(has(self.inner) && ((has(self.inner.a) && self.inner.a != '')"
                " || (has(self.inner.b) && self.inner.b != 0)) ? 1 : 0)"
                " + (has(self.full) ? 1 : 0) <= 1"
            ),
        ),
        (
            AtMost("limit", "number"),
            "!has(self.limit) || self.limit <= (has(self.number) ? self.number : 2)",
        ),
        (AtMost("time", "limit"), None),
        (
            Disjoint("map", "number", 2, "why"),
            "!(has(self.map) && size(self.map) > 0) || (has(self.number) ? self.number : 2) == 2",
        ),
        (Holds("words", lambda _: None, "self.limit > 1"), "self.limit > 1"),
        (Holds("words", lambda _: None), None),
    ],
)
def test_rules_as_cel(rule: Rule, expected: str | None) -> None:
    """Each kind of rule has its CEL, with the reader's sense of what counts as given."""
    found = [entry["rule"] for entry in validations(Record(RECORD.fields, (rule,)))]
    assert found == ([] if expected is None else [expected])


def test_types_as_openapi() -> None:
    """Each type of the schema has its OpenAPI, and only real defaults are published."""
    record = Record(
        (
            Field("choice", Choice(("a", "")), "Doc.", default="a"),
            Field("any", Opaque()),
            Field("map", MapOf(Boolean()), default={}),
            Field("texts", ListOf(Text(max_length=3, min_length=1), 1, 2, unique=True)),
            Field("zero", Integer(-5, 2**40), default=0),
            Field("meaning", Parsed("a time", int), required=True),
        )
    )
    assert properties(record, Extras(atomic=frozenset({""}))) == {
        "type": "object",
        "properties": {
            "choice": {
                "description": "Doc.",
                "type": "string",
                "enum": ["a", ""],
                "default": "a",
            },
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "texts": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "items": {"type": "string", "maxLength": 3, "minLength": 1},
                "x-kubernetes-list-type": "set",
            },
            "zero": {"type": "integer", "format": "int64", "minimum": -5, "maximum": 2**40},
            "meaning": {"type": "string"},
        },
        "required": ["meaning"],
        "x-kubernetes-map-type": "atomic",
    }
