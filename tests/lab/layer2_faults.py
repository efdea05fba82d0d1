"""Faults of the owner of an address, each with what heals it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from orchestrator.lab.segment import SWITCH
from tests.lab.layer2_scene import CLIENT, Segment

Heal: TypeAlias = Callable[[], None]
Fault: TypeAlias = Callable[[Segment, str], Heal]

BRIDGE_TABLE = "table bridge cut { chain forward { type filter hook forward priority 0; }; }"


def kill(scene: Segment, name: str) -> Heal:
    """Kill every process of ours on the node with -9; its kernel lives on."""
    scene.kill(name)
    return lambda: scene.start_again(name)


def power_off(scene: Segment, name: str) -> Heal:
    """End everything on the node at once, its server and its kernel's part in the network too."""
    scene.power_off(name)

    def heal() -> None:
        scene.link_up(name)
        scene.start_again(name)
        scene.serve_again(name)

    return heal


def link_down(scene: Segment, name: str) -> Heal:
    """Take the interface down as an administrator would."""
    scene.node(name).link_down("eth1")
    return lambda: scene.link_up(name)


def cable(scene: Segment, name: str) -> Heal:
    """Pull the cable: the switch's end goes down, and the node loses its carrier."""
    scene.node(SWITCH).link_down(scene.port(name))
    return lambda: scene.node(SWITCH).link_up(scene.port(name))


def silent(scene: Segment, name: str) -> Heal:
    """Let the switch forward nothing on the node's port; the carrier stays."""
    port = scene.port(name)
    scene.switch("bridge", "link", "set", "dev", port, "state", "0")
    return lambda: scene.switch("bridge", "link", "set", "dev", port, "state", "3")


def stop(scene: Segment, name: str) -> Heal:
    """Stop `orchestrator run` in an orderly way."""
    scene.boxes[name].stop()
    return lambda: scene.start_again(name)


def pause(scene: Segment, name: str) -> Heal:
    """Stop the layer2 process with SIGSTOP; to heal is to let it go on."""
    box = scene.boxes[name]
    pid = box.pid("layer2")
    box.signal(pid, "STOP")
    return lambda: box.signal(pid, "CONT")


def cut(scene: Segment, *rules: str) -> Heal:
    """Drop frames on the switch by nft rules such as `iifname eth1`; healed all at once."""
    nft(scene, BRIDGE_TABLE)
    for rule in rules:
        nft(scene, f"add rule bridge cut forward {rule} drop")
    return lambda: nft(scene, "delete table bridge cut")


def nft(scene: Segment, command: str) -> None:
    """Run one nft command on the switch."""
    scene.node(SWITCH).run(["nft", "-f", "-"], stdin=command + "\n")


def dumb(scene: Segment, name: str) -> Heal:
    """Let nothing through that the node sends; it hears everything."""
    return cut(scene, f'iifname "{scene.port(name)}"')


def deaf(scene: Segment, name: str) -> Heal:
    """Let nothing through to the node; what it sends arrives."""
    return cut(scene, f'oifname "{scene.port(name)}"')


def between(scene: Segment, one: str, other: str) -> Heal:
    """Cut two nodes from each other; everybody else hears both."""
    first, second = scene.port(one), scene.port(other)
    return cut(
        scene,
        f'iifname "{first}" oifname "{second}"',
        f'iifname "{second}" oifname "{first}"',
    )


def split(scene: Segment, *names: str) -> Heal:
    """Cut these nodes off from the others and from the client."""
    inside = {scene.port(name) for name in names}
    outside = {scene.port(name) for name in (*scene.names, CLIENT)} - inside
    ins, outs = (", ".join(f'"{port}"' for port in sorted(ports)) for ports in (inside, outside))
    return cut(
        scene,
        f"iifname {{ {ins} }} oifname {{ {outs} }}",
        f"iifname {{ {outs} }} oifname {{ {ins} }}",
    )


def lossy(scene: Segment, percent: int) -> Heal:
    """Lose this share of all frames between nodes, both ways."""
    ports = ", ".join(f'"{scene.port(name)}"' for name in scene.names)
    return cut(
        scene,
        f"iifname {{ {ports} }} oifname {{ {ports} }} numgen random mod 100 < {percent}",
    )
