"""Settings that every tier of tests shares."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

SHOWN_CHARACTERS = 6000
"""How much of the end of each log a failure shows."""

settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("hunt", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure the logs of what the test had run."""
    del call
    report = yield
    if report.failed:
        for log in _logs(item):
            text = log.read_text("utf-8", "replace")[-SHOWN_CHARACTERS:]
            report.sections.append((f"{report.when}: {log.name}", text))
    return report


def _logs(item: pytest.Item) -> Iterator[Path]:
    """Yield every *.log in the test's own directory, and those that a fixture for many tests has."""
    given = getattr(item, "funcargs", {})
    if "tmp_path" in given:
        yield from sorted(given["tmp_path"].rglob("*.log"))
    for one in given.values():
        yield from getattr(one, "shown_logs", ())
