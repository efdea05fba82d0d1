"""`orchestrator run`: which roles a router VM has, with what flags, and in which order they stop."""

from __future__ import annotations

import importlib.util
import socket

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import make_directory
from orchestrator.roles.supervisor import Role, Supervisor
from orchestrator.settings import Settings

STOP_ORDER = ("layer2", "speaker", "exabgp", "addresses")
"""Layer 2 hands over, the speaker leaves its routes, ExaBGP withdraws them; then VIPs are unbound."""

SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path (sun_path less its final zero, unix(7))."""


def appliance(settings: Settings) -> Supervisor:
    """Make the supervisor of one router VM."""
    common = _common_flags(settings)
    files = tuple(flag for path in settings.filenames for flag in ("-f", str(path)))
    return Supervisor(
        settings,
        (
            Role("exabgp", common, outlives_us=True, on_demand=True),
            Role("addresses", common, on_demand=True),
            Role("layer2", common, on_demand=True),
            Role("speaker", (*files, *common)),
        ),
        STOP_ORDER,
    )


def _common_flags(settings: Settings) -> tuple[str, ...]:
    flags = {
        "--node": settings.node,
        "--runtime-dir": str(settings.runtime_dir),
        "--state-dir": str(settings.state_dir),
        "--http": settings.http or "off",
        "--on-stop": settings.on_stop,
        "--orphan-hold": str(settings.orphan_hold_s),
        "--log-level": settings.log_level,
        "--log-format": settings.log_format or None,
        "--namespace": settings.namespace,
        "--lb-class": settings.lb_class,
    }
    given = tuple(part for flag, value in flags.items() if value for part in (flag, value))
    return (*given, "--ignore-exclude-lb") if settings.ignore_exclude_lb else given


def look_before(settings: Settings) -> None:
    """Raise `AdapterError` for what would keep the appliance from working at all."""
    for path in settings.filenames:
        if not path.exists():
            raise AdapterError(str(path), "there is no such file or directory")
    demand_short_paths(settings)
    make_directory(settings.runtime_dir)
    make_directory(settings.state_dir)
    if importlib.util.find_spec("exabgp") is None:
        raise AdapterError("exabgp", "is not installed for this Python: pip install exabgp==5.0.15")
    if settings.http_address is not None:
        _try_port(*settings.http_address)


def demand_short_paths(settings: Settings) -> None:
    """Raise `AdapterError` when a socket in the runtime directory would have too long a path."""
    sockets = (settings.addresses_socket, settings.supervisor_socket)
    longest = max(sockets, key=lambda path: len(bytes(path)))
    if len(bytes(longest)) > SOCKET_PATH_LIMIT:
        text = (
            f"too long for a Unix socket ({SOCKET_PATH_LIMIT} bytes); name a shorter --runtime-dir"
        )
        raise AdapterError(str(longest), text)


def _try_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            text = f"cannot listen here: {error.strerror}; choose another --http ADDRESS:PORT"
            raise AdapterError(f"{host}:{port}", text) from error
