"""`explain` for an address of a virtual router: VRRP decides about it, not the plan."""

from __future__ import annotations

from orchestrator.model.layer2_report import Layer2Report, RouterReport
from orchestrator.model.plan import Protocol, Reason
from orchestrator.planner.explain import Explanation, NodeExplanation
from orchestrator.planner.step import Step, broken, good

ROUTER_NAMESPACE = "virtualrouter"
"""What stands before the name of a virtual router where a Service is named."""
_WHY_NOT = {
    "backup": Reason.NOT_OWNER,
    "fault": Reason.UNHEALTHY,
    "init": Reason.NOT_SENT,
}


def explain_router(report: Layer2Report, target: str, node: str) -> Explanation | None:
    """Explain `target` (an address, or virtualrouter/NAME); None when no virtual router has it."""
    for router in report.routers:
        name = f"{ROUTER_NAMESPACE}/{router.name}"
        if target == name or target in router.addresses:
            step = _state(router)
            chain = NodeExplanation(node, Protocol.LAYER2, (step,))
            shown = target if target == name else f"{target} ({name})"
            return Explanation(target, (chain,), f"{shown} {_answer(step, node)}")
    return None


def _state(router: RouterReport) -> Step:
    why = f": {router.reason}" if router.reason else ""
    text = f"{router.state} on {router.interface}{why}"
    if router.state == "master":
        return good("elected", text)
    if router.master is not None:
        text += f"; {router.master} is master"
    return broken("elected", _WHY_NOT[router.state], text)


def _answer(step: Step, node: str) -> str:
    if step.ok:
        return f"is announced by {node} on layer 2."
    return f"is not announced by {node}: {step.message} ({step.reason.value})."
