"""From the plan's elections to what the layer2 process of this node is told (DESIGN 8.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.model.address import Interface, IPAddress
from orchestrator.model.cluster import Cluster
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.plan import Election, Plan
from orchestrator.model.policy import Policy
from orchestrator.model.virtual_ip import Health, VirtualIP
from orchestrator.model.virtual_router import HealthTrack, VirtualRouter

Interfaces = Mapping[str, tuple[Interface, ...]]
"""Addresses by the name of the interface."""


@dataclass(slots=True)
class Wishes:
    """Makes the wishes of one node; one whose election did not change is the same value again."""

    _known: dict[IPAddress, tuple[Election, bool, bool, Wish]] = field(default_factory=dict)

    def of(
        self, plan: Plan, node: str, unbound: Collection[IPAddress], *, alone: bool
    ) -> tuple[Wish, ...]:
        """Return a wish for every address that is elected.

        An address in `unbound` is not wanted before it is on its interface. `alone`: there are no
        Node objects, so that who else there is shows on the segment only.
        """
        known, self._known = self._known, {}
        for election in plan.elections:
            address = election.address
            if address in self._known:
                continue  # Services that share it have one election
            bound = address not in unbound
            last = known.get(address)
            if last is None or last[0] is not election or last[1:3] != (bound, alone):
                last = (election, bound, alone, _wish(election, node, bound=bound, alone=alone))
            self._known[address] = last
        return tuple(last[3] for last in self._known.values())


def _wish(election: Election, node: str, *, bound: bool, alone: bool) -> Wish:
    mine = next((one for one in election.candidates if one.node == node), None)
    order = None if alone else tuple(one.node for one in election.candidates)
    if mine is None:
        return Wish(election.address, election.key, wanted=False, candidates=order)
    return Wish(election.address, election.key, bound, mine.score, mine.interfaces, order)


def desired(
    wishes: tuple[Wish, ...], cluster: Cluster, policy: Policy, interfaces: Interfaces, node: str
) -> Desired:
    """Return all that layer 2 is to do for shared addresses on `node`."""
    membership = policy.settings.membership
    return Desired(
        node=node,
        vrid=membership.vrid,
        interval_s=membership.interval_ms / 1000,
        preempt_delay_s=membership.preempt_delay_ms / 1000,
        keys=membership.keys,
        transport=membership.transport,
        peers={name: one.addresses for name, one in cluster.nodes.items() if name != node},
        check_addresses=membership.check_addresses,
        complete=True,
        wishes=wishes if membership.may_speak else (),
        named_interfaces=frozenset().union(*(ad.interfaces for ad in policy.l2_advertisements)),
        internal_addresses=_internal(cluster, interfaces, node),
        shares=bool(policy.l2_advertisements) and membership.may_speak,
    )


def _internal(cluster: Cluster, interfaces: Interfaces, node: str) -> frozenset[IPAddress]:
    """Addresses of this node; where there is no Node object, all that its interfaces have."""
    if node in cluster.nodes:
        return frozenset(cluster.nodes[node].addresses)
    return frozenset(own.ip for owns in interfaces.values() for own in owns)


def health_of_tracks(
    routers: Iterable[VirtualRouter],
    known: Mapping[str, Health],
    virtual_ips: Mapping[str, VirtualIP],
) -> dict[str, bool | None]:
    """Return whether each tracked VirtualIP is up; None while no check has said so.

    One without a check is up; one that is not there is not known.
    """
    names = {
        track.virtual_ip
        for router in routers
        for track in router.track
        if isinstance(track, HealthTrack)
    }
    unchecked = {name: True for name, vip in virtual_ips.items() if vip.check is None}
    checked = {name: health is Health.UP for name, health in known.items()}
    return {name: unchecked.get(name, checked.get(name)) for name in sorted(names)}
