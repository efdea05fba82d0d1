"""The manifests under deploy/manifests, read, and the rights that their roles give."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DIRECTORY = Path(__file__).parents[3] / "deploy" / "manifests"
BASE = DIRECTORY / "base"
OVERLAYS = ("bgp-only", "layer2-only")
NAMESPACE = "metallb-system"
CONTROLLER, SPEAKER = "orchestrator-controller", "orchestrator-speaker"
ACCOUNTS = (CONTROLLER, SPEAKER)


class Right(NamedTuple):
    """A verb on a resource (`GROUP/RESOURCE[/SUBRESOURCE]`): everywhere, in our namespace, or one object."""

    verb: str
    resource: str
    everywhere: bool
    name: str = ""


def documents() -> Iterator[dict[str, Any]]:
    """All objects of the base, in the order of its kustomization."""
    (kustomization,) = yaml.safe_load_all((BASE / "kustomization.yaml").read_text("utf-8"))
    for name in kustomization["resources"]:
        yield from yaml.safe_load_all((BASE / name).read_text("utf-8"))


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    """Those of some kinds."""
    return [one for one in documents() if one["kind"] in kinds]


def granted(account: str) -> list[Right]:
    """Return what the bindings give to a service account; what is given twice is there twice."""
    roles = {(one["kind"], one["metadata"]["name"]): one for one in of_kind("Role", "ClusterRole")}
    found: list[Right] = []
    for binding in of_kind("RoleBinding", "ClusterRoleBinding"):
        if account in [one["name"] for one in binding["subjects"]]:
            role = roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]]
            everywhere = binding["kind"] == "ClusterRoleBinding"
            for rule in role["rules"]:
                found += rights_of(rule, everywhere=everywhere)
    return found


def rights_of(rule: dict[str, Any], *, everywhere: bool) -> list[Right]:
    """Take a rule apart."""
    names = rule.get("resourceNames", [""])
    parts = product(rule["verbs"], rule["apiGroups"], rule["resources"], names)
    return [
        Right(verb, f"{group}/{resource}", everywhere, name)
        for verb, group, resource, name in parts
    ]
