"""Reading files for the offline commands, exactly as the daemons do."""

from __future__ import annotations

import gc
import ipaddress
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.adapters.files import load
from orchestrator.cli.failure import fail
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.address import IPAddress
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan


def load_files(filenames: Sequence[Path]) -> Sequence[Source]:
    """Load `filenames`; a file that cannot be opened ends the process with status 3."""
    wants_stdin = any(str(path) == "-" for path in filenames)
    loaded = load(filenames, stdin=sys.stdin.buffer.read() if wants_stdin else None)
    if loaded.unread:
        problem = loaded.problems[0]
        fail(problem.object, problem.message)
    return loaded.sources


def read_sources(sources: Sequence[Source], namespace: str) -> Reading:
    """Read what was loaded.

    What is read stays until the process ends, which is soon: looking for garbage in it would take
    a third of the time.
    """
    gc.disable()
    return read(sources, namespace=namespace)


def read_files(filenames: Sequence[Path], namespace: str) -> Reading:
    """Load and read `filenames`."""
    return read_sources(load_files(filenames), namespace)


@dataclass(frozen=True, slots=True)
class Stance:
    """From where an offline plan looks: the options of the command, and what a live node holds."""

    down: tuple[str, ...] = ()
    lb_class: str | None = None
    ignore_exclude_lb: bool = False
    node: str | None = None
    held: Mapping[str, tuple[IPAddress, ...]] = field(default_factory=dict)


def plan_offline(reading: Reading, stance: Stance) -> Plan:
    """Plan every node in the files, or one named after this host when there is none."""
    from orchestrator.planner import plan  # `check` is faster without it

    alone = None if reading.cluster.nodes else platform.node()
    local = Local(
        node=stance.node or alone,
        down=frozenset(stance.down),
        lb_class=stance.lb_class,
        ignore_exclude_label=stance.ignore_exclude_lb,
        held=stance.held,
    )
    return plan(reading.cluster, reading.policy, local)


def stance_of(live: Mapping[str, Any], node: str | None, stance: Stance) -> Stance:
    """Look from a running node, or a whole cluster (None), at the addresses that Services have in `live`."""
    held = {
        assignment["service"]: tuple(map(ipaddress.ip_address, assignment["addresses"]))
        for assignment in live["assignments"]
        if assignment["addresses"]
    }
    return replace(stance, node=node, held=held)
