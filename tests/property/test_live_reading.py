"""Objects told of one by one mean what a file with all of them means, after every change."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config.kinds import bgp_peer_v1beta1, config_map
from orchestrator.config.kinds.registry import KINDS
from orchestrator.config.live import LiveObjects
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.schema import Kind, Scope
from orchestrator.config.source import Source
from tests.property.objects_of import objects, stream

HOME = "metallb-system"
SERVED = [kind for kind in KINDS if kind not in (bgp_peer_v1beta1.KIND, config_map.KIND)]
"""Kinds that an API server gives, in the version that it stores."""
Change = tuple[Kind, dict[str, Any], bool]
Key = tuple[str, str, str]


def home_of(kind: Kind) -> str:
    """Where objects of a kind are in this world."""
    if kind.scope is Scope.CLUSTER:
        return ""
    here = kind.scope is Scope.CONFIGURATION or kind.name in ("Secret", "ConfigMap")
    return HOME if here else "default"


def placed(kind: Kind, made: dict[str, Any]) -> dict[str, Any]:
    """Put an object where those of its kind are."""
    namespace = home_of(kind)
    there = {"namespace": namespace} if namespace else {}
    name = made["metadata"]["name"].replace("Not_Good", "d")
    return {**made, "metadata": {**made["metadata"], **there, "name": name}}


def change_of(kind: Kind) -> st.SearchStrategy[Change]:
    """Make a change: an object that comes or changes, or one that goes."""
    return st.tuples(st.just(kind), objects(kind).map(lambda one: placed(kind, one)), st.booleans())


CHANGES = st.lists(
    st.one_of([change_of(kind) for kind in SERVED]),
    min_size=1,
    max_size=12,
)


def wrong(reading: Reading) -> list[tuple[str, ...]]:
    """What is wrong, but for places, which only files have."""
    return sorted(
        (one.object, one.path, one.code, one.severity.value, one.message)
        for one in reading.problems
    )


@given(CHANGES)
@settings(max_examples=150)
def test_a_file_and_single_objects_mean_the_same(changes: list[Change]) -> None:
    """Policy, cluster and problems are equal after each change, last good versions included."""
    live, there = LiveObjects(HOME), dict[Key, dict[str, Any]]()
    always = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "always"}}
    namespaces = next(kind for kind in KINDS if kind.name == "Namespace")
    live.change(namespaces, "v1", [json.dumps(always).encode()], ())
    before: Reading | None = None
    for kind, made, goes in changes:
        name = made["metadata"]["name"]
        key = kind.name, home_of(kind), name
        if goes and key in there:
            del there[key]
            live.change(kind, made["apiVersion"], (), [key[1:]])
        else:
            there[key] = made
            live.change(kind, made["apiVersion"], [json.dumps(made).encode()], ())
        text = stream([always, *there.values()])
        before = read([Source("f", text)], namespace=HOME, previous=before)
        now = live.read()
        assert now.policy == before.policy
        assert now.cluster == before.cluster
        assert wrong(now) == wrong(before)


def test_objects_of_a_list_do_not_say_their_kind() -> None:
    """An object of ours without apiVersion and kind is read as what it was listed as."""
    live = LiveObjects(HOME)
    pools = next(kind for kind in KINDS if kind.name == "IPAddressPool")
    pool = {"metadata": {"name": "a", "namespace": HOME}, "spec": {"addresses": ["192.0.2.0/24"]}}
    live.change(pools, "metallb.io/v1beta1", [json.dumps(pool).encode()], ())
    assert [pool.name for pool in live.read().policy.pools] == ["a"]


def test_what_did_not_change_is_the_same_object() -> None:
    """A Service that comes leaves the policy and the other Services as they are, and is no relinking."""
    live = LiveObjects(HOME)
    services = next(kind for kind in KINDS if kind.name == "Service")
    pools = next(kind for kind in KINDS if kind.name == "IPAddressPool")
    pool = {"metadata": {"name": "a", "namespace": HOME}, "spec": {"addresses": ["192.0.2.0/24"]}}
    live.change(pools, "metallb.io/v1beta1", [json.dumps(pool).encode()], ())
    texts = [json.dumps({"metadata": {"name": name, "namespace": "d"}}).encode() for name in "ab"]
    live.change(services, "v1", texts[:1], ())
    first = live.read()
    live.change(services, "v1", texts, ())
    second = live.read()
    assert second.policy is first.policy
    (key,) = first.cluster.services
    assert second.cluster.services[key] is first.cluster.services[key]
    assert len(second.cluster.services) == 2
    assert live.read() is second
