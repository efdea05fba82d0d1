"""Plays a scenario on the real thing: `orchestrator run` in namespaces, and FRR as its routers.

Nodes r, s, a, b, c have the addresses 192.168.121.1 to .5 and fd00::1 to fd00::5. What scenarios say
of routes is asked of the routers; the rest is asked of the appliances.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.status_client import get
from orchestrator.lab.runner import Lab
from tests.lab.appliance import Appliance
from tests.lab.harness import Frr, Neighbor, frr_config, joined, poll
from tests.scenarios.script import EXPECTATIONS, Router, Scenario, Step

NAMES = ("r", "s", "a", "b", "c")
NETWORKS = ("192.168.121.0/24", "fd00::/64")
FOREVER_S = "3600"


def own_address(node: str, *, six: bool) -> str:
    """Address of a node of the lab."""
    number = NAMES.index(node) + 1
    return f"fd00::{number}" if six else f"192.168.121.{number}"


def make_lab(workdir: Path) -> Lab:
    """The lab that all scenarios share, to be used with `with`."""
    return joined(workdir, *NAMES, networks=NETWORKS)


class RealWorld:
    """The routers and appliances of one scenario; use with `with`."""

    def __init__(self, scenario: Scenario, lab: Lab, directory: Path) -> None:
        self._scenario = scenario
        self._routers = {router.name: router for router in scenario.routers}
        self._frr = {
            name: Frr(lab.node(name), self._frr_config(router))
            for name, router in self._routers.items()
        }
        directory.mkdir()
        self._boxes = {node: Appliance(lab.node(node), directory, node) for node in scenario.nodes}
        self._started = False

    def _frr_config(self, router: Router) -> str:
        neighbors = [
            Neighbor(
                own_address(node, six=six),
                router.expects,
                families=("ipv4", "ipv6") if six else ("ipv4",),
                password=router.password,
            )
            for node in self._scenario.nodes
            for six in (False, True)
        ]
        return frr_config(router.asn, own_address(router.name, six=False), neighbors)

    def __enter__(self) -> Self:
        try:
            for frr in self._frr.values():
                frr.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all programs, so that the next scenario finds the lab as it was."""
        running = [box.process for box in self._boxes.values() if box.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
        for frr in self._frr.values():
            frr.kill()

    def play(self) -> None:
        """Do every step; AssertionError with its place when something does not become as expected."""
        for step in self._scenario.steps:
            if step.verb not in EXPECTATIONS:
                self._act(step)
                continue
            if not self._started:
                self._start()
            self._await(step)

    def _start(self) -> None:
        self._started = True
        for box in self._boxes.values():
            box.start()

    def _await(self, step: Step) -> None:
        if step.verb == "routes":  # a router does not know by which session it is called r-six
            by_router = (re.sub(r"^(\S+ \w+)-\w+", r"\1", line) for line in step.expected)
            step = replace(step, expected=tuple(sorted(by_router)))

        def settled() -> bool:
            step.compare(getattr(self, f"_{step.verb}")())
            return True

        poll(settled, 30, step.place)

    # Steps

    def _act(self, step: Step) -> None:
        first, *rest = step.words
        match step.verb:
            case "write":
                for box in self._boxes.values():
                    box.write(self._scenario.files[first], rest[1] if rest else first)
            case "delete":
                for box in self._boxes.values():
                    (box.files / first).unlink()
            case "health":
                self._set_health(self._boxes[first], *rest)
            case "drain":
                self._drain(self._boxes[first], *rest)
            case "restart":
                box = self._boxes[first]
                box.wait_new("speaker", box.kill("speaker"))

    @staticmethod
    def _set_health(box: Appliance, vip: str, state: str) -> None:
        """Scenarios check for the file /run/healthy-VIP, disabled by /run/disabled-VIP."""
        for name, exists in (("healthy", state == "up"), ("disabled", state == "disabled")):
            path = f"/run/{name}-{vip}"
            box.node.run(["touch", path] if exists else ["rm", "-f", path])

    @staticmethod
    def _drain(box: Appliance, phase: str) -> None:
        wait_s = {"deprioritised": FOREVER_S, "withdrawn": "0"}
        commands = [
            ("undrain",),
            *([("drain", "--wait", wait_s[phase])] if phase in wait_s else []),
        ]
        for command in commands:
            done = box.call(*command)
            assert done.returncode == 0, done.stderr

    # What is seen, in the words of scenario files

    def _ask(self, box: Appliance, what: str) -> Any:
        try:
            return get(box.runtime_dir / "status.sock", f"/api/v1/{what}")
        except AdapterError as error:
            raise AssertionError(str(error)) from error

    def _items(self, what: str) -> Iterable[tuple[str, dict[str, Any]]]:
        for node, box in self._boxes.items():
            for item in self._ask(box, what)["items"]:
                yield node, item

    def _verdicts(self) -> list[str]:
        return [f"{n} {v['service']} {v['address']} {v['reason']}" for n, v in self._items("vips")]

    def _sessions(self) -> list[str]:
        found = list(self._items("sessions"))
        assert all(session["state"] == "up" for _, session in found), found
        return [f"{n} {s['peer']} {s['address']} {s['myASN']} {s['peerASN']}" for n, s in found]

    def _assignments(self) -> list[str]:
        plan = self._ask(self._boxes[self._scenario.nodes[0]], "plan")
        return [
            f"{a['service']} {','.join(a['addresses'])} from {a['pool']}"
            if a["state"] == "assigned"
            else f"{a['service']} {a['state']} {a['reason']}"
            for a in plan["assignments"]
        ]

    def _problems(self) -> list[str]:
        box = self._boxes[self._scenario.nodes[0]]
        status = self._ask(box, "status")
        assert status["synced"], status
        return [
            f"{p['severity']} {p['code']} {_place(p['place'])} {_object(p['object'])}"
            for p in status["problems"]
        ]

    def _routes(self) -> list[str]:
        return [
            line
            for name, router in self._routers.items()
            for six in (False, True)
            for line in self._paths(name, router, six=six)
        ]

    def _paths(self, name: str, router: Router, *, six: bool) -> Iterable[str]:
        nodes = {own_address(node, six=six): node for node in self._scenario.nodes}
        for prefix, paths in self._frr[name].rib("ipv6" if six else "ipv4").items():
            for path in paths:
                node = nodes.get(path["nexthop"], f"via {path['nexthop']}")
                yield " ".join((node, name, prefix, *_attributes(path, router)))


def _attributes(path: dict[str, Any], router: Router) -> Iterable[str]:
    """Words for what differs from the protocol's defaults."""
    ibgp = router.asn == router.expects
    if ibgp and path["local_pref"] != 100:
        yield f"pref {path['local_pref']}"
    if path["med"]:
        yield f"med {path['med']}"
    own_path = [] if ibgp else [router.expects]
    lists: Sequence[tuple[str, Sequence[object]]] = (
        ("communities", path["communities"]),
        ("large", path["large"]),
        ("path", path["as_path"] if path["as_path"] != own_path else ()),
    )
    yield from (f"{name} {','.join(map(str, values))}" for name, values in lists if values)


def _place(place: str) -> str:
    """FILE:LINE of FILE:LINE:COLUMN."""
    return place.rsplit("/", 1)[-1].rsplit(":", 1)[0]


def _object(name: str) -> str:
    """Leave out the directory of what is a file."""
    return name if " " in name else name.rsplit("/", 1)[-1]
