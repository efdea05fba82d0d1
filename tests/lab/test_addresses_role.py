"""The addresses role: what speaker and layer 2 wish is on the interfaces, and nothing else of ours."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from orchestrator.lab.node import Node
from tests.lab.harness import Lab, poll

pytestmark = pytest.mark.lab

VIP, OTHER, VIP6 = "198.51.100.10", "198.51.100.11", "2001:db8::10"
VIRTUAL = "00:00:5e:00:01:33"


class Role:
    """The role in node `r`, with its directory."""

    def __init__(self, node: Node, directory: Path) -> None:
        self.node = node
        self.directory = directory / "run"
        self.process: subprocess.Popen[str] | None = None

    def start(self, *flags: str) -> Self:
        """Start the role and wait until it serves."""
        argv = [sys.executable, "-m", "orchestrator", "addresses"]
        self.process = self.node.spawn(
            [*argv, "--runtime-dir", str(self.directory), "--http", "off", *flags],
            log=self.directory.with_name("addresses.log"),
        )
        poll(self._answers)
        return self

    def _answers(self) -> bool:
        try:
            with Client(self):
                return True
        except OSError:
            return False

    def end(self, *, kill: bool = False) -> None:
        """Stop the role, or kill it."""
        assert self.process is not None
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(10)

    def on(self, interface: str) -> set[str]:
        """Global addresses of an interface, with their length."""
        argv = ["ip", "-j", "addr", "show", "dev", interface, "scope", "global"]
        said = json.loads(self.node.run(argv).stdout)
        return {
            f"{one['local']}/{one['prefixlen']}"
            for link in said
            for one in link["addr_info"]
            if one
        }

    def arp(self) -> tuple[str, str]:
        """arp_ignore and arp_announce of all interfaces."""
        names = [f"net.ipv4.conf.all.{name}" for name in ("arp_ignore", "arp_announce")]
        ignore, announce = self.node.run(["sysctl", "-n", *names]).stdout.split()
        return ignore, announce


class Client:
    """A conversation with the role, as speaker or as layer 2."""

    def __init__(self, role: Role) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(role.directory / "addresses.sock"))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")
        self.left = json.loads(self._lines.readline())["bound"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def wish(self, want: Mapping[str, str], sender: str | None = None, **more: Any) -> Any:
        """Say what is wanted, and return the answer."""
        wish = {"want": want, **({"from": sender} if sender else {}), **more}
        self._socket.sendall(json.dumps(wish).encode() + b"\n")
        return json.loads(self._lines.readline())


@pytest.fixture
def role(pair: Lab, workdir: Path) -> Role:
    """A running role."""
    return Role(pair.node("r"), workdir).start()


@pytest.fixture
def client(role: Role) -> Iterator[Client]:
    """A conversation with the running role."""
    with Client(role) as made:
        yield made


def test_a_wish_is_what_is_bound(role: Role, client: Client) -> None:
    """Both families come and go as wished; single hosts where no length is given."""
    want = {VIP: "lo", VIP6: "lo", "192.0.2.254/24": "eth1"}
    assert client.wish(want) == {"bound": want, "errors": {}, "problems": []}
    assert role.on("lo") == {f"{VIP}/32", f"{VIP6}/128"}
    assert "192.0.2.254/24" in role.on("eth1")
    assert client.wish({OTHER: "lo"})["bound"] == {OTHER: "lo"}
    assert role.on("lo") == {f"{OTHER}/32"}
    assert "192.0.2.254/24" not in role.on("eth1")


def test_speaker_and_layer2_wish_each_for_itself(role: Role, client: Client) -> None:
    """What one wishes no longer stays while the other does; one that goes away changes nothing."""
    with Client(role) as layer2:
        client.wish({VIP: "lo", OTHER: "lo"})
        layer2.wish({f"{OTHER}/32": "lo", "10.0.0.240/24": "eth1"}, "layer2")
        client.wish({})
        assert role.on("lo") == {f"{OTHER}/32"}
    client.wish({VIP: "lo"})
    assert role.on("lo") == {f"{VIP}/32", f"{OTHER}/32"}
    assert "10.0.0.240/24" in role.on("eth1")


def test_a_successor_knows_what_is_whose(role: Role, client: Client) -> None:
    """After kill -9 the speaker is told what it had; its wish leaves layer 2's addresses alone."""
    with Client(role) as layer2:
        layer2.wish({OTHER: "lo"}, "layer2")
    client.wish({VIP: "lo"})
    role.end(kill=True)
    role.start()
    with Client(role) as again:
        assert again.left == {VIP: "lo"}
        again.wish({})
        assert role.on("lo") == {f"{OTHER}/32"}
        again.wish({}, "layer2")
        assert role.on("lo") == set()


