"""What the model of the API server is told to do wrong over HTTP, it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access, UnreachableError
from orchestrator.kube.writes import MERGE_PATCH
from tests.fakes.apiserver import FakeApiServer
from tests.fakes.apiserver_http import FakeApiServerHttp, Written, serving
from tests.fakes.apiserver_kinds import LEASES
from tests.fakes.closing_loop import run_and_close

PATH = "/apis/coordination.k8s.io/v1/namespaces/d/leases"
Story = Callable[[FakeApiServerHttp, Access], Awaitable[None]]


def play(tmp_path: Path, story: Story) -> None:
    """Play a story of a server and a client."""

    async def whole() -> None:
        async with serving(FakeApiServer(LEASES)) as server:
            access = Access(server.kubeconfig(tmp_path / "kubeconfig"))
            await access.open()
            try:
                await story(server, access)
            finally:
                await access.close()

    run_and_close(whole())


def lease(name: str) -> dict[str, object]:
    """A Lease."""
    return {"metadata": {"name": name}}


def names(server: FakeApiServerHttp) -> set[str]:
    """Which Leases there are."""
    return {name for _, name in server.model.all(LEASES)}


def test_writes_are_noted_in_order(tmp_path: Path) -> None:
    """Every write is in the log with its body and status, a refused one too; reads are not."""

    async def story(server: FakeApiServerHttp, access: Access) -> None:
        await access.request("POST", PATH, lease("a"))
        await access.request("GET", PATH)
        await access.request("POST", PATH, lease("a"))
        patch = {"spec": {"holderIdentity": "b"}}
        await access.request("PATCH", f"{PATH}/a", patch, content_type=MERGE_PATCH)
        await access.request("DELETE", f"{PATH}/a")
        assert server.writes == [
            Written("POST", PATH, lease("a"), 201),
            Written("POST", PATH, lease("a"), 409),
            Written("PATCH", f"{PATH}/a", patch, 200),
            Written("DELETE", f"{PATH}/a", None, 200),
        ]

    play(tmp_path, story)


def test_a_death_after_the_second_write(tmp_path: Path) -> None:
    """The last write is done but not answered; nothing is until the server lives again."""

    async def story(server: FakeApiServerHttp, access: Access) -> None:
        server.die_after = 2
        assert (await access.request("POST", PATH, lease("a"))).status == 201
        assert (await access.request("POST", PATH, lease("a"))).status == 409
        for name in ("b", "c"):
            with pytest.raises(UnreachableError):
                await access.request("POST", PATH, lease(name))
        with pytest.raises(UnreachableError):
            await access.request("GET", PATH)
        assert names(server) == {"a", "b"}
        server.die_after = None
        assert (await access.request("POST", PATH, lease("c"))).status == 201

    play(tmp_path, story)


def test_slow_answers(tmp_path: Path) -> None:
    """A delayed write is done before it is answered."""

    async def story(server: FakeApiServerHttp, access: Access) -> None:
        server.delay_s = 0.3
        begun = clock.monotonic()
        assert (await access.request("POST", PATH, lease("a"))).status == 201
        assert clock.monotonic() >= begun + server.delay_s
        assert names(server) == {"a"}

    play(tmp_path, story)
