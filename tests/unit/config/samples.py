"""Objects that tests start from, and short ways to read text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.problem import Problem, Severity

GROUPS = {
    "IPAddressPool": "metallb.io/v1beta1",
    "BGPAdvertisement": "metallb.io/v1beta1",
    "L2Advertisement": "metallb.io/v1beta1",
    "BFDProfile": "metallb.io/v1beta1",
    "Community": "metallb.io/v1beta1",
    "BGPPeer": "metallb.io/v1beta2",
    "VirtualIP": "orchestrator.io/v1alpha1",
    "VirtualRouter": "orchestrator.io/v1alpha1",
    "Settings": "orchestrator.io/v1alpha1",
    "EndpointSlice": "discovery.k8s.io/v1",
}

POOL = "addresses: [192.0.2.0/24]"
PEER = "myASN: 64500\npeerASN: 64500\npeerAddress: 192.168.121.1"
VIP = "addresses: [192.0.2.1]"
ROUTER = "interface: eth0\nvrid: 51\naddresses: [192.0.2.254/24]"


def text_of(kind: str, name: str, spec: str | None = None, **metadata: Any) -> str:
    """Make an object's text; `spec` is a YAML block."""
    lines = [f"apiVersion: {GROUPS.get(kind, 'v1')}", f"kind: {kind}", "metadata:"]
    lines.append(f"  name: {name}")
    lines += [f"  {key}: {value}" for key, value in metadata.items()]
    if spec is not None:
        lines += ["spec:", *(f"  {line}" for line in spec.split("\n"))]
    return "\n".join(lines) + "\n"


def joined(*texts: str) -> str:
    """Make one stream of several documents."""
    return "---\n".join(texts)


def read_text(*texts: str, previous: Reading | None = None, **options: Any) -> Reading:
    """Read documents from one source, `test.yaml`."""
    return read([Source("test.yaml", joined(*texts).encode())], previous=previous, **options)


def read_files(files: dict[str, str], previous: Reading | None = None) -> Reading:
    """Read several sources by name."""
    sources = [Source(name, text.encode()) for name, text in files.items()]
    return read(sources, previous=previous)


def codes(reading: Reading) -> list[str]:
    """Return the codes of all problems, in order."""
    return [problem.code for problem in reading.problems]


def only(problems: Sequence[Problem]) -> Problem:
    """Return the one problem there is."""
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def errors(reading: Reading) -> list[Problem]:
    """Return the problems of severity error."""
    return [problem for problem in reading.problems if problem.severity is Severity.ERROR]
