"""Reading files for the offline commands, exactly as the daemons do."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters.files import load
from orchestrator.cli.failure import fail
from orchestrator.config.read import Reading, read
from orchestrator.model.cluster import Cluster
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan
from orchestrator.planner import plan


def read_files(filenames: Sequence[Path], namespace: str) -> Reading:
    """Read `filenames`; a file that cannot be opened ends the process with status 3."""
    wants_stdin = any(str(path) == "-" for path in filenames)
    loaded = load(filenames, stdin=sys.stdin.buffer.read() if wants_stdin else None)
    if loaded.unread:
        problem = loaded.problems[0]
        fail(problem.object, problem.message)
    return read(loaded.sources, namespace=namespace)


def plan_offline(
    cluster: Cluster,
    reading: Reading,
    down: Sequence[str],
    lb_class: str | None,
    *,
    ignore_exclude_lb: bool,
) -> Plan:
    """Plan every node in the files, or one named after this host when there is none."""
    local = Local(
        node=None if cluster.nodes else platform.node(),
        down=frozenset(down),
        lb_class=lb_class,
        ignore_exclude_label=ignore_exclude_lb,
    )
    return plan(cluster, reading.policy, local)
