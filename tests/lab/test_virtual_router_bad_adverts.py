"""Adverts that are wrong, or far too many: counted by cause, and no virtual router changes its state."""

from __future__ import annotations

import ipaddress
import itertools
import re
from functools import partial
from pathlib import Path

import pytest

from orchestrator.layer2.frames.checksum import checksum
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import Advert, Rejection, encode
from tests.lab.bad_frames import SOURCE, frame, refused, send
from tests.lab.layer2_scene import CLIENT
from tests.lab.polling import IN_LONG, poll, require
from tests.lab.router_scene import OURS, THEIRS, Routers, virtual_router

pytestmark = pytest.mark.lab

NEW, OLD, UNICAST = 51, 52, 53
"""VRIDs: version 3, version 2 with PASS, and version 3 to unicast peers."""
PASSWORD = "s3cret"
GROUP = "224.0.0.18"
HOSTS = {OURS: "10.0.0.1", THEIRS: "10.0.0.2"}
STORM_S = 5.0 if IN_LONG else 2.0
STORM_RATE = 10_000.0
LONGEST_SILENCE_S = 0.3
"""Three intervals of 100 ms: a backup takes over after a longer one."""
ALL = {"new": "master", "old": "master", "unicast": "master"}


def payload(
    vrid: int = NEW,
    version: int = 3,
    interval_ms: int = 100,
    password: str | None = None,
    *,
    priority: int = 200,
    source: str = SOURCE,
    target: str = GROUP,
) -> bytes:
    """Return an advert of a router that is better than ours, unless `priority` says otherwise."""
    own = (ipaddress.ip_address(f"10.0.0.{150 + vrid}"),)
    advert = Advert(version, vrid, priority, interval_ms, own, password)
    return encode(advert, ipaddress.ip_address(source), ipaddress.ip_address(target))


def with_type(old: bytes, kind: int) -> bytes:
    """Give an advert of version 2 another type of authentication, and the right checksum."""
    bare = old[:4] + bytes((kind, old[5], 0, 0)) + old[8:]
    return bare[:6] + checksum(bare).to_bytes(2, "big") + bare[8:]


def wrong(mac: MAC) -> dict[Rejection, bytes]:
    """Return a frame for each cause; `mac` is that of the host on which each is counted once."""
    good, old = payload(), payload(OLD, 2, 1000, PASSWORD)
    own, alone = HOSTS[OURS], payload(target=HOSTS[OURS])
    stranger = payload(UNICAST, target=own)
    return {
        Rejection.TTL: frame(good, GROUP, ttl=254),
        Rejection.TRUNCATED: frame(good[:6], GROUP),
        Rejection.VERSION: frame(b"\x11" + good[1:], GROUP),
        Rejection.TYPE: frame(b"\x32" + good[1:], GROUP),
        Rejection.LENGTH: frame(good[:-2], GROUP),
        Rejection.CHECKSUM: frame(good[:-1] + b"\xee", GROUP),
        Rejection.COUNT: frame(good[:3] + b"\0" + good[4:], GROUP),
        Rejection.INTERVAL: frame(payload(interval_ms=0), GROUP),
        Rejection.UNKNOWN_VRID: frame(payload(77), GROUP),
        Rejection.OTHER_VERSION: frame(payload(NEW, 2, 1000), GROUP),
        Rejection.OWN_ADVERT: frame(payload(source=own), GROUP, source=own),
        Rejection.TRANSPORT: frame(alone, own, to=mac),
        Rejection.UNKNOWN_PEER: frame(stranger, own, to=mac),
        Rejection.AUTHENTICATION: frame(with_type(old, 2), GROUP),
        Rejection.AUTHENTICATION_TYPE: frame(payload(OLD, 2, 1000), GROUP),
        Rejection.PASSWORD: frame(payload(OLD, 2, 1000, "guess"), GROUP),
        Rejection.OTHER_INTERVAL: frame(payload(OLD, 2, 2000, PASSWORD), GROUP),
    }


