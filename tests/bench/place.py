"""Two namespaces: an appliance under `orchestrator run`, and the router it announces to."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.bench import objects
from tests.bench.processes import family
from tests.bench.router import Router
from tests.lab.appliance import Appliance
from tests.lab.harness import joined, poll


class Place:
    """The two, up while the `with` block lasts; `start` starts the appliance."""

    def __init__(self, workdir: Path, *, trace: bool = False) -> None:
        self._stack = ExitStack()
        workdir.chmod(0o755)
        self.lab = self._stack.enter_context(joined(workdir, "r", "a"))
        try:
            self.router = Router(self.lab.node("r"), workdir, trace=trace).start()
            self.box = Appliance(self.lab.node("a"), workdir)
            self.box.write(objects.BASE, "base.yaml")
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, expected: int) -> None:
        """Start the appliance and wait for its session, and for this many routes in the router."""
        self.box.start()
        self.router.up_at()
        poll(lambda: self.router.count() >= expected, 120, f"{expected} routes", interval_s=0.25)

    def processes(self) -> dict[str, int]:
        """Return the process ids of the appliance's parts by name."""
        assert self.box.process is not None
        return family(self.box.process.pid)
