"""Shared VIPs as others on the network see them: ARP, conflicts, many addresses, BGP beside them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator.lab.segment import SWITCH
from tests.lab import layer2_faults as faults
from tests.lab.appliance import peer
from tests.lab.frr import Frr
from tests.lab.layer2_scene import (
    CLIENT,
    QUICK,
    VIP,
    VIP6,
    Segment,
    dual_stack,
    longest_gap_s,
    wait_answered,
    wait_moved,
)
from tests.lab.polling import IN_LONG, poll, require, steady
from tests.lab.routes import Neighbor

pytestmark = pytest.mark.lab

SEED_VIP = "192.168.1.240"
STRANGER = "02:00:00:00:00:99"
LIMIT_S = 1.5
HOGS_S = 30.0 if IN_LONG else 5.0
MANY = 1000


def arping(scene: Segment, address: str, *flags: str) -> str:
    """Ask for an address by ARP from the client; return what arping prints."""
    argv = ["arping", "-c", "3", "-i", "eth1", *flags, address]
    return scene.node(CLIENT).run(argv, timeout_s=20, check=False).stdout


def test_one_node_answers_arp_for_the_vip(workdir: Path) -> None:
    """192.168.1.240 is answered with the MAC of one node, seen by arping and by tcpdump."""
    require("arping", "tcpdump")
    with Segment(workdir, networks=("192.168.1.0/24",)) as scene:
        scene.more = (
            "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"
            "metadata: {name: seed, namespace: metallb-system}\n"
            "spec: {addresses: [192.168.1.240-192.168.1.250]}\n---\n"
        )
        scene.start(SEED_VIP)
        owner = scene.rested(SEED_VIP)
        capture = workdir / "arp.log"
        sniffer = scene.node(CLIENT).spawn(
            ["tcpdump", "-lnei", "eth1", "arp", "and", "host", SEED_VIP], log=capture
        )
        poll(lambda: "listening on" in capture.read_text("utf-8"), 10, "tcpdump to listen")
        answered = set(re.findall(r"from ([0-9a-f:]{17})", arping(scene, SEED_VIP)))
        assert answered == {scene.mac(owner)}
        poll(lambda: f"{SEED_VIP} is-at {scene.mac(owner)}" in capture.read_text("utf-8"), 10)
        sniffer.terminate()
        told = set(re.findall(rf"{SEED_VIP} is-at ([0-9a-f:]{{17}})", capture.read_text("utf-8")))
        assert told == {scene.mac(owner)}


def test_a_stranger_with_our_address(workdir: Path) -> None:
    """A foreign host that claims the VIP is seen, reported with its MAC, and answered."""
    require("arping")
    with Segment(workdir) as scene:
        scene.start(VIP)
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        thief = scene.node(CLIENT)
        thief.run(["ip", "link", "add", "eve", "link", "eth1", "type", "macvlan"])
        thief.run(["ip", "link", "set", "eve", "address", STRANGER, "up"])
        thief.run(["arping", "-c", "1", "-U", "-S", VIP, "-i", "eve", VIP], check=False)
        poll(lambda: scene.gives(owner, "addressConflict"), 10, "the conflict to be reported")
        assert STRANGER in scene.boxes[owner].explain(VIP)["message"]
        events = scene.boxes[owner].ask("events")["items"]
        assert any(event["reason"] == "addressConflict" for event in events)
        poll(lambda: scene.neighbor() == scene.mac(owner), 10, "the owner to be believed again")


def test_members_without_multicast(workdir: Path) -> None:
    """With unicast transport members that are named by Node objects share the address all the same."""
    nodes = "".join(
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: n{number}}}\n"
        f"status: {{addresses: [{{type: InternalIP, address: 10.0.0.{number}}}]}}\n---\n"
        for number in (1, 2, 3)
    )
    with Segment(workdir, settings=f"{QUICK}, transport: unicast") as scene:
        scene.more = nodes
        faults.nft(scene, faults.BRIDGE_TABLE)
        faults.nft(scene, "add rule bridge cut forward ip daddr 224.0.0.0/4 drop")
        scene.start(VIP)
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        moment = time.monotonic()
        faults.power_off(scene, owner)
        wait_moved([client], owner, moment)
        assert longest_gap_s([client], moment) < LIMIT_S


def test_a_thousand_addresses(workdir: Path) -> None:
    """1,000 addresses of a dead node are announced by others, each once at least, and answered."""
    addresses = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(MANY)]
    with Segment(workdir, ("n1", "n2")) as scene:
        scene.start(*addresses)
        scene.rested(addresses[0])
        poll(lambda: len(owned(scene, "n1")) + len(owned(scene, "n2")) == MANY, 60, "all owned")
        lost = owned(scene, "n1")
        assert lost
        capture = workdir / "many.log"
        sniffer = scene.node(CLIENT).spawn(["tcpdump", "-lnnei", "eth1", "arp"], log=capture)
        poll(lambda: "listening on" in capture.read_text("utf-8"), 10, "tcpdump to listen")
        faults.power_off(scene, "n1")
        poll(lambda: len(owned(scene, "n2")) == MANY, 20, "the other to own all")
        mac = scene.mac("n2")

        def announced() -> set[str]:
            said = rf"{mac} > .*who-has (\S+) .*tell \1,|{mac} > .*Reply (\S+) is-at {mac}"
            found = re.findall(said, capture.read_text("utf-8"))
            return {first or second for first, second in found}

        poll(lambda: lost <= announced(), 10, "all to be announced")
        sniffer.terminate()


def owned(scene: Segment, name: str) -> set[str]:
    """Addresses that a node announces."""
    return {item["address"] for item in scene.vips(name) if item["reason"] == "announced"}


def test_busy_processors_cause_no_failover(workdir: Path) -> None:
    """Two programs that take all processors do not make a member look dead."""
    with dual_stack(workdir) as scene:
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        moment = time.monotonic()
        hogs = [scene.node(SWITCH).spawn(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
        time.sleep(HOGS_S)
        for hog in hogs:
            hog.kill()
        assert {gap.after for gap in client.gaps(moment)} <= {owner}
        for name in scene.names:
            assert "orchestrator_layer2_failovers_total 0.0" in scene.metrics(name)


@pytest.mark.parametrize("role", ["speaker", "addresses"])
def test_other_roles_may_die(workdir: Path, role: str) -> None:
    """kill -9 of speaker or addresses moves nothing and loses no question."""
    with dual_stack(workdir) as scene:
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        moment = time.monotonic()
        killed = scene.boxes[owner].kill(role)
        scene.boxes[owner].wait_new(role, killed)
        steady(lambda: client.owner() == owner, 2, f"{owner} to go on answering")
        assert longest_gap_s([client], moment) < 0.5


def test_the_layer2_process_may_die(workdir: Path) -> None:
    """kill -9 of layer2 is a failover; its successor learns everything from the speaker."""
    with dual_stack(workdir) as scene:
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        moment = time.monotonic()
        killed = scene.boxes[owner].kill("layer2")
        scene.boxes[owner].wait_new("layer2", killed)
        assert scene.rested() == owner  # it is the better one, so it gets the address back
        assert longest_gap_s([client], moment) < LIMIT_S


def reasons(scene: Segment, name: str) -> set[tuple[str, str]]:
    """Return the protocols of a node's verdicts, each with its reason."""
    return {(item["protocol"], item["reason"]) for item in scene.vips(name)}


