"""Where the addresses of virtual routers are: on `lo`, on the interface, nowhere, on a virtual MAC."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.lab.keepalived import Keepalived, instance
from tests.lab.layer2_scene import CLIENT, wait_answered
from tests.lab.polling import poll, steady
from tests.lab.router_scene import (
    ADDRESS,
    ADDRESS6,
    LINK_LOCAL6,
    OURS,
    THEIRS,
    Routers,
    virtual_router,
)

pytestmark = pytest.mark.lab

FIRST, SECOND = OURS, THEIRS
"""Both are ours here; the first has the higher priority."""
VIRTUAL_MAC, VIRTUAL_MAC6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"


def run_both(scene: Routers, **fields: Any) -> None:
    """Start ours on both nodes, a server behind the address on both, and wait for the states."""
    for name, priority in ((FIRST, 150), (SECOND, 100)):
        scene.run(virtual_router(priority=priority, **fields), name=name)
    scene.wait_state("master", name=FIRST)
    scene.wait_state("backup", name=SECOND)


def arp_settings(scene: Routers, name: str) -> tuple[str, str]:
    """What the kernel of a node does with ARP on eth1: the greater of `all` and the interface's."""
    values = {
        setting: max(
            scene.node(name).run(["sysctl", "-n", f"net.ipv4.conf.{where}.{setting}"]).stdout
            for where in ("all", "eth1")
        )
        for setting in ("arp_ignore", "arp_announce")
    }
    return values["arp_ignore"].strip(), values["arp_announce"].strip()


def is_quiet(scene: Routers, name: str) -> bool:
    """Tell whether the kernel answers ARP for the addresses of the interface itself only."""
    return arp_settings(scene, name) == ("1", "2")


def wait_bound(scene: Routers, name: str, interface: str, address: str) -> None:
    """Wait until an interface of a node has an address."""
    poll(lambda: address in scene.bound(name, interface), what=f"{address} on {interface}")


def test_lo_has_the_address_on_both_at_all_times(workdir: Path) -> None:
    """By default `lo` of master and backup have the address.

    The kernel is quiet about it while it is there; a stop takes it off and gives the kernel's
    settings back.
    """
    with Routers(workdir) as scene:
        before = arp_settings(scene, FIRST)
        run_both(scene)
        for name in (FIRST, SECOND):
            wait_bound(scene, name, "lo", f"{ADDRESS}/32")
            poll(partial(is_quiet, scene, name), what=f"the kernel of {name} to be quiet")
            assert f"{ADDRESS}/24" not in scene.bound(name, "eth1")
        scene.serve(FIRST, ADDRESS)
        scene.serve(SECOND, ADDRESS)
        client = scene.client(ADDRESS, 5)
        wait_answered(client, FIRST)
        assert scene.neighbor(ADDRESS) == scene.mac(FIRST)

        assert scene.boxes[FIRST].stop() == 0
        wait_answered(client, SECOND)
        assert scene.neighbor(ADDRESS) == scene.mac(SECOND)
        assert f"{ADDRESS}/32" not in scene.bound(FIRST, "lo")
        assert f"{ADDRESS}/32" in scene.bound(SECOND, "lo")
        assert arp_settings(scene, FIRST) == before


def test_interface_has_the_address_while_master(workdir: Path) -> None:
    """With `bind: interface` the address is there with its prefix, on the master only."""
    with Routers(workdir) as scene:
        run_both(scene, bind="interface")
        wait_bound(scene, FIRST, "eth1", f"{ADDRESS}/24")
        assert f"{ADDRESS}/24" not in scene.bound(SECOND, "eth1")
        for name in (FIRST, SECOND):
            scene.serve(name, ADDRESS)
        client = scene.client(ADDRESS, 5)
        wait_answered(client, FIRST)

        scene.boxes[FIRST].write(virtual_router(priority=50, bind="interface"))
        wait_answered(client, SECOND)
        wait_bound(scene, SECOND, "eth1", f"{ADDRESS}/24")
        poll(lambda: f"{ADDRESS}/24" not in scene.bound(FIRST, "eth1"))


def test_none_binds_nowhere_and_answers_all_the_same(workdir: Path) -> None:
    """With `bind: none` no interface gets the address; the master answers ARP for it."""
    with Routers(workdir) as scene:
        run_both(scene, bind="none")
        node = scene.node(CLIENT)
        poll(lambda: node.run(["arping", "-c", "1", "-I", "eth1", ADDRESS], check=False).stdout)
        found = node.run(["arping", "-c", "1", "-I", "eth1", ADDRESS]).stdout
        assert scene.mac(FIRST).upper() in found.upper()
        for name in (FIRST, SECOND):
            for interface in ("lo", "eth1"):
                assert not {a for a in scene.bound(name, interface) if a.startswith(ADDRESS)}


def test_link_local_address_is_on_the_masters_interface(workdir: Path) -> None:
    """An IPv6 link-local address is on the master's interface, usable at once.

    It works on no other one (`lo` included); the global address is on `lo` of both.
    """
    with Routers(workdir) as scene:
        run_both(scene, addresses=[f"{LINK_LOCAL6}/64", f"{ADDRESS6}/64"])
        link_local = f"{LINK_LOCAL6}/64"
        wait_bound(scene, FIRST, "eth1", link_local)
        assert link_local not in scene.bound(SECOND, "eth1")
        for name in (FIRST, SECOND):
            wait_bound(scene, name, "lo", f"{ADDRESS6}/128")
        ping = ["ping", "-c", "1", "-W", "1", f"{LINK_LOCAL6}%eth1"]
        assert poll(lambda: scene.node(CLIENT).run(ping, check=False).returncode == 0)

        assert scene.boxes[FIRST].stop() == 0
        assert link_local not in scene.bound(FIRST, "eth1")
        wait_bound(scene, SECOND, "eth1", link_local)
        assert poll(lambda: scene.node(CLIENT).run(ping, check=False).returncode == 0)


