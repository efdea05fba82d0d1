"""Where ExaBGP's files are; the process settings have these attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Places(Protocol):
    """Paths that the speaker's side and ExaBGP's side share."""

    @property
    def runtime_dir(self) -> Path:
        """Directory of sockets, locks and the rendered configuration."""
        ...

    @property
    def relay_socket(self) -> Path:
        """Where the relay listens."""
        ...

    @property
    def exabgp_configuration(self) -> Path:
        """The rendered configuration."""
        ...

    @property
    def orphan_hold_s(self) -> float:
        """Seconds without a speaker after which everything is withdrawn; 0 is for ever."""
        ...
