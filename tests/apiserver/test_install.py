"""Our definitions install over looser ones with a conversion webhook, and those over ours."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.config.publish.definitions import definitions
from orchestrator.lab.apiserver import Answer, ApiServer
from tests.apiserver.conftest import DEFINITIONS, install
from tests.apiserver.verdicts import NAMESPACE

Replacing = Callable[[ApiServer, dict[str, Any]], Answer]
PEER = {"myASN": 64500, "peerASN": 64501, "peerAddress": "192.0.2.1"}


def moved(group: str) -> dict[str, Any]:
    """Our definition of BGPPeer in a group of its own, so that it is nobody else's."""
    own = next(made for made in definitions() if made["metadata"]["name"] == "bgppeers.metallb.io")
    made = copy.deepcopy(own)
    made["metadata"]["name"] = f"bgppeers.{group}"
    made["spec"]["group"] = group
    return made


def looser(definition: dict[str, Any]) -> dict[str, Any]:
    """Make a definition that takes every spec, and asks a webhook to convert."""
    made = copy.deepcopy(definition)
    for version in made["spec"]["versions"]:
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": spec}}
    service = {"namespace": NAMESPACE, "name": "webhook", "path": "/convert"}
    made["spec"]["conversion"] = {
        "strategy": "Webhook",
        "webhook": {
            "conversionReviewVersions": ["v1beta1", "v1beta2"],
            "clientConfig": {"service": service},
        },
    }
    return made


def replace(server: ApiServer, definition: dict[str, Any]) -> Answer:
    """As `kubectl replace`."""
    path = f"{DEFINITIONS}/{definition['metadata']['name']}"
    version = server.request("GET", path).body["metadata"]["resourceVersion"]
    metadata = {**definition["metadata"], "resourceVersion": version}
    return server.request("PUT", path, {**definition, "metadata": metadata})


def patch(server: ApiServer, definition: dict[str, Any]) -> Answer:
    """As `kubectl apply` where nobody noted what was applied before."""
    path = f"{DEFINITIONS}/{definition['metadata']['name']}"
    return server.request("PATCH", path, definition, kind="merge-patch+json")


@pytest.mark.parametrize("replacing", [replace, patch])
def test_over_and_back(server: ApiServer, replacing: Replacing) -> None:
    """An object that was there before stays as it was through both changes."""
    group = f"{replacing.__name__}.example"
    ours = moved(group)
    theirs = looser(ours)
    install(server, theirs)
    path = f"/apis/{group}/v1beta2/namespaces/{NAMESPACE}/bgppeers"
    made = {
        "apiVersion": f"{group}/v1beta2",
        "kind": "BGPPeer",
        "metadata": {"name": "a"},
        "spec": PEER,
    }
    assert server.request("POST", path, made).status == 201
    assert replacing(server, ours).status == 200
    under_ours = server.request("GET", f"{path}/a").body["spec"]
    assert PEER.items() <= under_ours.items()
    assert replacing(server, theirs).status == 200
    under_theirs = server.request("GET", f"{path}/a").body["spec"]
    assert PEER.items() <= under_theirs.items()


def test_old_version_is_stored_as_the_new_one(server: ApiServer) -> None:
    """A BGPPeer written as v1beta1 is found as v1beta2 with all its fields, and the other way."""
    spec = {**PEER, "holdTime": "30s", "ebgpMultiHop": True, "password": "x"}
    made = {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "BGPPeer",
        "metadata": {"name": "converted"},
        "spec": spec,
    }
    place = f"namespaces/{NAMESPACE}/bgppeers"
    assert server.request("POST", f"/apis/metallb.io/v1beta1/{place}", made).status == 201
    for version in ("v1beta1", "v1beta2"):
        found = server.request("GET", f"/apis/metallb.io/{version}/{place}/converted").body
        assert spec.items() <= found["spec"].items()
        assert found["apiVersion"] == f"metallb.io/{version}"
    path = f"/apis/metallb.io/v1beta2/{place}/converted"
    assert server.request("DELETE", path).status == 200