def test_over_bgp_and_on_layer_2_at_once(workdir: Path) -> None:
    """One VIP is a route in a router and answered on the segment; each path says its own verdict."""
    require("/usr/lib/frr/bgpd")
    with Segment(workdir, ("r", "n1")) as scene:
        neighbors = [Neighbor("10.0.0.2", 64500)]
        router = Frr(scene.node("r"), router_id="10.0.0.1", neighbors=neighbors).start()
        scene.more = peer(address="10.0.0.1") + (
            "apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\n"
            "metadata: {name: all, namespace: metallb-system}\n---\n"
        )
        scene.start(VIP, names=("n1",))
        client = scene.client()
        wait_answered(client, "n1")
        both = {("bgp", "announced"), ("layer2", "announced")}
        poll(lambda: reasons(scene, "n1") == both, 30, "both paths to be announced")
        assert f"{VIP}/32" in router.rib()


def test_only_needed_roles_run(workdir: Path) -> None:
    """Without BGP peers no ExaBGP is started; without layer 2 no layer2 process."""
    with Segment(workdir, ("n1",)) as scene:
        scene.start(VIP)
        scene.settled()
        locks = {path.stem for path in scene.boxes["n1"].runtime_dir.glob("*.lock")}
        assert locks == {"run", "speaker", "addresses", "layer2"}
        assert scene.boxes["n1"].call("status").returncode == 0


def test_what_a_node_shows(workdir: Path) -> None:
    """`vips` has owner, members with the age of their last hello, and what was sent and answered."""
    with dual_stack(workdir) as scene:
        owner = scene.rested()
        client = scene.client()
        wait_answered(client)
        arping(scene, VIP)
        (item,) = [item for item in scene.vips(owner) if item["address"] == VIP]
        (segment,) = item["segments"]
        assert (segment["interface"], segment["owner"], segment["wanted"]) == ("eth1", owner, True)
        others = {name for name in scene.names if name != owner}
        assert {member["node"] for member in segment["members"]} == others
        assert all(0 <= member["lastHeardMs"] < 2000 for member in segment["members"])
        poll(lambda: counted(scene, owner), 10, "questions and announcements to be counted")
        text = scene.metrics(owner)
        announced = f'ip="{VIP}",node="{owner}",protocol="layer2"'
        assert f"metallb_speaker_announced{{{announced}" in text
        assert f'metallb_layer2_gratuitous_sent{{ip="{VIP6}"}}' in text
        assert "orchestrator_layer2_timer_lateness_seconds_bucket" in text


def counted(scene: Segment, owner: str) -> bool:
    """Tell whether the owner counted questions for the VIP, and announcements of it."""
    (item,) = [item for item in scene.vips(owner) if item["address"] == VIP]
    segment = item["segments"][0]
    return bool(segment["gratuitousSent"] >= 2 and segment["requestsAnswered"] >= 3)


def test_two_interfaces_on_one_segment(workdir: Path) -> None:
    """A node that hears its own hellos on another interface answers on the first only."""
    with Segment(workdir, ("n1", "n2")) as scene:
        node, switch = scene.node("n1"), scene.node(SWITCH)
        ends = ["eth7", "netns", str(node.pid), "type", "veth", "peer", "name", "more"]
        subprocess.run(["ip", "link", "add", *ends, "netns", str(switch.pid)], check=True)
        switch.run(["ip", "link", "set", "more", "master", "br0", "up"])
        node.run(["ip", "link", "set", "eth7", "up"])
        node.run(["ip", "addr", "add", "10.0.0.101/24", "dev", "eth7"])
        scene.start(VIP)
        scene.rested()
        answers = re.findall(r"from ([0-9a-f:]{17})", arping(scene, VIP))
        assert len(set(answers)) == 1, answers
        found = json.loads(node.run(["ip", "-j", "link", "show", "eth7"]).stdout)
        assert found[0]["address"] not in answers
