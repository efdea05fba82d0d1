"""What a Settings object in the files says about the process: HTTP and logs (CLI.md, precedence)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters.files import load
from orchestrator.config.read import read
from orchestrator.model.settings import Settings


def settings_in(filenames: Sequence[Path], namespace: str) -> Settings:
    """Return the Settings in these files, defaults where there are none.

    Faults are reported by the reader that runs later; here a faulty object counts as absent. Pipes
    are left alone, since what is read of them is gone.
    """
    steady = [path for path in filenames if path.is_file() or path.is_dir()]
    sources = [source for source in load(steady).sources if b"Settings" in source.text]
    return read(sources, namespace=namespace).policy.settings
