"""Command lines of this program."""

from __future__ import annotations

import sys


def orchestrator(command: str) -> list[str]:
    """Return the arguments that run a command of this program with this Python."""
    return [sys.executable, "-m", "orchestrator", command]
