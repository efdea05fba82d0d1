"""A role that is killed at one of its outward messages and started again, and what must hold then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from orchestrator.kube.lease_object import NAME
from tests.apiserver.cluster import Cluster
from tests.apiserver.processes import LEASES, RoleProcess, poll
from tests.fakes.apiserver_kinds import Object
from tests.fakes.apiserver_thread import OF_SERVICES, ModelServer

Addresses = tuple[str, ...]


class Moment(Enum):
    """When a role is killed: before its message has any effect, or when it had, unanswered."""

    COMING = "coming"
    DONE = "done"


@dataclass
class Death:
    """Kills a role once, when its `number`-th message comes, or as many are done.

    `count` are its messages so far, `finished` those that are done. To be called at each message,
    first when it comes, then when it is done.
    """

    number: int
    moment: Moment
    role: RoleProcess | None = None
    count: int = 0
    finished: int = 0
    done: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, done: bool) -> bool:
        """Tell whether the role lives on after this."""
        with self._lock:
            self.count += not done
            self.finished += done
            so_far = self.finished if done else self.count
            reached = so_far == self.number and done is (self.moment is Moment.DONE)
            if self.done or not reached or self.role is None:
                return True
            self.role.kill()
            self.done = True
            return False


class Play:
    """A role in a cluster; it is started again when `death` has come to it."""

    def __init__(
        self, server: Cluster, role: str, directory: Path, death: Death, *flags: str
    ) -> None:
        self.server = server
        self.death = death
        self._start = partial(RoleProcess, server, role, directory, flags)
        self.death.role = self.role = self._start()
        self._restarted = False

    def until(self, what: Callable[[], Any], words: str) -> Any:
        """Wait until something is so, and return it."""

        def so() -> Any:
            if self.death.done and not self._restarted:
                self._restarted = True
                free_lease(self.server)
                self.role = self._start()
            return what()

        return poll(so, f"{words} ({self.death})")


def free_lease(server: Cluster) -> None:
    """Give the Lease back for one that is dead: the test does not wait until its time has run out."""
    body = {"spec": {"holderIdentity": None}}
    server.request("PATCH", f"{LEASES}/{NAME}", body, "merge-patch+json")


def moments(number: int) -> Iterator[Death]:
    """Every death at the first `number` messages."""
    for one in range(1, number + 1):
        yield Death(one, Moment.COMING)
        yield Death(one, Moment.DONE)


def history(server: ModelServer) -> list[Mapping[str, Addresses]]:
    """Return the addresses of all Services after each change of one."""
    held: dict[str, Addresses] = {}
    found: list[Mapping[str, Addresses]] = []
    for change in server.do(lambda: list(server.model.history)):
        if change.collection == OF_SERVICES:
            held.pop(change.name[1], None)
            if change.now is not None:
                held[change.name[1]] = ingress(change.now)
            found.append(dict(held))
    return found


def ingress(service: Object) -> Addresses:
    """Return the addresses in a Service's status."""
    entries = service["status"].get("loadBalancer", {}).get("ingress") or ()
    return tuple(entry["ip"] for entry in entries)


def moved(states: Sequence[Mapping[str, Addresses]]) -> list[tuple[str, Addresses, Addresses]]:
    """Return every change of an address that a Service had already, and was not deleted for."""
    return [
        (name, addresses, after[name])
        for before, after in pairwise(states)
        for name, addresses in before.items()
        if addresses and name in after and after[name] != addresses
    ]


def doubled(states: Sequence[Mapping[str, Addresses]]) -> list[Mapping[str, Addresses]]:
    """Return every state in which two Services had one address."""
    return [
        state
        for state in states
        if len({ip for held in state.values() for ip in held}) < sum(map(len, state.values()))
    ]
