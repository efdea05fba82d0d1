"""Secrets that may not be read are supposed to be as those who name them need them."""

from __future__ import annotations

import json

from orchestrator.config.fast.wire import read_wire
from orchestrator.config.kinds.registry import kind_of
from orchestrator.kube.resources import BGP_PEERS, SERVICES
from orchestrator.kube.supposed import supposed_secrets
from orchestrator.kube.texts import list_text
from orchestrator.kube.wire import Key, RawObject


def raw(spec: object) -> RawObject:
    """An object of our namespace."""
    return RawObject(Key("ours", "x"), "", "", json.dumps({"spec": spec}).encode())


def test_one_for_each_name() -> None:
    """Passwords of peers and the key of members; nothing for who names none, however odd."""
    objects = [
        raw({"passwordSecret": {"name": "b"}}),
        raw({"passwordSecret": {"name": "b"}, "password": "x"}),
        raw({"membership": {"authSecret": "a"}}),
        raw({"membership": {"authSecret": ""}}),
        raw({"passwordSecret": None}),
        raw({"membership": "odd"}),
        raw(None),
    ]
    texts = supposed_secrets(objects)
    kind = kind_of("", "v1", "Secret")
    assert kind is not None
    found = [read_wire(kind, text) for text in texts]
    assert [one.name for one in found if one] == ["a", "b"]
    for one in found:
        assert one is not None
        assert one.draft.password
        assert one.draft.member_keys


def test_a_list_says_of_each_object_what_it_is() -> None:
    """Objects as they come in lists, with blanks before them too, are put together with their kind."""
    text = list_text(SERVICES, [b'{"metadata":{"name":"a"}}', b' {"metadata":{"name":"b"}}'])
    items = json.loads(text)["items"]
    assert [one["metadata"]["name"] for one in items] == ["a", "b"]
    assert {(one["apiVersion"], one["kind"]) for one in items} == {("v1", "Service")}
    (peer,) = json.loads(list_text(BGP_PEERS, [b'{"a":1}']))["items"]
    assert (peer["apiVersion"], peer["kind"]) == ("metallb.io/v1beta2", "BGPPeer")
