"""What the supervisor does for roles: start what is needed, follow files and commands, notify."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from orchestrator.adapters.supervisor_link import Found, Notification, SupervisorLink, Watch
from orchestrator.adapters.unix_server import serve_unix
from orchestrator.model.virtual_router import CommandTrack
from orchestrator.roles.outside import Outside, number_in

LIMIT = 2000


async def until(so: Callable[[], object]) -> None:
    """Wait until something is so."""
    for _ in range(LIMIT):
        if so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not become so")


class Place:
    """A supervisor's socket and a role's link to it."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "supervisor.sock"
        self.needed: list[str] = []
        self.talking = False
        self.found: list[Found] = []
        self.link = SupervisorLink(self.socket, self.found.append)

    def need(self, names: Iterable[str]) -> None:
        """Note what is needed."""
        self.needed = list(names)

    async def play(self, story: Callable[[], Awaitable[None]]) -> None:
        """Run the link and a supervisor while the story lasts."""
        async with (
            serve_unix(self.socket, self.converse),
            asyncio.TaskGroup() as group,
        ):
            running = group.create_task(self.link.run())
            await story()
            running.cancel()
            await until(lambda: not self.talking)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a link, and know when that ends."""
        self.talking = True
        await Outside(self.need).converse(reader, writer)
        await writer.wait_closed()
        self.talking = False


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place of its own."""
    return Place(tmp_path)


def script(path: Path, text: str) -> tuple[str, ...]:
    """Write a program and return its command."""
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return (str(path),)


def test_roles_that_are_needed_are_asked_for(place: Place) -> None:
    """The supervisor is told which roles are needed, and again when that changes."""

    async def story() -> None:
        place.link.need(["layer2", "addresses"])
        await until(lambda: place.needed == ["addresses", "layer2"])
        place.link.need(["exabgp"])
        await until(lambda: place.needed == ["exabgp"])

    asyncio.run(place.play(story))


def test_a_new_supervisor_is_told_everything(place: Place) -> None:
    """What was asked for before the supervisor was there is asked for when it is."""
    place.link.need(["layer2"])

    async def story() -> None:
        await until(lambda: place.needed == ["layer2"])

    asyncio.run(place.play(story))


def test_commands_and_files_are_followed(place: Place, tmp_path: Path) -> None:
    """Results come when they are known and when they change."""
    flag, weight = tmp_path / "flag", tmp_path / "weight"
    command = script(tmp_path / "works", f"test -e {flag}")
    track = CommandTrack(command, interval_ms=50)

    async def story() -> None:
        place.link.watch(Watch([str(weight)], [track]))
        await until(lambda: place.found and place.found[-1].commands == [(command, False)])
        assert place.found[-1].files == {str(weight): None}
        flag.touch()
        await until(lambda: place.found[-1].commands == [(command, True)])
        weight.write_text("-40\n", "utf-8")
        await until(lambda: place.found[-1].files == {str(weight): -40})

    asyncio.run(place.play(story))


def test_notifications_of_one_subject_are_in_order(place: Place, tmp_path: Path) -> None:
    """Of one virtual router no command starts before the one before it has ended."""
    said = tmp_path / "said"
    command = script(tmp_path / "tell", f'sleep 0.$(( 3 - $1 )); echo "$1" >> {said}')

    async def story() -> None:
        for number in ("1", "2", "3"):
            place.link.notify(Notification("edge", [*command, number]))
        await until(lambda: said.exists() and said.read_text("utf-8").split() == ["1", "2", "3"])

    asyncio.run(place.play(story))


def test_a_command_that_cannot_run_is_logged(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A missing program and one that fails are errors in the log; the next one runs."""
    said = tmp_path / "said"
    good = script(tmp_path / "good", f"touch {said}")
    bad = script(tmp_path / "bad", "echo oh; exit 3")

    async def story() -> None:
        for command in ((str(tmp_path / "missing"),), bad, good):
            place.link.notify(Notification("edge", list(command)))
        await until(said.exists)

    asyncio.run(place.play(story))
    assert "No such file" in caplog.text
    assert "exit status 3: oh" in caplog.text


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), (" -40 and more\n", -40), ("", None), ("x", None), ("9" * 40, int("9" * 32))],
)
def test_numbers_in_files(tmp_path: Path, text: str, number: int | None) -> None:
    """A file counts with the number it begins with; anything else is none."""
    path = tmp_path / "weight"
    path.write_text(text, "utf-8")
    assert number_in(path) == number
    assert number_in(tmp_path / "missing") is None
