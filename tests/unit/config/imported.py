"""Short ways to look at what an import made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.config.imports.exabgp import read_exabgp
from orchestrator.config.imports.keepalived import read_keepalived
from orchestrator.config.imports.kube_vip import read_kube_vip
from orchestrator.config.imports.metallb import read_metallb
from orchestrator.config.imports.purelb import read_purelb
from orchestrator.config.imports.result import Imported, yaml_of
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source

DIRECTORY = Path(__file__).parent / "imports"
FORMATS: dict[str, tuple[Callable[[bytes], Imported], str]] = {
    "metallb-configmap": (read_metallb, "cluster.metallb.yaml"),
    "keepalived": (read_keepalived, "router.keepalived.conf"),
    "exabgp": (read_exabgp, "anycast.exabgp.conf"),
    "kube-vip": (read_kube_vip, "cluster.kube-vip.yaml"),
    "purelb": (read_purelb, "cluster.purelb.yaml"),
}
"""Format -> its reader, and a configuration of it as people have them."""


def sample(format_name: str) -> bytes:
    """Return the real-looking configuration of a format."""
    return (DIRECTORY / FORMATS[format_name][1]).read_bytes()


def specs(imported: Imported, kind: str) -> dict[str, dict[str, Any]]:
    """Specs of the objects of a kind, by name."""
    return {
        made.document["metadata"]["name"]: made.document.get("spec", {})
        for made in imported.made
        if made.document["kind"] == kind
    }


def annotations_of(imported: Imported, kind: str, name: str) -> dict[str, str]:
    """Return the annotations of one object."""
    found: dict[str, str] = next(
        made.document["metadata"].get("annotations", {})
        for made in imported.made
        if made.key == (kind, name)
    )
    return found


def lost(imported: Imported) -> list[str]:
    """Lines and words of what was not carried over."""
    return [f"{entry.line}: {entry.what}" for entry in imported.losses()]


def reread(imported: Imported) -> Reading:
    """Read what the import would print."""
    source = Source("imported.yaml", yaml_of(imported.ordered()).encode())
    return read([source], namespace=imported.namespace or "metallb-system")
