"""Makes this process keep its timers on a busy host: memory stays in RAM, and it runs first."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable

_LOCK_CURRENT, _LOCK_FUTURE = 1, 2
PRIORITY = 20
"""Above ordinary processes, below what the kernel itself runs at 50 and more."""


def become_realtime() -> list[str]:
    """Lock memory and ask for real-time scheduling; return what was refused, in words for a log.

    Neither is needed to work. Children get no real-time scheduling.
    """
    tries = {
        "memory is not locked: this needs CAP_IPC_LOCK": _lock_memory,
        "no real-time scheduling: this needs CAP_SYS_NICE": _run_first,
    }
    return [f"{words} ({reason})" for words, call in tries.items() if (reason := _attempt(call))]


def _attempt(call: Callable[[], None]) -> str | None:
    try:
        call()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _lock_memory() -> None:
    """Lock what there is; what comes later only where no limit makes allocations fail for it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    later = _LOCK_FUTURE if limit == resource.RLIM_INFINITY else 0
    if ctypes.CDLL(None, use_errno=True).mlockall(_LOCK_CURRENT | later) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run_first() -> None:
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
