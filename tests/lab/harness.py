"""What lab tests share: polling, routers (FRR and BIRD) in nodes, and nodes on a segment."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from orchestrator.lab.runner import Lab, Node
from orchestrator.lab.segment import numbered, segment
from tests.lab.bird import Bird, bird_config
from tests.lab.frr import Frr, frr_config
from tests.lab.polling import lacking, poll, require, steady
from tests.lab.routes import Neighbor, Rib, kernel_routes

__all__ = [
    "Bird",
    "Frr",
    "Lab",
    "Neighbor",
    "Node",
    "Rib",
    "bird_config",
    "frr_config",
    "joined",
    "kernel_routes",
    "lab_name",
    "lacking",
    "poll",
    "require",
    "steady",
]

_NUMBERS = itertools.count(1)


def lab_name() -> str:
    """Make a name that no other lab on this host has."""
    return f"t{os.getpid()}-{next(_NUMBERS)}"


def joined(
    workdir: Path, *names: str, networks: Sequence[str] = ("10.0.0.0/24", "fd00::/64")
) -> Lab:
    """Join nodes on one segment, in a lab to be used with `with`.

    The nth node has the nth address of each network on eth1: 10.0.0.1 and fd00::1, and so on.
    """
    require("ip", "nsenter")
    return Lab(segment(lab_name(), numbered(names, *networks)), workdir)
