"""ExaBGP as a process: arguments, environment, its log, and its end with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import signal
import sys
from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.exabgp_places import Places
from orchestrator.adapters.state_files import write_file
from orchestrator.bgp.render import process_section

KEPT_VARIABLES = ("LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_PRELOAD", "SSL_CERT_FILE")
EXABGP_VARIABLES = {
    "exabgp.daemon.drop": "false",
    "exabgp.daemon.daemonize": "false",
    "exabgp.api.cli": "false",
    "exabgp.api.ack": "true",
    "exabgp.api.respawn": "true",
    "exabgp.api.chunk": "1000",
    "exabgp.api.show-routes-format": "v2",
    "exabgp.log.destination": "stderr",
    "exabgp.log.level": "ERROR",
    "exabgp.log.short": "true",
    "exabgp.reactor.speed": "1.0",
    "exabgp.tcp.bind": "",
}
"""DESIGN 5, rules 7 and 9; exabgp-conf/exabgp.env says the same for those who run it by hand."""

MEASURED_VERSION = "5.0.15"
LOG_LINE_LIMIT = 1 << 16
LOG_LINE_SHOWN = 500
LOG_PERIOD_S = 10.0
LOG_LINES_A_PERIOD = 100
NOT_TO_BE_SHOWN = "md5-password"
"""ExaBGP logs a line that it does not understand as it stands."""
LOG_GRACE_S = 1.0
STOP_LIMIT_S = 3.0
"""A frozen ExaBGP does not react to TERM for as long as its hold time (measured)."""
RELAY_PREFIX = "relay: "
LOST_RELAY = "lost the helper process"
KNOWN_NOISE = ("advice ", "welcome ", "****")

LOG = logging.getLogger(__name__)


def exabgp_arguments(settings: Places) -> list[str]:
    """Return the command line of ExaBGP under our launcher."""
    launcher = [sys.executable, "-m", "orchestrator.adapters.exabgp_launcher", str(os.getpid())]
    return [*launcher, "server", str(settings.exabgp_configuration)]


def exabgp_environment(settings: Places) -> dict[str, str]:
    """Return ExaBGP's environment; its children find our Python first, and only, in PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT_VARIABLES or name.startswith(("FAKETIME", "DONT_FAKE"))
    }
    return {
        **kept,
        **EXABGP_VARIABLES,
        "PATH": str(Path(sys.executable).parent),
        "PYTHONUNBUFFERED": "1",
        "ORCHESTRATOR_RUNTIME_DIR": str(settings.runtime_dir.resolve()),
        "ORCHESTRATOR_ORPHAN_HOLD": f"{settings.orphan_hold_s:g}",
    }


def demand_exabgp() -> None:
    """Raise `AdapterError` when ExaBGP is not installed for this Python."""
    if importlib.util.find_spec("exabgp") is None:
        raise AdapterError(
            "exabgp",
            f"not installed for {sys.executable}; install it with: pip install exabgp=={MEASURED_VERSION}",
        )


def other_version() -> str | None:
    """Return the version of ExaBGP when it is not the one that everything here was measured on."""
    found = importlib.metadata.version("exabgp")
    return None if found == MEASURED_VERSION else found


def ensure_configuration(settings: Places) -> None:
    """Write the skeleton (relay only) unless a speaker left a rendered configuration."""
    path = settings.exabgp_configuration
    if not path.exists():
        write_file(path, process_section().encode())


def set_aside(settings: Places) -> Path:
    """Put the skeleton in the place of a configuration that ExaBGP refuses; return where that is."""
    aside = settings.exabgp_configuration.with_suffix(".refused")
    settings.exabgp_configuration.replace(aside)
    write_file(settings.exabgp_configuration, process_section().encode())
    return aside


class ExaBGPProcess:
    """One run of ExaBGP, in a session of its own so that all of it can be ended together."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._period_at = 0.0
        self._logged = 0
        self._log = asyncio.create_task(self._read_log())

    @classmethod
    async def start(cls, settings: Places) -> ExaBGPProcess:
        """Start ExaBGP on the rendered configuration."""
        process = await asyncio.create_subprocess_exec(
            *exabgp_arguments(settings),
            env=exabgp_environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=str(settings.runtime_dir),
            start_new_session=True,
            limit=LOG_LINE_LIMIT,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Process id, which is the session's too."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for the end, clear away what it started, and return the exit status."""
        status = await self._process.wait()
        self.kill()
        await asyncio.wait({self._log}, timeout=LOG_GRACE_S)
        self._log.cancel()
        return status

    async def stop(self) -> None:
        """End it as ExaBGP wants to be ended; with force when that takes too long."""
        self._signal(signal.SIGTERM)
        waiting = asyncio.create_task(self.wait())
        await asyncio.wait({waiting}, timeout=STOP_LIMIT_S)
        if not waiting.done():
            self.kill()
        await waiting

    def kill(self) -> None:
        """End every process of the session at once."""
        self._signal(signal.SIGKILL)
        for pid in session_members(self._process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _read_log(self) -> None:
        stream = self._process.stdout
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit: that much of it is dropped
                continue
            if not line:
                return
            self._take_log(line.decode("utf-8", "replace").strip())

    def _take_log(self, line: str) -> None:
        if line.startswith(RELAY_PREFIX):
            LOG.warning(line)
        elif line and not line.startswith(KNOWN_NOISE) and self._may_log():
            shown = "(a line with a password)" if NOT_TO_BE_SHOWN in line else line[:LOG_LINE_SHOWN]
            LOG.warning(shown, extra={"program": "exabgp"})
        if LOST_RELAY in line:
            # ExaBGP has stopped its peers for good: only a new one helps.
            self._signal(signal.SIGTERM)

    def _may_log(self) -> bool:
        """Limit the rate: so many lines in a period, then one that says that more were left out."""
        now = asyncio.get_running_loop().time()
        if now - self._period_at >= LOG_PERIOD_S:
            self._period_at, self._logged = now, 0
        self._logged += 1
        if self._logged == LOG_LINES_A_PERIOD + 1:
            LOG.warning("further lines of ExaBGP are left out", extra={"for_s": LOG_PERIOD_S})
        return self._logged <= LOG_LINES_A_PERIOD


def session_members(session: int) -> list[int]:
    """Return the processes of a session that still run, from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                text = entry.joinpath("stat").read_text("utf-8", "replace")
                if int(text.rpartition(")")[2].split()[3]) == session:
                    found.append(int(entry.name))
    return found
