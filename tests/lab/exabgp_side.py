"""Our side of a lab test: the exabgp role in a node, and a speaker's link in this process."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from orchestrator.adapters.exabgp_link import ExaBGPLink
from orchestrator.lab.runner import Node
from orchestrator.model.address import IPNetwork
from orchestrator.model.community import Community
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.route import PathAttributes, Rib, Route
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus
from orchestrator.settings import Settings
from tests.lab.harness import poll

T = TypeVar("T")
OWN = "10.0.0.2"
OWN_V6 = "fd00::2"


def peer(name: str = "r", address: str = "10.0.0.1", asn: int = 64500, **fields: Any) -> Peer:
    """A peer that the node `a` (AS 64500) has; its source address is that of the node."""
    source = OWN_V6 if ":" in address else OWN
    given = {"source_address": ipaddress.ip_address(source), **fields}
    return Peer(name, 64500, asn, ipaddress.ip_address(address), **given)


def route(prefix: str, **attributes: Any) -> Route:
    """A route with attributes as `PathAttributes` has them; `next_hop` may be text."""
    if isinstance(attributes.get("next_hop"), str):
        attributes["next_hop"] = ipaddress.ip_address(attributes["next_hop"])
    return Route(ipaddress.ip_network(prefix), PathAttributes(**attributes))


def rib(*routes: Route) -> Rib:
    """A RIB of these routes."""
    return {one.prefix: one for one in routes}


def hosts(count: int, base: str = "198.18.0.0", **attributes: Any) -> Rib:
    """`count` host routes from `base` on (RFC 2544's block), all with the same attributes."""
    first = ipaddress.ip_address(base)
    return rib(*(route(str(first + number), **attributes) for number in range(count)))


def community(text: str) -> Community:
    """Read `high:low`."""
    high, low = text.split(":")
    return Community(int(high), int(low))


class Speaker:
    """An `ExaBGPLink` in an event loop of its own; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._settings = settings
        self._link: ExaBGPLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def _begin(self) -> None:
        self._link = ExaBGPLink(self._settings)
        self._task = self._loop.create_task(self._link.run())

    async def _end(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    @property
    def link(self) -> ExaBGPLink:
        """The link; to be used through `ask`."""
        assert self._link is not None
        return self._link

    def ask(self, question: Callable[[ExaBGPLink], T]) -> T:
        """Evaluate `question` in the link's loop."""
        return self._call(lambda: question(self.link))

    def want(self, ribs: Mapping[Peer, Rib]) -> None:
        """Make these the wanted peers and their routes."""
        self.want_each([ribs])

    def want_each(self, steps: Iterable[Mapping[Peer, Rib]]) -> None:
        """Want one state after the other without giving the link time in between."""

        def burst() -> None:
            for ribs in steps:
                sessions = [Session("a", one) for one in ribs]
                self.link.want(sessions, {one.name: routes for one, routes in ribs.items()})

        self._call(burst)

    def state(self, name: str = "r") -> SessionState:
        """State of one session."""
        return self.ask(lambda link: link.sessions())[name]

    def route_status(self, name: str, prefix: IPNetwork) -> RouteStatus:
        """How far a route got."""
        return self.ask(lambda link: link.route_status(name, prefix))

    def wait_up(self, *names: str, timeout_s: float = 30) -> None:
        """Wait until the sessions are up."""
        for name in names or ("r",):
            poll(partial(self.is_up, name), timeout_s, f"session {name} to be up")

    def is_up(self, name: str = "r") -> bool:
        """Tell whether a session is up."""
        return self.state(name).status is SessionStatus.UP

    def wait_flushed(self, *names: str, timeout_s: float = 60) -> None:
        """Wait until all that is wanted in these sessions is flushed, and nothing else is held."""

        def flushed() -> bool:
            states = self.ask(lambda link: link.sessions())
            chosen = [states[name] for name in names or states]
            return all(s.status is SessionStatus.UP and s.flushed == s.desired for s in chosen)

        poll(flushed, timeout_s, "all routes to be flushed")


class Side:
    """The exabgp role in a node, in its runtime directory under `workdir`."""

    def __init__(self, node: Node, workdir: Path, *flags: str) -> None:
        self.node = node
        self.workdir = workdir
        self.flags = flags
        self.settings = Settings("a", runtime_dir=workdir / "rt")
        self.role: subprocess.Popen[str] | None = None

    def start(self, env: Mapping[str, str] | None = None) -> Side:
        """Start the role and wait until its relay listens."""
        argv = [sys.executable, "-m", "orchestrator", "exabgp", "--log-format", "text"]
        argv += ["--runtime-dir", str(self.settings.runtime_dir), *self.flags]
        log = self.workdir / "exabgp-role.log"
        self.role = self.node.spawn(argv, log=log, env=env)
        poll(self.accepts, 30, "the relay to listen")
        return self

    def accepts(self) -> bool:
        """Tell whether a relay takes connections."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.settings.relay_socket))
            except OSError:
                return False
        return True

    def speaker(self) -> Speaker:
        """A speaker for this side, to be used with `with`."""
        return Speaker(self.settings)

    def exabgp_pid(self) -> int:
        """Process id of ExaBGP."""
        assert self.role is not None
        return _child(self.role.pid)

    def relay_pid(self) -> int:
        """Process id of the relay."""
        return poll(lambda: _child(self.exabgp_pid()), 20, "the relay")

    def stop(self) -> int:
        """Ask the role to stop, and return its exit status."""
        assert self.role is not None
        self.role.send_signal(signal.SIGTERM)
        return self.role.wait(30)

    def log(self) -> str:
        """What the role has logged."""
        return (self.workdir / "exabgp-role.log").read_text("utf-8")

    @contextlib.contextmanager
    def client(self, *lines: str) -> Iterator[socket.socket]:
        """A raw client of the relay that has sent `lines`."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(self.settings.relay_socket))
            raw.sendall("".join(f"{line}\n" for line in lines).encode("ascii"))
            yield raw


def _child(parent: int) -> int:
    """The only child of `parent`."""

    def find() -> Sequence[int]:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
            return [int(word) for word in text.split()]
        return []

    found = poll(find, 5, f"a child of {parent}")
    return found[0]


def freeze(pid: int) -> None:
    """Stop a process (SIGSTOP)."""
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Let a stopped process go on."""
    os.kill(pid, signal.SIGCONT)


def kill(pid: int) -> None:
    """Kill a process with -9, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
