"""A node is drained under a client that opens a connection each 5 ms: what becomes of connections."""

from __future__ import annotations

import pytest

from orchestrator.lab.kube_topology import NODES
from tests.lab.kubernetes.drained import HELD, Drained, on_segment, routed
from tests.lab.kubernetes.scene import Scene
from tests.lab.polling import IN_LONG


def no_new_one_failed(drained: Drained) -> None:
    """Every new connection was opened at once; only one open at the change of way may be cut."""
    seen = drained.seen
    assert seen.failed == []
    assert seen.again == []
    assert [one for one in seen.cut if float(one["at"]) > drained.changed] == []
    assert sum(seen.by.values()) == seen.sent - len(seen.cut) > 0


@pytest.mark.parametrize("resilient", [True, False], ids=["resilient", "plain"])
def test_routed_address(scene: Scene, resilient: bool) -> None:
    """No new connection fails; with resilient hashing none through another node breaks either.

    Those through the drained node break as soon as the router sends them elsewhere.
    """
    drained = routed(scene, 1 if resilient else 2, resilient=resilient, to_the_end=IN_LONG)
    no_new_one_failed(drained)
    assert len(drained.seen.held) == len(NODES)
    broken, held = drained.through_it
    assert broken == held > 0
    if resilient:
        assert drained.through_others[0] == 0


def test_address_of_the_segment(scene: Scene) -> None:
    """On layer 2 the owner hands over without a failed new connection; those through it break."""
    drained = on_segment(scene)
    no_new_one_failed(drained)
    assert drained.through_it == (HELD, HELD)
