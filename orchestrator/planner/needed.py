"""Which roles a configuration needs beside the speaker (DESIGN 2)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.model.plan import Plan
from orchestrator.model.policy import Policy


def needed(plan: Plan, policy: Policy) -> frozenset[str]:
    """Name the roles without which something of `plan` or `policy` would not be done."""
    return frozenset(_needed(plan, policy))


def _needed(plan: Plan, policy: Policy) -> Iterator[str]:
    routers = policy.virtual_routers
    if policy.peers:
        yield "exabgp"
    if policy.l2_advertisements or routers:
        yield "layer2"
    if plan.bindings or any(router.bind is not None or router.virtual_mac for router in routers):
        yield "addresses"
