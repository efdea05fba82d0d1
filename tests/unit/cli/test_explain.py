"""`orchestrator explain -f`: the chain and its first broken link, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orchestrator.cli.main import main

WORLD = """
apiVersion: v1
kind: Node
metadata: {name: n1}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge}
spec: {addresses: [10.0.0.0/30]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: all}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, clusterIP: 10.96.0.1}
status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: web}
subsets: [{addresses: [{ip: 10.1.0.1, nodeName: n1}]}]
---
apiVersion: v1
kind: Service
metadata: {name: silent}
spec: {type: LoadBalancer, clusterIP: 10.96.0.2, externalTrafficPolicy: Local}
---
apiVersion: v1
kind: Service
metadata: {name: waits, annotations: {metallb.io/address-pool: nowhere}}
spec: {type: LoadBalancer, clusterIP: 10.96.0.3}
"""


@pytest.fixture
def world(tmp_path: Path) -> str:
    """A small cluster on layer 2."""
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)
    return str(path)


def run(*arguments: str) -> Result:
    """Run `orchestrator explain`."""
    return CliRunner().invoke(main, ["explain", *arguments], catch_exceptions=False)


def explained(*arguments: str) -> Any:
    """Run it and read its JSON."""
    return json.loads(run(*arguments, "-o", "json").stdout)


@pytest.mark.parametrize("target", ["default/web", "10.0.0.1"])
def test_announced_service_and_address(world: str, target: str) -> None:
    """What some node announces is status 0; the chain of that node ends with the election."""
    assert run(target, "-f", world).exit_code == 0
    document = explained(target, "-f", world)
    assert set(document) == {"target", "nodes", "answer"}
    (owner,) = (node for node in document["nodes"] if node["announced"])
    assert (owner["protocol"], owner["steps"][-1]["step"]) == ("layer2", "elected")
    assert all(set(step) == {"step", "ok", "reason", "message"} for step in owner["steps"])
    assert document["answer"].endswith(f"is announced by {owner['node']} on layer 2.")


def test_first_broken_link_is_the_answer(world: str) -> None:
    """Nobody announces a Service without endpoints: status 1, and each node's chain ends there."""
    assert run("default/silent", "-f", world).exit_code == 1
    document = explained("default/silent", "-f", world)
    ends = {node["steps"][-1]["reason"] for node in document["nodes"]}
    assert ends == {"noLocalEndpoints"}
    assert "externalTrafficPolicy is Local" in document["answer"]


def test_service_without_address_breaks_at_the_assignment(world: str) -> None:
    """A Service that waits has a chain of one link on every node."""
    document = explained("default/waits", "-f", world)
    assert [node["node"] for node in document["nodes"]] == ["n1", "n2"]
    assert [node["steps"][0]["reason"] for node in document["nodes"]] == ["unknownPool"] * 2
    assert run("default/waits", "-f", world).exit_code == 1


def test_unknown_target_is_refused_in_one_line(world: str) -> None:
    """A name that nobody has is status 1 and one line on standard error."""
    result = run("default/nobody", "-f", world)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("orchestrator: default/nobody: ")


def test_table_begins_with_the_answer(world: str) -> None:
    """A person reads the sentence first, then the links."""
    lines = run("default/web", "-f", world).stdout.splitlines()
    assert lines[0].startswith("default/web is announced by ")
    assert any("elected" in line for line in lines)


def test_nodes_with_the_same_links_have_one_table(world: str) -> None:
    """Two nodes that say the same share a table with both names."""
    lines = run("default/waits", "-f", world).stdout.splitlines()
    assert lines[1] == "n1, n2 (no protocol)"
    assert sum("unknownPool" in line for line in lines[1:]) == 1
