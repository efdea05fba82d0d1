"""`orchestrator check` and a real API server agree on what is good, wherever the server can know."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orchestrator.config.publish.definitions import definitions
from orchestrator.config.schema import Kind
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.cases import cases
from tests.apiserver.rules import BREAKING, KEEPING
from tests.apiserver.verdicts import (
    collection,
    left_to_the_reader,
    readers_errors,
    reading_of,
    servers_answer,
    whole,
)
from tests.property.objects_of import OURS

BY_KIND = pytest.mark.parametrize("kind", OURS, ids=lambda kind: f"{kind.name}-{kind.versions[0]}")


def made_of(kind: str, version: str, spec: str) -> dict[str, Any]:
    """Make an object of a spec."""
    group = "orchestrator.io" if version == "v1alpha1" else "metallb.io"
    body = {} if spec == "{}" else yaml.safe_load(f"{{{spec}}}")
    metadata = {"name": "a"}
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": body}


@BY_KIND
def test_every_field(server: ApiServer, kind: Kind) -> None:
    """Each field missing, misspelt, of another type, at and beyond its limits: one verdict."""
    for case in cases(kind):
        errors = readers_errors(case.made)
        known = [error for error in errors if not left_to_the_reader(case.made, error)]
        answer = servers_answer(server, case.made)
        said = (case.name, errors[:1], answer.message)
        assert answer.status in (201, 400, 422), said
        if known or not errors:
            assert (answer.status == 201) is (not errors), said


@pytest.mark.parametrize(
    ("kind", "version", "spec"), [(*key, spec) for key, specs in BREAKING.items() for spec in specs]
)
def test_broken_rules(server: ApiServer, kind: str, version: str, spec: str) -> None:
    """What breaks a rule between fields is refused by both."""
    made = made_of(kind, version, spec)
    assert readers_errors(made)
    assert servers_answer(server, made).status in (400, 422)


@pytest.mark.parametrize(
    ("kind", "version", "spec"), [(*key, spec) for key, specs in KEEPING.items() for spec in specs]
)
def test_kept_rules(server: ApiServer, kind: str, version: str, spec: str) -> None:
    """What keeps the rules between fields is accepted by both."""
    made = made_of(kind, version, spec)
    assert readers_errors(made) == []
    answer = servers_answer(server, made)
    assert answer.status == 201, answer.message


def test_every_rule_is_tried(server: ApiServer) -> None:
    """Each rule that is published refuses something here, and says which rule it is."""
    said: dict[tuple[str, str], str] = {}
    for (kind, version), specs in BREAKING.items():
        answers = (servers_answer(server, made_of(kind, version, spec)) for spec in specs)
        said[kind, version] = " ".join(answer.message for answer in answers)
    for definition in definitions():
        kind = definition["spec"]["names"]["kind"]
        for version in definition["spec"]["versions"]:
            spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
            for message in messages(spec):
                assert message in said[kind, version["name"]], (kind, message)


def messages(schema: Any) -> set[str]:
    """Messages of the rules inside a schema, but for those about changes."""
    if isinstance(schema, list):
        return {message for item in schema for message in messages(item)}
    if not isinstance(schema, dict):
        return set()
    rules = schema.get("x-kubernetes-validations", [])
    own = {rule["message"] for rule in rules if "oldSelf" not in rule["rule"]}
    return own | {message for item in schema.values() for message in messages(item)}


def test_graceful_restart_keeps_its_value(server: ApiServer) -> None:
    """As with MetalLB, enableGracefulRestart cannot be changed; other fields can."""
    made = whole(made_of("BGPPeer", "v1beta2", KEEPING["BGPPeer", "v1beta2"][0]))
    made["spec"]["enableGracefulRestart"] = True
    made["metadata"]["name"] = "restarting"
    assert server.request("POST", collection(made), made).status == 201
    path = f"{collection(made)}/restarting"
    patched = server.request("PATCH", path, {"spec": {"peerPort": 1179}}, kind="merge-patch+json")
    assert patched.status == 200
    changed = {"spec": {"enableGracefulRestart": False}}
    refused = server.request("PATCH", path, changed, kind="merge-patch+json")
    server.request("DELETE", path)  # the controller's tests read every peer
    assert refused.status == 422
    assert "cannot be changed" in refused.message


def test_null_is_absent(server: ApiServer) -> None:
    """A field that is null counts as left out, with a default and without."""
    made = made_of("BGPPeer", "v1beta2", KEEPING["BGPPeer", "v1beta2"][0])
    made["spec"].update({"peerPort": None, "holdTime": None})
    answer = servers_answer(server, made)
    assert answer.status == 201
    assert answer.body["spec"]["peerPort"] == 179
    assert "holdTime" not in answer.body["spec"]
    assert readers_errors(made) == []


def test_defaults_are_the_readers(server: ApiServer) -> None:
    """What the server makes of an object means what the object meant before."""
    for (kind, version), specs in KEEPING.items():
        for spec in specs:
            made = made_of(kind, version, spec)
            written = servers_answer(server, made).body
            assert meaning(written) == meaning(made), spec


def meaning(made: dict[str, Any]) -> Any:
    """Values of the one object that is in force."""
    reading = reading_of({**made, "metadata": {"name": made["metadata"]["name"]}})
    return [good.value for good in reading.good.values()]
