"""What a reflector asks and tells, answer by answer."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from orchestrator.kube.actions import (
    Action,
    Changed,
    Close,
    Open,
    RenewCredentials,
    Trouble,
    Troubled,
)
from orchestrator.kube.reflector import ANSWER_S, GOOD_S, PAGE, SILENCE_S, Reflector
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Key

SERVICES = Resource("", "v1", "services", "Service", field_selector="spec.type=LoadBalancer")
POOLS = Resource("metallb.io", "v1beta1", "ipaddresspools", "IPAddressPool", "metallb-system")


TIME_S = 270.0
"""How long a watch is to last, with chances as they are here."""


def make(resource: Resource = POOLS) -> Reflector:
    """A reflector whose chances are always in the middle."""
    numbers = itertools.count(1)
    return Reflector(resource, lambda low, high: (low + high) / 2, lambda: next(numbers))


def one(name: str, version: int) -> dict[str, Any]:
    """An object as the server sends it."""
    return {
        "metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": str(version)}
    }


def page(version: int, *objects: dict[str, Any], following: str = "") -> bytes:
    """A page of a list."""
    metadata = {"resourceVersion": str(version), "continue": following}
    return json.dumps({"metadata": metadata, "items": objects}).encode()


def line(kind: str, document: dict[str, Any]) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": document}).encode() + b"\n"


def asked(actions: list[Action]) -> dict[str, str]:
    """The query of the one request among actions."""
    (found,) = [action for action in actions if isinstance(action, Open)]
    return dict(found.query)


def number_of(actions: list[Action]) -> int:
    """The number of the one request among actions."""
    (found,) = [action for action in actions if isinstance(action, Open)]
    return found.request


def told(actions: list[Action]) -> list[tuple[list[str], list[str], bool]]:
    """Names that changed and are gone, and whether that is all."""
    return [
        (
            [one.key.name for one in action.objects],
            [key.name for key in action.gone],
            action.complete,
        )
        for action in actions
        if isinstance(action, Changed)
    ]


def answer(
    reflector: Reflector, number: int, body: bytes, now: float, status: int = 200
) -> list[Action]:
    """Give a whole answer."""
    actions = reflector.answered(number, status, 0.0, now)
    actions += reflector.received(number, body, now)
    return actions + reflector.ended(number, now)


def watching(*objects: dict[str, Any]) -> tuple[Reflector, int]:
    """A reflector that has listed these at version 10, and watches since 0."""
    reflector = make()
    number = number_of(reflector.start(0.0))
    number = number_of(answer(reflector, number, page(10, *objects), 0.0))
    assert reflector.answered(number, 200, 0.0, 0.0) == []
    return reflector, number


def test_a_list_comes_in_pages_and_is_told_at_once() -> None:
    """Nothing is told before the last page; then the watch begins at the list's version."""
    reflector = make()
    first = reflector.start(0.0)
    assert asked(first) == {"limit": str(PAGE)}
    second = answer(reflector, number_of(first), page(10, one("a", 3), following="t"), 0.1)
    assert told(second) == []
    assert asked(second) == {"limit": str(PAGE), "continue": "t"}
    last = answer(reflector, number_of(second), page(10, one("b", 4)), 0.2)
    assert told(last) == [(["a", "b"], [], True)]
    query = asked(last)
    assert (query["watch"], query["resourceVersion"]) == ("1", "10")
    assert query["allowWatchBookmarks"] == "true"
    assert 240 <= int(query["timeoutSeconds"]) <= 300
    assert reflector.synced


def test_changes_are_told_as_they_come() -> None:
    """A piece may hold many lines or half of one; of several changes of an object the last counts."""
    reflector, number = watching(one("a", 3), one("b", 4))
    text = (
        line("MODIFIED", one("a", 11))
        + line("MODIFIED", one("a", 12))
        + line("DELETED", one("b", 13))
    )
    assert reflector.received(number, text[:30], 1.0) == []
    assert told(reflector.received(number, text[30:], 1.0)) == [(["a"], ["b"], False)]
    assert reflector.version == "13"


def test_what_is_known_is_no_change() -> None:
    """After a reconnect the server may say again what it has said; new kinds of lines mean nothing."""
    reflector, number = watching(one("a", 3))
    text = (
        line("ADDED", one("a", 3)) + line("RENAMED", one("a", 20)) + line("DELETED", one("z", 11))
    )
    assert reflector.received(number, text, 1.0) == []


def test_a_bookmark_moves_the_version() -> None:
    """The next watch begins where the last bookmark was."""
    reflector, number = watching()
    reflector.received(number, line("BOOKMARK", {"metadata": {"resourceVersion": "99"}}), TIME_S)
    assert asked(reflector.ended(number, TIME_S))["resourceVersion"] == "99"


