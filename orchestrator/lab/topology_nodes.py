"""Nodes of a topology file: inheritance, and every honoured key of a node."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab import topology_keys as keys
from orchestrator.lab.topology import Bind, NodeSpec, Stage, WaitFor
from orchestrator.lab.topology_tree import Value

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""Names of labs and nodes: they become host names and directories."""
NOT_FOR_BRIDGES = [
    "cmd",
    "entrypoint",
    "exec",
    "binds",
    "env",
    "env-files",
    "sysctls",
    "startup-delay",
    "stages",
    "user",
]
_SYSCTL = re.compile(r"net(?:\.[A-Za-z0-9_-]+)+")
_STAGES = {stage.title: stage for stage in Stage}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values of a node may refer to. `read` gives a file's text, or None."""

    directory: str
    lab: str
    lab_directory: str
    read: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Levels:
    """Where nodes inherit from: defaults, then kinds, then groups, then the node (weakest first)."""

    defaults: Mapping[str, Value] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def of(self, own: Mapping[str, Value]) -> list[Mapping[str, Value]]:
        """Return the levels of a node with the keys `own`, weakest first."""
        named = own.get("group") or self.defaults.get("group")
        group = self.groups.get(named.text() if named else "", {})
        kind = self._kind(own, group)
        return [self.defaults, self.kinds.get(kind, {}), group, own]

    def _kind(self, own: Mapping[str, Value], group: Mapping[str, Value]) -> str:
        found = own.get("kind") or group.get("kind") or self.defaults.get("kind")
        return found.text() if found else ""


def node_fields(value: Value) -> Mapping[str, Value]:
    """Keys of a node, or of a level it inherits from."""
    return value.fields(keys.NODE, keys.REFUSED_NODE)


