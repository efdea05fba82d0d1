"""What the controller writes of Services, and when again."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.kube.actions import Changed
from orchestrator.kube.outbox import Rank
from orchestrator.kube.resources import SERVICES
from orchestrator.kube.wire import Key, RawObject
from orchestrator.kube.writes import Write
from orchestrator.model.cluster import Service
from orchestrator.model.local import Local
from orchestrator.model.plan import KubernetesEvent
from orchestrator.planner import plan
from orchestrator.roles.controller.allocation import Allocation
from tests.unit.planner.world import cluster, ip, policy, pool, service

POOL = pool("small", "192.0.2.0/30")
FIRST = (ip("192.0.2.0"),)


class Scene:
    """An allocation with what it put and told."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.told: list[str] = []
        self.allocation = Allocation(self._put, self._tell)

    def _put(self, write: Write, rank: Rank) -> None:
        assert rank is Rank.NETWORK
        self.writes.append(write)

    def _tell(self, about: Service, event: KubernetesEvent, version: str) -> None:
        assert version
        self.told.append(f"{about.key.name} {event.reason}")

    def observe(self, name: str, version: str) -> None:
        """Take it that a Service was told at a version."""
        one = RawObject(Key("default", name), name, version, b"")
        self.allocation.observe(SERVICES, Changed((one,), (), complete=False))

    def plan(self, *services: Service) -> None:
        """Plan, and write what differs."""
        world = cluster(*services)
        planned = plan(world, policy(pools=(POOL,)), Local(held=self.allocation.held))
        self.allocation.write(planned, world.services)

    def versions(self) -> list[str]:
        """The versions that the writes are based on."""
        return [write.body["metadata"]["resourceVersion"] for write in self.writes if write.body]


def test_a_service_is_written_once() -> None:
    """A plan that says the same again writes nothing and tells nothing."""
    scene = Scene()
    scene.observe("a", "7")
    asking = service("a")
    scene.plan(asking)
    scene.plan(asking)
    assert scene.versions() == ["7"]
    assert scene.told == ["a IPAllocated"]


def test_what_was_written_is_nobody_elses() -> None:
    """Before the watch shows it, an address that was written goes to no older Service that comes late."""
    scene = Scene()
    young, old = service("b", created="2026-02-02"), service("a", created="2026-01-01")
    for name in ("a", "b"):
        scene.observe(name, "1")
    scene.plan(young)
    assert scene.allocation.held == {"default/b": FIRST}
    scene.plan(young, old)
    last = scene.writes[-1].body
    assert last is not None
    assert last["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1"}]
    seen = replace(young, ingress=FIRST, allocated_pool="small")
    scene.plan(seen, old)
    assert "default/b" not in scene.allocation.held


def test_a_refused_write_is_made_again_on_the_newer_version() -> None:
    """After a conflict the next plan writes anew, though the Service means what it meant before."""
    scene = Scene()
    scene.observe("a", "7")
    asking = service("a")
    scene.plan(asking)
    scene.allocation.again(scene.writes[0].label)
    scene.observe("a", "8")
    scene.plan(asking)
    assert scene.versions() == ["7", "8"]
    assert scene.told == ["a IPAllocated"]


def test_who_begins_to_lead_starts_over() -> None:
    """What another replica may have written since is not taken for written."""
    scene = Scene()
    scene.observe("a", "7")
    scene.plan(service("a"))
    scene.allocation.start_over()
    assert scene.allocation.held == {}
    scene.plan(service("a"))
    assert scene.versions() == ["7", "7"]


def test_a_list_that_is_read_anew_may_have_forgotten_what_was_written() -> None:
    """After a complete list a Service that is as it was before the write is written again."""
    scene = Scene()
    scene.observe("a", "7")
    asking = service("a")
    scene.plan(asking)
    scene.allocation.observe(SERVICES, Changed((), (), complete=True))
    scene.plan(asking)
    assert scene.versions() == ["7", "7"]
    assert scene.told == ["a IPAllocated"]


def test_an_address_of_a_service_that_a_new_list_does_not_have_is_free() -> None:
    """What was written of a Service that an older store has forgotten is held no longer."""
    scene = Scene()
    scene.observe("a", "7")
    scene.plan(service("a"))
    assert scene.allocation.held == {"default/a": FIRST}
    gone = Changed((), (Key("default", "a"),), complete=True)
    scene.allocation.observe(SERVICES, gone)
    scene.plan()
    assert scene.allocation.held == {}
