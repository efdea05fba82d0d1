"""A lab as values: nodes, links and the order they come up in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

DEFAULT_MTU = 9500
"""MTU of a link that names none, as in containerlab."""
HOST = "host"
"""Reserved node name: the end of the link is in the namespace of the caller."""


class TopologyError(Exception):
    """A topology that cannot be used; every message says where and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Stage(IntEnum):
    """How far a node is; each stage is entered after the one before it is finished."""

    CREATE = 0
    CREATE_LINKS = 1
    CONFIGURE = 2
    EXIT = 3

    @property
    def title(self) -> str:
        """The name in a file."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or directory of the host (absolute) shown in a node at `target`."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Another node's stage that must be finished before a stage is entered."""

    node: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node. `command` is what it runs from the start, `exec` what runs in it after its links.

    `kind` is `linux`, or `bridge`: then it stands for a bridge of the host with the same name.
    """

    name: str
    kind: str = "linux"
    command: tuple[str, ...] = ()
    exec: tuple[tuple[str, ...], ...] = ()
    binds: tuple[Bind, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    startup_delay_s: float = 0.0
    wait_for: Mapping[Stage, tuple[WaitFor, ...]] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a link; without `mac` one is made up, with containerlab's prefix aa:c1:ab."""

    node: str
    interface: str
    mac: str | None = None

    def __str__(self) -> str:
        return f"{self.node}:{self.interface}"


@dataclass(frozen=True, slots=True)
class Link:
    """A virtual Ethernet cable between two ends."""

    ends: tuple[Endpoint, Endpoint]
    mtu: int = DEFAULT_MTU


@dataclass(frozen=True, slots=True)
class Topology:
    """A lab to be run; `directory` is the one of its file, which relative paths start from."""

    name: str
    nodes: Mapping[str, NodeSpec]
    links: tuple[Link, ...] = ()
    prefix: str = "clab"
    directory: Path = Path()

    def container(self, node: str) -> str:
        """Name of the container of `node`: clab-LAB-NODE, or as the file's `prefix` says."""
        if not self.prefix:
            return node
        return (
            f"{self.name}-{node}"
            if self.prefix == "__lab-name"
            else f"{self.prefix}-{self.name}-{node}"
        )

    def links_of(self, node: str) -> tuple[Link, ...]:
        """Links that have an end at `node`."""
        return tuple(link for link in self.links if node in (end.node for end in link.ends))
