"""The Lease as it is on the server and as it is written."""

from __future__ import annotations

import json

import msgspec
import pytest

from orchestrator.kube.lease import DURATION_S, Lease, WriteLease
from orchestrator.kube.lease_object import decode_lease, lease_write

AT = "2026-01-01T00:00:00.000000Z"


def test_a_lease_is_read() -> None:
    """What is missing, as after it was given back, has its default."""
    spec = {
        "holderIdentity": "a",
        "leaseDurationSeconds": 30,
        "renewTime": AT,
        "leaseTransitions": 2,
    }
    whole = {"metadata": {"resourceVersion": "7"}, "spec": spec}
    assert decode_lease(json.dumps(whole).encode()) == Lease("a", 30, AT, 2, "7")
    bare = {"metadata": {"resourceVersion": "8"}, "spec": {"holderIdentity": None}}
    assert decode_lease(json.dumps(bare).encode()) == Lease("", DURATION_S, "", 0, "8")
    with pytest.raises(msgspec.MsgspecError):
        decode_lease(b"{}")


def test_a_lease_is_made_and_renewed() -> None:
    """Made where there is none, else patched on the version that was seen."""
    made = lease_write(WriteLease("a", 0, fresh=True, version=""), "here", AT)
    assert (made.method, made.path) == (
        "POST",
        "/apis/coordination.k8s.io/v1/namespaces/here/leases",
    )
    renewed = lease_write(WriteLease("a", 3, fresh=False, version="7"), "here", AT)
    assert renewed.method == "PATCH"
    assert renewed.path.endswith("/namespaces/here/leases/orchestrator-controller")
    assert renewed.body == {
        "metadata": {"resourceVersion": "7"},
        "spec": {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 3,
            "renewTime": AT,
        },
    }


def test_a_lease_is_given_back() -> None:
    """The server refuses an empty holder: the field goes."""
    write = lease_write(WriteLease("", 3, fresh=False, version="7"), "here", AT)
    assert write.body is not None
    assert write.body["spec"]["holderIdentity"] is None
