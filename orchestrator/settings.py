"""Process settings: flags, then the environment (ORCHESTRATOR_<FLAG>), then defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a long-running role (CLI.md, options of the long-running commands)."""

    node: str
    """Name of this node."""
    runtime_dir: Path = Path("/run/orchestrator")
    """Sockets, locks and the rendered ExaBGP configuration; may vanish at reboot."""
    state_dir: Path = Path("/var/lib/orchestrator")
    """What outlives a reboot: addresses drawn from pools, the drain."""
    filenames: tuple[Path, ...] = field(default=())
    """Files and directories given with -f."""
    http: str | None = "127.0.0.1:7472"
    """ADDRESS:PORT of the read-only HTTP server; None for none."""
    on_stop: str = "withdraw"
    """`withdraw`, or `hold` to leave the routes to graceful restart."""
    orphan_hold_s: float = 600.0
    """Seconds without a speaker after which everything is withdrawn; 0 is for ever."""
    log_level: str = "info"
    log_format: str = "text"
    namespace: str = "metallb-system"
    """Where configuration objects live."""
    kubeconfig: Path | None = None
    """How to reach the cluster; None for the pod's service account, or what kubectl would take."""
    context: str | None = None
    lb_class: str | None = None
    ignore_exclude_lb: bool = False

    @property
    def http_address(self) -> tuple[str, int] | None:
        """Host and port of the HTTP server; None for none. ValueError when it is not HOST:PORT."""
        if self.http is None:
            return None
        host, _, port = self.http.rpartition(":")
        return host.strip("[]") or "0.0.0.0", int(port)

    @property
    def relay_socket(self) -> Path:
        """Where the relay listens for the speaker."""
        return self.runtime_dir / "exabgp.sock"

    @property
    def exabgp_configuration(self) -> Path:
        """The rendered ExaBGP configuration; mode 0600, since it holds passwords."""
        return self.runtime_dir / "exabgp.conf"

    @property
    def status_socket(self) -> Path:
        """Where a speaker or appliance answers the live commands."""
        return self.runtime_dir / "status.sock"

    @property
    def addresses_socket(self) -> Path:
        """Where the addresses role takes the set of addresses to be bound."""
        return self.runtime_dir / "addresses.sock"

    @property
    def layer2_socket(self) -> Path:
        """Where the layer2 role is told what it may own."""
        return self.runtime_dir / "layer2.sock"

    @property
    def supervisor_socket(self) -> Path:
        """Where the supervisor of `run` takes what its roles need."""
        return self.runtime_dir / "supervisor.sock"
