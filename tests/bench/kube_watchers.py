"""Two hundred simulated speakers at one API server: what their watches cost it, and how late they are."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.kube.actions import Changed
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import watched_by_speaker
from orchestrator.lab import kube_objects as objects
from orchestrator.lab.apiserver import ApiServer
from orchestrator.roles.cluster.node_reports import read_by_node
from tests.bench.kube_client import Door, Requests
from tests.bench.kube_place import names
from tests.bench.kube_storm import server_pid
from tests.bench.processes import cpu_s, resident_mib
from tests.bench.table import SPREAD, Table, spread

SPEAKERS = 200
CHANGES = 100
QUIET_S = 20.0


def watchers(workdir: Path) -> Table:
    """Measure with none and with many."""
    del workdir
    _allow_files()
    table = Table(f"{SPEAKERS} simulated speakers at one API server", ("what", "figure"))
    with ApiServer() as server:
        place = objects.path("Namespace")
        made = server.request("POST", place, {"metadata": {"name": objects.HOME}})
        assert made.status == 201, made.message
        _install(server)
        asyncio.run(_measure(table, server))
    return table


def _allow_files() -> None:
    """Each watch is a connection, at either end."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _install(server: ApiServer) -> None:
    from orchestrator.config.publish.definitions import definitions

    place = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for definition in definitions():
        assert server.request("POST", place, definition).status == 201
    time.sleep(5)


class Speakers:
    """What speakers watch, by so many clients with connections of their own."""

    def __init__(self, server: ApiServer, count: int) -> None:
        self._server = server
        self._count = count
        self._seen: dict[str, list[float]] = {}
        self._reflections: list[Reflections] = []
        self._accesses: list[Access] = []

    async def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin to watch, one speaker after another; return when all know everything."""
        tasks = []
        for number in range(self._count):
            access = Access(self._server.kubeconfig)
            await access.open()
            home = objects.HOME
            watched = (*watched_by_speaker(home), *read_by_node(f"n{number}", home))
            one = Reflections(access, watched, self._take, lambda: None)
            self._accesses.append(access)
            self._reflections.append(one)
            tasks.append(group.create_task(one.run()))
            await _known(one)
        return tasks

    async def close(self) -> None:
        """End all connections."""
        for access in self._accesses:
            await access.close()

    def _take(self, of: Resource, changed: Changed) -> None:
        if of.kind == "Service":
            now = time.monotonic()
            for one in changed.objects:
                self._seen.setdefault(one.key.name, []).append(now)

    async def all_saw(self, name: str) -> float:
        """Wait until every one knows of a Service; when the last learned of it."""
        await _until(lambda: len(self._seen.get(name, ())) >= self._count, 60)
        return max(self._seen[name])

    @property
    def watches(self) -> int:
        """How many watches there are."""
        return sum(len(one.reflectors) for one in self._reflections)


async def _known(one: Reflections) -> None:
    """Wait until it knows all there is."""
    await _until(lambda: not one.unsynced, 60)


async def _until(so: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not so():
        assert time.monotonic() < deadline, "never"
        await asyncio.sleep(0.002)


async def _measure(table: Table, server: ApiServer) -> None:
    requests, pid = Requests(Door.of(server)), server_pid()
    cost, memory = await _quiet(pid)
    table.add("API server alone: CPU of a core, MiB", f"{cost:.1%}, {memory:.0f}")
    speakers = Speakers(server, SPEAKERS)
    async with asyncio.TaskGroup() as group:
        began, cpu, own = time.monotonic(), cpu_s(pid), cpu_s(os.getpid())
        tasks = await speakers.start(group)
        table.add(f"{speakers.watches} watches begun in s", time.monotonic() - began)
        table.add(
            "CPU s of the server, of the speakers for that",
            f"{cpu_s(pid) - cpu:.1f}, {cpu_s(os.getpid()) - own:.1f}",
        )
        cost, memory = await _quiet(pid)
        table.add("API server with them, idle: CPU of a core, MiB", f"{cost:.1%}, {memory:.0f}")
        cpu, own = cpu_s(pid), cpu_s(os.getpid())
        late = await _changes(requests, speakers)
        each = 1000 * (cpu_s(pid) - cpu) / CHANGES
        table.add("a new Service: CPU of the server, ms", each)
        table.add(
            "the same, of all speakers' watches, ms", 1000 * (cpu_s(os.getpid()) - own) / CHANGES
        )
        for name, value in zip(SPREAD, spread(late), strict=True):
            table.add(f"from its making until the last speaker knows, ms: {name}", value)
        table.add("the same, mean", statistics.fmean(late))
        for task in tasks:
            task.cancel()
    await speakers.close()


async def _quiet(pid: int) -> tuple[float, float]:
    """Share of a core that the server takes while nothing happens, and its memory."""
    await asyncio.sleep(5)
    before = cpu_s(pid)
    await asyncio.sleep(QUIET_S)
    return (cpu_s(pid) - before) / QUIET_S, resident_mib(pid)[0]


async def _changes(requests: Requests, speakers: Speakers) -> list[float]:
    """Make Services; milliseconds until the last speaker knows of each."""
    late = []
    for name in names("web", CHANGES):
        began = time.monotonic()
        await asyncio.to_thread(requests.make, objects.service(name))
        late.append(1000 * (await speakers.all_saw(name) - began))
        await asyncio.sleep(0.05)
    return late
