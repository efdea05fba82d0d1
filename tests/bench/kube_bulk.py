"""Thousands of Services at once, and restarts among them: times, costs, requests."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import CONTROL, NODES
from tests.bench.kube_place import Place, names, since
from tests.bench.router import now
from tests.bench.table import Table


def bulk(workdir: Path) -> Table:
    """Make a thousand Services."""
    return _bulk(workdir, 1_000)


def bulk_many(workdir: Path) -> Table:
    """Make five thousand."""
    return _bulk(workdir, 5_000)


def _bulk(workdir: Path, count: int) -> Table:
    table = Table(f"{count} Services in bulk", ("what", "figure"))
    with Place(workdir) as place:
        many = names("many", count)
        place.slices(many)
        place.settled()
        costs, asked, began = place.costs(), place.asked(), time.monotonic()
        place.services(many)
        table.add("all made by 8 clients, s", time.monotonic() - began)
        place.addressed(count)
        table.add("all have addresses, s", time.monotonic() - began)
        addressed = time.monotonic()
        place.routed(count)
        table.add("all routes of all nodes in FRR, s", time.monotonic() - began)
        table.add("that is after the last address, s", time.monotonic() - addressed)
        place.settled()
        _costs(table, place, costs)
        for name, number in since(asked, place.asked()).items():
            if number > 20:
                table.add(f"requests: {name}", number)
        _restarts(table, place, count)
    return table


def _costs(table: Table, place: Place, before: dict[str, tuple[float, float]]) -> None:
    for name, (cpu, memory) in sorted(place.costs().items()):
        table.add(f"{name}: CPU s, MiB", f"{cpu - before[name][0]:.1f}, {memory:.0f}")


def _restarts(table: Table, place: Place, count: int) -> None:
    for words, restart in SPEAKER_RESTARTS.items():
        lost, took = _restart_speaker(place, count, restart)
        table.add(
            f"speaker n1 {words}: routes withdrawn at FRR; ready again after s",
            f"{lost}; {took:.1f}",
        )
    for words, restart in CONTROLLER_RESTARTS.items():
        name = f"after-{words}"
        place.slices([name])
        table.add(*_restart_controller(place, name, words, restart))


def _stop_speaker(place: Place) -> None:
    place.cluster.stop_role("n1", "speaker")


def _kill_speaker(place: Place) -> None:
    process = place.cluster.roles.pop(("n1", "speaker"))
    process.send_signal(signal.SIGKILL)
    process.wait()


def _stop_controller(place: Place) -> None:
    place.cluster.stop_role(CONTROL, "controller")


SPEAKER_RESTARTS: dict[str, Callable[[Place], None]] = {
    "stopped": _stop_speaker,
    "killed": _kill_speaker,
}
CONTROLLER_RESTARTS: dict[str, Callable[[Place], None]] = {"stopped": _stop_controller}


def _restart_speaker(place: Place, count: int, end: Callable[[Place], None]) -> tuple[int, float]:
    """End a node's speaker and start it; routes that FRR was told anything of, and the seconds."""
    place.arrivals.read()
    place.arrivals.seen.clear()
    began = time.monotonic()
    end(place)
    place.cluster.start_role("n1", "speaker")
    what = "the speaker to know of all routes"
    place.cluster.wait(what, lambda: _flushed(place) == count, 300)
    took = time.monotonic() - began
    time.sleep(2)
    place.arrivals.read()
    told = {
        address
        for address, moments in place.arrivals.seen.items()
        if any(neighbor == NODES["n1"] for _, neighbor in moments)
    }
    return len(told), took


def _flushed(place: Place) -> int:
    sessions = place.cluster.says("n1", "sessions")
    return sum(one["routes"]["flushed"] for one in sessions)


def _restart_controller(
    place: Place, name: str, words: str, end: Callable[[Place], None]
) -> tuple[str, str]:
    """End the controller, start it, and make a Service meanwhile."""
    before = dict(place.watched.addresses)
    end(place)
    began = now()
    place.cluster.start_role(CONTROL, "controller")
    place.requests.make(objects.service(name))
    place.watched.wait(lambda: name in place.watched.addresses, 120)
    took = place.watched.at[name] - began
    moved = sum(place.watched.addresses.get(one) != address for one, address in before.items())
    return (
        f"controller {words} and started: a new Service has its address after s; addresses moved",
        f"{took:.2f}; {moved}",
    )
