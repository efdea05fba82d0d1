"""Signals wait while a process is being started, and come afterwards."""

from __future__ import annotations

import signal
import threading

import pytest

from orchestrator.lab.interrupts import undisturbed


def test_an_interrupt_comes_after_the_block() -> None:
    """What is done in the block is done to its end; then the interrupt is raised."""
    # What runs in the background of a shell script ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done: list[str] = []
    try:
        with pytest.raises(KeyboardInterrupt):
            _disturbed(done)
        assert done == ["kept"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def _disturbed(done: list[str]) -> None:
    with undisturbed():
        signal.raise_signal(signal.SIGINT)
        done.append("kept")


def test_an_error_of_the_block_is_its_own() -> None:
    """An exception inside passes through, and the handlers are back."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(OSError, match="no such"), undisturbed():
        raise OSError("no such")
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_have_no_handlers() -> None:
    """In another thread nothing is changed, where Python would refuse to."""
    failed: list[BaseException] = []

    def enter() -> None:
        try:
            with undisturbed():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert not failed
