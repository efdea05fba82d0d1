"""Notify commands get keepalived's arguments."""

from __future__ import annotations

import pytest

from orchestrator.layer2.actions import Became, RouterState
from orchestrator.layer2.routers.notify import notify_arguments
from tests.unit.layer2.routers.virtual_router_playbook import router


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (RouterState.INIT, "STOP"),
        (RouterState.BACKUP, "BACKUP"),
        (RouterState.MASTER, "MASTER"),
        (RouterState.FAULT, "FAULT"),
    ],
)
def test_arguments_are_kind_name_state_and_priority(state: RouterState, word: str) -> None:
    """`PROGRAM ARGUMENTS INSTANCE NAME STATE PRIORITY`, as a script written for keepalived wants."""
    became = Became("gw", RouterState.FAULT, state, 120, "")
    given = notify_arguments(router(notify=("/etc/notify", "-v")), became)
    assert given == ("/etc/notify", "-v", "INSTANCE", "gw", word, "120")


def test_without_a_command_nothing_is_run() -> None:
    """No notify, no arguments."""
    became = Became("gw", RouterState.BACKUP, RouterState.MASTER, 120, "")
    assert notify_arguments(router(), became) == ()
