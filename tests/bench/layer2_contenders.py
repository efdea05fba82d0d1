"""What is compared on layer 2: shared VIPs and virtual routers of ours, and keepalived, on one segment.

Each is a `Segment` of the lab tests, with the same nodes, servers and client, so that the faults of
`tests.lab.layer2_faults` do the same to all.
"""

from __future__ import annotations

import os
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.status_client import get
from orchestrator.layer2.shared.membership import dead_s
from tests.bench.processes import tree
from tests.lab.keepalived import STATE, Keepalived, instance
from tests.lab.layer2_scene import POOL, SETTINGS, VIP, Segment, virtual_ips
from tests.lab.polling import poll
from tests.lab.router_scene import virtual_router

NEVER_MS = 3_600_000
PRIORITIES = (150, 120, 90)
START_S = 120.0


class Contender(Segment):
    """Nodes that have `addresses` between them; `preempt_ms` None lets the owner stay what it is."""

    label = ""

    def __init__(
        self,
        workdir: Path,
        interval_ms: int = 100,
        *,
        names: Sequence[str] = ("n1", "n2", "n3"),
        addresses: Sequence[str] = (VIP,),
        preempt_ms: int | None = None,
    ) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        super().__init__(workdir, names, networks=("10.0.0.0/24",))
        self.interval_s = interval_ms / 1000
        self.addresses = tuple(addresses)
        self.preempt_ms = preempt_ms
        self.macs: dict[str, str] = {}

    def begin(self) -> None:
        """Start one node after the other: the first owns everything."""
        for name in self.names:
            self.macs[name] = self.mac(name)
            self.start_again(name)
            self.serve(name, self.addresses[0])
            if name == self.names[0]:
                poll(lambda: self.owners() == {self.names[0]}, START_S, "the first to own all")
        self.rest()

    @abstractmethod
    def top(self, name: str) -> subprocess.Popen[Any]:
        """Return the process on a node that all others come from."""

    @abstractmethod
    def owners(self) -> set[str]:
        """Return who owns anything."""

    @abstractmethod
    def joined(self) -> bool:
        """Tell whether all that do not own could take over now."""

    @abstractmethod
    def dead_s(self, name: str) -> float:
        """Return how long after the last word of an owner this node may take over."""

    def rest(self) -> str:
        """Wait until one node owns all and the others are ready; return it."""

        def one() -> str:
            owners = self.owners()
            return owners.pop() if len(owners) == 1 and self.joined() else ""

        return poll(one, START_S, f"{self.label} to come to rest")

    def kill(self, name: str) -> None:
        """Kill every process with -9, the youngest first so that none says a last word."""
        process = self.top(name)
        for pid in reversed(tree(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)

    def end(self, name: str) -> None:
        """Stop in an orderly way."""
        process = self.top(name)
        process.terminate()
        process.wait(30)


class _Ours(Contender):
    """Either of ours, under `orchestrator run`; `prefix` is what it is started with."""

    prefix: tuple[str, ...] = ()

    def start_again(self, name: str) -> None:
        """Write the files and start `orchestrator run`."""
        box = self.boxes[name]
        box.write(self.objects(name))
        argv = box.argv("run", "-f", str(box.files), "--node", name, *box.directories())
        box.process = box.node.spawn(
            [*self.prefix, *argv, "--http", "off"], log=box.directory / "run.log", env=os.environ
        )

    @abstractmethod
    def objects(self, name: str) -> str:
        """Text of the configuration of a node."""

    def top(self, name: str) -> subprocess.Popen[Any]:
        """Return `orchestrator run`."""
        process = self.boxes[name].process
        assert process is not None
        return process

    def document(self, name: str, what: str) -> Mapping[str, Any]:
        """Return a status document of a node; nothing while it does not answer."""
        try:
            found: Mapping[str, Any] = get(
                self.boxes[name].runtime_dir / "status.sock", f"/api/v1/{what}"
            )
        except AdapterError:
            return {}
        return found


class Shared(_Ours):
    """Shared VIPs."""

    label = "shared VIPs"

    def objects(self, name: str) -> str:
        """Give all nodes the same."""
        assert name
        preempt_ms = NEVER_MS if self.preempt_ms is None else self.preempt_ms
        membership = f"intervalMs: {round(self.interval_s * 1000)}, preemptDelayMs: {preempt_ms}"
        return POOL + SETTINGS.format(membership=membership) + virtual_ips(*self.addresses)

    def owners(self) -> set[str]:
        """Return who announces anything."""
        return {name for name in self.names if "announced" in self._reasons(name)}

    def joined(self) -> bool:
        """Tell whether one has all addresses, and all hear all others as members."""
        found = {name: self._reasons(name) for name in self.names}
        whole = all(len(reasons) == len(self.addresses) for reasons in found.values())
        kinds = sorted(tuple(set(reasons)) for reasons in found.values())
        rest = [("notOwner",)] * (len(self.names) - 1)
        return whole and kinds == [("announced",), *rest] and all(map(self._hears, self.names))

    def _reasons(self, name: str) -> list[str]:
        items = self.document(name, "vips").get("items", ())
        return [item["reason"] for item in items if item["protocol"] == "layer2"]

    def _hears(self, name: str) -> bool:
        item = self.document(name, "vips")["items"][0]
        members = item["segments"][0]["members"]
        alive = {member["node"] for member in members if member["state"] == "member"}
        return alive == set(self.names) - {name}

    def dead_s(self, name: str) -> float:
        """Three intervals, and what a late hello is given."""
        assert name
        return dead_s(self.interval_s)


class Routers(_Ours):
    """Virtual routers of ours: one of VRID 51 with all addresses, or `count` of one each."""

    label = "VirtualRouter"
    count = 1

    def objects(self, name: str) -> str:
        """Give each node its priority."""
        fields: dict[str, Any] = {
            "advertIntervalMs": round(self.interval_s * 1000),
            "priority": self._priority(name),
            "preempt": self.preempt_ms is not None,
        }
        if self.count > 1:
            return "".join(
                virtual_router(f"r{vrid}", vrid=vrid, addresses=[f"10.3.0.{vrid}/32"], **fields)
                for vrid in range(1, self.count + 1)
            )
        first, *others = (f"{address}/32" for address in self.addresses)
        return virtual_router(addresses=[first], excludedAddresses=others, **fields)

    def _priority(self, name: str) -> int:
        return PRIORITIES[self.names.index(name)]

    def _states(self, name: str) -> list[str]:
        routers = self.document(name, "status").get("virtualRouters", ())
        return [router["state"] for router in routers]

    def owners(self) -> set[str]:
        """Return who is master of anything."""
        return {name for name in self.names if "master" in self._states(name)}

    def joined(self) -> bool:
        """Tell whether one is master of all, all others backup."""
        states = sorted(tuple(self._states(name)) for name in self.names)
        backups = [("backup",) * self.count] * (len(self.names) - 1)
        return states == [*backups, ("master",) * self.count]

    def dead_s(self, name: str) -> float:
        """Three intervals and the skew (RFC 9568 6.1)."""
        return (3 + (256 - self._priority(name)) / 256) * self.interval_s


class Keepaliveds(Contender):
    """keepalived with the same priorities; `version` 2 or 3, `head` is written before the rest."""

    label = "keepalived"
    version = 3
    count = 1
    head = ""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._running: dict[str, Keepalived] = {}

    def start_again(self, name: str) -> None:
        """Start keepalived."""
        preempt = "" if self.preempt_ms is not None else "nopreempt"
        routers = [
            instance(
                f"r{vrid}",
                addresses[0],
                vrid=vrid,
                priority=PRIORITIES[self.names.index(name)],
                interval=self.interval_s if self.version == 3 else round(self.interval_s),
                lines=f"version {self.version}\n{preempt}\n{_excluded(addresses[1:])}",
            )
            for vrid, addresses in self._lists()
        ]
        running = Keepalived(self.node(name), *routers)
        running.config = f"{self.head}{running.config}"
        self._running[name] = running.start()

    def _lists(self) -> list[tuple[int, list[str]]]:
        if self.count > 1:
            return [(vrid, [f"10.3.0.{vrid}/32"]) for vrid in range(1, self.count + 1)]
        return [(51, [f"{address}/32" for address in self.addresses])]

    def top(self, name: str) -> subprocess.Popen[Any]:
        """Return keepalived's parent."""
        process = self._running[name].process
        assert process is not None
        return process

    def _states(self, name: str) -> list[str]:
        log = self._running[name].log if name in self._running else ""
        return list({match["name"]: match["state"] for match in STATE.finditer(log)}.values())

    def owners(self) -> set[str]:
        """Return who is master of anything."""
        return {name for name in self.names if "MASTER" in self._states(name)}

    def joined(self) -> bool:
        """Tell whether one is master of all, all others backup."""
        states = sorted(tuple(self._states(name)) for name in self.names)
        backups = [("BACKUP",) * self.count] * (len(self.names) - 1)
        return states == [*backups, ("MASTER",) * self.count]

    def dead_s(self, name: str) -> float:
        """Three intervals and the skew, which version 2 has of one second."""
        skew = (256 - PRIORITIES[self.names.index(name)]) / 256
        return 3 * self.interval_s + skew * (self.interval_s if self.version == 3 else 1)


def _excluded(addresses: Sequence[str]) -> str:
    if not addresses:
        return ""
    return "virtual_ipaddress_excluded {\n" + "\n".join(addresses) + "\n}"
