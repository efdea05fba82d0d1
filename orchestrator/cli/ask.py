"""Asking the outside world from a command: what cannot be done becomes one line and status 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orchestrator.adapters.errors import AdapterError
from orchestrator.cli.failure import fail

T = TypeVar("T")


def ask(question: Callable[[], T]) -> T:
    """Return the answer to `question`; an `AdapterError` ends the process with its words."""
    try:
        return question()
    except AdapterError as error:
        fail(error.place, error.message)
