"""Starting a node's anchor from the node's description."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.namespaces import ANCHOR, children_in_pid_namespace
from orchestrator.lab.topology import NodeSpec, TopologyError

RENEWED = {"/etc/frr": ["daemons", "vtysh.conf"], "/etc/bird": [], "/etc/keepalived": []}
"""Directories of router programs: a node has its own, without the host's configuration."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What an anchor needs besides the node's description."""

    container: str
    staging: Path
    visible: tuple[Path, ...]
    detached: bool


def program_directories() -> tuple[Path, ...]:
    """Where this program and its Python live: nodes run them, so nodes must see them."""
    package = Path(__file__).resolve().parents[1]
    return tuple(
        dict.fromkeys(
            Path(path).resolve() for path in (sys.prefix, sys.base_prefix, package.parent)
        )
    )


def _specification(spec: NodeSpec, birth: Birth) -> str:
    visible = [path.resolve() for path in birth.visible if path.exists()]
    return json.dumps(
        {
            "staging": str(birth.staging),
            "hostname": spec.name,
            "visible": [str(path) for path in outermost(visible)],
            "binds": [[bind.source, bind.target, bind.read_only] for bind in spec.binds],
            "renewed": RENEWED,
            "sysctls": dict(spec.sysctls),
            "detached": birth.detached,
        }
    )


def outermost(paths: Sequence[Path]) -> list[Path]:
    """Drop system directories and paths that lie in another of `paths`."""
    own = [path for path in dict.fromkeys(paths) if path not in (Path("/"), Path("/usr"))]
    return [path for path in own if not any(other in path.parents for other in own)]


def give_birth(spec: NodeSpec, birth: Birth) -> subprocess.Popen[str]:
    """Start the anchor of a node and wait until its namespaces are ready.

    TopologyError when the kernel refuses (no overlayfs, a sysctl it does not have, ...).
    """
    birth.staging.mkdir(parents=True, exist_ok=True)
    with children_in_pid_namespace(None):
        anchor = subprocess.Popen(
            [sys.executable, "-I", "-S", ANCHOR, birth.container],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    assert anchor.stdin
    assert anchor.stdout
    anchor.stdin.write(_specification(spec, birth) + "\n")
    anchor.stdin.flush()
    answer = anchor.stdout.readline().strip()
    if answer != "ready":
        bury(anchor)
        raise TopologyError(f"{spec.place or spec.name}: the node cannot be made: {answer}")
    return anchor


def bury(anchor: subprocess.Popen[str]) -> None:
    """Kill an anchor, and with it the node and everything that runs there."""
    anchor.kill()
    for stream in (anchor.stdin, anchor.stdout):
        if stream:
            stream.close()
    anchor.wait()
