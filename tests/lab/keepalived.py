"""keepalived in a node: started, stopped, killed, and what it logged of its states."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from orchestrator.lab.runner import Node
from tests.lab.polling import poll, require

GLOBAL = """global_defs {{
    router_id {name}
    script_user root
    vrrp_version 3
}}
"""
INSTANCE = """vrrp_instance {name} {{
    state BACKUP
    interface {interface}
    virtual_router_id {vrid}
    priority {priority}
    advert_int {interval}
    {lines}
    virtual_ipaddress {{
        {addresses}
    }}
}}
"""
STATE = re.compile(r"\((?P<name>[^)]+)\) Entering (?P<state>\w+) STATE")
STOP_LIMIT_S = 10


def instance(
    name: str = "gateway",
    *addresses: str,
    vrid: int = 51,
    priority: int = 100,
    interval: float = 0.1,
    interface: str = "eth1",
    lines: str = "",
) -> str:
    """Text of a vrrp_instance; `interval` is in seconds, `lines` are further ones."""
    return INSTANCE.format(
        name=name,
        vrid=vrid,
        priority=priority,
        interval=interval,
        interface=interface,
        lines=lines,
        addresses="\n        ".join(addresses),
    )


class Keepalived:
    """One keepalived with its own configuration; it ends with the node at the latest."""

    def __init__(self, node: Node, *instances: str) -> None:
        require("keepalived")
        self.node = node
        self.config = GLOBAL.format(name=node.name) + "".join(instances)
        self.log_path = node.logs / f"{node.name}-keepalived.log"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Keepalived:
        """Write the configuration and start keepalived as its manual page says for a service."""
        self.node.run(["tee", "/etc/keepalived/keepalived.conf"], stdin=self.config)
        self.process = self.node.spawn(
            ["keepalived", "--dont-fork", "--log-console"], log=self.log_path
        )
        return self

    def stop(self) -> None:
        """End it as an operator would (SIGTERM): a master sends priority 0."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(STOP_LIMIT_S)

    def kill(self) -> None:
        """End all of its processes at once; the one that speaks VRRP first, so that it says no word."""
        assert self.process is not None
        for pid in (*_children(self.process.pid), self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP_LIMIT_S)

    @property
    def log(self) -> str:
        """What it logged so far."""
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def states(self, name: str = "gateway") -> list[str]:
        """Return the states that an instance entered so far, such as MASTER, BACKUP or FAULT."""
        return [match["state"] for match in STATE.finditer(self.log) if match["name"] == name]

    def wait_state(self, state: str, name: str = "gateway", timeout_s: float = 15) -> None:
        """Wait until an instance is in a state."""

        def so() -> bool:
            seen = self.states(name)
            assert seen, f"no state of {name}"
            assert seen[-1] == state, seen
            return True

        poll(so, timeout_s, f"keepalived's {name} to be {state}")


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
