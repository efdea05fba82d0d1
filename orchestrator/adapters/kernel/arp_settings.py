"""The kernel's own ARP kept quiet about addresses on `lo`, which layer 2 answers (DESIGN 8.3)."""

from __future__ import annotations

from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import read_json, write_json

_CONF = Path("/proc/sys/net/ipv4/conf/all")
_QUIET = {"arp_ignore": ("1", ("1", "2", "8")), "arp_announce": ("2", ("2",))}
"""For each setting the value to set, and those that do as well (kernel's ip-sysctl)."""


class ArpSettings:
    """Sets arp_ignore and arp_announce of all interfaces, and puts back what was there before.

    What was there is kept in `record`, so that a successor of a killed process puts it back.
    """

    def __init__(self, record: Path) -> None:
        self._record = record

    def quiet(self) -> None:
        """Answer for no address of another interface, and ask from none.

        Raises `AdapterError` when that cannot be set.
        """
        loud = {name: text for name in _QUIET if (text := _read(name)) not in _QUIET[name][1]}
        if not loud:
            return
        kept = read_json(self._record)
        write_json(self._record, {**loud, **(kept if isinstance(kept, dict) else {})})
        for name in loud:
            _write(name, _QUIET[name][0])

    def restore(self) -> None:
        """Put back what `quiet` changed, where nobody else has changed it since.

        Raises `AdapterError` when that cannot be done.
        """
        kept = read_json(self._record)
        for name, text in kept.items() if isinstance(kept, dict) else ():
            if name in _QUIET and _read(name) == _QUIET[name][0]:
                _write(name, str(text))
        try:
            self._record.unlink(missing_ok=True)
        except OSError as error:
            text = f"cannot be removed: {error.strerror}"
            raise AdapterError(str(self._record), text) from error


def _read(name: str) -> str:
    try:
        return (_CONF / name).read_text("ascii").strip()
    except OSError as error:
        raise AdapterError(str(_CONF / name), f"cannot be read: {error.strerror}") from error


def _write(name: str, text: str) -> None:
    try:
        (_CONF / name).write_text(text, "ascii")
    except OSError as error:
        raise AdapterError(str(_CONF / name), f"cannot be set: {error.strerror}") from error
