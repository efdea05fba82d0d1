"""Each kind of change of an interface is seen, on a real kernel."""

from __future__ import annotations

import asyncio
import ipaddress
import selectors
import threading
from collections.abc import Iterator

import pytest

from orchestrator.adapters.kernel.interface_watch import InterfaceWatch
from orchestrator.layer2.port import Port
from tests.lab.harness import Lab, Node, poll
from tests.lab.inside import inside

pytestmark = pytest.mark.lab


class Watching:
    """A watch in node `r`, run by a loop of its own in a thread."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.watch = InterfaceWatch(self._changed)
        self.changes = 0
        self._loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
        self._task = self._loop.create_task(self.watch.run())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _changed(self) -> None:
        self.changes += 1

    def _run(self) -> None:
        with inside(self.node):
            try:
                self._loop.run_until_complete(self._task)
            except asyncio.CancelledError:
                self._loop.close()

    def close(self) -> None:
        """End the watch and its thread."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def ip(self, command: str) -> None:
        """Change something in the node."""
        self.node.run(["ip", *command.split()])

    @property
    def port(self) -> Port | None:
        """Interface eth1 as it was last told."""
        return self.watch.ports.get("eth1")


@pytest.fixture
def watching(pair: Lab) -> Iterator[Watching]:
    """A watch that has told of eth1."""
    made = Watching(pair.node("r"))
    poll(lambda: made.port is not None)
    yield made
    made.close()


def addresses(watching: Watching) -> list[str]:
    """IPv4 addresses of eth1."""
    port = watching.port
    return [str(one) for one in port.addresses if one.version == 4] if port else []


def test_what_is_there_is_told_first(watching: Watching) -> None:
    """Interfaces with index, MAC and addresses; the loopback is none of them."""
    port = watching.port
    assert port is not None
    assert set(watching.watch.ports) == {"eth1"}
    assert (port.up, str(port.ipv4)) == (True, "10.0.0.1")
    assert port.link_local is not None
    assert str(port.mac) in watching.node.run(["ip", "link", "show", "eth1"]).stdout


def test_down_and_up(watching: Watching) -> None:
    """An interface taken down is told, and that it is up again."""
    watching.ip("link set eth1 down")
    poll(lambda: watching.port is not None and not watching.port.up)
    watching.ip("link set eth1 up")
    poll(lambda: watching.port is not None and watching.port.up)


def test_a_pulled_cable(pair: Lab, watching: Watching) -> None:
    """Without carrier an interface is not up, whatever the administrator wants."""
    pair.node("switch").link_down("eth1")
    poll(lambda: watching.port is not None and not watching.port.up)
    pair.node("switch").link_up("eth1")
    poll(lambda: watching.port is not None and watching.port.up)


def test_another_name(watching: Watching) -> None:
    """A renamed interface goes by its new name, with the same index."""
    before = watching.port
    watching.ip("link set eth1 down")
    watching.ip("link set eth1 name wan")
    poll(lambda: set(watching.watch.ports) == {"wan"})
    assert before is not None
    assert watching.watch.ports["wan"].index == before.index


def test_another_hardware_address(watching: Watching) -> None:
    """A new MAC is told."""
    watching.ip("link set eth1 address 02:00:00:00:00:77")
    poll(lambda: watching.port is not None and str(watching.port.mac) == "02:00:00:00:00:77")


def test_addresses_come_and_go(watching: Watching) -> None:
    """The order is the kernel's: a primary address goes before secondary ones."""
    watching.ip("addr add 10.0.0.9/24 dev eth1")
    watching.ip("addr add 10.5.0.9/24 dev eth1")
    poll(lambda: addresses(watching) == ["10.0.0.1/24", "10.5.0.9/24", "10.0.0.9/24"])
    watching.ip("addr del 10.0.0.9/24 dev eth1")
    poll(lambda: addresses(watching) == ["10.0.0.1/24", "10.5.0.9/24"])
    watching.ip("addr flush dev eth1")
    poll(lambda: addresses(watching) == [])


def test_an_address_that_may_be_another_hosts_is_not_used(watching: Watching) -> None:
    """A link-local address counts from the end of duplicate address detection on."""
    for scope in ("all", "eth1"):
        watching.node.run(["sysctl", "-qw", f"net.ipv6.conf.{scope}.accept_dad=1"])
    watching.ip("link set eth1 down")
    poll(lambda: watching.port is not None and watching.port.link_local is None)
    watching.ip("link set eth1 up")
    poll(lambda: watching.port is not None and watching.port.link_local is not None)
    assert "tentative" not in watching.node.run(["ip", "addr", "show", "eth1"]).stdout


def test_interfaces_come_and_go(watching: Watching) -> None:
    """New interfaces are ports and removed ones are not; a bridge leaves its ports alone."""
    watching.ip("link add extra type veth peer name other")
    poll(lambda: set(watching.watch.ports) == {"eth1", "extra", "other"})
    watching.ip("link add br0 type bridge")
    watching.ip("link set extra master br0")
    watching.ip("link set extra nomaster")
    watching.ip("link del br0")
    watching.ip("link add v51 link eth1 address 00:00:5e:00:01:33 type macvlan")
    watching.ip("link add last type veth peer name least")
    poll(lambda: set(watching.watch.ports) == {"eth1", "extra", "other", "last", "least"})
    watching.ip("link del extra")
    poll(lambda: set(watching.watch.ports) == {"eth1", "last", "least"})


def test_default_gateways(watching: Watching) -> None:
    """Gateways of both families are told by interface; other routes tell nothing."""
    watching.ip("route add default via 10.0.0.2")
    watching.ip("-6 route add default via fd00::2")
    both = (ipaddress.ip_address("10.0.0.2"), ipaddress.ip_address("fd00::2"))
    poll(lambda: watching.watch.gateways == {"eth1": both})
    changes = watching.changes
    watching.ip("route add 10.9.0.0/16 via 10.0.0.2")
    watching.ip("route del default")
    poll(lambda: watching.watch.gateways == {"eth1": both[1:]})
    assert watching.changes == changes + 1


def test_the_gateway_is_found_among_many_routes(watching: Watching) -> None:
    """Thousands of other routes do not hide the default ones."""
    routes = [f"route add 20.{n // 256}.{n % 256}.0/24 via 10.0.0.2" for n in range(5000)]
    batch = "\n".join([*routes, "route add default via 10.0.0.2"])
    watching.node.run(["ip", "-batch", "-"], stdin=batch)
    poll(lambda: watching.watch.gateways == {"eth1": (ipaddress.ip_address("10.0.0.2"),)})


def test_an_overrun_is_made_up_for(watching: Watching) -> None:
    """More changes than the kernel keeps for us lead to the right end all the same."""
    lines = []
    for n in range(3000):
        lines += [f"addr add 10.7.{n // 250}.{n % 250 + 1}/32 dev eth1"]
    lines += [f"addr del 10.7.{n // 250}.{n % 250 + 1}/32 dev eth1" for n in range(2999)]
    watching.node.run(["ip", "-batch", "-"], stdin="\n".join(lines), timeout_s=60)
    poll(lambda: addresses(watching) == ["10.0.0.1/24", "10.7.11.250/32"])
