"""Whether the programs that a topology names are on this host."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath

from orchestrator.lab.node import node_path
from orchestrator.lab.topology import NodeSpec, Topology, TopologyError


def _present(program: str, spec: NodeSpec) -> bool:
    if not program.startswith("/"):
        return shutil.which(program, path=node_path()) is not None
    path = PurePosixPath(program)
    bound = {PurePosixPath(bind.target) for bind in spec.binds}
    return bool(bound & {path, *path.parents}) or shutil.which(program) is not None


def check_programs(topology: Topology) -> None:
    """TopologyError for every `cmd` or `exec` whose program is neither installed nor bound."""
    missing = [
        f"{spec.place or spec.name}: node {spec.name}: {argv[0]} is not on this host; "
        "images are not used here, so install it, or bind it"
        for spec in topology.nodes.values()
        for argv in (spec.command, *spec.exec)
        if argv and not _present(argv[0], spec)
    ]
    if missing:
        raise TopologyError(*dict.fromkeys(missing))
