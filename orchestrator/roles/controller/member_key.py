"""The controller's care for the key of layer 2's members: makes it once where there is none."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from orchestrator.config.link import ObjectKey
from orchestrator.config.reading import Reading
from orchestrator.kube.member_key import KEY_BYTES, NAME, member_key_write
from orchestrator.kube.outbox import Rank
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import SECRETS
from orchestrator.kube.writes import Write


class MemberKey:
    """Puts the write that makes the Secret in `namespace`, once until something is heard of Secrets."""

    def __init__(self, namespace: str, put: Callable[[Write, Rank], None]) -> None:
        self._namespace = namespace
        self._put = put
        self._asked = False

    def observe(self, resource: Resource) -> None:
        """Take it that an object of this kind came, changed or went."""
        if resource.kind == SECRETS.kind:
            self.again()

    def again(self) -> None:
        """Take it that the Secret did not come, or went again."""
        self._asked = False

    def write(self, reading: Reading) -> None:
        """Make the Secret if it is missing."""
        if is_missing(reading, self._namespace) and not self._asked:
            self._asked = True
            key = secrets.token_bytes(KEY_BYTES)
            self._put(member_key_write(self._namespace, key), Rank.NETWORK)


def is_missing(reading: Reading, namespace: str) -> bool:
    """Tell whether members are to have this key, and there is no such Secret in `namespace`."""
    membership = reading.policy.settings.membership
    if membership.auth_secret != NAME or membership.keys:
        return False
    return ObjectKey(SECRETS.kind, namespace, NAME) not in reading.kinds.get(SECRETS.kind, {})
