"""A cluster listed once: in pages, again when the list expires, without what may not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube import listing
from orchestrator.adapters.kube.access import Access, UnreachableError
from orchestrator.adapters.kube.listing import Listed, list_once
from orchestrator.kube.resource import Resource
from tests.fakes.apiserver import Collection, FakeApiServer
from tests.fakes.apiserver_http import FakeApiServerHttp, serving
from tests.unit.adapters.probe_scene import eventually, run

SERVICES = Collection("", "v1", "services", "Service")
ALL = Resource("", "v1", "services", "Service")
BALANCED = Resource("", "v1", "services", "Service", field_selector="spec.type=LoadBalancer")
UNKNOWN = Resource("metallb.io", "v1beta1", "bgppeers", "BGPPeer")
NAMES = "abcdefg"


class Scene:
    """A server with seven Services, one of them no load balancer, and a client."""

    def __init__(self, server: FakeApiServerHttp, access: Access) -> None:
        self.server = server
        self.access = access
        for name in NAMES:
            self.put(name, "ClusterIP" if name == "g" else "LoadBalancer")

    def put(self, name: str, kind: str = "LoadBalancer") -> None:
        """Make or change a Service."""
        metadata = {"name": name, "namespace": "d"}
        self.server.model.put(SERVICES, {"metadata": metadata, "spec": {"type": kind}})

    async def names(self, *resources: Resource) -> tuple[str, Listed]:
        """Names of the Services that are listed, and all else."""
        listed = await list_once(self.access, resources or (ALL,))
        return "".join(one.key.name for one in listed.objects.get(resources[0], ())), listed


def play(tmp_path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    """Play a story."""

    async def whole() -> None:
        async with serving(FakeApiServer(SERVICES)) as server:
            access = Access(server.kubeconfig(tmp_path / "kubeconfig"))
            await access.open()
            try:
                await story(Scene(server, access))
            finally:
                await access.close()

    run(whole())


def test_all_pages_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the pages, everything that the selector lets through is listed once."""
    monkeypatch.setattr(listing, "PAGE", 2)

    async def story(made: Scene) -> None:
        assert (await made.names(ALL))[0] == NAMES
        assert (await made.names(BALANCED))[0] == NAMES[:-1]
        assert sum(path.endswith("/services") for _, path, _ in made.server.seen) == 4 + 3

    play(tmp_path, story)


def test_an_expired_list_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server has forgotten the version of a list, it is listed from the start."""
    monkeypatch.setattr(listing, "PAGE", 2)

    async def story(made: Scene) -> None:
        ask, asked = made.access.request, [0]

        async def forgetful(*words: str, query: list[tuple[str, str]]) -> object:
            asked[0] += 1
            if asked[0] == 2:
                made.put("h")
                made.server.model.compact()
            return await ask(*words, query=query)

        monkeypatch.setattr(made.access, "request", forgetful)
        assert (await made.names(ALL))[0] == f"{NAMES}h"
        assert asked[0] > len(NAMES) // 2 + 1

    play(tmp_path, story)


def test_what_the_server_does_not_know_is_left_out(tmp_path: Path) -> None:
    """A kind that is not served is named; the others are listed."""

    async def story(made: Scene) -> None:
        names, listed = await made.names(ALL, UNKNOWN)
        assert names == NAMES
        assert listed.unread == {UNKNOWN: "is not known to the API server"}

    play(tmp_path, story)


def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    """Where nothing may be read all is named, and nothing raised."""

    async def story(made: Scene) -> None:
        made.server.refusing = (403, {})
        listed = (await made.names(ALL, UNKNOWN))[1]
        assert listed.objects == {}
        assert set(listed.unread.values()) == {"may not be read"}

    play(tmp_path, story)


def test_a_busy_server_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal for now is waited out, but not for as long as the server likes, and three times."""
    monkeypatch.setattr(listing, "LONGEST_PAUSE_S", 0.1)

    async def story(made: Scene) -> None:
        made.server.refusing = (503, {"Retry-After": "900"})
        with pytest.raises(AdapterError, match="services: not now"):
            await made.names(ALL)
        assert len(made.server.seen) == listing.ATTEMPTS
        made.server.refusing = (429, {"Retry-After": "900"})
        asking = asyncio.ensure_future(made.names(ALL))
        await eventually(lambda: len(made.server.seen) > listing.ATTEMPTS)
        made.server.refusing = None
        assert (await asking)[0] == NAMES

    play(tmp_path, story)


def test_credentials_that_are_not_taken(tmp_path: Path) -> None:
    """401 is no reason to leave things out: nothing is known then, and that is said."""

    async def story(made: Scene) -> None:
        made.server.token = "another"
        with pytest.raises(AdapterError, match="Unauthorized"):
            await made.names(ALL)

    play(tmp_path, story)


def test_nobody_answers(tmp_path: Path) -> None:
    """A server that is away raises what names it."""

    async def story(made: Scene) -> None:
        await made.server.stop()
        with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1"):
            await asyncio.wait_for(made.names(ALL), 30)

    play(tmp_path, story)
