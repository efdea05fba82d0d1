"""What commands show, without what differs from run to run: ages, addresses of clusters, MACs, widths."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise

LIMIT_S = 60
_ALWAYS = {"AGE": "1m", "TOLD": "30s", "LAST SEEN": "1m", "CLUSTER-IP": "10.96.0.10"}
"""Columns whose cells are another time's -> what stands there in the document."""
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_SOME_MAC = "02:00:5e:00:53:01"
_GAP = 3
_HEADING = re.compile(r"\S+(?: \S+)*")
_MESSAGE = "No resources found"


def shown(commands: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run command lines and return them with what they print, as a person would see it."""
    return "\n\n".join(f"$ {line}\n{_output(line, environment)}" for line in commands)


def _output(line: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        line.split(),
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    text = _MAC.sub(_SOME_MAC, done.stdout + done.stderr)
    return (tabled(text) if line.startswith("kubectl get ") else text).strip()


def tabled(text: str) -> str:
    """Lay a table of kubectl's out anew, by what stays the same in it; lines in order."""
    first, *rest = text.rstrip().split("\n")
    if first.startswith(_MESSAGE):
        return first
    headings = list(_HEADING.finditer(first))
    starts = [found.start() for found in headings]
    names = [found[0] for found in headings]
    rows = sorted(_cells(line, names, starts) for line in rest)
    return "\n".join(_laid_out([names, *rows]))


def _cells(line: str, names: Sequence[str], starts: Sequence[int]) -> list[str]:
    cells = [line[start:end].strip() for start, end in pairwise([*starts, len(line)])]
    return [
        _ALWAYS.get(name, cell) if cell else cell for name, cell in zip(names, cells, strict=True)
    ]


def _laid_out(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) + _GAP for column in zip(*rows, strict=True)]
    return [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
