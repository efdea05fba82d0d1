"""`explain` knows the addresses of virtual routers (DESIGN 8.2)."""

from __future__ import annotations

import pytest

from orchestrator.model.layer2_report import Layer2Report, RouterReport
from orchestrator.model.plan import Reason
from orchestrator.planner.explain import Explanation
from orchestrator.planner.explain_router import explain_router

VIP = "192.0.2.254"


def ask(state: str, target: str = VIP, **fields: str) -> Explanation | None:
    """Explain an address of a router in some state."""
    router = RouterReport(
        "edge", "eth1", 7, 3, state, 1.0, "why", 100, 100, (VIP,), fields.get("master")
    )
    return explain_router(Layer2Report(routers=(router,)), target, "vm1")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("master", Reason.ANNOUNCED),
        ("backup", Reason.NOT_OWNER),
        ("fault", Reason.UNHEALTHY),
        ("init", Reason.NOT_SENT),
    ],
)
def test_each_state_has_a_reason(state: str, reason: Reason) -> None:
    """Only a master announces; the state and its cause are in the message."""
    explanation = ask(state)
    assert explanation is not None
    (chain,) = explanation.nodes
    assert (chain.announced, chain.steps[-1].reason) == (state == "master", reason)
    assert chain.steps[-1].message == f"{state} on eth1: why"


def test_the_answer_names_the_master() -> None:
    """A backup says whom it follows, by address or by name of the router."""
    explanation = ask("backup", master="192.0.2.2")
    assert explanation is not None
    assert explanation.answer == (
        "192.0.2.254 (virtualrouter/edge) is not announced by vm1: "
        "backup on eth1: why; 192.0.2.2 is master (notOwner)."
    )
    named = ask("master", "virtualrouter/edge")
    assert named is not None
    assert named.answer == "virtualrouter/edge is announced by vm1 on layer 2."


def test_other_targets_are_not_found() -> None:
    """An address that no virtual router has, and another name, are not explained."""
    assert ask("master", "192.0.2.1") is None
    assert ask("master", "virtualrouter/other") is None
