"""Words of a foreign configuration: numbers and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

_NUMBER = re.compile(r"[-+]?[0-9]{1,12}(?:\.[0-9]{1,9})?")
_NEEDS_SHELL = re.compile(r"[|&;<>()$`*?~]")


def number(words: Sequence[str]) -> float | None:
    """Return the first word as a number; None when it is none."""
    if not words or not _NUMBER.fullmatch(words[0]):
        return None
    return float(words[0])


def command(text: str, *, arguments: bool = False) -> list[str]:
    """Split a command into program and arguments; one that needs a shell or PATH gets one.

    With `arguments` the shell passes on those that are added later.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if words and words[0].startswith("/") and not _NEEDS_SHELL.search(text):
        return words
    return ["/bin/sh", "-c", f'{text} "$@"', "sh"] if arguments else ["/bin/sh", "-c", text]


def is_true(text: str) -> bool:
    """Tell whether a text is one of Go's words for true."""
    return text in ("1", "t", "T", "true", "True", "TRUE")
