"""Reading containerlab topology files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lab.topology import (
    Bind,
    Endpoint,
    Stage,
    Topology,
    TopologyError,
    WaitFor,
)
from orchestrator.lab.topology_file import load_topology, parse_topology

FILES = {"/lab/env": "# comment\nFROM_FILE=1\nCOLOUR=file\n\n"}


def parse(text: str, **environ: str) -> Topology:
    """Parse a file that is called x.yml, in the directory /lab."""
    return parse_topology(text, "x.yml", Path("/lab"), environ, FILES.get)


def problems(text: str) -> list[str]:
    """What is wrong with a file."""
    with pytest.raises(TopologyError) as caught:
        parse(text)
    return list(caught.value.problems)


def nodes(text: str) -> str:
    """A file with these nodes (and what follows them), indented by four."""
    return f"name: x\ntopology:\n  defaults: {{kind: linux}}\n  nodes:\n{text}"


def test_inheritance() -> None:
    """The node wins over its group, the group over its kind, the kind over the defaults."""
    text = """
name: x
topology:
  defaults: {kind: linux, env: {A: defaults, B: defaults, C: defaults, D: defaults}, cmd: one}
  kinds: {linux: {env: {B: kind, C: kind, D: kind}, cmd: two}}
  groups: {g: {env: {C: group, D: group}, cmd: three, exec: [from group]}}
  nodes:
    a: {group: g, env: {D: node}, exec: [from node]}
    b: {cmd: four}
"""
    topology = parse(text)
    first = topology.nodes["a"]
    assert first.env == {"A": "defaults", "B": "kind", "C": "group", "D": "node"}
    assert first.command == ("three",)
    assert first.exec == (("from", "group"), ("from", "node"))
    assert topology.nodes["b"].command == ("four",)


def test_kind_of_a_group() -> None:
    """The kind may come from the group, and then that kind's values hold."""
    text = "name: x\ntopology:\n  kinds: {linux: {cmd: sh}}\n  groups: {g: {kind: linux}}\n  nodes: {a: {group: g}}"
    assert parse(text).nodes["a"].command == ("sh",)


def test_scalars_stay_text() -> None:
    """Values of env and sysctls are the text that is written, whatever YAML makes of it."""
    node = parse(nodes("    a: {env: {A: 1.0, B: yes, C: 0x10}, sysctls: {net.x: 01}}")).nodes["a"]
    assert node.env == {"A": "1.0", "B": "yes", "C": "0x10"}
    assert node.sysctls == {"net.x": "01"}


def test_binds_are_relative_to_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bind's host path starts from the topology file's directory; ~ and node names expand."""
    monkeypatch.setenv("HOME", "/home/me")
    text = nodes(
        '    a: {binds: ["x/y:/c:ro", "../z:/d", "~/f:/e", "/abs:/f", "__clabNodeName__:/g"]}'
    )
    assert parse(text).nodes["a"].binds == (
        Bind("/lab/x/y", "/c", read_only=True),
        Bind("/z", "/d"),
        Bind("/home/me/f", "/e"),
        Bind("/abs", "/f"),
        Bind("/lab/a", "/g"),
    )


def test_env_files_give_way_to_env() -> None:
    """env-files are read from beside the file; env wins over them; labels become CLAB_LABEL_*."""
    text = nodes("    a: {env-files: [env], env: {COLOUR: red}, labels: {my-role: edge}}")
    env = {"FROM_FILE": "1", "COLOUR": "red", "CLAB_LABEL_MY_ROLE": "edge"}
    assert parse(text).nodes["a"].env == env


def test_commands_are_split_without_a_shell() -> None:
    """exec, cmd and entrypoint are split as a shell would split them; nothing is expanded."""
    text = nodes("    a: {entrypoint: /bin/e, cmd: 'x \"y z\" $UNSET', exec: [\"sh -c 'a | b'\"]}")
    node = parse(text).nodes["a"]
    assert node.command == ("/bin/e", "x", "y z", "$UNSET")
    assert node.exec == (("sh", "-c", "a | b"),)


def test_links_in_both_forms() -> None:
    """Short and long endpoints, host ends and the MTU's default of 9500."""
    text = nodes("    a: {}\n    b: {}\n") + (
        "  links:\n"
        "    - endpoints: [a:eth1, b:eth1]\n"
        "    - {type: veth, mtu: 1400, endpoints: [{node: a, interface: eth2, mac: 02:00:00:00:00:01}, {node: b, interface: eth2}]}\n"
        "    - {type: host, endpoint: {node: a, interface: eth3}, host-interface: out}\n"
        "    - endpoints: [b:eth3, host:in]\n"
    )
    first, second, third, fourth = parse(text).links
    assert (first.ends, first.mtu) == ((Endpoint("a", "eth1"), Endpoint("b", "eth1")), 9500)
    assert second.ends[0] == Endpoint("a", "eth2", "02:00:00:00:00:01")
    assert second.mtu == 1400
    assert third.ends == (Endpoint("a", "eth3"), Endpoint("host", "out"))
    assert fourth.ends[1] == Endpoint("host", "in")


def test_names_of_containers() -> None:
    """Containers are named clab-LAB-NODE, PREFIX-LAB-NODE, or NODE with an empty prefix."""
    for prefix, name in (("", "clab-x-a"), ("prefix: p\n", "p-x-a"), ('prefix: ""\n', "a")):
        assert parse(prefix + nodes("    a: {}")).container("a") == name


