"""Probes say what is there, in time, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.probes import Prober, perform
from orchestrator.health.actions import StartProbe
from orchestrator.model.virtual_ip import ExecProbe, HttpProbe, TcpProbe
from tests.unit.adapters.probe_scene import (
    HANG,
    HOST,
    eventually,
    gone,
    number_in,
    result_of,
    run,
    says,
    server,
    written,
)


@pytest.mark.parametrize(
    ("text", "statuses", "good"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", (), True),
        (b"HTTP/1.0 302 Found\r\n\r\n", (), True),
        (b"HTTP/1.1 503 Busy\r\n\r\n", (), False),
        (b"HTTP/1.1 503 Busy\r\n\r\n", (503,), True),
        (b"HTTP/1.1 200 OK\r\n\r\n", (204,), False),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (), True),
        (b"HTTP/1.1 404\r\n\r\n", (), False),
        (b"SSH-2.0-OpenSSH\r\n", (), False),
        (b"", (), False),
        (b"x" * 100_000, (), False),
    ],
)
def test_http_status_decides(text: bytes, statuses: tuple[int, ...], good: bool) -> None:
    """An HTTP probe is good exactly when the final status is a good one."""

    async def scenario() -> tuple[bool, str]:
        async with server(says(text)) as port:
            return await perform(HttpProbe(HOST, port, statuses=frozenset(statuses)))

    assert run(scenario())[0] is good


def test_http_request_names_path_and_host() -> None:
    """The request asks for the path, of this host and port, and closes."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async def scenario() -> int:
        async with server(answer) as port:
            await perform(HttpProbe(HOST, port, path="/health?full=1"))
            return port

    port = run(scenario())
    assert seen[0].startswith(b"GET /health?full=1 HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}:{port}\r\n".encode() in seen[0]
    assert b"\r\nConnection: close\r\n" in seen[0]


def test_https_takes_a_self_signed_certificate(tmp_path: Path) -> None:
    """An https probe does not verify the certificate of this host."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=test", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def scenario() -> tuple[bool, str]:
        async with server(says(b"HTTP/1.1 200 OK\r\n\r\n"), context) as port:
            return await perform(HttpProbe(HOST, port, scheme="https"))

    assert run(scenario()) == (True, "HTTP 200")


def test_tcp_listening_or_not() -> None:
    """A TCP probe is good while somebody listens, and says why it is not."""

    async def scenario() -> list[tuple[bool, str]]:
        async with server(says(b"")) as port:
            first = await perform(TcpProbe(HOST, port))
        return [first, await perform(TcpProbe(HOST, port))]

    up, down = run(scenario())
    assert up[0]
    assert not down[0]
    assert "refused" in down[1] or "connect" in down[1]


@pytest.mark.parametrize(
    ("command", "good", "detail"),
    [
        (("/bin/true",), True, "exit status 0"),
        (("/bin/sh", "-c", "echo broken; exit 3"), False, "exit status 3: broken"),
        (("/bin/sh", "-c", "kill -9 $$"), False, "killed by signal 9"),
        (("/does/not/exist",), False, "no such file or directory"),
        (
            ("/bin/sh", "-c", 'test -z "$HOME$SSH_AUTH_SOCK" && test "$PWD" = /'),
            True,
            "exit status 0",
        ),
    ],
)
def test_exit_status_decides(command: tuple[str, ...], good: bool, detail: str) -> None:
    """A command probe is good with status 0; commands get a minimal environment."""
    assert run(perform(ExecProbe(command))) == (good, detail)


def test_command_others_may_write_is_refused(tmp_path: Path) -> None:
    """A script that everybody may write is not run."""
    script, trace = tmp_path / "check", tmp_path / "ran"
    script.write_text(f"#!/bin/sh\ntouch {trace}\n")
    script.chmod(0o777)
    ok, detail = run(perform(ExecProbe((str(script),))))
    assert not ok
    assert "refused" in detail
    assert not trace.exists()


def test_endless_output_is_bounded() -> None:
    """A command that writes without end neither blocks nor fills the memory."""
    command = ("/bin/sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x")
    ok, detail = run(perform(ExecProbe(command)))
    assert ok
    assert len(detail) < 300


def test_hung_command_is_killed_with_its_group(tmp_path: Path) -> None:
    """A command that hangs and ignores TERM is killed after its timeout, with what it forked."""
    probe = ExecProbe(("/bin/sh", "-c", HANG.format(tmp_path)))
    ok, detail = run(result_of(probe, 1.0))
    assert not ok
    assert detail == "no answer within 1 s"
    for name in ("child", "grandchild"):
        run(gone(tmp_path / name))


def test_cancelled_command_is_killed(tmp_path: Path) -> None:
    """When the role stops, commands that run are killed with what they forked."""
    probe = ExecProbe(("/bin/sh", "-c", HANG.format(tmp_path)))

    async def scenario() -> None:
        prober = Prober(lambda *_: None)
        running = asyncio.ensure_future(prober.run())
        await asyncio.sleep(0)
        prober.start(StartProbe("a", 1, probe, 1000))
        await eventually(lambda: written(tmp_path / "child"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for name in ("child", "grandchild"):
            await gone(tmp_path / name)

    run(scenario())


def test_command_cancelled_twice_is_reaped(tmp_path: Path) -> None:
    """A check that goes while the role stops leaves no dead child behind."""
    probe = ExecProbe(("/bin/sh", "-c", HANG.format(tmp_path)))

    async def scenario() -> None:
        running = asyncio.ensure_future(perform(probe))
        await eventually(lambda: written(tmp_path / "child"))
        running.cancel()
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert running.cancelled()

    run(scenario())
    with pytest.raises(ChildProcessError):
        os.waitpid(number_in(tmp_path / "child"), os.WNOHANG)


def test_background_child_does_not_hold_up_the_result(tmp_path: Path) -> None:
    """A command that ends but leaves a child with its output open has its result at once."""
    script = f"sleep 1000 & echo $! > {tmp_path}/child; exit 0"
    assert run(perform(ExecProbe(("/bin/sh", "-c", script)))) == (True, "exit status 0")
    run(gone(tmp_path / "child"))


def test_silent_server_times_out() -> None:
    """A server that accepts and never answers is a failure after the timeout."""
    release = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        release.set()

    async def scenario() -> tuple[bool, str]:
        results: list[tuple[bool, str]] = []
        prober = Prober(lambda *result: results.append(result[2:]))
        async with server(answer) as port:
            running = asyncio.ensure_future(prober.run())
            await asyncio.sleep(0)
            prober.start(StartProbe("a", 1, HttpProbe(HOST, port), 0.2))
            await eventually(lambda: bool(results))
            await release.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return results[0]

    assert run(scenario()) == (False, "no answer within 0.2 s")


def test_commands_at_once_are_limited(tmp_path: Path) -> None:
    """Of many commands that are due, no more run at once than allowed, and all get their turn."""
    script = f"touch {tmp_path}/$$; ls {tmp_path} | wc -l; sleep 0.05; rm {tmp_path}/$$"

    async def scenario() -> list[str]:
        details: list[str] = []
        prober = Prober(lambda *result: details.append(result[3]), commands_at_once=3)
        running = asyncio.ensure_future(prober.run())
        await asyncio.sleep(0)
        for number in range(12):
            prober.start(StartProbe("a", number, ExecProbe(("/bin/sh", "-c", script)), 20))
        await eventually(lambda: len(details) == 12)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return details

    assert all(int(detail.rsplit(" ", 1)[1]) <= 3 for detail in run(scenario()))
