"""Writes name the right request, and ask for nothing that is so already."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.resources import CONFIGURATION_STATES, EVENTS, SERVICES, SPEAKER_STATES
from orchestrator.kube.writes import (
    MERGE_PATCH,
    Report,
    Write,
    create,
    delete,
    difference,
    label_of,
    patch,
    report,
)
from tests.fakes.merge_patch import merge_patch
from tests.unit.kube.server import applied

OURS = "metallb-system"
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "speaker-x", "uid": "1"}
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.integers())),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
WANTED = Report(SPEAKER_STATES, OURS, "n", {"a": "b"}, {"node": "n", "owned": 1}, OWNER)


@given(DOCUMENTS, DOCUMENTS)
def test_difference_is_the_patch(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Applied to the old document the difference gives the new one, and equals have none."""
    found = difference(old, new)
    assert merge_patch(old, found) == new
    assert (not found) == (old == new)


def test_create_names_its_kind() -> None:
    """What is made goes to the collection of its namespace, with group, version and kind."""
    write = create(SPEAKER_STATES, OURS, {"metadata": {"name": "n"}})
    path = f"/apis/orchestrator.io/v1alpha1/namespaces/{OURS}/speakerstates"
    body = {
        "apiVersion": "orchestrator.io/v1alpha1",
        "kind": "SpeakerState",
        "metadata": {"name": "n"},
    }
    assert write == Write(f"SpeakerState {OURS}/n", "POST", path, body)
    event = create(EVENTS, "shop", {"metadata": {"name": "e"}})
    assert event.path == "/api/v1/namespaces/shop/events"
    assert event.body is not None
    assert event.body["apiVersion"] == "v1"


def test_patch_is_a_merge_patch_of_one_object() -> None:
    """A patch says what it is by its content type, and a subresource has a label of its own."""
    write = patch(SERVICES, "shop", "web", {"status": {}}, "status")
    path = "/api/v1/namespaces/shop/services/web/status"
    assert write == Write("Service shop/web status", "PATCH", path, {"status": {}}, MERGE_PATCH)
    assert label_of(SERVICES, "", "web") == "Service web"


def test_delete_means_one_object_only() -> None:
    """An object that has meanwhile taken the name is safe by the uid of the other."""
    write = delete(
        CONFIGURATION_STATES, {"metadata": {"namespace": OURS, "name": "speaker-n", "uid": "7"}}
    )
    assert (write.method, write.label) == ("DELETE", f"ConfigurationState {OURS}/speaker-n")
    assert write.body is not None
    assert write.body["preconditions"] == {"uid": "7"}


def test_a_missing_report_is_made_then_filled() -> None:
    """The server drops the status of what is made, so that it is written after."""
    writes = report(WANTED, None)
    assert [write.method for write in writes] == ["POST", "PATCH"]
    assert len({write.label for write in writes}) == 2
    there = applied(None, writes)
    assert there["status"] == WANTED.status
    assert there["metadata"]["labels"] == {"a": "b"}
    assert there["metadata"]["ownerReferences"] == [OWNER]


def test_a_report_that_is_there_is_not_written() -> None:
    """The second time there is nothing to do, also beside labels of somebody else."""
    there = applied(None, report(WANTED, None))
    there["metadata"]["labels"]["other"] = "x"
    assert report(WANTED, there) == []


@pytest.mark.parametrize(
    ("part", "value", "method"),
    [("status", {"node": "n"}, "status"), ("metadata", {"name": "n", "labels": {}}, "")],
)
def test_only_what_differs_is_written(part: str, value: dict[str, Any], method: str) -> None:
    """A changed status and a lost label are one patch each, and then it is as wanted."""
    there = {**applied(None, report(WANTED, None)), part: value}
    (write,) = report(WANTED, there)
    assert write.path.endswith(method or "/n")
    assert report(WANTED, applied(there, [write])) == []


def test_an_owner_that_is_not_known_stays() -> None:
    """Without an owner the references of the object are left as they are."""
    there = applied(None, report(WANTED, None))
    orphan = Report(SPEAKER_STATES, OURS, "n", {"a": "b"}, WANTED.status)
    assert report(orphan, there) == []
