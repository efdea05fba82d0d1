"""Resources of a real API server are kept known: many at once, and through a death of the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.kube.actions import Changed, Trouble
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Key
from orchestrator.kube.writes import MERGE_PATCH
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.scenes import LOAD_BALANCERS, service
from tests.fakes.apiserver_kinds import Object
from tests.fakes.closing_loop import run_and_close
from tests.unit.adapters.probe_scene import eventually

WATCHED = Resource("", "v1", "services", "Service", field_selector="spec.type=LoadBalancer")
MANY = 300
AT_ONCE = 8


@dataclass
class Known:
    """What a client knows of the Services of one namespace of a server."""

    server: ApiServer
    access: Access
    home: str
    reflections: Reflections = field(init=False)
    versions: dict[Key, str] = field(default_factory=dict)

    def take(self, resource: Resource, changed: Changed) -> None:
        """Note changes."""
        assert resource == WATCHED
        for one in changed.objects:
            self.versions[one.key] = one.version
        for key in changed.gone:
            self.versions.pop(key, None)

    @property
    def names(self) -> set[str]:
        """Names of the Services of this namespace that are known."""
        return {key.name for key in self.versions if key.namespace == self.home}

    def path(self, name: str = "") -> str:
        """Where the Services of this namespace, or one of them, are."""
        home = f"/api/v1/namespaces/{self.home}/services"
        return f"{home}/{name}" if name else home

    async def send(self, method: str, name: str = "", body: Object | None = None) -> None:
        """Write as another client does."""
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        answer = await self.access.request(method, self.path(name), body, content_type=kind)
        assert answer.status in (200, 201), answer.body

    async def agrees(self) -> None:
        """Wait until just what there is is known."""
        answer = await self.access.request("GET", WATCHED.path, query=LOAD_BALANCERS)
        there = {
            Key(one["metadata"]["namespace"], one["metadata"]["name"]): version
            for one in json.loads(answer.body)["items"]
            if (version := one["metadata"]["resourceVersion"])
        }
        await eventually(lambda: self.versions == there)


async def some_at_once(works: Iterable[Awaitable[None]]) -> None:
    """Do all, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(work: Awaitable[None]) -> None:
        async with turns:
            await work

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(one(work))


@asynccontextmanager
async def knowing(server: ApiServer, home: str) -> AsyncIterator[Known]:
    """Know the Services of a server, while the block lasts."""
    access = Access(server.kubeconfig)
    await access.open()
    known = Known(server, access, home)
    known.reflections = Reflections(access, [WATCHED], known.take, lambda: None)
    running = asyncio.ensure_future(known.reflections.run())
    try:
        await eventually(lambda: not known.reflections.unsynced)
        yield known
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await access.close()


def test_many_services_are_known(server: ApiServer, home: str) -> None:
    """Of hundreds that are made, changed and deleted in bulk, just those that are left are known."""
    names = [f"s{number:03}" for number in range(MANY)]

    async def story() -> None:
        async with knowing(server, home) as known:
            await some_at_once(known.send("POST", body=_service(name)) for name in names)
            await known.agrees()
            assert known.names == set(names)
            label = {"metadata": {"labels": {"k": "1"}}}
            await some_at_once(known.send("PATCH", name, label) for name in names)
            await known.agrees()
            await some_at_once(known.send("DELETE", name) for name in names[1:])
            await known.agrees()
            assert known.names == {names[0]}
            assert known.reflections.reflectors[0].relists == 0

    run_and_close(story())


def test_a_service_that_changes_its_type_vanishes(server: ApiServer, home: str) -> None:
    """What is a load balancer no longer is unknown, and known again when it is one again."""

    async def story() -> None:
        async with knowing(server, home) as known:
            for name in ("a", "b"):
                await known.send("POST", body=_service(name))
            await eventually(lambda: known.names == {"a", "b"})
            await known.send("PATCH", "a", {"spec": {"type": "ClusterIP"}})
            await eventually(lambda: known.names == {"b"})
            await known.send("PATCH", "a", {"spec": {"type": "LoadBalancer"}})
            await eventually(lambda: known.names == {"a", "b"})
            await known.agrees()

    run_and_close(story())


@pytest.mark.parametrize("forgets", [False, True], ids=["remembers", "forgets"])
def test_a_server_that_is_killed(server: ApiServer, home: str, forgets: bool) -> None:
    """While the server is dead all stays known; when it lives again, what changed becomes known."""

    async def story() -> None:
        async with knowing(server, home) as known:
            for name in ("a", "b", "c"):
                await known.send("POST", body=_service(name))
            await eventually(lambda: known.names == {"a", "b", "c"})
            if forgets:
                server.compact()
            server.kill()
            await eventually(lambda: _trouble(known) is Trouble.UNREACHABLE)
            assert known.names == {"a", "b", "c"}
            server.start()
            # One that has just begun may refuse a write for a moment.
            await eventually(lambda: server.request("DELETE", known.path("a")).status in (200, 404))
            await eventually(
                lambda: server.request("POST", known.path(), _service("d")).status in (201, 409)
            )
            await eventually(lambda: known.names == {"b", "c", "d"})
            await known.agrees()
            await eventually(lambda: _trouble(known) is None)

    run_and_close(story())


def _service(name: str) -> Object:
    return service(name, allocateLoadBalancerNodePorts=False)


def _trouble(known: Known) -> Trouble | None:
    told = known.reflections.troubles.get(WATCHED)
    return told.trouble if told else None
