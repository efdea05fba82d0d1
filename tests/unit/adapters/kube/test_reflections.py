"""Resources kept known over HTTP: a server that goes, refuses, says nothing, speaks in bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube.access import Access, UnreachableError
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.kube.actions import Changed, Trouble
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Key
from tests.fakes.apiserver import Collection, FakeApiServer
from tests.fakes.apiserver_http import FakeApiServerHttp, serving
from tests.unit.adapters.probe_scene import eventually, run

SERVICES = Collection("", "v1", "services", "Service")
POOLS = Collection("metallb.io", "v1beta1", "ipaddresspools", "IPAddressPool")
WATCHED = Resource("", "v1", "services", "Service", field_selector="spec.type=LoadBalancer")
UNKNOWN = Resource("metallb.io", "v1beta1", "bgppeers", "BGPPeer")


@dataclass
class Scene:
    """A server, and what a client knows of it."""

    model: FakeApiServer
    server: FakeApiServerHttp
    access: Access
    kubeconfig: Path
    reflections: Reflections = field(init=False)
    known: dict[Key, str] = field(default_factory=dict)
    told: int = 0

    def take(self, resource: Resource, changed: Changed) -> None:
        """Note changes."""
        assert resource in (WATCHED, UNKNOWN)
        self.told += 1
        for one in changed.objects:
            self.known[one.key] = json.loads(one.text)["metadata"]["resourceVersion"]
        for key in changed.gone:
            self.known.pop(key, None)

    def put(self, name: str, kind: str = "LoadBalancer") -> None:
        """Make or change a Service."""
        metadata = {"name": name, "namespace": "d"}
        self.model.put(SERVICES, {"metadata": metadata, "spec": {"type": kind}})

    def agrees(self) -> bool:
        """Tell whether all there is is known."""
        there = {
            Key(*name): one["metadata"]["resourceVersion"]
            for name, one in self.model.all(SERVICES).items()
            if one["spec"]["type"] == "LoadBalancer"
        }
        return self.known == there

    def troubled(self) -> Trouble | None:
        """What keeps Services from being watched."""
        told = self.reflections.troubles.get(WATCHED)
        return told.trouble if told else None


@asynccontextmanager
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A server with three Services, and a client that knows them."""
    model = FakeApiServer(SERVICES, POOLS)
    async with serving(model) as server:
        kubeconfig = server.kubeconfig(tmp_path / "kubeconfig")
        access = Access(kubeconfig)
        await access.open()
        made = Scene(model, server, access, kubeconfig)
        for name in "abc":
            made.put(name)
        made.reflections = Reflections(access, (WATCHED, UNKNOWN), made.take, lambda: None)
        running = asyncio.ensure_future(made.reflections.run())
        try:
            await eventually(lambda: len(made.known) == 3 and not made.reflections.unsynced)
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await access.close()


def play(tmp_path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    """Play a story."""

    async def whole() -> None:
        async with scene(tmp_path) as made:
            await story(made)

    run(whole())


def test_changes_come_through(tmp_path: Path) -> None:
    """What comes, changes, goes, or no longer is a load balancer is told; other kinds are none."""

    async def story(made: Scene) -> None:
        made.put("d")
        made.put("a")
        made.model.delete(SERVICES, ("d", "b"))
        made.put("c", "ClusterIP")
        await eventually(made.agrees)
        assert set(made.known) == {Key("d", "a"), Key("d", "d")}
        told = made.reflections.troubles[UNKNOWN]
        assert told.trouble is Trouble.NOT_SERVED

    play(tmp_path, story)


def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    """While the server is away all stays known; when it is back, what changed becomes known."""

    async def story(made: Scene) -> None:
        await made.server.stop()
        await eventually(lambda: made.troubled() is Trouble.UNREACHABLE)
        made.put("e")
        made.model.delete(SERVICES, ("d", "a"))
        assert len(made.known) == 3
        await made.server.start()
        await eventually(made.agrees)
        assert made.troubled() is None

    play(tmp_path, story)


def test_a_token_that_was_replaced(tmp_path: Path) -> None:
    """A server that takes the old token no longer is asked with the new one."""

    async def story(made: Scene) -> None:
        made.server.token = "second"
        made.server.kubeconfig(made.kubeconfig)
        made.model.cut()
        made.put("e")
        await eventually(made.agrees)
        assert made.server.seen[-1][2] == "second"
        assert made.access.figures.requests["GET", 401] >= 1

    play(tmp_path, story)


def test_pieces_of_one_byte(tmp_path: Path) -> None:
    """A proxy that hands on every byte by itself makes no difference."""

    async def story(made: Scene) -> None:
        made.server.byte_by_byte = True
        for name in ("e", "f", "é"):
            made.put(name)
        await eventually(made.agrees)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(403, Trouble.FORBIDDEN), (429, Trouble.BUSY), (500, Trouble.SERVER_ERROR)],
)
def test_a_server_that_refuses(tmp_path: Path, status: int, trouble: Trouble) -> None:
    """Refusals take nothing away; when they end, all there is becomes known."""

    async def story(made: Scene) -> None:
        made.server.refusing = (status, {"Retry-After": "1"} if status == 429 else {})
        made.model.cut()
        made.put("e")
        await eventually(lambda: made.troubled() is trouble)
        assert len(made.known) == 3
        made.server.refusing = None
        await eventually(made.agrees)

    play(tmp_path, story)


def test_an_expired_version(tmp_path: Path) -> None:
    """After a compaction everything is listed anew, and only what changed is told."""

    async def story(made: Scene) -> None:
        await made.server.stop()
        made.model.delete(SERVICES, ("d", "a"))
        made.put("e")
        made.model.compact()
        told = made.told
        await made.server.start()
        await eventually(made.agrees)
        assert made.told == told + 1

    play(tmp_path, story)


def test_a_restored_store(tmp_path: Path) -> None:
    """A server that comes back with an older store is noticed, and what it lost is gone."""

    async def story(made: Scene) -> None:
        backup = made.model.snapshot()
        made.put("e")
        made.put("f")
        await eventually(made.agrees)
        await made.server.stop()
        made.model.restore(backup)
        await made.server.start()
        await eventually(made.agrees)
        assert len(made.known) == 3

    play(tmp_path, story)


def test_few_requests_in_an_outage(tmp_path: Path) -> None:
    """While no server is there, all of a process together ask less than once a second."""

    async def story(made: Scene) -> None:
        await made.server.stop()
        before = made.access.figures.requests.get(("GET", 0), 0)
        await asyncio.sleep(6)
        assert made.access.figures.requests["GET", 0] - before <= 6

    play(tmp_path, story)


def test_whole_answers(tmp_path: Path) -> None:
    """A request that is no watch gives status and body, or says that nobody answers."""

    async def story(made: Scene) -> None:
        answer = await made.access.request("GET", "/api/v1/services", query=[("limit", "1")])
        assert answer.status == 200
        assert len(json.loads(answer.body)["items"]) == 1
        await made.server.stop()
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1"):
            await made.access.request("GET", "/api/v1/services")

    play(tmp_path, story)


def test_without_credentials(tmp_path: Path) -> None:
    """A kubeconfig that is not there, is none, or has no such context is an error in words."""
    broken = tmp_path / "broken"
    broken.write_text("a: [", encoding="utf-8")

    async def story() -> None:
        for path, context in ((tmp_path / "missing", None), (broken, None)):
            with pytest.raises(AdapterError, match=str(path)):
                await Access(path, context).open()

    run(story())
