"""The manifests ask for what the roles need, no more, and start them as they can be started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import orchestrator
from orchestrator.cli.main import main
from orchestrator.cli.options import DEFAULT_HTTP
from tests.unit.deploy.asked import asked
from tests.unit.deploy.manifests import (
    ACCOUNTS,
    BASE,
    CONTROLLER,
    DIRECTORY,
    NAMESPACE,
    OVERLAYS,
    SPEAKER,
    documents,
    granted,
    of_kind,
)

FILES = sorted(DIRECTORY.rglob("*.yaml"))
POD_OWNERS = {"Deployment": CONTROLLER, "DaemonSet": SPEAKER}
WRITTEN_ANYWHERE = {("patch", "services/status"), ("create", "events")}
NOT_OURS = {"install"}
"""Programs of the image's distribution."""


def pod(kind: str) -> dict[str, Any]:
    """The pods' specification of a Deployment or DaemonSet."""
    (owner,) = of_kind(kind)
    found: dict[str, Any] = owner["spec"]["template"]["spec"]
    return found


def containers(*, first: bool = True) -> dict[str, dict[str, Any]]:
    """All containers by name, with those that run `first`."""
    pods = [pod(kind) for kind in POD_OWNERS]
    lists = [one["containers"] for one in pods]
    lists += [one.get("initContainers", []) for one in pods] if first else []
    return {one["name"]: one for found in lists for one in found}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DIRECTORY)))
def test_every_document_says_what_it_is(path: Path) -> None:
    """Each file is YAML, and each document in it an object of Kubernetes or of kustomize."""
    found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert found
    assert all(one["apiVersion"] and one["kind"] for one in found)


def test_the_base_has_every_file() -> None:
    """No file beside the kustomization is left out of it."""
    named = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted(named) == sorted(one.name for one in BASE.glob("*.yaml") if one.name[0] != "k")


def test_everything_is_in_one_namespace() -> None:
    """Objects of a namespace are in ours."""
    whole = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
    homes = {one["metadata"].get("namespace") for one in documents() if one["kind"] not in whole}
    assert homes == {NAMESPACE}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_rights_are_those_that_the_code_asks_for(account: str) -> None:
    """A role may do what it watches and writes, and nothing else; each right is given once."""
    given = granted(account)
    assert set(given) == asked(account)
    assert len(given) == len(set(given))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_nothing_is_granted_at_large(account: str) -> None:
    """No wildcard; outside of our namespace only Services' status and Events may be written."""
    for right in granted(account):
        assert "*" not in right.verb + right.resource
        if right.everywhere:
            group, _, resource = right.resource.partition("/")
            assert group in {"", "discovery.k8s.io"}
            assert resource != "secrets"
            if right.verb not in {"list", "watch"}:
                assert (right.verb, resource) in WRITTEN_ANYWHERE
                assert account == CONTROLLER


@pytest.mark.parametrize("kind", POD_OWNERS)
def test_pods_run_as_their_own_account(kind: str) -> None:
    """A pod has the account of its role."""
    assert pod(kind)["serviceAccountName"] == POD_OWNERS[kind]


def test_only_the_speaker_of_a_node_has_a_token() -> None:
    """The containers that hold sessions or raw sockets cannot ask the API server anything."""
    assert pod("DaemonSet")["automountServiceAccountToken"] is False
    holders = {
        name
        for name, one in containers().items()
        if "account" in [volume["name"] for volume in one["volumeMounts"]]
    }
    assert holders == {"speaker"}


@pytest.mark.parametrize("name", containers())
def test_command_lines_are_taken(name: str) -> None:
    """Each container's command is a role, with options that it has."""
    program, role, *options = containers()[name]["command"]
    if program in NOT_OURS:
        return
    assert (program, role) == ("orchestrator", name)
    command = main.get_command(click.Context(main), role)
    assert command is not None
    context = command.make_context(role, options)
    assert context.args == []


@pytest.mark.parametrize("name", containers())
def test_variables_are_those_that_are_read(name: str) -> None:
    """Each variable is one of an option of the role, or the pod's name for the API server."""
    program, role, *_ = containers()[name]["command"]
    if program in NOT_OURS:
        assert "env" not in containers()[name]
        return
    command = main.get_command(click.Context(main), role)
    assert command is not None
    read = {"POD_NAME"}
    for option in command.params:
        named = option.envvar or []
        read |= {named} if isinstance(named, str) else set(named)
    assert {one["name"] for one in containers()[name].get("env", [])} <= read


def test_probes_ask_where_the_speaker_answers() -> None:
    """Probes are made of the address that the speaker serves, and of no role that serves none."""
    probed = {name: one for name, one in containers().items() if "livenessProbe" in one}
    assert list(probed) == ["speaker"]
    speaker = probed["speaker"]
    assert DEFAULT_HTTP in speaker["command"]
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked_for = speaker[probe]["httpGet"]
        assert f"{asked_for['host']}:{asked_for['port']}" == DEFAULT_HTTP
        assert asked_for["path"] == path


def test_capabilities() -> None:
    """All are dropped, none comes back but layer2's, and nobody gains any on the way."""
    added = {}
    for name, one in containers().items():
        context = one["securityContext"]
        assert context["capabilities"]["drop"] == ["ALL"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        added[name] = context["capabilities"].get("add", [])
    assert added.pop("layer2") == ["NET_RAW", "IPC_LOCK", "SYS_NICE"]
    assert not any(added.values())


def test_users() -> None:
    """Root are layer2, since a capability needs it, and what makes the directory; all are one group."""
    root = {n for n, one in containers().items() if one["securityContext"].get("runAsUser") == 0}
    assert root == {"layer2", "state"}
    for kind in POD_OWNERS:
        context = pod(kind)["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] != 0


def test_roles_of_a_node_share_a_directory_in_memory() -> None:
    """The roles of a node meet in one directory, which goes with the pod."""
    (runtime,) = [one for one in pod("DaemonSet")["volumes"] if one["name"] == "runtime"]
    assert runtime["emptyDir"] == {"medium": "Memory"}
    places = {
        mount["mountPath"]
        for one in containers(first=False).values()
        for mount in one["volumeMounts"]
        if mount["name"] == "runtime"
    }
    assert places == {"/run/orchestrator"}


def test_the_image_is_of_this_version() -> None:
    """The tag is set in one place, to the version that the manifests are of."""
    (image,) = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert image == {"name": "orchestrator", "newTag": orchestrator.__version__}
    assert {one["image"] for one in containers().values()} == {"orchestrator"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays_take_one_container_away(name: str) -> None:
    """An overlay deletes a container that is there."""
    path = DIRECTORY / "overlays" / name / "kustomization.yaml"
    (patch,) = yaml.safe_load(path.read_text(encoding="utf-8"))["patches"]
    document = yaml.safe_load(patch["patch"])
    (gone,) = document["spec"]["template"]["spec"]["containers"]
    assert gone["$patch"] == "delete"
    assert gone["name"] in containers(first=False)
    assert document["metadata"]["name"] == SPEAKER
