"""`orchestrator speaker`: reads, plans and streams routes to ExaBGP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import options

if TYPE_CHECKING:
    from orchestrator.roles.readings import Readings
    from orchestrator.settings import Settings


@click.command()
@options.filenames()
@options.long_running
def speaker(**given: Any) -> None:
    """Plan from a cluster, or from these files, and keep the routes equal to the plan, until TERM."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.speaker import Speaker

    settings = options.process_settings(**given)
    run_role("speaker", settings, lambda: Speaker(settings, sources_of(settings)).run())


def sources_of(settings: Settings) -> Callable[[Callable[[], None]], Readings]:
    """Return what makes the sources: the files that were named, else the cluster's objects."""
    if settings.filenames:
        from orchestrator.roles.sources import Sources

        return lambda on_change: Sources(settings, on_change)
    from orchestrator.adapters.kube.access import Access
    from orchestrator.kube.resources import watched_by_speaker
    from orchestrator.roles.cluster_sources import ClusterSources

    access = Access(settings.kubeconfig, settings.context)
    resources = watched_by_speaker(settings.namespace)
    return lambda on_change: ClusterSources(access, resources, settings.namespace, on_change)
