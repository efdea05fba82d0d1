"""Asking a cluster in the place of the speaker that runs here: when that is meant, and how."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.ask import ask

if TYPE_CHECKING:
    from orchestrator.config.reading import Reading
    from orchestrator.config.source import Source
    from orchestrator.roles.cluster.documents import ClusterView
    from orchestrator.roles.cluster.look import Look

ALWAYS = "cluster"
"""The context object of a command line in which a cluster is always meant."""
_WORLD = {
    "Service": ("Service",),
    "EndpointSlice": ("EndpointSlice", "Endpoints"),
    "Node": ("Node",),
    "Namespace": ("Namespace",),
    "Secret": ("Secret",),
}
"""Kinds that files of configuration seldom have -> the kinds by which they have them."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whom a command asks, by its options (`options.asking`)."""

    runtime_dir: Path
    kubeconfig: Path | None
    context: str | None
    namespace: str
    lb_class: str | None
    ignore_exclude_lb: bool

    @property
    def socket(self) -> Path:
        """Where a speaker that runs here is asked."""
        return self.runtime_dir / "status.sock"

    @property
    def in_cluster(self) -> bool:
        """Tell whether a cluster is meant.

        It is when a flag names one, or when no speaker runs here and there is a way to a cluster.
        """
        if named(self.kubeconfig, self.context):
            return True
        return not self.socket.exists() and _has_credentials()

    def look(self) -> Look:
        """Look at the cluster, or end the process with what is in the way."""
        from orchestrator.model.local import Local
        from orchestrator.roles.cluster.look import look

        gc.disable()  # all that is read stays until the process ends, which is soon
        local = Local(lb_class=self.lb_class, ignore_exclude_label=self.ignore_exclude_lb)
        looking = look(self.kubeconfig, self.context, self.namespace, local)
        return ask(lambda: asyncio.run(looking))

    def view(self) -> ClusterView:
        """Return what answers for the cluster, after a word about what could not be read."""
        from orchestrator.roles.cluster.documents import ClusterView

        found = self.look()
        tell_unread(found)
        return ClusterView(found)


_OPTIONS = tuple(field.name for field in fields(Where))


def named(kubeconfig: Path | None, context: str | None) -> bool:
    """Tell whether the command line names a cluster."""
    always = click.get_current_context().find_root().obj == ALWAYS
    return always or kubeconfig is not None or context is not None


def _has_credentials() -> bool:
    from orchestrator.adapters.kube.access import in_pod, kubeconfigs

    return in_pod() or any(path.exists() for path in kubeconfigs(None))


def tell_unread(found: Look) -> None:
    """Say on standard error what could not be read, or does not fit together."""
    for problem in (*found.unread, *found.differing):
        click.echo(f"orchestrator: {problem.object}: {problem.message}", err=True)


def rest_of_the_world(found: Look, reading: Reading) -> Sequence[Source]:
    """Return what `found` has of the kinds of which `reading`, of files, has no object.

    So files that hold configuration only are compared in the world that is there.
    """
    from orchestrator.config.source import Source
    from orchestrator.kube.texts import list_text

    sources = []
    for resource, objects in found.listed.objects.items():
        kinds = _WORLD.get(resource.kind, ())
        if kinds and objects and not any(reading.kinds.get(kind) for kind in kinds):
            text = list_text(resource, [one.text for one in objects])
            sources.append(Source(str(resource), text, trusted=False))
    return sources


def where(given: dict[str, Any]) -> Where:
    """Take the options of `options.asking` out of `given`."""
    return Where(**{name: given.pop(name) for name in _OPTIONS})