class NodeReader:
    """Reads one node. Scalars of the strongest level win, lists are joined, mappings merged."""

    def __init__(self, name: str, value: Value, levels: Levels, around: Surroundings) -> None:
        self._name = name
        self._value = value
        self._levels = levels.of(node_fields(value))
        self._around = around

    def read(self) -> NodeSpec:
        """Return the node; what is wrong with it is with the problems."""
        if not NAME.fullmatch(self._name):
            self._value.wrong("a node's name is letters, digits, `.`, `_` and `-`, 63 at most")
        kind = self._kind()
        self._check_fixed(kind)
        if kind == "bridge":
            return NodeSpec(self._name, kind, place=self._value.place)
        return NodeSpec(
            self._name,
            kind,
            command=self._command(),
            exec=tuple(words for item in self._list("exec") if (words := self._words(item))),
            binds=tuple(found for item in self._list("binds") if (found := self._bind(item))),
            env=self._env(),
            sysctls=self._sysctls(),
            startup_delay_s=self._startup_delay(),
            wait_for=self._wait_for(),
            place=self._value.place,
        )

    def _last(self, key: str) -> Value | None:
        return next((level[key] for level in reversed(self._levels) if key in level), None)

    def _list(self, key: str) -> list[Value]:
        """Items of a list that all levels add to; one that comes again counts once."""
        items = [item for level in self._levels if key in level for item in level[key].items()]
        return list({item.text(): item for item in items}.values())

    def _map(self, key: str) -> dict[str, Value]:
        return {
            name: value
            for level in self._levels
            if key in level
            for name, value in level[key].entries().items()
        }

    def _kind(self) -> str:
        kind = self._last("kind")
        if kind is None:
            self._value.wrong("the node has no kind, and there is none to inherit: kind: linux")
            return "linux"
        if kind.text() not in {"linux", "bridge"}:
            kind.wrong(f"kind {kind.text()} needs its image; here are linux and bridge")
            return "linux"
        return kind.text()

    def _check_fixed(self, kind: str) -> None:
        """Refuse values that would need a container engine."""
        own = self._levels[-1]
        allowed = {"network-mode": ("none",), "restart-policy": ("no",), "user": ("root", "0")}
        for key, values in allowed.items():
            found = self._last(key)
            if found is not None and found.text() not in values:
                found.wrong(f"{found.text()} is not possible here, only {values[0]}")
        for key in NOT_FOR_BRIDGES if kind == "bridge" else ():
            if key in own:
                own[key].wrong("a bridge is the host's own, nothing runs in it")
        group = self._last("group")
        if group is not None and self._levels[2] == {}:
            group.wrong(f"there is no group {group.text()}, or it is empty")

    def _named(self, text: str) -> str:
        """Put the node's own names in, as containerlab does in binds and exec."""
        names = {
            "__clabNodeName__": self._name,
            "__clabNodeDir__": f"{self._around.lab_directory}/{self._name}",
            "__clabDir__": self._around.lab_directory,
        }
        for mark, name in names.items():
            text = text.replace(mark, name)
        return text

    def _words(self, value: Value) -> tuple[str, ...]:
        return tuple(self._named(word) for word in value.words())

    def _command(self) -> tuple[str, ...]:
        given = [self._last(key) for key in ("entrypoint", "cmd")]
        return tuple(word for value in given if value is not None for word in value.words())

    def _bind(self, value: Value) -> Bind | None:
        parts = self._named(value.text()).split(":")
        if len(parts) not in {2, 3} or not parts[0] or not parts[1].startswith("/"):
            value.wrong("expected HOST:CONTAINER or HOST:CONTAINER:ro, CONTAINER beginning with /")
            return None
        options = set(parts[2].split(",")) if len(parts) == 3 else set()
        if options - {"ro", "rw", "z", "Z"}:
            value.wrong(f"option {min(options)} is not known; known: ro, rw")
        source = os.path.normpath(self._path(parts[0]))
        return Bind(source, os.path.normpath(parts[1]), read_only="ro" in options)

    def _path(self, text: str) -> Path:
        """Resolve `~`, and a relative path from the directory of the topology file."""
        home = Path.home() if text == "~" or text.startswith("~/") else None
        return home / text[2:] if home else Path(self._around.directory) / text

    def _env(self) -> dict[str, str]:
        env = {f"CLAB_LABEL_{_upper(k)}": v.text() for k, v in self._map("labels").items()}
        for item in self._list("env-files"):
            env |= self._env_file(item)
        env |= {name: value.text() for name, value in self._map("env").items()}
        return env

    def _env_file(self, value: Value) -> dict[str, str]:
        path = str(self._path(value.text()))
        text = self._around.read(path)
        if text is None:
            value.wrong(f"{path} cannot be read")
            return {}
        lines = [line.strip() for line in text.splitlines()]
        pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
        return {name.strip(): content.strip() for name, _, content in pairs}

    def _sysctls(self) -> dict[str, str]:
        found = self._map("sysctls")
        for name, value in found.items():
            if not _SYSCTL.fullmatch(name):
                value.wrong("only sysctls under net. belong to a node: others are the host's")
        return {name: value.text() for name, value in found.items()}

    def _startup_delay(self) -> float:
        value = self._last("startup-delay")
        return float(value.whole(0, 3600)) if value else 0.0

    def _wait_for(self) -> dict[Stage, tuple[WaitFor, ...]]:
        merged: dict[str, Value] = {}
        for level in self._levels:
            if "stages" in level:
                merged |= level["stages"].fields(keys.STAGES, keys.REFUSED_STAGES)
        return {
            _STAGES[name]: tuple(
                found for item in _waits(stage) if (found := _one_wait(item, self._name))
            )
            for name, stage in merged.items()
        }


def _waits(stage: Value) -> list[Value]:
    waits = stage.fields(keys.STAGE, keys.REFUSED_STAGE).get("wait-for")
    return list(waits.items()) if waits else []


def _one_wait(value: Value, waiting: str) -> WaitFor | None:
    given = value.fields(keys.WAIT_FOR, {})
    if set(given) != {"node", "stage"}:
        value.wrong("expected node and stage")
        return None
    stage = given["stage"].text()
    if stage not in _STAGES:
        given["stage"].wrong(f"stage {stage} cannot be waited for; known: {', '.join(_STAGES)}")
        return None
    if given["node"].text() == waiting:
        given["node"].wrong("a node cannot wait for itself")
        return None
    return WaitFor(given["node"].text(), _STAGES[stage])


def _upper(label: str) -> str:
    return re.sub(r"\W", "_", label).upper()