def test_what_was_there_before_us_stays(role: Role, client: Client) -> None:
    """An address that somebody else bound is used, and never taken off."""
    role.node.run(["ip", "addr", "add", f"{VIP}/32", "dev", "lo"])
    role.node.run(["ip", "addr", "add", f"{VIP6}/128", "dev", "lo"])
    assert set(client.wish({VIP: "lo", VIP6: "lo"})["bound"]) == {VIP, VIP6}
    client.wish({})
    assert role.on("lo") == {f"{VIP}/32", f"{VIP6}/128"}


def test_an_address_removed_by_hand_comes_back(role: Role, client: Client) -> None:
    """A repeated wish repairs what others changed."""
    client.wish({VIP: "lo", OTHER: "lo"})
    role.node.run(["ip", "addr", "del", f"{VIP}/32", "dev", "lo"])
    assert set(client.wish({VIP: "lo", OTHER: "lo"})["bound"]) == {VIP, OTHER}
    assert role.on("lo") == {f"{VIP}/32", f"{OTHER}/32"}


def test_what_cannot_be_bound_is_said(role: Role, client: Client) -> None:
    """One address that cannot be bound hinders no other."""
    answer = client.wish({VIP: "eth7", OTHER: "lo"})
    assert answer["errors"] == {VIP: "there is no interface eth7"}
    assert answer["bound"] == {OTHER: "lo"}
    assert role.on("lo") == {f"{OTHER}/32"}


def test_the_kernel_is_quiet_while_an_address_is_on_lo(role: Role, client: Client) -> None:
    """For layer 2 arp_ignore and arp_announce are set, and put back after the last address."""
    role.node.run(["sysctl", "-qw", "net.ipv4.conf.all.arp_announce=1"])
    client.wish({VIP: "lo"})
    assert role.arp() == ("0", "1")
    client.wish({}, "layer2", quiet_arp=True)
    assert role.arp() == ("1", "2")
    client.wish({OTHER: "lo"}, "layer2", quiet_arp=True)
    client.wish({})
    client.wish({"10.0.0.240/24": "eth1"}, "layer2")
    assert role.on("lo") == set()
    assert role.arp() == ("0", "1")
    client.wish({"10.0.0.240/24": "eth1"}, "layer2", quiet_arp=True)
    assert role.arp() == ("0", "1")


def test_a_successor_puts_the_settings_back(role: Role, client: Client) -> None:
    """After kill -9 the settings stay while addresses do; what somebody else set since is kept."""
    client.wish({VIP: "lo"}, "layer2", quiet_arp=True)
    role.end(kill=True)
    assert role.arp() == ("1", "2")
    role.start()
    with Client(role) as again:
        again.wish({VIP: "lo", OTHER: "lo"}, "layer2", quiet_arp=True)
        role.node.run(["sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=3"])
        again.wish({}, "layer2")
    assert role.arp() == ("3", "0")


def test_a_stop_leaves_nothing(role: Role, client: Client) -> None:
    """TERM takes off addresses and macvlans of both, and puts the settings back."""
    macvlans = {"v4.51.eth1": {"parent": "eth1", "mac": VIRTUAL, "up": True}}
    client.wish({VIP: "lo"})
    answer = client.wish({OTHER: "lo"}, "layer2", quiet_arp=True, macvlans=macvlans)
    assert answer["problems"] == []
    assert VIRTUAL in role.node.run(["ip", "link", "show", "v4.51.eth1"]).stdout
    client.wish({VIP: "lo"})
    assert VIRTUAL in role.node.run(["ip", "link"]).stdout
    role.end()
    assert role.on("lo") == set()
    assert role.arp() == ("0", "0")
    assert VIRTUAL not in role.node.run(["ip", "link"]).stdout


def test_a_stop_with_hold_leaves_all(role: Role) -> None:
    """While routes are held over a stop the addresses stay."""
    role.end()
    role.start("--on-stop", "hold")
    with Client(role) as again:
        again.wish({VIP: "lo"})
    role.end()
    assert role.on("lo") == {f"{VIP}/32"}


def test_a_record_of_an_earlier_version_is_read(role: Role, client: Client) -> None:
    """What a version that knew of one wish only has bound is the speaker's."""
    client.wish({VIP: "lo"})
    role.end(kill=True)
    (role.directory / "bound.json").write_text(json.dumps({VIP: "lo"}), "ascii")
    role.start()
    with Client(role) as again:
        assert again.left == {VIP: "lo"}
        again.wish({})
    assert role.on("lo") == set()


def test_a_thousand_addresses_in_one_wish(role: Role, client: Client) -> None:
    """All come by one wish and go by one; a repeated wish changes nothing."""
    want = {f"198.18.{n // 250}.{n % 250 + 1}": "lo" for n in range(1000)}
    assert client.wish(want) == {"bound": want, "errors": {}, "problems": []}
    assert role.on("lo") == {f"{address}/32" for address in want}
    assert client.wish(want)["bound"] == want
    client.wish({})
    assert role.on("lo") == set()