def test_a_good_watch_is_followed_by_another_at_once_a_short_one_later() -> None:
    """A server that ends each watch at once is not asked again at once."""
    reflector, number = watching()
    number = number_of(reflector.ended(number, TIME_S))
    reflector.answered(number, 200, 0.0, TIME_S)
    waits = []
    now = TIME_S
    for _ in range(8):
        assert reflector.ended(number, now) == []
        due = reflector.next_timer()
        assert due is not None
        waits.append(due - now)
        now = due
        number = number_of(compared(reflector, reflector.handle_timer(now), now))
        reflector.answered(number, 200, 0.0, now)
    assert waits == pytest.approx([0.375, 0.75, 1.5, 3, 6, 12, 22.5, 22.5])


def compared(reflector: Reflector, actions: list[Action], now: float) -> list[Action]:
    """Answer the question for the server's version with the reflector's own."""
    assert asked(actions) == {"limit": "1"}
    return answer(reflector, number_of(actions), page(int(reflector.version)), now)


def test_a_watch_that_ends_before_its_time_is_followed_by_a_comparison() -> None:
    """A server that was stopped in an orderly way may come back with an older store."""
    reflector, number = watching()
    actions = compared(reflector, reflector.ended(number, GOOD_S), GOOD_S)
    assert asked(actions)["resourceVersion"] == "10"


@pytest.mark.parametrize("as_status", [True, False])
def test_an_expired_version_means_a_new_list(*, as_status: bool) -> None:
    """410 in the stream or as status: everything is listed, and what is gone is told."""
    reflector, number = watching(one("a", 3), one("b", 4))
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    if as_status:
        number = number_of(compared(reflector, reflector.ended(number, GOOD_S), GOOD_S))
        answer(reflector, number, json.dumps(gone).encode(), GOOD_S, 410)
    else:
        actions = reflector.received(number, line("ERROR", gone), GOOD_S)
        assert actions == [Close(number)]
    due = reflector.next_timer()
    assert due is not None
    listing = reflector.handle_timer(due)
    assert asked(listing) == {"limit": str(PAGE)}
    actions = answer(reflector, number_of(listing), page(20, one("a", 3), one("c", 15)), due)
    assert told(actions) == [(["c"], ["b"], True)]
    assert reflector.relists == 1


def silent(version: int) -> list[Action]:
    """Let a watch fall silent, and the server say that it has `version`."""
    reflector, number = watching(one("a", 3))
    due = reflector.next_timer()
    assert due == SILENCE_S
    actions = reflector.handle_timer(due)
    assert actions[0] == Close(number)
    assert asked(actions) == {"limit": "1"}
    return answer(reflector, number_of(actions), page(version, one("a", 3)), due)


def test_a_silent_watch_is_begun_anew() -> None:
    """A server with our version or a later one goes on from ours, without an alarm."""
    for version in (10, 40):
        actions = silent(version)
        assert asked(actions)["resourceVersion"] == "10"
        assert len(actions) == 1


def test_an_older_store_is_noticed() -> None:
    """A server whose version is before ours was restored: that is told, and all is listed."""
    actions = silent(9)
    assert isinstance(actions[0], Troubled)
    assert actions[0].trouble is Trouble.RESTORED
    assert "version 9, and had 10 before" in actions[0].message
    assert asked(actions) == {"limit": str(PAGE)}


def test_after_a_broken_connection_the_version_is_compared_first() -> None:
    """Who answers after an outage may have an older store."""
    reflector, number = watching()
    (trouble,) = reflector.failed(number, "connection reset", 1.0)
    assert trouble == Troubled(Trouble.UNREACHABLE, "connection reset")
    due = reflector.next_timer()
    assert due is not None
    assert asked(reflector.handle_timer(due)) == {"limit": "1"}


def test_an_answer_that_does_not_come_is_given_up() -> None:
    """A server that takes a request and says nothing is asked again after a while."""
    reflector = make()
    number = number_of(reflector.start(0.0))
    actions = reflector.handle_timer(ANSWER_S)
    assert actions == [Close(number), Troubled(Trouble.UNREACHABLE, "no answer within 30 s")]
    assert answer(reflector, number, page(10), ANSWER_S + 1) == []
    assert not reflector.synced


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.UNAUTHORIZED),
        (403, Trouble.FORBIDDEN),
        (429, Trouble.BUSY),
        (500, Trouble.SERVER_ERROR),
        (503, Trouble.SERVER_ERROR),
        (418, Trouble.REFUSED),
    ],
)
def test_refusals_are_told_by_kind(status: int, trouble: Trouble) -> None:
    """The server's words reach the operator, credentials are renewed on 401, and it is over when it is."""
    reflector = make()
    number = number_of(reflector.start(0.0))
    body = json.dumps({"kind": "Status", "message": "you may not", "code": status}).encode()
    actions = answer(reflector, number, body, 0.0, status)
    assert Troubled(trouble, f"HTTP {status}: you may not") in actions
    assert (RenewCredentials() in actions) is (status == 401)
    due = reflector.next_timer()
    assert due is not None
    number = number_of(reflector.handle_timer(due))
    assert Troubled(None) in answer(reflector, number, page(10), due)


