"""BGPPeers with Secrets and each other (metallb.md 1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from orchestrator.config.faults import Faults
from orchestrator.config.kinds.bgp_peer import MAX_PASSWORD, PeerDraft
from orchestrator.config.kinds.secret import BASIC_AUTH, Secret
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Severity
from orchestrator.model.selector import Labels

_SECRET_NAME = ("spec", "passwordSecret", "name")


@dataclass(frozen=True, slots=True)
class PeerRules:
    """What peers are compared with; `nodes` are the labels of every node."""

    secrets: Mapping[str, Secret]
    nodes: Sequence[Labels]
    namespace: str

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, self._clash)

    def _link(self, draft: PeerDraft, faults: Faults) -> Peer:
        if draft.secret is None:
            return draft.peer
        return replace(draft.peer, password=self._password(draft.secret, faults))

    def _password(self, name: str, faults: Faults) -> str | None:
        secret = self.secrets.get(name)
        if secret is None:
            faults.add(
                _SECRET_NAME,
                f"there is no Secret {self.namespace}/{name}",
                "missingSecret",
                severity=Severity.WAITING,
                hint="the session is not opened without its password",
            )
            return None
        problem = _unusable(secret)
        if problem is not None:
            faults.add(_SECRET_NAME, f"Secret {self.namespace}/{name}: {problem}", "invalidSecret")
        elif secret.password is not None and secret.password[-1:] in ("\n", "\r"):
            message = f"the password in Secret {self.namespace}/{name} ends with a line break"
            hint = "make it with `printf %s` or `echo -n` if that is not meant"
            faults.warn(_SECRET_NAME, message, "passwordLineBreak", hint=hint)
        return secret.password

    def _clash(self, peer: Peer, accepted: Accepted) -> Clash | None:
        for key, value in accepted.items():
            other = cast("Peer", value)
            if _same_router(peer, other) and self._share_node(peer, other):
                field = "interface" if peer.address is None else "peerAddress"
                message = f"has the {field} of {key}, on a node that has both"
                hint = "one session to an address: remove one, or select different nodes"
                return Clash(("spec", field), message, "duplicatePeer", hint)
        return None

    def _share_node(self, peer: Peer, other: Peer) -> bool:
        return any(peer.selects(labels) and other.selects(labels) for labels in self.nodes)


def _same_router(peer: Peer, other: Peer) -> bool:
    place = (peer.address, peer.interface, peer.vrf)
    return place == (other.address, other.interface, other.vrf)


def _unusable(secret: Secret) -> str | None:
    if secret.type != BASIC_AUTH:
        return f"its type is {secret.type}, not {BASIC_AUTH}"
    if secret.password is None:
        return secret.unusable
    if not secret.password:
        return "its password is empty"
    if len(secret.password.encode("utf-8")) > MAX_PASSWORD:
        return f"its password is longer than {MAX_PASSWORD} bytes"
    return None
