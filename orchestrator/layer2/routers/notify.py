"""The arguments of notify commands, by keepalived's convention."""

from __future__ import annotations

from orchestrator.layer2.actions import Became, RouterState
from orchestrator.model.virtual_router import VirtualRouter

_WORDS = {
    RouterState.INIT: "STOP",
    RouterState.BACKUP: "BACKUP",
    RouterState.MASTER: "MASTER",
    RouterState.FAULT: "FAULT",
}


def notify_arguments(router: VirtualRouter, became: Became) -> tuple[str, ...]:
    """Return program and arguments to run: `... INSTANCE NAME STATE PRIORITY`; () for none."""
    if not router.notify:
        return ()
    state, priority = _WORDS[became.new], str(became.priority)
    return (*router.notify, "INSTANCE", router.name, state, priority)
