"""What a VirtualRouter's priority depends on: interfaces, files, commands, VirtualIPs."""

from __future__ import annotations

from orchestrator.config.kinds.names import INTERFACE_OR_EMPTY
from orchestrator.config.kinds.trust import ABSOLUTE, COMMAND
from orchestrator.config.schema import (
    Broken,
    ExactlyOne,
    Field,
    Holds,
    Integer,
    Record,
    Text,
    Values,
)
from orchestrator.model.virtual_router import (
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    Track,
)

_LARGEST_WEIGHT = 253
_TIME_MS = Integer(50, 3_600_000)
_TIMES = Integer(1, 100)
_OF_COMMANDS = {"intervalMs": 1000, "timeoutMs": 1000, "rise": 1, "fall": 1}


def _only_of_commands(values: Values) -> Broken | None:
    if values["command"]:
        return None
    given = [name for name in _OF_COMMANDS if values[name] is not None]
    return Broken(given[0], f"{given[0]} goes with command", "remove it") if given else None


_ONLY_OF_COMMANDS = " || ".join(
    (
        "(has(self.command) && size(self.command) > 0)",
        "!(" + " || ".join(f"has(self.{name})" for name in _OF_COMMANDS) + ")",
    )
)
"""The same in CEL."""

TRACK = Record(
    fields=(
        Field(
            "interface",
            INTERFACE_OR_EMPTY,
            "Interface whose carrier is watched.",
            default="",
        ),
        Field("file", ABSOLUTE, "File with a number; in trusted local files only.", default=""),
        Field(
            "command",
            COMMAND,
            "Program (absolute path) and arguments, good when it ends with 0; in trusted local "
            "files only.",
            default=(),
        ),
        Field("virtualIP", Text(max_length=253), "VirtualIP whose health counts.", default=""),
        Field(
            "weight",
            Integer(-_LARGEST_WEIGHT, _LARGEST_WEIGHT),
            "What the priority gains when it is good, or (negative) loses when it is not; 0 takes "
            "the router down. For a file the factor of its number, 1 when absent.",
        ),
        Field("intervalMs", _TIME_MS, "Time between runs of the command; 1000 when absent."),
        Field("timeoutMs", _TIME_MS, "A command that takes longer has failed; 1000 when absent."),
        Field("rise", _TIMES, "Good runs in a row that count; 1 when absent."),
        Field("fall", _TIMES, "Bad runs in a row that count; 1 when absent."),
    ),
    rules=(
        ExactlyOne(("interface", "file", "command", "virtualIP")),
        Holds("times go with `command`", _only_of_commands, _ONLY_OF_COMMANDS),
    ),
)


def track(entry: Values) -> Track:
    """Make the model's track of one entry."""
    weight = entry["weight"]
    if entry["file"]:
        return FileTrack(entry["file"], 1 if weight is None else weight)
    if entry["interface"]:
        return InterfaceTrack(entry["interface"], weight or 0)
    if entry["virtualIP"]:
        return HealthTrack(entry["virtualIP"], weight or 0)
    times = (entry[name] or default for name, default in _OF_COMMANDS.items())
    interval_ms, timeout_ms, rise, fall = times
    return CommandTrack(
        tuple(entry["command"]), interval_ms, timeout_ms, rise, fall, weight=weight or 0
    )