def test_retry_after_is_heeded() -> None:
    """A busy server says when it may be asked again."""
    reflector = make()
    number = number_of(reflector.start(0.0))
    reflector.answered(number, 429, 7.0, 0.0)
    reflector.ended(number, 0.0)
    assert reflector.next_timer() == 7.0


def test_a_kind_the_server_does_not_know_is_empty() -> None:
    """404 at the start counts as a complete empty list, with a warning; it is asked for again."""
    reflector = make()
    number = number_of(reflector.start(0.0))
    actions = answer(reflector, number, b"404 page not found\n", 0.0, 404)
    message = "the API server does not know ipaddresspools.metallb.io"
    assert actions == [Troubled(Trouble.NOT_SERVED, message), Changed((), (), complete=True)]
    assert reflector.next_timer() == 45.0


def test_what_was_known_stays_when_the_kind_goes() -> None:
    """404 after objects were known takes none of them away."""
    reflector, number = watching(one("a", 3))
    number = number_of(reflector.ended(number, GOOD_S))
    actions = answer(reflector, number, b"", GOOD_S, 404)
    assert told(actions) == []
    assert len(reflector) == 1


def test_a_server_without_the_field_gives_all() -> None:
    """Where spec.type cannot be selected the list is asked for without it, once and for all."""
    reflector = make(SERVICES)
    first = reflector.start(0.0)
    assert asked(first)["fieldSelector"] == "spec.type=LoadBalancer"
    second = answer(reflector, number_of(first), b"{}", 0.0, 400)
    assert "fieldSelector" not in asked(second)
    third = answer(reflector, number_of(second), page(10), 0.0)
    assert "fieldSelector" not in asked(third)


@pytest.mark.parametrize("text", [b"nonsense\n", b'{"type": "ADDED", "object": {}}\n', b"\xff\n"])
def test_nonsense_begins_the_watch_anew_and_the_second_time_a_list(text: bytes) -> None:
    """What cannot be read is not skipped: the watch goes on from before it, then all is listed."""
    reflector, number = watching(one("a", 3))
    for expected in ("watch", "limit"):
        actions = reflector.received(number, text, GOOD_S)
        assert isinstance(actions[-1], Troubled)
        assert actions[-1].trouble is Trouble.GARBLED
        due = reflector.next_timer()
        assert due is not None
        actions = reflector.handle_timer(due)
        assert expected in asked(actions)
        number = number_of(actions)
        reflector.answered(number, 200, 0.0, due)


def test_a_list_that_makes_no_sense_removes_nothing() -> None:
    """A cut list is asked for again; what is known stays."""
    reflector, number = watching(one("a", 3))
    gone = {"kind": "Status", "code": 410}
    reflector.received(number, line("ERROR", gone), 1.0)
    due = reflector.next_timer()
    assert due is not None
    number = number_of(reflector.handle_timer(due))
    actions = answer(reflector, number, page(20)[:-9], due)
    assert told(actions) == []
    assert len(reflector) == 1


def test_one_made_again_under_its_name_has_changed() -> None:
    """A list tells apart two objects of one name by their uid."""
    reflector, number = watching(one("a", 3))
    reflector.received(number, line("ERROR", {"code": 410}), 1.0)
    due = reflector.next_timer()
    assert due is not None
    number = number_of(reflector.handle_timer(due))
    again = one("a", 3)
    again["metadata"]["uid"] = "another"
    assert told(answer(reflector, number, page(20, again), due)) == [(["a"], [], True)]


def test_after_stop_nothing_is_asked() -> None:
    """A stopped reflector gives up its request and has no timer."""
    reflector, number = watching()
    assert reflector.stop() == [Close(number)]
    assert reflector.next_timer() is None
    assert reflector.received(number, line("ADDED", one("a", 11)), 1.0) == []


def test_where_resources_are() -> None:
    """Paths of the core group, of others, of a namespace and of one object."""
    assert SERVICES.path == "/api/v1/services"
    assert POOLS.path == "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools"
    assert (
        SERVICES.object_path("web", "shop", "status")
        == "/api/v1/namespaces/web/services/shop/status"
    )
    assert str(POOLS) == "ipaddresspools.metallb.io"
    assert Key("web", "shop").name == "shop"


def test_after_an_outage_it_waits_no_longer() -> None:
    """When the server answers somebody, who waits for long asks within seconds; nobody asks later."""
    reflector = make()
    reflector.start(0.0)
    number, now = 1, 0.0
    for _ in range(8):
        reflector.failed(number, "no way", now)
        due = reflector.next_timer()
        assert due is not None
        now, number = due, number + 1
        reflector.handle_timer(now)
    reflector.failed(number, "no way", now)
    before = reflector.next_timer()
    assert before is not None
    assert before > now + 10
    reflector.wake(now)
    assert reflector.next_timer() == now + 1.5
    reflector.wake(now + 1)
    assert reflector.next_timer() == now + 1.5


def test_a_request_under_way_is_not_woken() -> None:
    """What has asked already waits for its answer as before."""
    reflector = make()
    reflector.start(0.0)
    before = reflector.next_timer()
    reflector.wake(1.0)
    assert reflector.next_timer() == before
