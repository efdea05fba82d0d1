"""What only a trusted local file may say: commands and paths of this host (DESIGN 10, 13)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.config.faults import Faults, shown
from orchestrator.config.schema import ListOf, Text
from orchestrator.config.tree import Path

UNTRUSTED_HINT = "move the object to a local file of root or the service's user, not world-writable"
ABSOLUTE = Text("an absolute path", re.compile(r"/[^\x00-\x1f\x7f]*"), 4096)
COMMAND = ListOf(Text("text", re.compile(r"[^\x00]*"), 4096), min_items=1, max_items=100)
"""A program and its arguments; `check_program` looks at the first."""


def refuse_untrusted(path: Path, name: str, faults: Faults) -> None:
    """Refuse the value at `path`, which came from elsewhere."""
    message = f"{name} is taken only from a trusted local file"
    faults.add(path, message, "untrusted", hint=UNTRUSTED_HINT)


def check_program(command: Sequence[str], path: Path, faults: Faults) -> None:
    """Refuse a program that would have to be searched for."""
    if not command[0].startswith("/"):
        message = f"{shown(command[0])} is not an absolute path"
        faults.add((*path, 0), message, "invalidValue", hint="there is no PATH and no shell")
