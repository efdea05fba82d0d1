"""Children of `run` that die with it, also when it is killed with -9 (PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal

PARENT_VARIABLE = "ORCHESTRATOR_PARENT"
"""Set by the supervisor to its process id for the children that are to die with it."""
PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its supervisor dies, if it was started by one."""
    parent = os.environ.pop(PARENT_VARIABLE, None)
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The supervisor may have died before the request reached the kernel.
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)
