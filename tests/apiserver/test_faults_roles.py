"""Whatever an API server does to a controller and a speaker, no address moves and no route goes (P7)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.apiserver.running import nothing_moves, prepare, running
from tests.fakes.apiserver_answers import refusal
from tests.fakes.apiserver_thread import ModelServer
from tests.fakes.apiserver_watch import FakeWatch

AT_ONCE = 6
HELD_S = 2.0
"""How long each fault lasts."""
GIANT = 17 * 1024 * 1024
Act = Callable[[ModelServer], None]


def refusing(status: int, **headers: str) -> Act:
    """Refuse whatever is asked, and end what is watched."""

    def act(server: ModelServer) -> None:
        server.http.refusing = status, {name.replace("_", "-"): v for name, v in headers.items()}
        server.do(server.model.cut)

    return act


def saying(*lines: bytes, over: bool = False) -> Act:
    """Say lines in every watch, and end it or not."""

    def act(server: ModelServer) -> None:
        def say() -> None:
            for watch in server.model.watches:
                watch.lines.extend(lines)
                watch.over = over

        server.do(say)

    return act


def said(kind: str, document: object) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": document}).encode() + b"\n"


def silent(server: ModelServer) -> None:
    """Take every request and answer none, as one that is paused; watches say nothing either."""
    server.do(server.http.fall_silent)


def slow(server: ModelServer) -> None:
    """Answer late, and end what is watched."""
    server.http.delay_s = 1.5
    server.do(server.model.cut)


def rotated(server: ModelServer) -> None:
    """Take another token only, that the kubeconfig has a while later."""
    server.http.token = f"token-{time.monotonic()}"
    server.do(server.model.cut)


def unknown(server: ModelServer) -> None:
    """Take another token only; what is watched goes on."""
    server.http.token = f"token-{time.monotonic()}"


def repeated(server: ModelServer) -> None:
    """Say in every watch once more what it has said of each object."""

    def say() -> None:
        for watch in server.model.watches:
            _repeat(server, watch)

    server.do(say)


def _repeat(server: ModelServer, watch: FakeWatch) -> None:
    for name, document in server.model.all(watch.collection).items():
        if watch.selection.holds(name, document):
            watch.say("ADDED", document)


def byte_by_byte(server: ModelServer) -> None:
    """Hand on every byte by itself."""
    server.http.byte_by_byte = True


def expired(server: ModelServer) -> None:
    """Forget all history, and end what is watched: everything has to be listed anew."""
    server.do(server.model.compact)
    server.do(server.model.cut)


def mend(server: ModelServer) -> None:
    """Do all that is right again."""
    server.http.refusing, server.http.delay_s, server.http.byte_by_byte = None, 0.0, False
    server.do(server.http.go_on)
    server.http.kubeconfig(server.kubeconfig)
    server.start()


FAULTS: dict[str, Act] = {
    "down": ModelServer.kill,
    "silent": silent,
    "slow": slow,
    "token rotated": rotated,
    "token rotated, watches go on": unknown,
    "403": refusing(403),
    "429": refusing(429, Retry_After="1"),
    "500": refusing(500),
    "410 as a status": refusing(410),
    "410 in the stream": saying(
        said("ERROR", refusal(410, "Expired", "too old").document), over=True
    ),
    "another error in the stream": saying(
        said("ERROR", refusal(500, "", "oh").document), over=True
    ),
    "cut in a line": saying(b'{"type":"DELETED","object":{"metadata":{"na', over=True),
    "a line that is no JSON": saying(b"<html>\n"),
    "a giant line": saying(b"x" * GIANT),
    "unknown type": saying(said("STRANGE", {"metadata": {"name": "first"}})),
    "duplicates": repeated,
    "byte by byte": byte_by_byte,
    "expired": expired,
}


def play(directory: Path, fault: str) -> None:
    """Run both roles, and do the fault to them."""
    directory.mkdir()
    with ModelServer(directory) as server:
        prepare(server)
        with running(server, directory / "roles") as it, nothing_moves(it):
            FAULTS[fault](server)
            late = it.add()
            time.sleep(HELD_S)
            mend(server)
            it.announced(late)


@pytest.fixture(scope="module")
def plays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The plays of all faults that are asked for, some at a time: most of each is waiting."""
    names = {item.name for item in request.session.items}
    wanted = [fault for fault in FAULTS if f"test_nothing_moves[{fault}]" in names]
    directory = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {
            fault: threads.submit(play, directory / str(number), fault)
            for number, fault in enumerate(wanted)
        }


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_moves(plays: dict[str, Future[None]], fault: str) -> None:
    """Through the fault all stays as it is; once it is over, what came meanwhile is given and announced."""
    plays[fault].result()
