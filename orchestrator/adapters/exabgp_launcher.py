"""Starts ExaBGP with a clock that never steps; run as `python -m` by the exabgp role.

ExaBGP 5.0.15 measures hold, keepalive and reconnect times with `time.time()`: a wall clock that is
set forward by more than the hold time drops every session, one set back stops the keepalives
(DESIGN 5, rule 15). Here `time.time()` starts at the wall clock's value and then goes with the
monotonic clock.

ExaBGP dies with its starter (PR_SET_PDEATHSIG), since a second one could not hold the same sessions.
Its dropping of privileges is switched off: the user is chosen by who starts the role, and a changed
user could not read the rendered configuration, which holds passwords.

It is also kept from sending next hops that a session was not agreed to carry: `exabgp_next_hops`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def steady_time() -> None:
    """Replace `time.time` by one that follows the monotonic clock from now on."""
    monotonic = time.monotonic
    offset = time.time() - monotonic()
    time.time = lambda: monotonic() + offset


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when the process `parent`, which started it, ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above took effect
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """Run `exabgp` with the arguments that follow the starter's process id."""
    parent, *arguments = sys.argv[1:]
    steady_time()
    die_with_parent(int(parent))
    # imported only now: its modules read the clock while they load
    from exabgp.application.main import main as exabgp
    from exabgp.reactor.daemon import Daemon

    from orchestrator.adapters.exabgp_next_hops import keep_back_what_was_not_negotiated

    keep_back_what_was_not_negotiated()
    Daemon.drop_privileges = lambda _self: True
    sys.argv = ["exabgp", *arguments]
    return int(exabgp() or 0)


if __name__ == "__main__":
    sys.exit(main())
