"""A node that is up: running programs in it and pulling its cables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from orchestrator.lab.interrupts import undisturbed
from orchestrator.lab.namespaces import children_in_pid_namespace

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def node_path() -> str:
    """PATH inside nodes: this Python's programs first, so that `orchestrator` is ours."""
    return f"{Path(sys.executable).parent}:{SYSTEM_PATH}"


class Node:
    """A running node. `pid` is its first process, as seen from the host."""

    def __init__(self, name: str, pid: int, env: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.pid = pid
        self.env = {
            "PATH": node_path(),
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "HOSTNAME": name,
            # Programs in nodes import what this one imports, also in a checkout not installed.
            **{key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ},
            **env,
        }
        self.logs = logs
        self._processes: set[subprocess.Popen[str]] = set()

    def enter_argv(self, argv: Sequence[str], *, pid_namespace: bool = True) -> list[str]:
        """Arguments that run `argv` in the node.

        With `pid_namespace`, nsenter has to fork, so a signal to it does not reach the program:
        `spawn` has no such process in between.
        """
        spaces = ["--net", "--mount", "--uts", "--ipc", *(["--pid"] if pid_namespace else [])]
        return ["nsenter", f"--target={self.pid}", *spaces, "--", *argv]

    def spawn(
        self,
        argv: Sequence[str],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> subprocess.Popen[str]:
        """Start `argv` in the node, in a session and process group of its own.

        Its output is appended to `log` (default: NODE-PROGRAM.log in the lab's directory). The
        pid is the program's own, so signals reach it; it ends at the latest with the node.
        """
        path = log or self.logs / f"{self.name}-{Path(argv[0]).name}.log"
        with path.open("a", encoding="utf-8") as output:
            return self._start(
                argv, env, cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def run(
        self,
        argv: Sequence[str],
        timeout_s: float = 10,
        check: bool = True,
        *,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        cwd: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` in the node to its end; the errors are those of subprocess.run."""
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self._start(
            argv, env, cwd, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                output, errors = process.communicate(stdin, timeout=timeout_s)
            except BaseException:
                end_group(process)
                raise
        self._processes.discard(process)
        if check and process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(argv), output, errors)
        return subprocess.CompletedProcess(list(argv), process.returncode, output, errors)

    def _start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        cwd: str | None,
        *,
        stdin: int,
        stdout: IO[str] | int,
        stderr: int,
    ) -> subprocess.Popen[str]:
        inside = ["env", f"--chdir={cwd}", *argv] if cwd else list(argv)
        with undisturbed(), children_in_pid_namespace(self.pid):
            process = subprocess.Popen(
                self.enter_argv(inside, pid_namespace=False),
                env={**self.env, **(env or {})},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._processes.add(process)
        return process

    def link_down(self, interface: str) -> None:
        """Take an interface down, as an administrator would; the other end loses its carrier."""
        self.run(["ip", "link", "set", interface, "down"])

    def link_up(self, interface: str) -> None:
        """Bring an interface up again."""
        self.run(["ip", "link", "set", interface, "up"])

    def kill(self) -> None:
        """End the node's first process, and with it every process in it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def reap(self, timeout_s: float = 10) -> None:
        """Wait for what was started here, after the node itself has gone."""
        for process in tuple(self._processes):
            process.wait(timeout_s)
        self._processes.clear()


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill a process started by a node together with its process group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
