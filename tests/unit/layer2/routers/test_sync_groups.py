"""Routers of one sync group change state together."""

from __future__ import annotations

import pytest

from orchestrator.layer2.routers.virtual_routers import VirtualRouters
from tests.unit.layer2.routers.virtual_router_playbook import (
    advert_of,
    packet_of,
    port,
    router,
    words,
)

NAMES = ("a", "b", "c")


class Group:
    """Routers on an interface each, in one sync group, and their clock."""

    def __init__(self, size: int) -> None:
        self.now = 1000.0
        self.mine = {
            name: router(name=name, interface=name, vrid=index, sync_group="both")
            for index, name in enumerate(NAMES[:size], start=1)
        }
        self.ports = {
            name: port(f"10.0.{index}.1/24", name=name) for index, name in enumerate(self.mine)
        }
        self.routers = VirtualRouters()
        self.routers.want(list(self.mine.values()), self.now)
        self.routers.ports(self.ports, self.now)

    @property
    def states(self) -> set[str]:
        """The states that there are."""
        return {report.state.value for report in self.routers.report().routers}

    def wait(self, seconds: float, *heard: tuple[str, int]) -> list[str]:
        """Let time pass in which every interval adverts come in, by interface and priority."""
        done: list[str] = []
        end = self.now + seconds
        while self.now < end:
            for name, priority in heard:
                done += self.hear(name, priority)
            self.now = min(end, self.now + 0.5)
            done += words(self.routers.handle_timer(self.now))
        return done

    def hear(self, name: str, priority: int) -> list[str]:
        """An advert comes in on an interface."""
        packet = packet_of(advert_of(self.mine[name], priority), "10.9.9.9")
        return words(self.routers.receive(name, packet, self.now))

    def carrier(self, name: str, *, up: bool) -> list[str]:
        """A cable is pulled, or plugged in."""
        self.ports = {
            **self.ports,
            name: port(self.ports[name].addresses[0].compressed, name=name, up=up),
        }
        return words(self.routers.ports(self.ports, self.now))


@pytest.fixture(params=[2, 3])
def group(request: pytest.FixtureRequest) -> Group:
    """A group of two, and one of three."""
    return Group(request.param)


def test_all_become_master_together(group: Group) -> None:
    """When nobody is heard anywhere, all lead in the same moment."""
    done = group.wait(5)
    assert group.states == {"master"}
    assert done.count("backup > master") == len(group.mine)


def test_no_one_leads_while_another_follows(group: Group) -> None:
    """One segment is silent, on another a better router is Master: all stay Backup, for good."""
    assert group.wait(30, ("b", 200)) == []
    assert group.states == {"backup"}


def test_all_lead_when_the_last_may(group: Group) -> None:
    """The better router falls silent: its segment's down timer decides for all."""
    group.wait(30, ("b", 200))
    group.wait(3)
    assert group.states == {"backup"}
    group.wait(1)
    assert group.states == {"master"}


def test_all_preempt_together(group: Group) -> None:
    """Worse routers are replaced everywhere in the same moment."""
    group.wait(5, *((name, 50) for name in group.mine))
    assert group.states == {"master"}


def test_one_that_steps_down_takes_all_with_it(group: Group) -> None:
    """On its segment the better one is Master; on the others priority 0 makes room at once."""
    group.wait(5)
    done = group.hear("a", 200)
    assert group.states == {"backup"}
    assert done[:3] == ["advert 100", "release 192.0.2.254", "master > backup"]
    assert done[3:] == ["advert 0", "release 192.0.2.254", "master > backup"] * (
        len(group.mine) - 1
    )


def test_one_fault_takes_all_down(group: Group) -> None:
    """Masters that still can say so; the reason names the group and who is down."""
    group.wait(5)
    done = group.carrier("b", up=False)
    assert group.states == {"fault"}
    assert done.count("advert 0") == len(group.mine) - 1
    reasons = {report.name: report.reason for report in group.routers.report().routers}
    assert reasons["a"] == "sync group both: b: b is down"
    assert reasons["b"] == "b is down"


def test_none_comes_back_before_the_last_fault_is_over(group: Group) -> None:
    """Two are down; only with the second back all listen again."""
    group.wait(5)
    group.carrier("a", up=False)
    group.carrier("b", up=False)
    group.carrier("a", up=True)
    assert group.states == {"fault"}
    done = group.carrier("b", up=True)
    assert group.states == {"backup"}
    assert done.count("fault > backup") == len(group.mine)


def test_a_woken_group_steps_back_as_one(group: Group) -> None:
    """After a pause all listen."""
    group.wait(5)
    group.now += 60
    group.routers.step_back(group.now)
    assert group.states == {"backup"}


def test_one_that_joins_does_not_disturb(group: Group) -> None:
    """A new member listens while the others are Master, then leads with them."""
    group.wait(5)
    more = router(name="d", interface="a", vrid=9, sync_group="both")
    group.routers.want([*group.mine.values(), more], group.now)
    assert group.states == {"master", "backup"}
    group.wait(4)
    assert group.states == {"master"}


def test_one_that_is_ready_leads_when_it_leaves_the_group() -> None:
    """Alone it need not wait for anybody."""
    group = Group(2)
    group.wait(5, ("b", 200))
    alone = router(name="a", interface="a", vrid=1)
    assert "backup > master" in words(group.routers.want([alone, group.mine["b"]], group.now))


def test_the_rest_of_a_group_leads_when_the_one_that_follows_is_removed() -> None:
    """Who is left decides."""
    group = Group(2)
    group.wait(5, ("b", 200))
    done = words(group.routers.want([group.mine["a"]], group.now))
    assert done[-1] == "backup > master"


def test_a_faulty_member_that_is_removed_frees_the_others() -> None:
    """A fault leaves with whose it is."""
    group = Group(2)
    group.carrier("b", up=False)
    group.routers.want([group.mine["a"]], group.now)
    assert group.states == {"backup"}
