"""Starting processes in another pid namespace, and finding the nodes that are up."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWPID = 0x20000000
ANCHOR = str(Path(__file__).with_name("anchor.py"))

LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


@contextmanager
def children_in_pid_namespace(pid: int | None) -> Iterator[None]:
    """Let children of this thread be born in the pid namespace of `pid`, or in a new one (None).

    Only the calling thread is affected (pid_namespaces(7)), and only its future children, so the
    child's pid as seen here is that of the real process, without a process in between.
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if pid is None:
            _check(LIBC.unshare(CLONE_NEWPID), "unshare a pid namespace")
        else:
            _join(f"/proc/{pid}/ns/pid")
        yield
    finally:
        _check(LIBC.setns(own, CLONE_NEWPID), "return to the own pid namespace")
        os.close(own)


def _join(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(LIBC.setns(descriptor, CLONE_NEWPID), f"enter {path}")
    finally:
        os.close(descriptor)


def anchors() -> dict[str, int]:
    """Container names of all nodes that are up on this host, with the pid of their anchor.

    A process counts only if its command line is exactly an anchor's and it is the first process
    of a pid namespace below ours, so that nothing else is ever taken for a node.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (name := _anchor_name(entry)):
            found[name] = int(entry.name)
    return found


def _anchor_name(process: Path) -> str | None:
    try:
        arguments = process.joinpath("cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        if len(arguments) < 5 or not arguments[3].endswith("/orchestrator/lab/anchor.py"):
            return None
        status = process.joinpath("status").read_text("utf-8", "replace")
    except OSError:  # it ended while we were reading
        return None
    pids = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid")), [])
    return arguments[4] if len(pids) > 1 and pids[-1] == "1" else None
