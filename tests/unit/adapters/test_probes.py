"""Probes say what is there, in time, and leave nothing behind."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.probes import CheckRunner, Prober, perform
from orchestrator.health.actions import HealthChanged, StartProbe
from orchestrator.model.virtual_ip import Check, ExecProbe, Health, HttpProbe, TcpProbe

LIMIT_S = 30.0
HOST = "127.0.0.1"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of loopback."""
    listening = await asyncio.start_server(answer, HOST, 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()


def says(text: bytes) -> Answer:
    """Make a server that answers every request with `text`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()
        writer.close()

    return answer


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario with a generous limit."""

    async def limited() -> Any:
        async with asyncio.timeout(LIMIT_S):
            return await scenario

    return asyncio.run(limited())


async def eventually(condition: Callable[[], bool]) -> None:
    """Poll until `condition` holds; the limit of `run` bounds it."""
    for _ in range(int(LIMIT_S * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


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


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def written(file: Path) -> bool:
    """Tell whether a command has written its process number."""
    return file.exists() and file.read_text() != ""


def number_in(file: Path) -> int:
    """Read a process number that a command wrote."""
    return int(file.read_text())


async def gone(file: Path) -> None:
    """Wait until the process whose number is in `file` runs no more."""
    pid = number_in(file)
    await eventually(lambda: not alive(pid))


HANG = "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > {0}/grandchild; echo $$ > {0}/child; sleep 1000"


async def result_of(probe: ExecProbe, timeout_s: float) -> tuple[bool, str]:
    """Perform a probe through a Prober."""
    results: list[tuple[bool, str]] = []
    prober = Prober(lambda *result: results.append(result[2:]))
    running = asyncio.ensure_future(prober.run())
    await asyncio.sleep(0)
    prober.start(StartProbe("a", 1, probe, timeout_s))
    await eventually(lambda: bool(results))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return results[0]


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


def fast(probe: HttpProbe | TcpProbe | ExecProbe, disable_file: str | None = None) -> Check:
    """Make a check that is quick enough for a test."""
    return Check(probe, 50, 50, 5000, rise=2, fall=2, disable_file=disable_file)


@asynccontextmanager
async def checks(runner: CheckRunner) -> AsyncIterator[None]:
    """Run the checks."""
    running = asyncio.ensure_future(runner.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_three_hundred_checks_without_threads() -> None:
    """300 checks of three types in one process find every state, with no thread more."""

    async def scenario() -> None:
        changes: list[HealthChanged] = []
        async with server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
            wanted: dict[str, Check] = {}
            for number in range(100):
                wanted[f"http{number}"] = Check(HttpProbe(HOST, port), 500, 500)
                wanted[f"tcp{number}"] = Check(TcpProbe(HOST, port), 500, 500)
                wanted[f"exec{number}"] = Check(ExecProbe(("/bin/false",)), 5000, 5000, 10000)
            runner = CheckRunner(changes.append)
            runner.want(wanted)
            before = threading.active_count()
            async with checks(runner):
                await eventually(lambda: len(runner.health()) == 300)
                assert threading.active_count() == before
        for name, health in runner.health().items():
            assert health is (Health.DOWN if name.startswith("exec") else Health.UP)
        assert len(changes) == 300

    run(scenario())


def test_service_that_goes_and_comes(tmp_path: Path) -> None:
    """A check follows its service down and up, and the disable file besides."""
    there, disable = tmp_path / "there", tmp_path / "disable"
    there.touch()

    async def scenario() -> None:
        changes: list[tuple[Health | None, Health]] = []
        runner = CheckRunner(lambda change: changes.append((change.old, change.new)))
        command = ExecProbe(("/usr/bin/test", "-e", str(there)))
        runner.want({"a": fast(command, str(disable))})
        async with checks(runner):
            await eventually(lambda: runner.health() == {"a": Health.UP})
            there.unlink()
            await eventually(lambda: runner.health() == {"a": Health.DOWN})
            there.touch()
            await eventually(lambda: runner.health() == {"a": Health.UP})
            disable.touch()
            await eventually(lambda: runner.health() == {"a": Health.DISABLED})
            disable.unlink()
            await eventually(lambda: runner.health() == {"a": Health.UP})
            runner.want({})
            assert runner.health() == {}
        up, down, disabled = Health.UP, Health.DOWN, Health.DISABLED
        assert changes == [(None, up), (up, down), (down, up), (up, disabled), (disabled, up)]

    run(scenario())


def descriptors() -> int:
    """Count the open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_leaked() -> None:
    """Many commands, good and hung, leave no descriptor open."""

    async def scenario() -> None:
        await result_of(ExecProbe(("/bin/true",)), 5)
        before = descriptors()
        for _ in range(10):
            await result_of(ExecProbe(("/bin/true",)), 5)
            await result_of(ExecProbe(("/bin/sleep", "100")), 0.05)
        await eventually(lambda: descriptors() <= before)

    run(scenario())


def test_changed_check_ends_the_command_of_the_old_one(tmp_path: Path) -> None:
    """When a check changes or goes, its hung command is killed at once and reports nothing."""
    hung = Check(ExecProbe(("/bin/sh", "-c", HANG.format(tmp_path))), 50, 50, 1_000_000)

    async def scenario() -> None:
        runner = CheckRunner(lambda _: None)
        runner.want({"a": hung})
        async with checks(runner):
            await eventually(lambda: written(tmp_path / "child"))
            runner.want({"a": fast(ExecProbe(("/bin/true",)))})
            await eventually(lambda: runner.health() == {"a": Health.UP})
            for name in ("child", "grandchild"):
                await gone(tmp_path / name)

    run(scenario())
