"""Frames that are wrong, forged or far too many: counted by cause, and nothing else happens."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from orchestrator.layer2.shared.member_frame import ROUTINE, Head, Kind, encode_frame
from tests.lab.bad_frames import frame, refused, send
from tests.lab.layer2_scene import QUICK, VIP, Segment, longest_gap_s, wait_answered
from tests.lab.polling import IN_LONG, poll, steady

pytestmark = pytest.mark.lab

GROUP = "224.0.0.254"
STORM_S = 5.0 if IN_LONG else 2.0
KEYED = f"{QUICK}, authSecret: memberlist"
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: memberlist, namespace: metallb-system}
stringData: {%s}
---
"""


def hello_frame(payload: bytes, ttl: int = 255) -> bytes:
    """Wrap a payload as another host on the link would send a hello."""
    return frame(payload, GROUP, ttl=ttl)


HEAD = Head(1, b"\x66" * 8, 1, 9, "mallory")
GOOD = encode_frame(HEAD, Kind.HELLO, b"", ())
FORGED = {
    "ttl": hello_frame(GOOD, ttl=254),
    "truncated": hello_frame(GOOD[:12]),
    "type": hello_frame(bytes((0x3E,)) + GOOD[1:]),
    "otherVRID": hello_frame(encode_frame(replace(HEAD, vrid=9), Kind.HELLO, b"", ())),
    "format": hello_frame(GOOD[:2] + b"\x09" + GOOD[3:]),
    "checksum": hello_frame(GOOD[:-1] + b"X"),
}
"""A frame for each cause, which a host without the key can send."""
ROUTINE_HELLO = hello_frame(encode_frame(replace(HEAD, flags=ROUTINE), Kind.HELLO, b"", ()))
"""It is no whole hello, but says that it may be read when there is time."""


def counted_once(scene: Segment, name: str) -> bool:
    """Tell whether a node counted one frame of each cause."""
    found = refused(scene, name)
    assert {cause: found.get(cause, 0) for cause in FORGED} == dict.fromkeys(FORGED, 1), found
    return True


def test_each_wrong_frame_is_counted_by_its_cause(workdir: Path) -> None:
    """What fails a check is counted under its name on every node, and the owner stays."""
    with Segment(workdir) as scene:
        scene.start(VIP)
        owner = scene.rested()
        send(scene, *FORGED.values())
        for name in scene.names:
            poll(partial(counted_once, scene, name), 10, f"one of each cause on {name}")
        assert scene.owner_now() == owner


def test_wrong_keys_and_replays(workdir: Path) -> None:
    """With a key, frames without it, with another one, or said again, are counted and no more."""
    with Segment(workdir, settings=KEYED) as scene:
        scene.more = SECRET % "secretkey: right"
        scene.start(VIP)
        owner = scene.rested()
        recorded = scene.record(owner, 3)
        other = encode_frame(replace(HEAD, name="n1"), Kind.HELLO, b"", (b"wrong",))
        send(scene, hello_frame(GOOD), hello_frame(other), *recorded)
        victim = next(name for name in scene.names if name != owner)
        poll(lambda: refused(scene, victim).get("hmac", 0) >= 2, 10, "two of a wrong key")
        poll(lambda: refused(scene, victim).get("replay", 0) >= 3, 10, "three replays")
        assert scene.owner_now() == owner


def test_a_key_is_changed_without_a_move(workdir: Path) -> None:
    """Each node gets the new key as second, then as first, then alone: the owner stays throughout."""
    with Segment(workdir, settings=KEYED) as scene:
        scene.more = SECRET % "secretkey: old"
        scene.start(VIP)
        owner = scene.rested()
        client = scene.client()
        began = time.monotonic()
        for keys in (
            "secretkey: old, secretkey-next: new",
            "secretkey: new, secretkey-old: old",
            "secretkey: new",
        ):
            scene.more = SECRET % keys
            for name in scene.names:
                scene.write(VIP, names=(name,))
                steady(lambda: scene.owner_now() == owner, 0.7, f"{owner} to stay owner")
        assert {gap.after for gap in client.gaps(began)} <= {owner}


@pytest.mark.parametrize(
    "storm", [tuple(FORGED.values()), (ROUTINE_HELLO,)], ids=("any", "routine")
)
def test_a_storm_of_forged_frames(workdir: Path, storm: tuple[bytes, ...]) -> None:
    """10,000 wrong frames a second for seconds: no state changes and no question is lost."""
    with Segment(workdir) as scene:
        scene.start(VIP)
        owner = scene.rested()
        client = scene.client(interval_ms=5)
        wait_answered(client)
        began = time.monotonic()
        send(scene, *storm, rate=10_000, for_s=STORM_S)
        steady(lambda: scene.owner_now() == owner, 1, f"{owner} to stay owner")
        assert {gap.after for gap in client.gaps(began)} <= {owner}
        assert longest_gap_s([client], began) < 1
        assert sum(refused(scene, owner).values()) > 1000
