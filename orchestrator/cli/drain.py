"""`drain` and `undrain`: take this router VM, or a node of a cluster, out of service, and back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.cluster import named


def _control(runtime_dir: Path, node: str | None, target: str) -> str:
    """Make the control request, after a look whether the running speaker is of `node`."""
    from orchestrator.adapters.status_client import get, post
    from orchestrator.cli.failure import REFUSED, fail

    socket = runtime_dir / "status.sock"
    own = ask(lambda: get(socket, "/api/v1/status")["node"]) if node else None
    if node != own:
        fail(f"node {node}", f"the speaker that answers here is of node {own}", REFUSED)
    return str(ask(lambda: post(socket, f"/control/{target}")["phase"]))


def _in_cluster(
    node: str | None, runtime_dir: Path, kubeconfig: Path | None, context: str | None
) -> bool:
    """Tell whether a node of a cluster is meant: one was named, or no speaker runs here."""
    if named(kubeconfig, context):
        return True
    return node is not None and not (runtime_dir / "status.sock").exists()


def _annotate(
    node: str | None,
    kubeconfig: Path | None,
    context: str | None,
    *,
    drained: bool,
    wait_s: float | None = None,
) -> None:
    from orchestrator.adapters.kube.nodes import set_drain
    from orchestrator.cli.failure import WRONG_USAGE, fail

    if node is None:
        fail("NODE", "name the node of the cluster", WRONG_USAGE)
    setting = set_drain(node, kubeconfig, context, drained=drained, wait_s=wait_s)
    ask(lambda: asyncio.run(setting))


@click.command()
@click.argument("node", required=False)
@click.option(
    "--wait",
    type=click.FloatRange(0, 86400),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="From graceful-shutdown to withdrawn.",
)
@options.cluster
@options.runtime_dir
def drain(
    node: str | None, wait: float, runtime_dir: Path, kubeconfig: Path | None, context: str | None
) -> None:
    """Make the routes of a node unattractive, and withdraw them after a while.

    With --kubeconfig or --context, or where no speaker runs, NODE is a node of the cluster, which is
    annotated; else it may be left out, and must be the node whose speaker runs here.
    """
    if _in_cluster(node, runtime_dir, kubeconfig, context):
        _annotate(node, kubeconfig, context, drained=True, wait_s=wait)
        click.echo(f"draining: node {node} is annotated")
    else:
        click.echo(f"draining: {_control(runtime_dir, node, f'drain?wait={wait}')}")


@click.command()
@click.argument("node", required=False)
@options.cluster
@options.runtime_dir
def undrain(
    node: str | None, runtime_dir: Path, kubeconfig: Path | None, context: str | None
) -> None:
    """Take a drain back."""
    if _in_cluster(node, runtime_dir, kubeconfig, context):
        _annotate(node, kubeconfig, context, drained=False)
    else:
        _control(runtime_dir, node, "undrain")
    click.echo("not draining")
