"""ExaBGP's files and processes from our side: what needs no router."""

from __future__ import annotations

import asyncio
import importlib.util
import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.exabgp_link import ExaBGPLink
from orchestrator.adapters.exabgp_process import (
    demand_exabgp,
    ensure_configuration,
    exabgp_environment,
)
from orchestrator.adapters.exabgp_sources import Sources, noted_router_id, router_id
from orchestrator.bgp.backend import Backend
from orchestrator.bgp.render import Surroundings, process_section, render
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.session_state import SessionStatus
from orchestrator.settings import Settings

ADDRESS = ipaddress.ip_address
LIMIT_S = 30.0
PEER_KEY = "hush hush"


def peer(name: str = "r", address: str = "127.0.0.9", **fields: Any) -> Peer:
    """A peer on this host."""
    return Peer(name, 64500, 64500, ADDRESS(address), **fields)


def until(predicate: Callable[[], object], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + LIMIT_S
    while not predicate():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


def test_the_link_is_a_backend(tmp_path: Path) -> None:
    """The link has all that the reconciler needs of a backend; before anything it reaches nothing."""
    backend: Backend = ExaBGPLink(Settings("a", runtime_dir=tmp_path))
    assert not backend.reachable
    assert backend.problems == ()
    assert backend.sessions() == {}


def test_wanting_writes_the_configuration_without_exabgp(tmp_path: Path) -> None:
    """With ExaBGP not running, the file is there for its start, and sessions are unknown."""
    settings = Settings("a", runtime_dir=tmp_path)

    async def want() -> SessionStatus:
        link = ExaBGPLink(settings)
        link.want([Session("a", peer(password=PEER_KEY))], {})
        return link.sessions()["r"].status

    assert asyncio.run(want()) is SessionStatus.UNKNOWN
    text = settings.exabgp_configuration.read_text("ascii")
    assert "neighbor 127.0.0.9 {" in text
    assert "local-address 127.0.0.1;" in text
    assert settings.exabgp_configuration.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    """Where the runtime directory is missing, a problem names the file; nothing is raised."""

    async def want() -> list[str]:
        link = ExaBGPLink(Settings("a", runtime_dir=tmp_path / "missing"))
        link.want([Session("a", peer())], {})
        return [problem.place for problem in link.problems]

    assert asyncio.run(want()) == [str(tmp_path / "missing" / "exabgp.conf")]


def test_the_skeleton_does_not_replace_a_rendered_file(tmp_path: Path) -> None:
    """ExaBGP starts on what a speaker left, else on the skeleton."""
    settings = Settings("a", runtime_dir=tmp_path)
    ensure_configuration(settings)
    assert settings.exabgp_configuration.read_text() == process_section()
    settings.exabgp_configuration.write_text("rendered")
    ensure_configuration(settings)
    assert settings.exabgp_configuration.read_text() == "rendered"


def test_exabgp_gets_only_the_environment_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of our environment are not handed on; paths and times are."""
    monkeypatch.setenv("SOME_TOKEN", "secret")
    monkeypatch.setenv("exabgp.api.ack", "false")
    found = exabgp_environment(Settings("a", runtime_dir=tmp_path, orphan_hold_s=7.5))
    assert "SOME_TOKEN" not in found
    assert found["exabgp.api.ack"] == "true"
    assert found["ORCHESTRATOR_RUNTIME_DIR"] == str(tmp_path)
    assert found["ORCHESTRATOR_ORPHAN_HOLD"] == "7.5"


def test_missing_exabgp_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ExaBGP the message names it and the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(AdapterError, match=r"pip install exabgp==5\.0\.15"):
        demand_exabgp()


def test_sources_are_kept_while_they_work(tmp_path: Path) -> None:
    """The own address is looked up; while the session is up, or the lookup fails, it stays."""
    up = False
    kernel: list[ipaddress.IPv4Address | None] = [ipaddress.IPv4Address("10.0.0.2")]
    sources = Sources(tmp_path / "none", lambda _name: up, lambda _peer: kernel[0])
    sessions = [Session("a", peer())]
    first = sources.look(sessions)
    assert first == Surroundings(ADDRESS("10.0.0.2"), sources={"r": ADDRESS("10.0.0.2")})
    kernel[0] = None
    assert sources.look(sessions) == first
    kernel[0] = ipaddress.IPv4Address("10.0.0.1")
    up = True
    assert sources.look(sessions) == first
    up = False
    moved = sources.look(sessions)
    assert moved == Surroundings(ADDRESS("10.0.0.2"), sources={"r": ADDRESS("10.0.0.1")})


def test_a_configured_source_comes_first(tmp_path: Path) -> None:
    """`sourceAddress` is taken as it is."""
    own = peer(source_address=ADDRESS("192.0.2.7"))
    assert Sources(tmp_path, lambda _name: False).look([Session("a", own)]).sources == {
        "r": ADDRESS("192.0.2.7")
    }


def test_the_router_id_outlives_the_speaker(tmp_path: Path) -> None:
    """The identifier is read back from what was rendered; from anything else it is not."""
    path = tmp_path / "exabgp.conf"
    assert noted_router_id(path) is None
    path.write_text(render([], Surroundings(ADDRESS("10.1.2.3"))).text)
    assert noted_router_id(path) == ADDRESS("10.1.2.3")
    path.write_text("# router-id 999.1.1.1\n")
    assert noted_router_id(path) is None


def test_the_router_id_is_the_lowest_own_ipv4_address() -> None:
    """IPv6 addresses are no identifiers."""
    own = [ADDRESS(text) for text in ("10.0.0.9", "fd00::1", "10.0.0.2")]
    assert router_id(own) == ADDRESS("10.0.0.2")


@pytest.fixture
def role(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`orchestrator exabgp` on the directory `rt`, its log in `log`."""
    argv = [sys.executable, "-m", "orchestrator", "exabgp", "--log-format", "text"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*argv, "--runtime-dir", str(tmp_path / "rt")], stderr=log, text=True
        )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(LIMIT_S)


