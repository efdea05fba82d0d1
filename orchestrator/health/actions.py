"""What the health monitor wants done, and what it has found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.model.virtual_ip import ExecProbe, Health, HttpProbe, TcpProbe

Probe: TypeAlias = HttpProbe | TcpProbe | ExecProbe


@dataclass(frozen=True, slots=True)
class StartProbe:
    """Perform a probe and report its result once; after `timeout_s` seconds it has failed."""

    name: str
    probe_id: int
    probe: Probe
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CancelProbe:
    """Give up a probe; its result is not wanted any more."""

    name: str
    probe_id: int


@dataclass(frozen=True, slots=True)
class LookForDisableFile:
    """Look whether a file exists, and report with `HealthMonitor.disabled`."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """The health of a VIP is `new`; `old` is None when nothing was known before."""

    name: str
    old: Health | None
    new: Health
    detail: str


Action: TypeAlias = StartProbe | CancelProbe | LookForDisableFile | HealthChanged
