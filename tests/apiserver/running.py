"""A controller and a speaker with its ExaBGP at work in a cluster, and what must not move there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.apiserver.cluster import Cluster
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    PEERS,
    POOLS,
    SERVICES,
    SLICES,
    RoleProcess,
    addresses,
    endpoint,
    made,
    poll,
    pool,
    service,
)
from tests.fakes.exabgp_relay import ServedExaBGP

ROUTER = "127.0.0.9"
SETTLED_S = 60.0
"""Longer than the longest back-off and a lease together."""


class Running:
    """The roles of a cluster with one node. `first` is the Service that everything is about."""

    first = "first"

    def __init__(
        self,
        server: Cluster,
        exabgp: ServedExaBGP,
        controller: RoleProcess,
        speaker: RoleProcess,
    ) -> None:
        self.server = server
        self.exabgp = exabgp
        self.controller = controller
        self.speaker = speaker
        self._numbers = count()

    @property
    def roles(self) -> tuple[RoleProcess, RoleProcess]:
        """Both roles."""
        return self.controller, self.speaker

    @property
    def shown_logs(self) -> list[Path]:
        """What both roles have logged, for the report of a failure."""
        return [role.log for role in self.roles]

    def wire(self) -> frozenset[str]:
        """What the router holds now."""
        wires = self.exabgp.wires
        return wires[-1].get(ROUTER, frozenset()) if wires else frozenset()

    def given(self, name: str) -> str:
        """Address of a Service; empty while it has none."""
        return ",".join(addresses(self.server).get(name, ()))

    def add(self) -> str:
        """Make another Service with an endpoint; return its name."""
        name = f"late{next(self._numbers)}"
        made(self.server, SERVICES, service(name))
        self.add_endpoint(name)
        return name

    def add_endpoint(self, name: str) -> None:
        """Make an endpoint of a Service."""
        made(self.server, SLICES, endpoint(name))

    def announced(self, name: str) -> str:
        """Wait until a Service has an address and its route is with the router; return the address."""
        address: str = poll(lambda: self.given(name), f"gave {name} an address", SETTLED_S)
        poll(lambda: f"{address}/32" in self.wire(), f"announced {name}", SETTLED_S)
        return address

    def remove(self, name: str) -> None:
        """Delete a Service, and wait until its route is gone."""
        prefix = f"{self.given(name)}/32"
        self.server.request("DELETE", f"{SERVICES}/{name}")
        self.server.request("DELETE", f"{SLICES}/{name}-1")
        poll(lambda: prefix not in self.wire(), f"withdrew {name}", SETTLED_S)


def prepare(server: Cluster, addresses_of_pool: str = "192.0.2.0/26") -> None:
    """Make a node, a pool, an advertisement and a peer."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("edge", addresses_of_pool))
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    kind = {"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer"}
    spec: dict[str, Any] = {"myASN": 64500, "peerASN": 64501, "peerAddress": ROUTER}
    made(server, PEERS, {**kind, "metadata": {"name": "router"}, "spec": spec})


@contextmanager
def running(server: Cluster, directory: Path, *under: str) -> Iterator[Running]:
    """Run both roles until one Service is announced, and while the block lasts; `under` starts them."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as stack:
        exabgp = stack.enter_context(ServedExaBGP(directory / "speaker" / "r"))
        roles = []
        for role in ("controller", "speaker"):
            one = RoleProcess(server, role, directory / role, ("--node", "n1"), under)
            stack.callback(one.stop)
            roles.append(one)
        found = Running(server, exabgp, *roles)
        made(server, SERVICES, service(found.first))
        made(server, SLICES, endpoint(found.first))
        found.announced(found.first)
        yield found


@contextmanager
def nothing_moves(it: Running, forgotten: str = "") -> Iterator[None]:
    """See to it that no address moves and no route of now goes while the block lasts.

    That of the Service `forgotten` may.
    """
    before = {name: found for name, found in addresses(it.server).items() if found}
    gone = {f"{address}/32" for address in before.pop(forgotten, ())}
    routes, since = it.wire() - gone, len(it.exabgp.wires)
    yield
    after = addresses(it.server)
    assert {name: after[name] for name in before if name in after} == before
    given = [ip for found in after.values() for ip in found]
    assert len(given) == len(set(given)), after
    for wire in it.exabgp.wires[since:]:
        assert routes <= wire.get(ROUTER, frozenset()), it.exabgp.wires[since:]
    assert [one.process.poll() for one in it.roles] == [None, None]