@pytest.fixture
def broken(tmp_path: Path) -> None:
    """A configuration that ExaBGP cannot start with, from before the role starts."""
    (tmp_path / "rt").mkdir()
    (tmp_path / "rt" / "exabgp.conf").write_text('neighbor 10.0.0.1 {\n  md5-password "hush";\n')


def test_a_configuration_that_exabgp_refuses_is_set_aside(
    tmp_path: Path, broken: None, role: subprocess.Popen[str]
) -> None:
    """ExaBGP that cannot start with its file is started without, the file is kept, the log says so."""
    del broken
    until((tmp_path / "rt" / "exabgp.sock").exists, "a relay")
    assert (tmp_path / "rt" / "exabgp.refused").exists()
    role.send_signal(signal.SIGTERM)
    assert role.wait(LIMIT_S) == 0
    log = (tmp_path / "log").read_text("utf-8")
    assert "it was set aside" in log
    assert "hush" not in log


def test_a_second_term_stops_at_once(tmp_path: Path, role: subprocess.Popen[str]) -> None:
    """With ExaBGP frozen, the first TERM waits for it and the second does not; nothing is left."""
    until((tmp_path / "rt" / "exabgp.sock").exists, "a relay")
    children = Path(f"/proc/{role.pid}/task/{role.pid}/children").read_text("ascii")
    exabgp = int(children.split()[0])
    os.kill(exabgp, signal.SIGSTOP)
    role.send_signal(signal.SIGTERM)
    until(
        lambda: "withdrawing" in (tmp_path / "log").read_text("utf-8"), "the first TERM to be taken"
    )
    role.send_signal(signal.SIGTERM)
    role.wait(LIMIT_S)
    until(lambda: not Path(f"/proc/{exabgp}").exists(), "ExaBGP to be gone")
