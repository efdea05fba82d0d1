"""Processes that a bench watches: which belong together, their time and their memory."""

from __future__ import annotations

import os
import re
from pathlib import Path


def family(top: int) -> dict[str, int]:
    """Return a process and its descendants by name; of those of one name the youngest."""
    return {_name(pid): pid for pid in tree(top)}


def tree(top: int) -> list[int]:
    """Return the process ids of a process and all its descendants."""
    parents = dict(_parents())
    found = {top}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def speaking(top: int) -> int:
    """Return the process that sends hellos or adverts: our layer2, or keepalived's youngest."""
    return family(top).get("layer2") or tree(top)[-1]


def cpu_s(pid: int) -> float:
    """User and system time of a process and of the children it has waited for (checks)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> tuple[float, float]:
    """Resident memory of a process, and what of it is private."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = {name: int(size) for name, size in re.findall(r"(\w+): +(\d+) kB", text)}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return sizes["Rss"] / 1024, private / 1024


def _parents() -> list[tuple[int, int]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            found.append((int(entry.name), int(text.rpartition(")")[2].split()[1])))
    return found


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    if any("exabgp_launcher" in word for word in words):
        return "ExaBGP"
    if any(word.endswith("adapters.relay") for word in words) or "relay" in words[1:4]:
        return "relay"
    return words[words.index("orchestrator") + 1] if "orchestrator" in words else words[0]
