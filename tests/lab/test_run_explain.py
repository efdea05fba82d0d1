"""`explain` on a running appliance names the right reason for each thing that can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll, steady

pytestmark = pytest.mark.lab

VIP = "198.51.100.10"
PREFIX = f"{VIP}/32"


@pytest.fixture
def scene(pair: Lab, workdir: Path) -> tuple[Frr, Appliance]:
    """A router and an appliance that announces a VIP."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start()
    poll(lambda: PREFIX in frr.rib())
    return frr, box


def expect(box: Appliance, step: str, reason: str, words: str, target: str = VIP) -> None:
    """Wait until the last link of the chain is `step` with `reason`, and says `words`."""

    def seen() -> bool:
        last = box.explain(target)
        return (last["step"], last["reason"]) == (step, reason) and words in last["answer"]

    poll(seen, what=f"{step} {reason} {words}; last: {box.explain(target)}")


def test_announced_then_peer_down(scene: tuple[Frr, Appliance]) -> None:
    """A flushed route is announced; without the router it is peerDown, with exit status 1."""
    frr, box = scene
    expect(box, "flushed", "announced", "is announced by box")
    assert box.call("explain", VIP).returncode == 0
    frr.stop()
    expect(box, "session", "peerDown", "r down")
    assert box.call("explain", VIP).returncode == 1


def test_health_failing(scene: tuple[Frr, Appliance]) -> None:
    """A check that fails withdraws the route; explain says unhealthy and what the check saw."""
    frr, box = scene
    check = ", check: {tcp: {port: 9}, intervalMs: 200, fastIntervalMs: 100, timeoutMs: 100}"
    box.write(peer() + POOL + vip(extra=check))
    poll(lambda: PREFIX not in frr.rib())
    expect(box, "health", "unhealthy", "refused")


def test_no_matching_advertisement(scene: tuple[Frr, Appliance]) -> None:
    """Without an advertisement for its pool a VIP is not announced, and the pool is named."""
    frr, box = scene
    box.write(peer() + POOL.replace("{name: all, namespace: metallb-system}", OTHER_POOL) + vip())
    poll(lambda: PREFIX not in frr.rib())
    expect(box, "advertisement", "noMatchingAdvertisement", "covers pool edge")


OTHER_POOL = "{name: all, namespace: metallb-system}\nspec: {ipAddressPools: [elsewhere]}"


def test_node_not_selected(scene: tuple[Frr, Appliance]) -> None:
    """An advertisement for other nodes says so, with the name of this one."""
    frr, box = scene
    elsewhere = (
        "{name: all, namespace: metallb-system}\n"
        "spec: {nodeSelectors: [{matchLabels: {kubernetes.io/hostname: other}}]}"
    )
    box.write(peer() + POOL.replace("{name: all, namespace: metallb-system}", elsewhere) + vip())
    poll(lambda: PREFIX not in frr.rib())
    expect(
        box,
        "advertisement",
        "noMatchingAdvertisement",
        "nodeSelectors do not match the labels of the node",
    )


def test_unknown_pool(scene: tuple[Frr, Appliance]) -> None:
    """A VIP from a pool that does not exist has no address; the pools there are named.

    One that had an address keeps it, and says what cannot be had.
    """
    frr, box = scene
    nowhere = vip().replace(f'addresses: ["{VIP}"]', "pool: nowhere")
    lost = nowhere.replace("name: web", "name: lost")
    box.write(peer() + POOL + nowhere + "---" + lost)
    poll(lambda: box.call("explain", "virtualip/lost").returncode == 1)
    expect(box, "assigned", "unknownPool", "edge", target="virtualip/lost")
    kept = box.ask("explain", "virtualip/web")["nodes"][0]["steps"][0]
    assert kept["ok"]
    assert "keeps 198.51.100.10" in kept["message"]
    assert 'unknown pool "nowhere"' in kept["message"]
    steady(lambda: PREFIX in frr.rib(), 1)


def test_nobody_has_it(scene: tuple[Frr, Appliance]) -> None:
    """An address that no VIP has ends with status 1 and one line on standard error."""
    _, box = scene
    done = box.call("explain", "192.0.2.1")
    assert done.returncode == 1
    assert done.stderr.startswith("orchestrator: 192.0.2.1: no Service or VirtualIP")