@pytest.mark.parametrize(
    ("asked", "addresses", "mac"),
    [
        (ADDRESS, [f"{ADDRESS}/24"], VIRTUAL_MAC),
        (ADDRESS6, [f"{LINK_LOCAL6}/64", f"{ADDRESS6}/64"], VIRTUAL_MAC6),
    ],
    ids=["IPv4", "IPv6"],
)
def test_virtual_mac_stays_the_same(
    workdir: Path, asked: str, addresses: list[str], mac: str
) -> None:
    """With `virtualMAC` the client has 00:00:5e:00:0N:VRID, and so it stays when another is master.

    A master hears a better one though it sends from the same MAC, and is backup.
    The client's entry is made permanent: what a new master says of another MAC would be lost.
    """
    with Routers(workdir) as scene:
        scene.run(virtual_router(priority=100, addresses=addresses, virtualMAC=True), name=SECOND)
        scene.wait_state("master", name=SECOND)
        scene.run(virtual_router(priority=150, addresses=addresses, virtualMAC=True), name=FIRST)
        scene.wait_state("master", name=FIRST)
        scene.wait_state("backup", name=SECOND)
        for name in (FIRST, SECOND):
            scene.serve(name, asked)
        client = scene.client(asked, 5)
        wait_answered(client, FIRST)
        assert scene.neighbor(asked) == mac
        scene.node(CLIENT).run(["ip", "neigh", "replace", asked, "lladdr", mac, "dev", "eth1"])

        scene.kill(FIRST)
        wait_answered(client, SECOND)
        assert scene.neighbor(asked) == mac


def test_excluded_addresses_go_with_the_others(workdir: Path) -> None:
    """An address in `excludedAddresses` is answered by the master and is in no advert.

    So keepalived, which refuses adverts with another list, follows; it takes over both.
    """
    excluded = "10.0.0.253"
    with Routers(workdir) as scene:
        lines = f"virtual_ipaddress_excluded {{\n {excluded}/24\n }}"
        scene.run(virtual_router(priority=150, excludedAddresses=[f"{excluded}/24"]))
        scene.wait_state("master")
        text = instance("gateway", f"{ADDRESS}/24", lines=lines)
        theirs = Keepalived(scene.node(THEIRS), text).start()
        theirs.wait_state("BACKUP")
        steady(lambda: theirs.states() == ["BACKUP"], 1, "keepalived follows")
        clients = [scene.client(address, 5) for address in (ADDRESS, excluded)]
        for name in (OURS, THEIRS):
            scene.serve(name, ADDRESS, excluded)
        for client in clients:
            wait_answered(client, OURS)

        assert scene.boxes[OURS].stop() == 0
        for client in clients:
            wait_answered(client, THEIRS)


def test_what_a_crash_left_on_the_interface_goes(workdir: Path) -> None:
    """After kill -9 of all the kernel still has the address; the next start takes it off a backup."""
    with Routers(workdir) as scene:
        run_both(scene, bind="interface")
        wait_bound(scene, FIRST, "eth1", f"{ADDRESS}/24")
        scene.kill(FIRST)
        scene.wait_state("master", name=SECOND)
        assert f"{ADDRESS}/24" in scene.bound(FIRST, "eth1")

        scene.run(virtual_router(priority=50, bind="interface"), name=FIRST)
        scene.wait_state("backup", name=FIRST)
        poll(lambda: f"{ADDRESS}/24" not in scene.bound(FIRST, "eth1"))
        assert f"{ADDRESS}/24" in scene.bound(SECOND, "eth1")


def test_a_killed_role_comes_back_as_master(workdir: Path) -> None:
    """The process that speaks VRRP is killed alone: the other takes over until it is started again.

    Meanwhile the address is on both interfaces at the longest until it has been started.
    """
    with Routers(workdir) as scene:
        run_both(scene, bind="interface")
        for name in (FIRST, SECOND):
            scene.serve(name, ADDRESS)
        client = scene.client(ADDRESS, 5)
        wait_answered(client, FIRST)
        box = scene.boxes[FIRST]
        box.wait_new("layer2", box.kill("layer2"))
        wait_answered(client, FIRST)
        scene.wait_state("master", name=FIRST)
        scene.wait_state("backup", name=SECOND)
        wait_bound(scene, FIRST, "eth1", f"{ADDRESS}/24")
        poll(lambda: f"{ADDRESS}/24" not in scene.bound(SECOND, "eth1"))


def test_virtual_mac_is_shared_with_keepalived(workdir: Path) -> None:
    """With `use_vmac` at keepalived and `virtualMAC` here the two take over from each other."""
    with Routers(workdir) as scene:
        text = instance("gateway", f"{ADDRESS}/24", lines="use_vmac")
        theirs = Keepalived(scene.node(THEIRS), text).start()
        theirs.wait_state("MASTER")
        for name in (OURS, THEIRS):
            scene.serve(name, ADDRESS)
        client = scene.client(ADDRESS, 5)
        wait_answered(client, THEIRS)
        scene.run(virtual_router(priority=150, virtualMAC=True))
        scene.wait_state("master")
        theirs.wait_state("BACKUP")
        wait_answered(client, OURS)
        assert scene.neighbor(ADDRESS) == VIRTUAL_MAC

        assert scene.boxes[OURS].stop() == 0
        theirs.wait_state("MASTER")
        wait_answered(client, THEIRS)
        assert scene.neighbor(ADDRESS) == VIRTUAL_MAC
