"""R1's table in the demo on loopback addresses."""

from __future__ import annotations

from typing import Any

from orchestrator.lab.demo_loopback import select
from orchestrator.lab.receiver import Table, empty, learn


def event(**message: Any) -> dict[str, Any]:
    """An event of ExaBGP about the peer 127.0.0.72."""
    return {"type": "update", "neighbor": {"address": {"peer": "127.0.0.72"}, **message}}


def announce(**attributes: Any) -> dict[str, Any]:
    """An announcement of 192.0.2.1/32."""
    routes = {"ipv4 unicast": {"127.0.0.72": [{"nlri": "192.0.2.1/32"}]}}
    return event(message={"update": {"attribute": attributes, "announce": routes}})


def state(name: str) -> dict[str, Any]:
    """A change of the session's state."""
    return {**event(state=name), "type": "state"}


def table(*events: dict[str, Any]) -> Table:
    """The table after `events`."""
    found = empty()
    for one in events:
        found = learn(found, one)
    return found


def test_a_route_comes_and_goes() -> None:
    """Announcements are kept with their attributes until they are withdrawn."""
    marked = announce(**{"local-preference": 0, "community": [[65535, 0]]})
    known = table(state("up"), announce(), marked)
    path = {"nextHop": "127.0.0.72", "localPref": 0, "communities": ["65535:0"]}
    assert known == {"up": ["127.0.0.72"], "paths": {"127.0.0.72": {"192.0.2.1/32": path}}}
    gone = {"withdraw": {"ipv4 unicast": [{"nlri": "192.0.2.1/32"}]}}
    assert learn(known, event(message={"update": gone}))["paths"] == {"127.0.0.72": {}}


def test_a_lost_session_takes_its_routes() -> None:
    """When a session goes down its routes are gone; other events change nothing."""
    known = table(state("connected"), state("up"), announce(), {"type": "notification"}, {})
    assert known["paths"]["127.0.0.72"]
    assert learn(known, state("down")) == {"up": [], "paths": {}}


def test_only_the_preferred_paths_are_used() -> None:
    """All paths of the highest local preference are used, the others are spare."""
    paths: list[dict[str, Any]] = [
        {"nextHop": str(n), "localPref": n, "communities": []} for n in (0, 100, 100)
    ]
    assert [path.used for path in select(paths)] == [False, True, True]
    assert select([]) == []
