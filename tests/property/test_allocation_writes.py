"""Whatever happens in between, every Service has a write that gives it what the plan does."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.actions import Changed
from orchestrator.kube.outbox import Rank
from orchestrator.kube.resources import SERVICES
from orchestrator.kube.wire import Key, RawObject
from orchestrator.kube.writes import Write
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.planner import Planner
from orchestrator.roles.controller.allocation import Allocation
from tests.unit.planner.world import cluster, ip, policy, pool, service

POOLS = (pool("small", "192.0.2.0/29"), pool("other", "198.51.100.0/30"))
NAMES = "abcdefghijklmnop"
"""So many that a plan after one change is made from the last one, with the others as they were."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "make", "drop", "seen", "again", "over"]),
        st.sampled_from(NAMES[:4] + NAMES),
    ),
    min_size=10,
    max_size=30,
)


class World:
    """Services on a server, the controller's allocation of them, and the writes it put."""

    def __init__(self) -> None:
        self.services: dict[ServiceKey, Service] = {}
        self.last: dict[ServiceKey, Write] = {}
        self.allocation = Allocation(self._put, lambda *_: None)
        self._planner = Planner()
        self._nowhere, self._policy = cluster(), policy(pools=POOLS)
        self._versions = 0

    def _put(self, write: Write, _rank: Rank) -> None:
        name = write.label.split()[1].partition("/")[2]
        self.last[ServiceKey("default", name)] = write

    def step(self, kind: str, name: str) -> None:
        """Let one thing happen."""
        key = ServiceKey("default", name)
        known, write = self.services.get(key), self.last.get(key)
        match kind:
            case "make" if known is None:
                self._tell(service(name, created=f"20{NAMES.index(name):02}"))
            case "drop" if known is not None:
                self.services = {k: s for k, s in self.services.items() if k != key}
                self.last.pop(key, None)
                self.allocation.observe(SERVICES, Changed((), (Key("default", name),), False))
            case "seen" if known is not None and write is not None and write.body is not None:
                entries = write.body["status"]["loadBalancer"]["ingress"] or ()
                self._tell(replace(known, ingress=tuple(ip(one["ip"]) for one in entries)))
            case "again" if write is not None:
                self.last.pop(key)
                self.allocation.again(write.label)
            case "over":
                self.last.clear()
                self.allocation.start_over()

    def _tell(self, one: Service) -> None:
        self._versions += 1
        self.services = dict(sorted({**self.services, one.key: one}.items()))
        raw = RawObject(Key("default", one.key.name), one.key.name, str(self._versions), b"")
        self.allocation.observe(SERVICES, Changed((raw,), (), False))

    def check(self) -> None:
        """Plan, and look that what differs is held, and is on its way."""
        local = Local(held=self.allocation.held, anywhere=True)
        world = replace(self._nowhere, services=self.services)
        planned = self._planner.plan(world, self._policy, local)
        self.allocation.write(planned, self.services)
        expected = {
            str(one.service): one.addresses
            for one in planned.assignments
            if one.addresses and self.services[one.service].ingress != one.addresses
        }
        assert self.allocation.held == expected
        for one in planned.assignments:
            if str(one.service) in expected:
                body = self.last[one.service].body
                assert body is not None
                given = body["status"]["loadBalancer"]["ingress"]
                assert [entry["ip"] for entry in given] == list(map(str, one.addresses))


@given(STEPS)
def test_what_differs_is_held_and_written(steps: list[tuple[str, str]]) -> None:
    """After any steps an address that a Service has not yet is held, and its newest write gives it."""
    world = World()
    for name in NAMES[2:]:
        world.step("make", name)
    world.check()
    for kind, name in steps:
        world.step(kind, name)
        world.check()