def start(scene: Routers) -> None:
    """Start three virtual routers on two hosts of ours: the first is master of all."""
    for (name, _), (_, peer), priority in zip(
        HOSTS.items(), reversed(HOSTS.items()), (150, 100), strict=True
    ):
        addresses = {vrid: [f"10.0.0.{150 + vrid}/24"] for vrid in (NEW, OLD, UNICAST)}
        common = {"priority": priority}
        old = {"version": 2, "advertIntervalMs": 1000, "authentication": {"password": PASSWORD}}
        scene.run(
            virtual_router("new", vrid=NEW, addresses=addresses[NEW], **common),
            virtual_router("old", vrid=OLD, addresses=addresses[OLD], **common, **old),
            virtual_router(
                "unicast", vrid=UNICAST, addresses=addresses[UNICAST], unicastPeers=[peer], **common
            ),
            name=name,
        )
    poll(lambda: scene.states(OURS) == ALL, what="the first to be master of all")
    poll(lambda: set(scene.states(THEIRS).values()) == {"backup"}, what="the second to be backup")


def changes(scene: Routers) -> list[tuple[str, str, int]]:
    """Return what the virtual routers of both hosts are, and how often they became master."""
    return [
        (name, router["state"], router["counters"]["become_master"])
        for host in HOSTS
        for name, router in scene.routers(host).items()
    ]


def counted(scene: Routers, causes: set[str]) -> bool:
    """Tell whether the first host counted one advert of each cause."""
    found = refused(scene, OURS)
    assert found == dict.fromkeys(causes, 1), found
    return True


def test_each_wrong_advert_is_counted_by_its_cause(workdir: Path) -> None:
    """Every receive check there is counts what fails it under its name; nobody changes state."""
    with Routers(workdir) as scene:
        start(scene)
        before = changes(scene)
        frames = wrong(MAC(bytes.fromhex(scene.mac(OURS).replace(":", ""))))
        assert set(frames) == set(Rejection)
        send(scene, *frames.values())
        causes = {cause.value for cause in frames}
        poll(partial(counted, scene, causes), 10, "one of each cause")
        assert changes(scene) == before


@pytest.mark.parametrize(
    "storm",
    [
        [frame(payload(vrid)[:-1] + b"\xee", GROUP) for vrid in (NEW, OLD, UNICAST, 77)],
        [frame(payload(priority=1), GROUP)],
    ],
    ids=["wrong checksum", "a worse router"],
)
def test_a_storm_of_adverts_keeps_nobody_from_its_timers(workdir: Path, storm: list[bytes]) -> None:
    """Under 10,000 adverts a second the master sends its own in time, and nobody changes state."""
    require("tcpdump")
    with Routers(workdir) as scene:
        start(scene)
        before = changes(scene)
        capture = workdir / "adverts.log"
        mine = ["ether", "src", scene.mac(OURS), "and", "ip[20:2] = 0x3133"]
        argv = ["tcpdump", "-tt", "-n", "-l", "-i", "eth1", *mine]
        tcpdump = scene.node(CLIENT).spawn(argv, log=capture)
        poll(lambda: len(moments(capture)) > 5, what="adverts of ours")
        send(scene, *storm, rate=STORM_RATE, for_s=STORM_S)
        after = len(moments(capture))
        poll(lambda: len(moments(capture)) > after + 5, what="adverts after the storm")
        tcpdump.terminate()
        tcpdump.wait(10)
        sent = moments(capture)
        silences = [later - earlier for earlier, later in itertools.pairwise(sent)]
        assert max(silences) < LONGEST_SILENCE_S
        assert changes(scene) == before
        assert looked_at(scene) > STORM_RATE * STORM_S / 10


def looked_at(scene: Routers) -> int:
    """How many adverts the first host counted, heeded or not."""
    heeded = (int(r["counters"]["advertisements_received"]) for r in scene.routers().values())
    return sum(heeded) + sum(refused(scene, OURS).values())


def moments(capture: Path) -> list[float]:
    """Return when the adverts in a capture were seen."""
    text = capture.read_text("utf-8", "replace")
    return [float(found) for found in re.findall(r"^(\d+\.\d+) IP", text, re.MULTILINE)]
