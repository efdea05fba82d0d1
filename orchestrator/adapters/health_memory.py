"""Health that outlives a restart of this process, but not of the host."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.virtual_ip import Health

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_VALUES = frozenset(health.value for health in Health)


class HealthMemory:
    """A file with the health of every VIP.

    After a reboot it says nothing: what was healthy before may not even have started yet.
    """

    def __init__(self, path: Path, boot_id: Path = _BOOT_ID) -> None:
        self._path = path
        self._boot = _boot(boot_id)

    def read(self) -> Mapping[str, Health]:
        """Return what the predecessor knew; nothing when the file is missing or of another boot."""
        document = read_json(self._path)
        if not isinstance(document, dict) or document.get("boot") != self._boot:
            return {}
        known = document.get("health")
        pairs = known.items() if isinstance(known, dict) else ()
        return {name: Health(value) for name, value in pairs if value in _VALUES}

    def write(self, health: Mapping[str, Health]) -> None:
        """Remember; a disk that is full or read-only costs only the memory, and is not reported."""
        known = {name: value.value for name, value in health.items()}
        with contextlib.suppress(AdapterError):
            write_json(self._path, {"boot": self._boot, "health": known})


def _boot(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
