"""What is counted of a process and its API server, and the metrics of it."""

from __future__ import annotations

from orchestrator.adapters.kube.figures import Figures
from orchestrator.adapters.metrics import text_of
from orchestrator.kube.outbox import Outbox, Rank
from orchestrator.kube.reflector import Reflector
from orchestrator.kube.resources import NODES, SERVICES
from orchestrator.kube.wire import Key
from orchestrator.kube.writes import Write


def samples(figures: Figures) -> dict[str, float]:
    """Every sample by its name and labels."""
    lines = text_of([figures]).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_requests_are_counted_by_method_and_status() -> None:
    """One that got no answer has status 0."""
    figures = Figures()
    for status in (200, 200, 0):
        figures.requested("GET", status)
    found = samples(figures)
    assert found['orchestrator_kube_requests_total{code="200",method="GET"}'] == 2
    assert found['orchestrator_kube_requests_total{code="0",method="GET"}'] == 1


def test_updates_and_refused_writes_have_metallbs_names() -> None:
    """What came, changed or went counts, and what the server does not take."""
    figures = Figures()
    figures.changed(["1", "2"], [Key("default", "web")])
    figures.refused += 1
    found = samples(figures)
    assert found["metallb_k8s_client_updates_total"] == 3
    assert found["metallb_k8s_client_update_errors_total"] == 1


def test_the_lag_of_a_watch_is_that_of_own_writes() -> None:
    """A write that is seen again is measured, once; a watch that is faster than the answer has no lag."""
    figures = Figures()
    figures.wrote("7")
    figures.changed(["6", "7", "7"], [])
    figures.changed(["8"], [])
    figures.wrote("8")
    found = samples(figures)
    assert found["orchestrator_kube_watch_lag_seconds_count"] == 2


def test_what_is_remembered_has_a_limit() -> None:
    """Of ten thousand objects that others wrote no more than a thousand are kept in mind."""
    figures = Figures()
    figures.changed(map(str, range(10_000)), [])
    figures.wrote("5")
    figures.wrote("9999")
    assert samples(figures)["orchestrator_kube_watch_lag_seconds_count"] == 1


def test_each_watch_is_told_of_once_it_heard_something() -> None:
    """A resource of which nothing came yet has no silence, rather than an endless one."""
    figures = Figures()
    numbers = iter(range(1, 10))
    known, new = (Reflector(one, min, lambda: next(numbers)) for one in (SERVICES, NODES))
    known.start(0.0)
    known.answered(1, 200, 0.0, 5.0)
    figures.reflectors.extend((known, new))
    found = samples(figures)
    assert found['orchestrator_kube_relists_total{resource="services"}'] == 0
    assert found['orchestrator_kube_watch_silence_seconds{resource="services"}'] > 0
    assert not [name for name in found if "nodes" in name]


def test_writes_that_wait_are_counted() -> None:
    """What waits in any outbox, and what was dropped."""
    figures = Figures()
    outbox = Outbox(min, most=2)
    figures.outboxes.append(outbox)
    for number in range(3):
        outbox.put(Write(f"w{number}", "POST", "/x", {}), Rank.REPORT)
    found = samples(figures)
    assert found["orchestrator_kube_writes_waiting"] == 2
    assert found["orchestrator_kube_writes_dropped_total"] == 1
