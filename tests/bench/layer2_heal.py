"""For how long two nodes answer for an address after a cable or a switch port came back."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from orchestrator.adapters.kernel.packet_socket import PacketSender
from orchestrator.lab.node import Node
from orchestrator.layer2.frames.arp import ask
from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_outage import shown
from tests.bench.layer2_witness import Told, Witness
from tests.bench.table import Table
from tests.lab import layer2_faults as faults
from tests.lab.inside import inside, port_of
from tests.lab.layer2_scene import CLIENT, VIP
from tests.lab.polling import poll

ROUNDS = 10
WATCHED_S = 2.5
"""Longer than it takes the better node to be up, to be heard, and to preempt."""
PREEMPT_MS = 500
BETWEEN_S = 0.005
"""Between two questions."""
FAULTS = {"cable pulled": faults.cable, "silent switch port": faults.silent}
KINDS: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)


def heal(workdir: Path) -> Table:
    """Ask by ARP all the time, and see how many questions more than one MAC answers."""
    table = Table(
        f"After the link of a former owner is back, ms at 100 ms: median (min-max), n = {ROUNDS}",
        ("contender", "fault", "two answer, for"),
    )
    for kind in KINDS:
        with kind(workdir / kind.__name__, preempt_ms=PREEMPT_MS) as scene:
            scene.begin()
            with Witness(scene.node(CLIENT)) as witness:
                for name, fault in FAULTS.items():
                    rounds = [_round(scene, witness, fault) for _ in range(ROUNDS)]
                    table.add(kind.label, name, shown(rounds))
    return table


def _round(
    scene: Contender, witness: Witness, fault: Callable[[Contender, str], Callable[[], None]]
) -> float:
    owner, client = scene.rest(), scene.client()
    poll(lambda: client.owner() == owner, 20, f"{owner} to answer")
    back = fault(scene, owner)
    poll(lambda: client.owner() not in {"", owner}, 20, "another to answer")
    time.sleep(1)
    witness.clear()
    back()
    between_s = _ask(scene.node(CLIENT), WATCHED_S)
    twice = twice_answered([one for one in witness.told() if _is_answer(one)])
    client.stop()
    return 1000 * twice * between_s


def _is_answer(one: Told) -> bool:
    return one.address == VIP and not one.gratuitous


def _ask(node: Node, for_s: float) -> float:
    """Ask everybody again and again by ARP from eth1 of a node; return the mean time between."""
    port = port_of(node)
    with inside(node):
        sender = PacketSender(port.index)
    frame = ask(ipaddress.IPv4Address(VIP), port.mac, port.ipv4)
    begun, count = time.monotonic(), 0
    while time.monotonic() < begun + for_s:
        sender.send(frame)
        count += 1
        time.sleep(BETWEEN_S)
    sender.close()
    return (time.monotonic() - begun) / count


def twice_answered(answers: list[Told]) -> int:
    """Count questions that more than one MAC answered: between two questions nothing is answered."""
    return sum(
        late.at - early.at < BETWEEN_S / 2 and late.mac != early.mac
        for early, late in pairwise(answers)
    )
