"""How long reading takes, from YAML and from JSON, and how much of it is PyYAML's own."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.local import Local
from orchestrator.planner import plan
from tests.bench.population import as_json, as_yaml, as_yaml_list, population
from tests.bench.table import SPREAD, Table, spread

SIZES = (1_000, 5_000, 10_000, 20_000)
RUNS = 5
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FORMS = {"YAML documents": as_yaml, "YAML list": as_yaml_list, "JSON list": as_json}


def reading(_workdir: Path) -> Table:
    """Measure reading alone, reading and planning for one node, and PyYAML's events alone."""
    table = Table(
        "Reading Services with an EndpointSlice each, 100 nodes and pools, 20 advertisements; ms",
        ("services", "text", "MB", "what", *SPREAD, "us per Service"),
    )
    for size in SIZES:
        objects = population(size)
        for form, write in FORMS.items():
            text = write(objects)
            for what, work in _works(form).items():
                times = _times(work, text)
                per_service = 1000 * spread(times)[1] / size
                table.add(size, form, len(text) / 1e6, what, *spread(times), per_service)
    return table


def _works(form: str) -> dict[str, Callable[[bytes], object]]:
    own: dict[str, Callable[[bytes], object]] = {
        "read": _read,
        "read and plan": _plan,
        "the same without the garbage collector": _plan_uncollected,
    }
    return own if form.startswith("JSON") else {"PyYAML's events alone": _events, **own}


def _events(text: bytes) -> object:
    deque(yaml.parse(text, Loader=_LOADER), maxlen=0)
    return None


def _read(text: bytes) -> Reading:
    found = read([Source("all", text, trusted=False)])
    if not found.valid:
        raise ValueError(found.problems[0].message)
    return found


def _plan(text: bytes) -> object:
    found = _read(text)
    return plan(found.cluster, found.policy, Local("n001"))


def _plan_uncollected(text: bytes) -> object:
    gc.disable()
    try:
        return _plan(text)
    finally:
        gc.enable()


def _times(work: Callable[[bytes], object], text: bytes) -> list[float]:
    times = []
    for _ in range(RUNS):
        gc.collect()
        begun = time.perf_counter()
        result = work(text)
        times.append(1000 * (time.perf_counter() - begun))
        del result
    return times
