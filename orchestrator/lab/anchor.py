"""The first process of a node: makes the node's namespaces and file system, then holds them open.

Run as `python -I -S anchor.py CONTAINER` as process 1 of a new pid namespace, so it stands alone
(standard library only). Standard input carries one line of JSON, the specification below, and is
the lifeline: at its end the node, with every process in it, is gone. The line `ready`, or one
that says what is wrong, goes to standard output.

The node's root is the host's file system with a private, memory-backed layer on top (overlayfs):
what a node writes is its own and vanishes with it, as in a container whose image is this host.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

FRESH = ("/dev/shm", "/run", "/tmp", "/var/tmp")  # noqa: S108
"""Directories that a node has to itself, empty at first."""
OWN = ("/dev", "/proc", "/sys", *FRESH)
"""Where the host's mounts are not passed on."""
HOST = Path("/.host")
"""Where the host's root is seen while the node's is being made."""

LIBC = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise OSError with `what` when a C function has failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def mount(source: str, target: str | Path, kind: str, flags: int = 0, data: str = "") -> None:
    """Show the file system or directory `source` at `target`."""
    arguments = (source.encode(), str(target).encode(), kind.encode())
    check(LIBC.mount(*arguments, ctypes.c_ulong(flags), data.encode()), f"mount on {target}")


def host_mounts(text: str, staging: str) -> list[str]:
    """Mount points in `text` (/proc/self/mountinfo) that a node is to see as they are."""
    points = [line.split()[4].encode().decode("unicode_escape") for line in text.splitlines()]
    hidden = (*OWN, staging)
    return [
        point
        for point in points
        if point != "/" and not any(point == top or point.startswith(f"{top}/") for top in hidden)
    ]


def enter_root(staging: str) -> None:
    """Make the layered root on `staging` and move into it; the host's root is then at HOST."""
    mount("", "/", "", MS_REC | MS_PRIVATE)
    mount("tmpfs", staging, "tmpfs", data="mode=0755")
    upper, work, root = (Path(staging, name) for name in ("upper", "work", "root"))
    for directory in (upper, work, root):
        directory.mkdir()
    mount("overlay", root, "overlay", data=f"lowerdir=/,upperdir={upper},workdir={work}")
    (root / HOST.name).mkdir(exist_ok=True)
    check(LIBC.pivot_root(str(root).encode(), str(root / HOST.name).encode()), "pivot_root")
    os.chdir("/")


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show the host's `source` at `target`, made if it is not there."""
    seen = HOST / source.lstrip("/")
    place = Path(target)
    if seen.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    mount(str(seen), target, "", MS_BIND)
    if read_only:
        mount("", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY)


def layer(point: str, store: Path) -> None:
    """Show one of the host's own mounts with a private layer on top, else read-only."""
    seen = HOST / point.lstrip("/")
    if not seen.is_dir() or any(mark in point for mark in ",:\\"):
        bind(point, point, read_only=True)
        return
    upper, work = store / "upper", store / "work"
    for directory in (upper, work):
        directory.mkdir(parents=True)
    Path(point).mkdir(parents=True, exist_ok=True)
    try:
        mount("overlay", point, "overlay", data=f"lowerdir={seen},upperdir={upper},workdir={work}")
    except OSError:  # a file system that cannot be layered
        bind(point, point, read_only=True)


def renew(directory: str, kept: list[str]) -> None:
    """Give the node an empty `directory` of its own, with copies of the files named `kept`."""
    if not Path(directory).is_dir():
        return
    before = Path(directory).stat()
    files = {name: Path(directory, name) for name in kept}
    contents = {
        name: (file.read_bytes(), file.stat()) for name, file in files.items() if file.exists()
    }
    mode = f"mode={before.st_mode & 0o7777:o},uid={before.st_uid},gid={before.st_gid}"
    mount("tmpfs", directory, "tmpfs", data=mode)
    for name, (content, status) in contents.items():
        files[name].write_bytes(content)
        os.chown(files[name], status.st_uid, status.st_gid)
        files[name].chmod(status.st_mode & 0o7777)


def fill_root(spec: dict[str, Any], mounts: list[str]) -> None:
    """Put into the new root what a program expects, then cut it off from the host's."""
    mount(str(HOST / "dev"), "/dev", "", MS_BIND | MS_REC)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    for number, point in enumerate(mounts):
        layer(point, HOST / spec["staging"].lstrip("/") / f"mount{number}")
    for directory in FRESH:
        Path(directory).mkdir(parents=True, exist_ok=True)
        mount("tmpfs", directory, "tmpfs", data="mode=0755" if directory == "/run" else "mode=1777")
    for path in spec["visible"]:
        bind(path, path)
    for directory, kept in spec["renewed"].items():
        renew(directory, kept)
    for source, target, read_only in spec["binds"]:
        bind(source, target, read_only=read_only)
    check(LIBC.umount2(str(HOST).encode(), MNT_DETACH), f"umount {HOST}")
    HOST.rmdir()


def raise_loopback() -> None:
    """Bring `lo` up, as in a container."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def write_sysctls(sysctls: dict[str, str]) -> None:
    """Set the node's sysctls; one that this kernel does not have per namespace is an error."""
    for name, value in sysctls.items():
        Path("/proc/sys", name.replace(".", "/")).write_text(f"{value}\n", encoding="ascii")


def build(spec: dict[str, Any]) -> None:
    """Make the node that `spec` describes; OSError when the kernel refuses."""
    check(LIBC.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET), "unshare")
    mounts = host_mounts(Path("/proc/self/mountinfo").read_text("utf-8"), spec["staging"])
    enter_root(spec["staging"])
    fill_root(spec, mounts)
    socket.sethostname(spec["hostname"])
    raise_loopback()
    write_sysctls(spec["sysctls"])


def main() -> int:
    """Build the node, say so, and hold it until the lifeline ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel then reaps orphans of the node
    line = sys.stdin.readline()
    if not line:  # whoever started us was gone first
        return 1
    spec = json.loads(line)
    try:
        build(spec)
    except OSError as error:
        print(error, flush=True)  # noqa: T201
        return 1
    print("ready", flush=True)  # noqa: T201
    while spec["detached"]:
        signal.pause()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
