"""How ExaBGP is started: arguments, environment, and where it runs its relay from."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.bgp.render import process_section
from orchestrator.settings import Settings

KEPT_VARIABLES = ("LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_PRELOAD", "SSL_CERT_FILE")
EXABGP_VARIABLES = {
    "exabgp.daemon.drop": "false",
    "exabgp.daemon.daemonize": "false",
    "exabgp.api.cli": "false",
    "exabgp.api.ack": "true",
    "exabgp.api.respawn": "true",
    "exabgp.api.chunk": "1000",
    "exabgp.api.show-routes-format": "v2",
    "exabgp.log.destination": "stderr",
    "exabgp.log.level": "WARNING",
    "exabgp.log.short": "true",
    "exabgp.reactor.speed": "1.0",
    "exabgp.tcp.bind": "",
}
"""DESIGN 5, rules 7 and 9; exabgp-conf/exabgp.env says the same for those who run it by hand."""


def exabgp_arguments(settings: Settings) -> list[str]:
    """Return the command line of ExaBGP under our launcher."""
    launcher = [sys.executable, "-m", "orchestrator.adapters.exabgp_launcher", str(os.getpid())]
    return [*launcher, "server", str(settings.exabgp_configuration)]


def exabgp_environment(settings: Settings) -> dict[str, str]:
    """Return ExaBGP's environment; its children find our Python first, and only, in PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT_VARIABLES or name.startswith(("FAKETIME", "DONT_FAKE"))
    }
    return {
        **kept,
        **EXABGP_VARIABLES,
        "PATH": str(Path(sys.executable).parent),
        "PYTHONUNBUFFERED": "1",
        "ORCHESTRATOR_RUNTIME_DIR": str(settings.runtime_dir.resolve()),
        "ORCHESTRATOR_ORPHAN_HOLD": f"{settings.orphan_hold_s:g}",
    }


def demand_exabgp() -> None:
    """Raise `AdapterError` when ExaBGP is not installed for this Python."""
    if importlib.util.find_spec("exabgp") is None:
        raise AdapterError(
            "exabgp",
            f"not installed for {sys.executable}; install it with: pip install exabgp==5.0.15",
        )


def write_private(path: Path, text: str) -> None:
    """Replace `path` atomically with `text`, readable by the owner only (it holds passwords)."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(text)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def ensure_configuration(settings: Settings) -> None:
    """Write the skeleton (relay only) unless a speaker left a rendered configuration."""
    path = settings.exabgp_configuration
    if not path.exists():
        write_private(path, process_section())
