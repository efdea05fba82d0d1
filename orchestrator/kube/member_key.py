"""The Secret with the key of layer 2's members, as MetalLB makes it where there is none (DESIGN 8.1)."""

from __future__ import annotations

import base64

from orchestrator.kube.resources import SECRETS
from orchestrator.kube.writes import Write, create
from orchestrator.model.settings import MEMBER_KEY, Membership, Settings

NAME = "memberlist"
"""MetalLB's name, so that a cluster that has it keeps its key."""
KEY_BYTES = 128
"""Length of a key that is made, as MetalLB's."""
IN_A_CLUSTER = Settings(Membership(auth_secret=NAME))
"""Settings where no object says otherwise: members authenticate each other."""


def member_key_write(namespace: str, key: bytes) -> Write:
    """Make the Secret with a `key` of KEY_BYTES that nobody can guess; refused if there is one."""
    data = {MEMBER_KEY: base64.b64encode(key).decode("ascii")}
    head = {"metadata": {"name": NAME, "namespace": namespace}, "type": "Opaque"}
    return create(SECRETS, namespace, {**head, "data": data})
