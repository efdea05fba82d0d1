"""Waiting for facts, and saying what a machine lacks for a test."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

PACKAGES = {
    "/usr/lib/frr/bgpd": "frr",
    "bird": "bird2",
    "birdc": "bird2",
    "bridge": "iproute2",
    "etcd": "etcd-server",
    "faketime": "faketime",
    "ip": "iproute2",
    "iptables": "iptables",
    "keepalived": "keepalived",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ping": "iputils-ping",
    "tcpdump": "tcpdump",
    "vtysh": "frr",
}
"""Debian packages of the programs that tests may need."""
IN_CI = os.environ.get("CI") == "true"
IN_LONG = IN_CI or os.environ.get("ORCHESTRATOR_LONG") == "1"
"""Whether long tests run, and others in their long form."""


def lacking(reason: str) -> None:
    """Fail in CI, skip elsewhere."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def require(*programs: str) -> None:
    """Skip the test (fail it in CI) with the command that installs what is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES.get(program, program) for program in missing}))
        lacking(f"missing {', '.join(missing)}: apt-get install {packages}")


def poll(
    predicate: Callable[[], T | None],
    timeout_s: float = 30,
    what: str = "",
    interval_s: float = 0.05,
) -> T:
    """Call `predicate` until it gives something true, and return that.

    An AssertionError of the predicate counts as not yet. After `timeout_s` an AssertionError
    says `what` was waited for and what was last seen.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        last: object
        try:
            if last := predicate():
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {timeout_s:g} s: {what or predicate}; last seen: {last!r}"
            )
        time.sleep(interval_s)


def steady(predicate: Callable[[], object], for_s: float, what: str = "") -> None:
    """Assert that `predicate` is true each time it is asked during `for_s` seconds."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        seen = predicate()
        assert seen, f"no longer so: {what or predicate}; seen: {seen!r}"
        time.sleep(0.05)
