"""Containerlab topology files: text to Topology, with every problem and its place."""

from __future__ import annotations

import graphlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.config import documents
from orchestrator.config.tree import Mapping as TreeMapping
from orchestrator.config.tree import Mark
from orchestrator.lab import topology_keys as keys
from orchestrator.lab.topology import HOST, NodeSpec, Stage, Topology, TopologyError
from orchestrator.lab.topology_links import read_links
from orchestrator.lab.topology_nodes import NAME, Levels, NodeReader, Surroundings, node_fields
from orchestrator.lab.topology_tree import Problems, Value
from orchestrator.lab.variables import expand


def load_topology(path: str | Path) -> Topology:
    """Read a file and check that what it binds is there; TopologyError says all that is wrong."""
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise TopologyError(f"{path}: {reason}") from None
    topology = parse_topology(text, str(path), path.resolve().parent, os.environ, _text_of)
    missing = [
        f"{node.place}: node {node.name}: binds: {bind.source} is not there"
        for node in topology.nodes.values()
        for bind in node.binds
        if not Path(bind.source).exists()
    ]
    if missing:
        raise TopologyError(*missing)
    return topology


def _text_of(path: str) -> str | None:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError):
        return None


def parse_topology(
    text: str,
    filename: str,
    directory: Path,
    environ: Mapping[str, str],
    read: Callable[[str], str | None],
) -> Topology:
    """Read the text of a topology file; `read` gives the text of its env-files.

    TopologyError, with a line for every problem, is the only exception.
    """
    problems = Problems(filename)
    root = _root(expand(text, environ), problems)
    topology = _read(root, directory, read) if root else None
    if problems.found or topology is None:
        raise TopologyError(*problems.found)
    return topology


def _root(text: str, problems: Problems) -> Value | None:
    parts = list(documents.split(text.encode("utf-8", "replace")))
    if len(parts) != 1:
        problems.add(Mark(1, 1), "", "expected one YAML document with name and topology")
        return None
    try:
        tree = documents.parse(b"\n" * parts[0].first_line + parts[0].text)
    except documents.UnreadableError as error:
        problems.add(error.mark, "", error.message)
        return None
    if not isinstance(tree, TreeMapping):
        problems.add(Mark(1, 1), "", "expected a mapping with name and topology")
        return None
    return Value(tree, "", problems, tree.mark)


def _read(root: Value, directory: Path, read: Callable[[str], str | None]) -> Topology | None:
    top = root.fields(keys.TOP, keys.REFUSED_TOP)
    if not {"name", "topology"} <= top.keys():
        root.wrong("a topology file has name and topology")
        return None
    name = top["name"].text()
    if not NAME.fullmatch(name):
        top["name"].wrong("a lab's name is letters, digits, `.`, `_` and `-`")
    around = Surroundings(str(directory), name, str(directory / f"clab-{name}"), read)
    parts = top["topology"].fields(keys.TOPOLOGY, {})
    if "nodes" not in parts or not parts["nodes"].entries():
        top["topology"].wrong("a topology has nodes")
        return None
    nodes = _nodes(parts, around)
    links = read_links(parts["links"].items(), nodes) if "links" in parts else ()
    prefix = top["prefix"].text() if "prefix" in top else "clab"
    topology = Topology(name, nodes, links, prefix, directory)
    if not root.problems.found:
        root.problems.found.extend(_check_order(topology))
    return topology


def _nodes(parts: Mapping[str, Value], around: Surroundings) -> dict[str, NodeSpec]:
    levels = Levels(
        node_fields(parts["defaults"]) if "defaults" in parts else {},
        _named_levels(parts.get("kinds")),
        _named_levels(parts.get("groups")),
    )
    entries = parts["nodes"].entries()
    if HOST in entries:
        entries[HOST].wrong("`host` stands for this machine and cannot be a node's name")
    return {name: NodeReader(name, value, levels, around).read() for name, value in entries.items()}


def _named_levels(value: Value | None) -> dict[str, Mapping[str, Value]]:
    entries = value.entries() if value else {}
    return {name: node_fields(level) for name, level in entries.items()}


def _check_order(topology: Topology) -> list[str]:
    """Say which nodes wait for unknown nodes, or in a circle: nothing would ever come up."""
    unknown = [
        f"{node.place}: topology.nodes.{node.name}.stages: waits for node {wait.node}, which is not there"
        for node in topology.nodes.values()
        for waits in node.wait_for.values()
        for wait in waits
        if wait.node not in topology.nodes
    ]
    if unknown:
        return unknown
    try:
        graphlib.TopologicalSorter(_order(topology)).prepare()
    except graphlib.CycleError as error:
        circle = list(dict.fromkeys(node for node, _ in error.args[1]))
        place = f"{topology.nodes[circle[0]].place}: topology.nodes.{circle[0]}.stages"
        return [f"{place}: nodes wait for each other in a circle: {' -> '.join(circle)}"]
    return []


def _order(topology: Topology) -> dict[tuple[str, Stage], set[tuple[str, Stage]]]:
    """Return what must be finished before each stage of each node can be."""
    before: dict[tuple[str, Stage], set[tuple[str, Stage]]] = {}
    for node in topology.nodes.values():
        for stage in Stage:
            needed = {(wait.node, wait.stage) for wait in node.wait_for.get(stage, ())}
            if stage is not Stage.CREATE:
                needed.add((node.name, Stage(stage - 1)))
            before[node.name, stage] = needed
    for link in topology.links:
        first, second = (end.node for end in link.ends)
        for one, other in ((first, second), (second, first)):
            if HOST not in {one, other}:
                held = topology.nodes[other].wait_for.get(Stage.CREATE_LINKS, ())
                needed = {(other, Stage.CREATE), *((wait.node, wait.stage) for wait in held)}
                before[one, Stage.CREATE_LINKS] |= needed
    return before
