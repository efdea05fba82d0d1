"""What the reader and the API server say about one object."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.publish.publication import PUBLISHED
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.schema import ListOf, Parsed, Record, Type
from orchestrator.config.source import Source
from orchestrator.lab.apiserver import Answer, ApiServer
from orchestrator.model.problem import Problem, Severity

NAMESPACE = "metallb-system"
STRICT = "dryRun=All&fieldValidation=Strict"


def whole(made: dict[str, Any]) -> dict[str, Any]:
    """Put an object into the configuration's namespace."""
    return {**made, "metadata": {**made["metadata"], "namespace": NAMESPACE}}


def reading_of(made: dict[str, Any]) -> Reading:
    """Read one object."""
    return read([Source("f", json.dumps(whole(made)).encode())], namespace=NAMESPACE)


def readers_errors(made: dict[str, Any]) -> list[Problem]:
    """Return what the reader refuses an object for."""
    problems = reading_of(made).problems
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def collection(made: dict[str, Any]) -> str:
    """Return the path that objects of this kind are created at."""
    plural = PUBLISHED[made["kind"]].plural
    return f"/apis/{made['apiVersion']}/namespaces/{NAMESPACE}/{plural}"


def servers_answer(server: ApiServer, made: dict[str, Any]) -> Answer:
    """Ask the server to create an object, without doing so."""
    return server.request("POST", f"{collection(made)}?{STRICT}", whole(made))


class Beyond(NamedTuple):
    """Something that the API server lets pass, and why it is left to the reader."""

    code: str
    path: str
    why: str


BEYOND = (
    Beyond("invalidCommunity", r".*", "whether a text is a community or an alias"),
    Beyond("duplicateAlias", r".*", "OpenAPI compares whole items, not one field of them"),
    Beyond("overlappingRanges", r".*", "what an address range holds"),
    Beyond(
        "notPossible",
        r"spec\.(vrf|dynamicASN|interface)",
        "ExaBGP cannot do it, but MetalLB accepts the object, and its users' files must install",
    ),
    Beyond("badKey", r".*matchLabels\..*", "OpenAPI has no limits on the keys of a mapping"),
    Beyond("invalidValue", r"spec\.notify\[0\]", "only the first item is a path"),
    Beyond("invalidValue", r"spec\.track\[\d+\]\.command\[0\]", "only the first item is a path"),
    Beyond("invalidValue", r"spec\.check\.exec\.command\[0\]", "only the first item is a path"),
)
"""What the server cannot know, besides the meaning of texts (`Parsed`: addresses, durations ...)."""


def left_to_the_reader(made: dict[str, Any], problem: Problem) -> bool:
    """Tell whether the server cannot know of a problem."""
    if problem.code == "invalidValue" and isinstance(_type_at(made, problem.path), Parsed):
        return True
    return any(
        problem.code == beyond.code and re.fullmatch(beyond.path, problem.path) for beyond in BEYOND
    )


def _type_at(made: dict[str, Any], path: str) -> Type | None:
    group, _, version = made["apiVersion"].rpartition("/")
    kind = kind_of(group, version, made["kind"])
    assert kind is not None
    wanted: Type | None = kind.body
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(wanted, ListOf):
            wanted = wanted.item
        elif isinstance(wanted, Record):
            wanted = next((one.type for one in wanted.fields if one.name == step), None)
    return wanted
