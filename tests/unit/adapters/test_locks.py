"""One of each role: locks that end with their process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.adapters.locks import LockHeldError, RoleLock, lock_holder


def test_second_holder_is_refused_with_the_first_ones_id(tmp_path: Path) -> None:
    """While a lock is held another is refused and told who holds it; then it can be had."""
    first, second = RoleLock(tmp_path, "speaker"), RoleLock(tmp_path, "speaker")
    first.acquire()
    with pytest.raises(LockHeldError, match=f"process {os.getpid()}"):
        second.acquire()
    assert lock_holder(tmp_path, "speaker") == os.getpid()
    first.release()
    assert lock_holder(tmp_path, "speaker") is None
    second.acquire()
    second.release()


def test_roles_do_not_exclude_each_other(tmp_path: Path) -> None:
    """Locks of different roles are independent."""
    one, other = RoleLock(tmp_path, "speaker"), RoleLock(tmp_path, "addresses")
    one.acquire()
    other.acquire()
    one.release()
    other.release()
