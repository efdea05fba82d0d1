"""`orchestrator demo`: the whole thing on this machine, shown step by step."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from orchestrator.lab.demo_kubernetes import KubernetesDemo
    from orchestrator.lab.demo_layer2 import Layer2Demo
    from orchestrator.lab.scene import Scene

LONGEST_PARENT = 50


@click.command()
@click.option("--stay", is_flag=True, help="Keep it up afterwards, until Ctrl-C.")
@click.option("--loopback", is_flag=True, help="Use loopback addresses even where root is given.")
@click.option("--layer2", is_flag=True, help="Show a failover on layer 2 instead; needs root.")
@click.option("--kubernetes", is_flag=True, help="Show it in a Kubernetes cluster; needs root.")
def demo(stay: bool, loopback: bool, layer2: bool, kubernetes: bool) -> None:
    """Show three nodes that announce one VIP to a router, here, in half a minute.

    In network namespaces with FRR as the router where this user is root; else on loopback
    addresses with a receiving ExaBGP. With --layer2 the three nodes share the VIP on one switch: its
    owner is killed, and a client measures how long nobody answered. With --kubernetes they are nodes of a
    cluster with a real API server, which is built at the first time (5 to 10 minutes), and Services are made.
    """
    from orchestrator.cli.failure import REFUSED, WRONG_USAGE, fail
    from orchestrator.lab.runner import LabError
    from orchestrator.lab.scene import DemoError
    from orchestrator.lab.topology import TopologyError

    if (layer2 or kubernetes) and (stay or loopback or layer2 is kubernetes):
        fail("demo", "--layer2 and --kubernetes go with no other option", WRONG_USAGE)
    signal.signal(signal.SIGTERM, _terminated)
    workdir = _workdir()
    try:
        if kubernetes:
            _play_kubernetes(workdir)
        elif layer2:
            _play_layer2(workdir)
        else:
            _play(_scene(workdir, loopback), stay)
    except KeyboardInterrupt:
        click.echo("\nStopped; nothing is left running.")
        shutil.rmtree(workdir, ignore_errors=True)
        raise SystemExit(130) from None
    except (DemoError, LabError, TopologyError, OSError) as error:
        fail("demo", f"{error} (logs: {workdir})", REFUSED)
    shutil.rmtree(workdir, ignore_errors=True)


def _workdir() -> Path:
    """Make a directory with a short name: a Unix socket's path has 107 bytes at most (unix(7))."""
    parent = tempfile.gettempdir()
    short = len(parent) < LONGEST_PARENT
    return Path(tempfile.mkdtemp(prefix="orchestrator-demo-", dir=parent if short else "/tmp"))  # noqa: S108


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def _scene(workdir: Path, loopback: bool) -> Scene:
    from orchestrator.lab import demo_namespaces
    from orchestrator.lab.demo_loopback import LoopbackScene

    reason = demo_namespaces.lacking()
    if reason and not loopback:
        click.echo(f"Using loopback addresses instead of network namespaces: {reason}.")
    if loopback or reason:
        return LoopbackScene(workdir)
    return demo_namespaces.NamespaceScene(workdir)


def _play(scene: Scene, stay: bool) -> None:
    from orchestrator.lab.demo import Demo

    try:
        story = Demo(scene, click.echo)
        story.run()
        if stay:
            story.resume()
            _stay(scene)
    finally:
        _close(scene)


def _play_layer2(workdir: Path) -> None:
    from orchestrator.lab.demo_layer2 import Layer2Demo
    from orchestrator.lab.runner import check_host

    check_host()
    _tell(Layer2Demo(workdir, click.echo))


def _play_kubernetes(workdir: Path) -> None:
    from orchestrator.lab.demo_kubernetes import KubernetesDemo
    from orchestrator.lab.runner import check_host

    check_host()
    _tell(KubernetesDemo(workdir, click.echo))


def _tell(story: Layer2Demo | KubernetesDemo) -> None:
    try:
        story.run()
    finally:
        _close(story)


def _stay(scene: Scene) -> None:
    click.echo("\nIt stays up until Ctrl-C. To look around, in another terminal:")
    for command in scene.look_around():
        click.echo(f"    {command}")
    signal.pause()


def _close(scene: Scene | Layer2Demo | KubernetesDemo) -> None:
    """Take everything down; a second Ctrl-C must not leave half of it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    try:
        scene.close()
    finally:
        for number, action in before.items():
            signal.signal(number, action)
