"""20,000 random changes over 400 prefixes, with sessions reset meanwhile, end exactly as wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model.route import Route
from tests.lab.exabgp_side import Side, peer, route
from tests.lab.harness import Frr, Lab, Neighbor, poll

pytestmark = pytest.mark.lab

PREFIXES = [f"198.18.{n // 200}.{n % 200}/32" for n in range(400)]
CHANGES = 20_000
BURST = 40
RESETS = 8


def chances(state: int) -> Callable[[int], int]:
    """Make a function that gives a number below its argument: the same ones for the same `state`."""

    def below(limit: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (state >> 33) % limit

    return below


@pytest.mark.parametrize("seed", [20261124])
def test_random_changes_with_resets(pair: Lab, workdir: Path, seed: int) -> None:
    """After every change and reset, the router's RIB is the wanted one: prefixes and attributes."""
    below = chances(seed)
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    side = Side(pair.node("a"), workdir).start()
    wanted: dict[str, Route] = {}
    resets = {CHANGES * number // (RESETS + 1) // BURST for number in range(1, RESETS + 1)}
    with side.speaker() as speaker:
        speaker.want({peer(): {}})
        speaker.wait_up()
        for burst in range(CHANGES // BURST):
            for _ in range(BURST):
                prefix = PREFIXES[below(len(PREFIXES))]
                if below(10) < 4:
                    wanted.pop(prefix, None)
                else:
                    wanted[prefix] = route(prefix, med=1 + below(5))
                speaker.want({peer(): {one.prefix: one for one in wanted.values()}})
            if burst in resets:
                speaker.wait_up()
                frr.vtysh("clear bgp 10.0.0.2")
        speaker.wait_flushed(timeout_s=90)
    expected = {prefix: one.attributes.med for prefix, one in wanted.items()}
    poll(lambda: {prefix: paths[0]["med"] for prefix, paths in frr.rib().items()} == expected)
    count = frr.json("show bgp neighbors")["10.0.0.2"]["connectionsEstablished"]
    assert count == RESETS + 1, f"{RESETS} resets were meant, {count} sessions were seen"
