"""What the roles watch and write is what our definitions serve."""

from __future__ import annotations

from orchestrator.config.publish.definitions import definitions
from orchestrator.kube import resources
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    watched_by_controller,
    watched_by_speaker,
    written_by_nodes,
)

OURS = "lb"
ALL = [value for value in vars(resources).values() if isinstance(value, Resource)]


def test_ours_are_the_stored_versions() -> None:
    """Each resource of our groups has the names and the stored version of its definition."""
    stored = {
        (
            made["spec"]["group"],
            next(one["name"] for one in made["spec"]["versions"] if one["storage"]),
            made["spec"]["names"]["plural"],
            made["spec"]["names"]["kind"],
        )
        for made in definitions()
    }
    used = {(one.group, one.version, one.plural, one.kind) for one in ALL}
    mine = {one for one in used if one[0] in {"metallb.io", "orchestrator.io"}}
    unread = {"VirtualIP", "VirtualRouter"}
    assert mine == {one for one in stored if one[3] not in unread}


def test_ours_are_looked_for_in_our_namespace() -> None:
    """Configuration and Secrets are watched in one namespace, what the cluster has in all."""
    for watched in (watched_by_speaker(OURS), watched_by_controller(OURS)):
        everywhere = {one.plural for one in watched if one.namespace is None}
        assert everywhere == {"services", "endpointslices", "nodes", "namespaces"}
        assert {one.namespace for one in watched} == {None, OURS}
    assert {one.namespace for one in written_by_nodes(OURS)} == {OURS}


def test_the_controller_has_no_interfaces_to_leave_out() -> None:
    """Both roles watch the same, but for the ConfigMap that is about a node's interfaces."""
    more = set(watched_by_speaker(OURS)) - set(watched_by_controller(OURS))
    assert {(one.kind, one.field_selector) for one in more} == {
        ("ConfigMap", "metadata.name=metallb-excludel2")
    }
    assert set(watched_by_controller(OURS)) < set(watched_by_speaker(OURS))
