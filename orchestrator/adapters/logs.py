"""Logs: one line for every change of state, as text or JSON, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes every log record has; what else a record carries are the keys of the change."""


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in STANDARD}


def rfc3339(timestamp: float) -> str:
    """Seconds since the epoch as RFC 3339 with milliseconds, in UTC."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonLines(logging.Formatter):
    """One JSON object a line: ts, level, role, msg, and the keys of the change."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; exceptions become one string."""
        line: dict[str, Any] = {
            "ts": rfc3339(record.created),
            "level": record.levelname.lower(),
            "role": self._role,
            "msg": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """`TIME LEVEL ROLE: message key=value ...` for people."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; exceptions follow on lines of their own."""
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        text = f"{rfc3339(record.created)} {record.levelname.lower():7} {self._role}: "
        text += record.getMessage() + fields
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def start_logging(role: str, level: str, log_format: str) -> None:
    """Send the process's logs to standard error; `log_format` empty: text on a terminal."""
    form = log_format or ("text" if sys.stderr.isatty() else "json")
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(TextLines(role) if form == "text" else JsonLines(role))
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
