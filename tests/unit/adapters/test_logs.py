"""Log lines: one line for each change, for programs or for people."""

from __future__ import annotations

import json
import logging

from orchestrator.adapters.logs import JsonLines, TextLines, rfc3339


def record(**fields: object) -> logging.LogRecord:
    """A record with the keys of a change."""
    made = logging.LogRecord("x", logging.INFO, "x.py", 1, "session %s", ("up",), None)
    made.created = 1790000000.5
    vars(made).update(fields)
    return made


def test_json_line_has_the_keys_of_the_change() -> None:
    """A JSON line is one object: time, level, role, message, and what changed."""
    line = JsonLines("speaker").format(record(peer="r1", note="zwölf"))
    assert json.loads(line) == {
        "ts": "2026-09-21T14:13:20.500Z",
        "level": "info",
        "role": "speaker",
        "msg": "session up",
        "peer": "r1",
        "note": "zwölf",
    }
    assert "\n" not in line


def test_text_line_is_for_people() -> None:
    """A text line has the same, readable."""
    line = TextLines("speaker").format(record(peer="r1"))
    assert line == "2026-09-21T14:13:20.500Z info    speaker: session up peer=r1"


def test_times_have_milliseconds_and_a_zone() -> None:
    """Times are RFC 3339 in UTC with milliseconds."""
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
