"""`orchestrator run` on a real router: announce, reload, stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll

pytestmark = pytest.mark.lab

ROUTER = "10.0.0.1"


def addresses_on_lo(box: Appliance) -> str:
    """What is bound on the node's loopback interface."""
    return box.node.run(["ip", "-br", "addr", "show", "lo"]).stdout


def test_vip_is_bound_then_announced_and_gone_after_stop(pair: Lab, workdir: Path) -> None:
    """A VIP from a file reaches the router and `lo`; after TERM neither has it any more."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start()

    assert poll(lambda: frr.rib().get("198.51.100.10/32"))[0]["nexthop"] == "10.0.0.2"
    assert "198.51.100.10/32" in addresses_on_lo(box)

    assert box.stop() == 0
    assert poll(lambda: "198.51.100.10/32" not in frr.rib())
    assert "198.51.100.10/32" not in addresses_on_lo(box)


def test_reload_follows_the_files(pair: Lab, workdir: Path) -> None:
    """A changed file changes the router's RIB by itself; HUP does so too; other routes stay."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL)
    box.write(vip("one", "198.51.100.1"), "one.yaml")
    box.start()
    poll(lambda: "198.51.100.1/32" in frr.rib())

    box.write(vip("two", "198.51.100.2"), "two.yaml")
    poll(lambda: {"198.51.100.1/32", "198.51.100.2/32"} == set(frr.rib()))

    (box.files / "one.yaml").unlink()
    poll(lambda: set(frr.rib()) == {"198.51.100.2/32"})
    poll(lambda: "198.51.100.1/32" not in addresses_on_lo(box))


def test_half_written_file_changes_nothing(pair: Lab, workdir: Path) -> None:
    """A file that ends in the middle is reported with its place; what it said before stays."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start()
    poll(lambda: "198.51.100.10/32" in frr.rib())

    box.write((peer() + POOL + vip()).replace('addresses: ["198.51.100.10"', 'addresses: ["198'))
    problems = poll(lambda: box.ask("status")["problems"])
    (error,) = [problem for problem in problems if problem["severity"] == "error"]
    assert "all.yaml:" in error["place"]
    assert box.ask("status")["configValid"] is False

    # Also a speaker that starts now, and so has read nothing else, keeps what is there.
    box.wait_new("speaker", box.kill("speaker"))
    poll(lambda: box.call("status").returncode == 0)
    poll(lambda: box.ask("status")["synced"])
    assert "198.51.100.10/32" in frr.rib()

    box.write(peer() + POOL + vip(address="198.51.100.11"))
    poll(lambda: set(frr.rib()) == {"198.51.100.11/32"})


def test_several_instances_on_one_host(pair: Lab, workdir: Path) -> None:
    """Two appliances with their own directories and ports work side by side on one host."""
    frr = Frr(
        pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500), Neighbor("10.0.0.3", 64500)]
    ).start()
    node = pair.node("a")
    node.run(["ip", "addr", "add", "10.0.0.3/24", "dev", "eth1"])
    first, second = Appliance(node, workdir, "one"), Appliance(node, workdir, "two")
    for box, own, address in ((first, "10.0.0.2", "1"), (second, "10.0.0.3", "2")):
        box.write(
            peer(extra=f", sourceAddress: {own}") + POOL + vip(address=f"198.51.100.{address}")
        )
    first.start()
    second.start("--http", "127.0.0.1:7473")

    poll(lambda: set(frr.rib()) == {"198.51.100.1/32", "198.51.100.2/32"})
    assert first.ask("status")["node"] == "one"
    assert second.ask("status")["node"] == "two"
    assert first.stop() == 0
    poll(lambda: set(frr.rib()) == {"198.51.100.2/32"})


def test_a_second_run_in_the_same_directory_is_refused(pair: Lab, workdir: Path) -> None:
    """A second `run` with the same runtime directory ends with status 3 and says who has it."""
    Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start()
    pid = box.pid("run")
    argv = box.argv("run", "-f", str(box.files), *box.directories(), "--http", "off")
    refused = box.node.run(argv, timeout_s=20, check=False)
    assert refused.returncode == 3
    assert f"another run is running (process {pid})" in refused.stderr
    assert "Traceback" not in refused.stderr
