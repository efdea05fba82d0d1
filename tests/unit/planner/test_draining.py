"""Which nodes drain, in which order, and what those that wait are told."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.cluster import Cluster, Node
from orchestrator.model.policy import Policy
from orchestrator.model.settings import Settings
from orchestrator.planner.draining import CORDONED, asked_to_drain, in_turn, problems

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
BY_CORDON = Settings(drain_on_cordon=True)
NODES = (
    Node("a", cordoned=True),
    Node("b", drain=NEW),
    Node("c", cordoned=True),
    Node("d", drain=OLD, cordoned=True),
    Node("e"),
)


def since(node: str, settings: Settings) -> str | None:
    """Since when a node is to drain."""
    cluster = Cluster(nodes={one.name: one for one in NODES})
    asked = asked_to_drain(cluster, Policy(settings=settings), node)
    return None if asked is None else asked.since


def test_a_cordon_means_nothing_unless_it_is_asked_for() -> None:
    """By default annotated nodes drain only, the oldest first."""
    assert in_turn(NODES, Settings()) == (["d"], ["b"])
    assert since("a", Settings(max_draining=9)) is None
    assert since("d", Settings()) == OLD


def test_cordoned_nodes_come_after_annotated_ones() -> None:
    """Where a cordon counts, cordoned nodes have their turn last, by name, and count as the others."""
    assert in_turn(NODES, BY_CORDON) == (["d"], ["b", "a", "c"])
    three = Settings(drain_on_cordon=True, max_draining=3)
    assert in_turn(NODES, three) == (["d", "b", "a"], ["c"])
    assert [since(node, three) for node in "abcdex"] == [CORDONED, NEW, None, OLD, None, None]


def test_who_waits_is_told_by_what_it_asks() -> None:
    """The problem of a node that waits names the annotation, or the cordon."""
    assert [(one.object, one.path) for one in problems(iter(NODES), BY_CORDON)] == [
        ("Node b", "metadata.annotations.orchestrator.io/drain"),
        ("Node a", "spec.unschedulable"),
        ("Node c", "spec.unschedulable"),
    ]


def _nodes() -> Iterator[st.SearchStrategy[Node]]:
    for name in "abcdef":
        yield st.builds(
            Node,
            st.just(name),
            drain=st.sampled_from([None, OLD, NEW]),
            cordoned=st.booleans(),
        )


@given(st.tuples(*_nodes()), st.integers(1, 7), st.booleans())
def test_every_node_that_asks_drains_or_waits(
    nodes: tuple[Node, ...], most: int, by_cordon: bool
) -> None:
    """Never more drain than may, none waits needlessly, and who waits is not older than who drains."""
    draining, waiting = in_turn(nodes, Settings(max_draining=most, drain_on_cordon=by_cordon))
    asked = {one.name for one in nodes if one.drain is not None or (by_cordon and one.cordoned)}
    assert {*draining, *waiting} == asked
    assert len(draining) == min(most, len(asked))
    times = {one.name: (one.drain is None, one.drain or "") for one in nodes}
    assert all(times[first] <= times[second] for first in draining for second in waiting)
