"""`orchestrator speaker`: reads, plans and streams routes to ExaBGP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import options

if TYPE_CHECKING:
    from orchestrator.roles.speaker import Speaker
    from orchestrator.settings import Settings


@click.command()
@options.filenames()
@options.long_running
def speaker(**given: Any) -> None:
    """Plan from a cluster, or from these files, and keep the routes equal to the plan, until TERM."""
    from orchestrator.cli.role import run_role

    settings = options.process_settings(**given)
    run_role("speaker", settings, lambda: speaker_of(settings).run())


def speaker_of(settings: Settings) -> Speaker:
    """Make the speaker of the files that were named, else of the cluster."""
    from orchestrator.roles.speaker import Speaker

    if settings.filenames:
        from orchestrator.roles.sources import Sources

        return Speaker(settings, lambda on_change: Sources(settings, on_change))
    from orchestrator.adapters.kube.access import Access
    from orchestrator.kube.resources import watched_by_speaker
    from orchestrator.roles.cluster.node_reports import NodeReports
    from orchestrator.roles.cluster.sources import ClusterSources

    access, namespace = Access(settings.kubeconfig, settings.context), settings.namespace
    return Speaker(
        settings,
        lambda changed: ClusterSources(access, watched_by_speaker(namespace), namespace, changed),
        lambda look: NodeReports(access, settings, look),
        [access.figures],
    )
