"""Every kind of change to configuration files is noticed, and none is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from orchestrator.adapters import file_watch
from orchestrator.adapters.file_watch import FileWatch

LIMIT_S = 20.0


@pytest.fixture
def watch_of() -> Iterator[Callable[..., FileWatch]]:
    """Make watches that are closed at the end."""
    made: list[FileWatch] = []

    def make(*paths: Path) -> FileWatch:
        made.append(FileWatch(paths))
        return made[-1]

    yield make
    for watch in made:
        watch.close()


def notices(watch: FileWatch, change: Callable[[], object]) -> None:
    """Fail unless `watch` ends a wait that runs while `change` happens."""

    async def scenario() -> None:
        waiting = asyncio.ensure_future(watch.changed())
        await asyncio.sleep(0)
        change()
        await within(waiting)

    asyncio.run(scenario())


async def within(waiting: Awaitable[None]) -> None:
    """Wait with a generous limit."""
    async with asyncio.timeout(LIMIT_S):
        await waiting


def stays_quiet(watch: FileWatch) -> None:
    """Fail when `watch` tells of a change though there was none."""

    async def scenario() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await watch.changed()

    asyncio.run(scenario())


def replace(path: Path, text: str) -> None:
    """Replace a file by rename."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def test_written_in_place(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A file that is written in place is noticed."""
    path = tmp_path / "a.yaml"
    path.write_text("one")
    notices(watch_of(path), lambda: path.write_text("two"))


def test_replaced_by_rename(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A file that is replaced by rename is noticed, again and again."""
    path = tmp_path / "a.yaml"
    path.write_text("one")
    watch = watch_of(path)
    for text in ("two", "three", "four"):
        notices(watch, partial(replace, path, text))
    stays_quiet(watch)


def test_change_between_construction_and_waiting(
    tmp_path: Path, watch_of: Callable[..., FileWatch]
) -> None:
    """What changes before anybody waits ends the next wait."""
    path = tmp_path / "a.yaml"
    path.write_text("one")
    watch = watch_of(path)
    path.write_text("two")
    notices(watch, lambda: None)


def test_same_size_at_once(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """Two writes of one size within one tick of the file system's clock are both noticed."""
    path = tmp_path / "a.yaml"
    path.write_text("one")
    watch = watch_of(path)
    for _ in range(20):
        path.write_text("two")
        notices(watch, lambda: None)
        path.write_text("six")
        notices(watch, lambda: None)


def test_file_added_and_removed(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A file that comes into a directory, or leaves it, is noticed."""
    watch = watch_of(tmp_path)
    notices(watch, lambda: (tmp_path / "b.yaml").write_text("x"))
    notices(watch, (tmp_path / "b.yaml").unlink)


def test_other_files_are_ignored(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A file of another suffix in a watched directory is no change."""
    watch = watch_of(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    stays_quiet(watch)


def test_config_map_switch(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """Kubernetes' switch of the `..data` link is noticed, for the directory and for one file."""
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "a.yaml").write_text(version)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    whole, single = watch_of(tmp_path), watch_of(tmp_path / "a.yaml")

    def switch() -> None:
        (tmp_path / "..new").symlink_to("v2")
        (tmp_path / "..new").replace(tmp_path / "..data")

    notices(whole, switch)
    notices(single, lambda: None)
    assert (tmp_path / "a.yaml").read_text() == "v2"


def test_target_of_a_link(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A write to the file that a link leads to is noticed."""
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "a.yaml"
    target.write_text("one")
    (tmp_path / "a.yaml").symlink_to(target)
    notices(watch_of(tmp_path / "a.yaml"), lambda: target.write_text("two"))


def test_directory_created_later(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A directory that is not there yet is noticed when it comes, and what comes into it."""
    directory = tmp_path / "one" / "two"
    watch = watch_of(directory)

    def create() -> None:
        directory.mkdir(parents=True)
        (directory / "a.yaml").write_text("x")

    notices(watch, create)
    stays_quiet(watch)
    notices(watch, lambda: (directory / "a.yaml").write_text("y"))


def test_directory_replaced(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """After a directory is replaced by another, changes in the new one are noticed."""
    old, new = tmp_path / "conf", tmp_path / "new"
    for directory in (old, new):
        directory.mkdir()
        (directory / "a.yaml").write_text(directory.name)
    watch = watch_of(old)
    old.rename(tmp_path / "gone")
    new.rename(old)
    notices(watch, lambda: None)
    notices(watch, lambda: (old / "a.yaml").write_text("x"))


def test_waits_for_the_end_of_a_write(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """While a file is being written, another change does not make us read it half written."""
    slow, other = tmp_path / "slow.yaml", tmp_path / "other.yaml"
    slow.write_text("whole")
    watch = watch_of(tmp_path)

    async def scenario() -> None:
        waiting = asyncio.ensure_future(watch.changed())
        with slow.open("w") as file:
            file.write("ha")
            file.flush()
            other.write_text("x")
            await asyncio.sleep(0.1)
            assert not waiting.done()
            file.write("lf")
        await within(waiting)

    asyncio.run(scenario())


def test_without_inotify(
    tmp_path: Path, watch_of: Callable[..., FileWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel gives no inotify, looking finds the change."""

    def refuse() -> None:
        raise OSError(24, "too many")

    monkeypatch.setattr(file_watch, "Inotify", refuse)
    path = tmp_path / "a.yaml"
    path.write_text("one")
    notices(watch_of(path), lambda: path.write_text("three"))


def test_cancelled_wait_loses_nothing(tmp_path: Path, watch_of: Callable[..., FileWatch]) -> None:
    """A change during a wait that is cancelled ends the next one."""
    path = tmp_path / "a.yaml"
    path.write_text("one")
    watch = watch_of(path)

    async def scenario() -> None:
        waiting = asyncio.ensure_future(watch.changed())
        await asyncio.sleep(0)
        path.write_text("two")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await within(watch.changed())

    asyncio.run(scenario())
