"""What the priority of a keepalived instance depends on: interfaces, files, scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.config.imports.blocks import Statement
from orchestrator.config.imports.result import Imported
from orchestrator.config.imports.words import command, number

_SCRIPT_SETTINGS = frozenset({"script", "weight", "interval", "timeout", "rise", "fall"})
_SCRIPT_LOST = {
    "user": "commands run as the user of the service",
    "init_fail": "a command counts as good until it has failed",
}


def interface_track(entry: Statement) -> dict[str, Any] | str:
    """Track of an interface's carrier, or why it has no place."""
    if "reverse" in entry.words:
        return "a weight cannot be reversed"
    return _weighted({"interface": entry.words[0]}, _option(entry.rest, "weight"))


def file_track(entry: Statement, declared: Statement | None) -> dict[str, Any] | str:
    """Track of a number in a file, or why it has no place."""
    if declared is None:
        return "no vrrp_track_file of that name"
    if "reverse" in entry.words:
        return "a weight cannot be reversed"
    path = " ".join(_setting(declared, "file"))
    if not path:
        return "the vrrp_track_file names no file"
    return _weighted({"file": path}, _option(entry.rest, "weight") or _number(declared, "weight"))


def script_track(
    entry: Statement, declared: Statement | None, result: Imported
) -> dict[str, Any] | str:
    """Track of a command, or why it has no place."""
    if declared is None:
        return "no vrrp_script of that name"
    if "reverse" in entry.words or "reverse" in _setting(declared, "weight"):
        return "a weight cannot be reversed"
    text = " ".join(_setting(declared, "script"))
    if not text:
        return "the vrrp_script has no script"
    for setting in declared.inner:
        if setting.name not in _SCRIPT_SETTINGS:
            why = _SCRIPT_LOST.get(setting.name, "has no place here")
            result.lose(setting.line, f"{declared.text()}: {setting.text()}", why)
    interval_ms = _milliseconds(declared, "interval") or 1000
    track = {
        "command": command(text),
        "intervalMs": interval_ms,
        "timeoutMs": _milliseconds(declared, "timeout") or interval_ms,
        "rise": _number(declared, "rise"),
        "fall": _number(declared, "fall"),
    }
    weight = _option(entry.rest, "weight")
    return _weighted(track, _number(declared, "weight") if weight is None else weight)


def _weighted(track: dict[str, Any], weight: int | None) -> dict[str, Any]:
    whole = {**track, "weight": weight or None}
    return {key: value for key, value in whole.items() if value is not None}


def _setting(statement: Statement, name: str) -> tuple[str, ...]:
    return next((inner.rest for inner in statement.inner if inner.name == name), ())


def _number(statement: Statement, name: str) -> int | None:
    value = number(_setting(statement, name))
    return None if value is None else int(value)


def _milliseconds(statement: Statement, name: str) -> int | None:
    value = number(_setting(statement, name))
    return None if value is None or value <= 0 else max(round(value * 1000), 1)


def _option(words: Sequence[str], name: str) -> int | None:
    if name not in words:
        return None
    value = number(words[words.index(name) + 1 :])
    return None if value is None else int(value)
