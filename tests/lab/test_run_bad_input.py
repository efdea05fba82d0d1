"""Bad input and a hostile world: a clear message with its place, and what works keeps working."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll, steady

pytestmark = pytest.mark.lab

PREFIX = "198.51.100.10/32"
GOOD = peer() + POOL + vip()


@pytest.fixture
def frr(pair: Lab) -> Frr:
    """A router that waits for the appliance."""
    return Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()


@pytest.fixture
def box(pair: Lab, workdir: Path) -> Appliance:
    """An appliance with a good configuration, not started."""
    appliance = Appliance(pair.node("a"), workdir)
    appliance.write(GOOD)
    return appliance


PEER_WITHOUT_KEY = """
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: second, namespace: metallb-system}
spec: {myASN: 64500, peerASN: 64500, peerAddress: 10.0.0.9, passwordSecret: {name: missing}}
---
"""
OVERLAPPING = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: younger, namespace: metallb-system}
spec: {addresses: [198.51.100.128/25]}
---
"""

DUPLICATE = """apiVersion: v1
kind: Namespace
kind: Node
metadata: {name: x}
"""

FAULTS = {
    "malformed": ("kind: [", "error", "bad.yaml:"),
    "unknown field": (vip("x", "198.51.100.11", ", prot: 1"), "error", "bad.yaml:"),
    "wrong type": (vip("x", "198.51.100.11", ", bind: [1]"), "error", "bad.yaml:"),
    "missing secret": (PEER_WITHOUT_KEY, "waiting", "bad.yaml:"),
    "overlapping pools": (OVERLAPPING, "error", "bad.yaml:"),
    "duplicate key": (DUPLICATE, "error", "bad.yaml:3:1"),
}


def test_each_bad_file_is_reported_and_costs_nothing(frr: Frr, box: Appliance) -> None:
    """Every kind of bad file is reported at its place, one after the other; the route stays."""
    box.start()
    poll(lambda: PREFIX in frr.rib())
    for name, (text, severity, place) in FAULTS.items():
        box.write(text, "bad.yaml")
        found = poll(
            lambda: [p for p in box.ask("status")["problems"] if "bad.yaml" in p["place"]],
            what=f"a problem for {name}",
        )
        assert severity in {problem["severity"] for problem in found}, (name, found)
        assert all(problem["place"].startswith(str(box.files)) for problem in found)
        assert place in min(p["place"] for p in found if p["severity"] == severity)
        assert set(frr.rib()) == {PREFIX}
        (box.files / "bad.yaml").unlink()
        poll(lambda: not box.ask("status")["problems"], what=f"{name} is mended")
    assert "Traceback" not in box.log


@pytest.mark.parametrize(
    ("extra", "neighbor", "peer_asn"),
    [
        ("", Neighbor("10.0.0.2", 64999), 64500),
        ("", Neighbor("10.0.0.2", 64500), 64999),
        (", password: other", Neighbor("10.0.0.2", 64500, password="secret"), 64500),
    ],
    ids=["their-as", "our-as", "md5"],
)
def test_wrong_as_or_password_is_peer_down(
    pair: Lab, box: Appliance, extra: str, neighbor: Neighbor, peer_asn: int
) -> None:
    """With a wrong AS or TCP-MD5 password the session is down and explain says peerDown."""
    frr = Frr(pair.node("r"), neighbors=[neighbor]).start()
    box.write(peer(extra=extra, peer_asn=peer_asn) + POOL + vip())
    box.start()
    poll(lambda: box.call("status").returncode == 0 and box.ask("status")["synced"])
    poll(lambda: box.explain("198.51.100.10")["reason"] == "peerDown")
    steady(lambda: PREFIX not in frr.rib(), 1)

    frr.stop()
    mended = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box.write(GOOD)
    poll(lambda: PREFIX in mended.rib(), what="the mended session brings the route")


def test_unreachable_router_costs_no_other_session(frr: Frr, box: Appliance) -> None:
    """A router that does not answer is down with a reason; the other one has the route."""
    box.write(peer("gone", "10.0.0.99") + GOOD)
    box.start()
    poll(lambda: PREFIX in frr.rib())
    states = {item["peer"]: item["state"] for item in box.ask("sessions")["items"]}
    assert states == {"gone": "down", "r": "up"}
    assert "gone down" in " ".join(
        step["message"] for step in box.ask("explain", "198.51.100.10")["nodes"][0]["steps"]
    )


def refusal(box: Appliance, *flags: str) -> str:
    """What `run` says when it ends with status 3."""
    argv = box.argv("run", "-f", str(box.files), *box.directories(), *flags)
    done = box.node.run(argv, timeout_s=20, check=False)
    assert done.returncode == 3, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_port_in_use_is_refused_at_the_start(box: Appliance) -> None:
    """A taken HTTP port ends `run` with status 3 and names the flag."""
    box.node.spawn(["python3", "-m", "http.server", "7472", "--bind", "127.0.0.1"])
    poll(lambda: "Address already in use" in refusal_or_empty(box))
    assert "--http" in refusal(box)


def refusal_or_empty(box: Appliance) -> str:
    """What `run` says within two seconds; it is ended when it works."""
    argv = ["timeout", "2", *box.argv("run", "-f", str(box.files), *box.directories())]
    return box.node.run(argv, timeout_s=20, check=False).stderr


def test_missing_file_and_unusable_directory_are_refused(box: Appliance, workdir: Path) -> None:
    """A file that is not there, a directory that cannot be made: status 3 and its place."""
    argv = box.argv("run", "-f", str(workdir / "none.yaml"), *box.directories())
    done = box.node.run(argv, timeout_s=20, check=False)
    assert (done.returncode, "none.yaml: there is no such file" in done.stderr) == (3, True)
    assert "/proc/none" in refusal(box, "--runtime-dir", "/proc/none")
    assert "too long for a Unix socket" in refusal(box, "--runtime-dir", f"/tmp/{'x' * 100}")


def test_no_permission_to_bind_says_so_and_announces_nothing(frr: Frr, box: Appliance) -> None:
    """Without NET_ADMIN nothing is bound, so nothing is announced, and explain says why."""
    argv = ["setpriv", "--bounding-set=-net_admin", *box.argv("run", "-f", str(box.files))]
    box.node.spawn([*argv, "--node", "box", *box.directories()], log=box.directory / "run.log")
    poll(lambda: box.call("status").returncode == 0 and box.ask("status")["problems"])
    step = poll(
        lambda: s if (s := box.explain("198.51.100.10"))["reason"] == "notSent" else None,
        what="notSent",
    )
    assert "CAP_NET_ADMIN" in step["message"]
    steady(lambda: PREFIX not in frr.rib(), 1)


def test_missing_exabgp_is_refused(box: Appliance, workdir: Path) -> None:
    """Where the exabgp package cannot be imported `run` ends with status 3 and says what to install."""
    hide = "import sys\nsys.modules['exabgp'] = None\n"
    (workdir / "sitecustomize.py").write_text(hide, encoding="ascii")
    argv = box.argv("run", "-f", str(box.files), *box.directories())
    done = box.node.run(["env", f"PYTHONPATH={workdir}", *argv], check=False)
    assert done.returncode == 3
    assert "pip install exabgp==5.0.15" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_status_two(box: Appliance) -> None:
    """What the command line cannot mean is wrong usage, told in words."""
    for flags in (("--http", "nonsense"), ("--kubeconfig", "x"), ("--on-stop", "jump")):
        argv = box.argv("run", "-f", str(box.files), *box.directories(), *flags)
        done = box.node.run(argv, timeout_s=20, check=False)
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr
