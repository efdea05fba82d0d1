"""Reads texts of the old format, for tests: good ones, and those that are refused."""

from __future__ import annotations

from orchestrator.config.reading import Reading
from orchestrator.model.policy import Policy
from tests.unit.config.samples import errors, read_text

PEER = "peers:\n- {my-asn: 42, peer-asn: 142, peer-address: 192.0.2.1%s}\n"


def policy(text: str) -> Policy:
    """Read a bare text that is good; warnings are allowed."""
    reading = read_text(text)
    assert not errors(reading), [str(problem) for problem in reading.problems]
    return reading.policy


def refused(text: str) -> Reading:
    """Read a text that has an error."""
    reading = read_text(text)
    assert errors(reading)
    return reading
