"""Keeping Ctrl-C and TERM away for the moment in which a process is started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let INT and TERM wait until the end of the block.

    An exception of their handlers inside of Popen, or before its result is kept, would leave a
    child that nobody waits for; a pid namespace does not end before its last process is waited for.
    """
    if threading.current_thread() is not threading.main_thread():  # handlers run in that one only
        yield
        return
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: waiting.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for late in waiting:
        signal.raise_signal(late)