def test_stages_and_delay() -> None:
    """startup-delay is in seconds; wait-for names a node and the stage it must have finished."""
    text = nodes(
        "    a: {startup-delay: 3}\n    b: {stages: {create: {wait-for: [{node: a, stage: configure}]}}}"
    )
    parsed = parse(text).nodes
    assert parsed["a"].startup_delay_s == 3
    assert parsed["b"].wait_for == {Stage.CREATE: (WaitFor("a", Stage.CONFIGURE),)}


def test_variables_come_first() -> None:
    """The caller's variables are expanded over the whole text, keys included."""
    text = nodes("    ${NODE:=n}: {cmd: $PROGRAM}")
    assert parse(text, PROGRAM="sh").nodes["n"].command == ("sh",)


CIRCLE = (
    "    a: {stages: {create: {wait-for: [{node: b, stage: create}]}}}\n"
    "    b: {stages: {create: {wait-for: [{node: a, stage: create}]}}}"
)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("    a: {prots: [80]}", "5:9", "not known here"),
        ("    a: {ports: [80]}", "5:9", "not possible without a container engine"),
        ("    a: {kind: srl}", "5:9", "kind srl needs its image"),
        ("    a: {cmd: 'x \"y'}", "5:9", "not a command"),
        ("    a: {cmd: [a]}", "5:9", "expected text, found a list"),
        ("    a: {binds: [x]}", "5:17", "expected HOST:CONTAINER"),
        ("    a: {sysctls: {kernel.panic: 1}}", "5:19", "only sysctls under net."),
        ("    a: {network-mode: host}", "5:9", "only none"),
        ("    a: {restart-policy: always}", "5:9", "only no"),
        ("    a: {env-files: [gone]}", "5:21", "cannot be read"),
        ("    a: {startup-delay: soon}", "5:9", "whole number"),
        ("    a: {cmd: x, cmd: y}", "5:17", "written twice"),
        ("    a: {group: g}", "5:9", "there is no group g"),
        ("    a b: {}", "5:5", "a node's name"),
        ("    host: {}", "5:5", "stands for this machine"),
        ("    a: {kind: bridge, cmd: x}", "5:23", "nothing runs in it"),
        ("    a: {}\n  links: [{endpoints: [a:eth1]}]", "6:12", "exactly two"),
        ("    a: {}\n  links: [{endpoints: [a:eth1, z:eth1]}]", "6:11", "there is no node z"),
        ("    a: {}\n  links: [{endpoints: [a:eth1, a:eth1]}]", "6:11", "used by another link"),
        ("    a: {}\n  links: [{endpoints: [a:eth1, a:sixteencharacters]}]", "6:32", "1 to 15"),
        ("    a: {}\n  links: [{type: vxlan}]", "6:11", "vxlan links are not known"),
        (
            "    a: {}\n  links: [{endpoints: [a:e1, host:e1], ipv4: [10.0.0.1/24]}]",
            "6:40",
            "add the address with exec",
        ),
        (
            "    a: {stages: {healthy: {}}}",
            "5:18",
            "needs a healthcheck",
        ),
        (
            "    a: {stages: {create: {wait-for: [{node: z, stage: create}]}}}",
            "5",
            "waits for node z",
        ),
        (
            CIRCLE,
            "5",
            "in a circle",
        ),
    ],
)
def test_refusals(text: str, place: str, words: str) -> None:
    """What is not known, or not possible, is refused with FILE:LINE:COLUMN and a reason."""
    (problem,) = problems(nodes(text))
    assert problem.startswith(f"x.yml:{place}: "), problem
    assert words in problem


def test_every_problem_is_told() -> None:
    """All problems of a file are told, not only the first."""
    assert len(problems(nodes("    a: {ports: [], cpu: 1}\n    b: {kind: srl}"))) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "name: x", "name: x\ntopology: {}", "a: [", "--- {}\n--- {}", "\t", "&a *a"]
)
def test_what_is_no_topology(text: str) -> None:
    """A text that is not YAML, or not a topology, is a problem with a place."""
    assert all(problem.startswith("x.yml:") for problem in problems(text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file, and a bind of something missing, are named."""
    with pytest.raises(TopologyError, match="No such file"):
        load_topology(tmp_path / "x.yml")
    (tmp_path / "x.yml").write_text(nodes('    a: {binds: ["gone:/x"]}'), encoding="utf-8")
    with pytest.raises(TopologyError, match=r"node a: binds: .*/gone is not there"):
        load_topology(tmp_path / "x.yml")


def reads(text: str) -> bool:
    """Tell whether a text gives a topology or problems; anything else is raised."""
    try:
        return bool(parse(text).nodes)
    except TopologyError as error:
        return bool(error.problems)


WORDS = st.sampled_from(
    [
        "name",
        "topology",
        "nodes",
        "links",
        "kinds",
        "groups",
        "defaults",
        "kind",
        "linux",
        "bridge",
        "env",
        "exec",
        "binds",
        "cmd",
        "stages",
        "wait-for",
        "create",
        "node",
        "stage",
        "endpoints",
        "type",
        "veth",
        "host",
        "a",
        "b",
        "a:eth1",
        "b:eth1",
        "interface",
        "mtu",
        "9",
        "<<",
    ]
)
TREES = st.recursive(
    WORDS | st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=30,
)


@given(TREES)
def test_odd_trees_never_crash(tree: object) -> None:
    """Any YAML tree gives a topology or problems, never another error."""
    for text in (json.dumps(tree), json.dumps({"name": "x", "topology": tree})):
        assert reads(text)


@given(st.text(alphabet="nametopology: \n-[]{}&*'\"$#!|>%@\t\x00\x85é", max_size=60))
def test_odd_text_never_crashes(text: str) -> None:
    """Any text gives a topology or problems, never another error."""
    assert reads(text)
