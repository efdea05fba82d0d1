"""Virtual routers beside those of others on one segment, and a client that asks their address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.appliance import Appliance
from tests.lab.layer2_scene import Segment
from tests.lab.polling import poll

ADDRESS = "10.0.0.254"
ADDRESS6 = "fd00::254"
LINK_LOCAL6 = "fe80::254"
OURS, THEIRS = "ours", "theirs"
"""Names of the two routers' nodes."""


def virtual_router(name: str = "gateway", **fields: Any) -> str:
    """Text of a VirtualRouter: VRID 51 on eth1, 100 ms, unless `fields` of its spec say otherwise."""
    defaults = {
        "interface": "eth1",
        "vrid": 51,
        "advertIntervalMs": 100,
        "addresses": [f"{ADDRESS}/24"],
    }
    document = {
        "apiVersion": "orchestrator.io/v1alpha1",
        "kind": "VirtualRouter",
        "metadata": {"name": name},
        "spec": {**defaults, **fields},
    }
    return f"{json.dumps(document)}\n---\n"


class Routers(Segment):
    """Two nodes (or more), of which some run virtual routers of ours, and the client."""

    def __init__(
        self,
        workdir: Path,
        *names: str,
        networks: tuple[str, ...] = ("10.0.0.0/24", "fd00::/64"),
    ) -> None:
        super().__init__(workdir, names or (OURS, THEIRS), networks=networks)

    def run(self, *routers: str, name: str = OURS, flags: tuple[str, ...] = ()) -> Appliance:
        """Start `orchestrator run` on a node with these objects."""
        box = self.boxes[name]
        box.write("".join(routers))
        return box.start(*(flags or ("--http", "off")))

    def routers(self, name: str = OURS) -> dict[str, Mapping[str, Any]]:
        """What a node of ours says of its virtual routers, by name; nothing before it answers."""
        document = self.boxes[name].ask("status", status=None)
        return {router["name"]: router for router in (document or {}).get("virtualRouters", ())}

    def states(self, name: str = OURS) -> dict[str, str]:
        """State of each virtual router of ours, such as master or backup."""
        return {router: found["state"] for router, found in self.routers(name).items()}

    def wait_state(
        self, state: str, router: str = "gateway", name: str = OURS, timeout_s: float = 20
    ) -> None:
        """Wait until a virtual router of ours is in a state."""

        def so() -> bool:
            states = self.states(name)
            assert states.get(router) == state, states
            return True

        poll(so, timeout_s, f"{router} of {name} to be {state}")

    def kill(self, name: str = OURS) -> None:
        """Kill all that runs a virtual router of ours at once, as kill -9 of the whole would."""
        box = self.boxes[name]
        pids = [str(box.pid(role)) for role in ("layer2", "speaker", "run")]
        self.node(name).run(["kill", "-KILL", *pids])
        assert box.process is not None
        box.process.wait(10)

    def bound(self, name: str, interface: str) -> set[str]:
        """Addresses with prefix length that an interface of a node has."""
        shown = self.node(name).run(["ip", "-j", "addr", "show", "dev", interface]).stdout
        return {
            f"{a['local']}/{a['prefixlen']}"
            for link in json.loads(shown)
            for a in link["addr_info"]
        }
