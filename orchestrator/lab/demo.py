"""The demo's story: what is shown, in which order, and what has to be so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from orchestrator.lab.demo_files import AS, VIP_PREFIX
from orchestrator.lab.requests import FAILED
from orchestrator.lab.scene import DemoError, Scene, SeenPath
from orchestrator.lab.telling import Telling

T = TypeVar("T")

LIMIT_S = 40.0
"""How long anything that is promised may take."""
DRAIN_WAIT_S = 4
REQUESTS = 60
GRACEFUL_SHUTDOWN = "65535:0"


class Demo(Telling):
    """One run of the demo in a scene; `say` takes lines for people."""

    def __init__(self, scene: Scene, say: Callable[[str], None]) -> None:
        super().__init__(say)
        self._scene = scene

    def run(self) -> None:
        """Tell the whole story. DemoError when something is not as it should be."""
        self._step(f"Setting up {self._scene.title}")
        for line in self._scene.left_out:
            self._say(f"  left out here: {line}")
        self._scene.start()
        self._show_sessions()
        self._show_routes()
        self._show_requests(frozenset(self._scene.appliances), "all three nodes answer")
        leaving, draining, staying = reversed(tuple(self._scene.appliances))
        self._stop(leaving, {draining, staying})
        self._drain(draining, staying)
        self._step(
            "All of it was so: one VIP from three nodes, one stopped, one drained, and"
            " every request answered"
        )

    def resume(self) -> None:
        """Bring back what the story has stopped and drained, to look around."""
        self._step("Starting and undraining again what was taken away")
        self._scene.resume(tuple(self._scene.appliances))
        self._wait_hops(frozenset(self._scene.appliances))

    def _wait(
        self,
        what: str,
        seen: Callable[[], T],
        wanted: Callable[[T], bool],
        tell: Callable[[T], str] | None = None,
    ) -> T:
        """Wait until what is `seen` is as `wanted`; DemoError with what was seen last.

        `tell` puts what is seen into words, said when they change.
        """
        deadline = time.monotonic() + LIMIT_S
        told = ""
        while True:
            found = seen()
            if tell and (words := tell(found)) != told:
                told = words
                self._say(f"  {words}")
            if wanted(found):
                return found
            if time.monotonic() > deadline:
                raise DemoError(f"expected {what} within {LIMIT_S:.0f} s, but saw {found!r}")
            time.sleep(0.1)

    def _next_hops(self, names: set[str] | frozenset[str]) -> frozenset[str]:
        return frozenset(self._scene.appliances[name] for name in names)

    def _show_sessions(self) -> None:
        everyone = frozenset(self._scene.appliances.values())
        self._step(f"Each node opens an iBGP session with R1 (AS {AS}); waiting for all three")
        self._wait(
            "three Established sessions",
            self._scene.established,
            everyone.__eq__,
            lambda up: f"Established: {len(up)} of {len(everyone)}",
        )
        self._say("  waiting for their routes in R1")
        self._wait_hops(frozenset(self._scene.appliances))
        self._say("  R1's sessions; a number under State/PfxRcd means Established:")
        self._show(self._scene.summary())
        self._say("  R1's BGP table; * is a valid path, = one that is used beside the best:")
        self._show(self._scene.bgp_table())

    def _wait_hops(self, names: set[str] | frozenset[str]) -> None:
        hops = self._next_hops(names)
        what = f"{VIP_PREFIX} with the next hops {', '.join(sorted(hops))}"
        self._wait(what, self._scene.paths, lambda paths: used_hops(paths) == hops)
        self._wait(
            f"{what} in R1's kernel",
            self._scene.kernel_hops,
            lambda found: found is None or found[1] == hops,
        )

    def _show_routes(self) -> None:
        self._step(f"Every node announces {VIP_PREFIX}, so R1 has one route with three next hops")
        table = self._scene.table()
        if "[200/0]" not in table:
            raise DemoError(f"expected a route of iBGP, [200/0], but R1 says: {table}")
        self._show(table)
        kernel = self._scene.kernel_hops()
        if kernel:
            self._say("  and so has its kernel, which spreads connections over them (ECMP):")
            self._show(kernel[0])

    def _show_requests(self, names: frozenset[str], meaning: str) -> None:
        self._step(f"{REQUESTS} requests {self._scene.requests}: {meaning}")
        few = len(self._scene.appliances)
        self._wait("answers", lambda: self._scene.ask(few), lambda seen: FAILED not in seen)
        answers = self._scene.ask(REQUESTS)
        for name, number in answers.items():
            self._say(f"    {name:8} answered {number:3}")
        if frozenset(answers) != names:
            wanted = ", ".join(sorted(names))
            raise DemoError(f"expected answers of {wanted} and no failures, but got {answers}")

    def _stop(self, name: str, others: set[str]) -> None:
        self._step(f"Stopping {name}: it withdraws its route before it ends")
        self._scene.stop(name)
        self._wait_hops(others)
        self._say("  R1 has two next hops left:")
        self._show(self._scene.table())
        self._show_requests(frozenset(others), "the other two answer, nobody noticed")

    def _drain(self, name: str, other: str) -> None:
        address = self._scene.appliances[name]
        self._step(
            f"Draining {name}: its route gets community {GRACEFUL_SHUTDOWN} (graceful shutdown,"
            f" RFC 8326) and local preference 0, and is withdrawn {DRAIN_WAIT_S} s later"
        )
        self._scene.drain(name, DRAIN_WAIT_S)
        self._wait(
            f"the path of {address} with local preference 0 and community {GRACEFUL_SHUTDOWN}",
            self._scene.paths,
            lambda paths: any(_drained(path, address) for path in paths),
        )
        self._wait_hops({other})
        self._say("  R1 still knows the path, but prefers the other:")
        for path in self._scene.paths():
            self._say(f"    {describe(path)}")
        self._show_requests(frozenset({other}), "new connections avoid the drained node")
        self._wait(
            f"the path of {address} withdrawn",
            self._scene.paths,
            lambda paths: {path.next_hop for path in paths} == {self._scene.appliances[other]},
        )
        self._say("  and now it is withdrawn; R1 has:")
        self._show(self._scene.table())


def _drained(path: SeenPath, address: str) -> bool:
    marked = GRACEFUL_SHUTDOWN in path.communities and path.local_pref == 0
    return path.next_hop == address and marked


def used_hops(paths: Sequence[SeenPath]) -> frozenset[str]:
    """Next hops that R1 sends to."""
    return frozenset(path.next_hop for path in paths if path.used)


def describe(path: SeenPath) -> str:
    """One path as a line."""
    communities = f" communities {' '.join(path.communities)}" if path.communities else ""
    mark = "used" if path.used else "spare"
    return f"{mark:5} via {path.next_hop} local preference {path.local_pref}{communities}"
