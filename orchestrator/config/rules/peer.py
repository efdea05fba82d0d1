"""BGPPeers with Secrets, BFDProfiles, what is announced, and each other (metallb.md 1.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from orchestrator.config.faults import Faults, named
from orchestrator.config.kinds.bgp_peer import MAX_PASSWORD, PeerDraft, has_line_break
from orchestrator.config.kinds.secret import BASIC_AUTH, Secret
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.config.rules.shared_node import share_node
from orchestrator.config.walk import nearest
from orchestrator.model.address import Family
from orchestrator.model.policy import BFDProfile, BGPAdvertisement, Peer, Pool
from orchestrator.model.problem import Severity
from orchestrator.model.selector import Labels

_PROFILE = ("spec", "bfdProfile")
_SECRET_NAME = ("spec", "passwordSecret", "name")


@dataclass(frozen=True, slots=True)
class Announced:
    """What is announced over BGP, for what depends on it."""

    pools: Sequence[Pool]
    advertisements: Sequence[BGPAdvertisement]

    def ipv6_to(self, peer: str) -> tuple[str, str] | None:
        """Find a pool with IPv6 and the advertisement that gives it to a peer, by name.

        As in MetalLB it does not matter for which nodes and Services.
        """
        given = (ad for ad in self.advertisements if not ad.peers or peer in ad.peers)
        pairs = ((pool.name, ad.name) for ad in given for pool in self._with_ipv6(ad))
        return next(pairs, None)

    def _with_ipv6(self, advertisement: BGPAdvertisement) -> Iterator[Pool]:
        return (pool for pool in self.pools if pool.has(Family.IPV6) and advertisement.covers(pool))


@dataclass(frozen=True, slots=True)
class PeerRules:
    """What peers are compared with; `nodes` are the labels of every known node."""

    secrets: Mapping[str, Secret]
    profiles: Mapping[str, BFDProfile]
    announced: Announced
    nodes: Sequence[Labels]
    namespace: str

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, self._clash)

    def _link(self, draft: PeerDraft, faults: Faults) -> Peer:
        self._look_at_profile(draft.peer, faults)
        if draft.secret is None:
            return draft.peer
        return replace(draft.peer, password=self._password(draft.secret, faults))

    def _look_at_profile(self, peer: Peer, faults: Faults) -> None:
        if peer.bfd_profile is None:
            return
        profile = self.profiles.get(peer.bfd_profile)
        if profile is None:
            message = f"there is no BFDProfile {self.namespace}/{named(peer.bfd_profile)}"
            hint = nearest(peer.bfd_profile, self.profiles)
            faults.add(_PROFILE, message, "unknownBFDProfile", severity=Severity.WAITING, hint=hint)
        elif profile.echo_mode and (given := self.announced.ipv6_to(peer.name)):
            _refuse_echo(profile, *given, faults)
        else:
            message = "BFD is not part of this version: the session runs without it"
            faults.warn(_PROFILE, message, "notSupported", hint="lower holdTime until then")

    def _password(self, name: str, faults: Faults) -> str | None:
        secret = self.secrets.get(name)
        called = f"Secret {self.namespace}/{named(name)}"
        if secret is None:
            faults.add(
                _SECRET_NAME,
                f"there is no {called}",
                "missingSecret",
                severity=Severity.WAITING,
                hint="the session is not opened without its password",
            )
            return None
        problem = _unusable(secret)
        if problem is not None:
            faults.add(_SECRET_NAME, f"{called}: {problem}", "invalidSecret")
        elif secret.password is not None and has_line_break(secret.password):
            message = f"the password in {called} has a line break"
            hint = "make it with `printf %s` or `echo -n`"
            faults.add(_SECRET_NAME, message, "passwordLineBreak", hint=hint)
        return secret.password

    def _clash(self, peer: Peer, accepted: Accepted) -> Clash | None:
        for key, value in accepted.items():
            other = cast("Peer", value)
            if peer.address == other.address and share_node(
                peer.node_selectors, other.node_selectors, self.nodes
            ):
                message = f"has the peerAddress of {key}, on a node that has both"
                hint = "one session to an address: remove one, or select different nodes"
                return Clash(("spec", "peerAddress"), message, "duplicatePeer", hint)
        return None


def _refuse_echo(profile: BFDProfile, pool: str, advertisement: str, faults: Faults) -> None:
    message = (
        f"BFDProfile {profile.name} has echoMode, which is for IPv4 only, but BGPAdvertisement "
        f"{advertisement} gives this peer IPv6 addresses of pool {pool}"
    )
    hint = "turn echoMode off, or name other peers in the advertisement"
    faults.add(_PROFILE, message, "bfdEchoWithIPv6", hint=hint)


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
