"""The txtar format: a comment, then files, each behind a line `-- NAME --`.

The format is Go's (golang.org/x/tools/txtar); this reader is our own and takes all of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MARKER = re.compile(r"^-- (\S(?:.*\S)?) --[ \t]*$")


@dataclass(frozen=True)
class Archive:
    """A comment, and texts by name in their order."""

    comment: str
    files: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Archive:
    """Split an archive. ValueError for two files of one name: the format would let it pass."""
    comment: list[str] = []
    files: dict[str, list[str]] = {}
    current = comment
    for line in text.splitlines(keepends=True):
        marker = MARKER.match(line.rstrip("\n"))
        if marker is None:
            current.append(line)
        elif marker[1] in files:
            raise ValueError(f"two files are named {marker[1]}")
        else:
            current = files[marker[1]] = []
    return Archive("".join(comment), {name: "".join(lines) for name, lines in files.items()})
