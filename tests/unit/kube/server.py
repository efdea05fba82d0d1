"""What a server makes of a few writes to one object: enough to ask a second time."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.kube.writes import MERGE_PATCH, Write
from tests.fakes.merge_patch import merge_patch


def applied(observed: Mapping[str, Any] | None, writes: Iterable[Write]) -> dict[str, Any]:
    """Return the object after `writes`; a status that is posted is dropped."""
    there = copy.deepcopy(dict(observed or {}))
    for write in writes:
        assert write.body is not None
        if write.method == "POST":
            assert not there
            there = {key: value for key, value in write.body.items() if key != "status"}
            there["metadata"] = {"uid": f"uid-{there['metadata']['name']}", **there["metadata"]}
            continue
        assert (write.method, write.content_type) == ("PATCH", MERGE_PATCH)
        assert there
        there = merge_patch(there, write.body)
    return there
