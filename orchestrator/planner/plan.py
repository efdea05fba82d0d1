"""`plan`: from what is there and what was configured to all that should be true (DESIGN 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.model.address import Family, IPAddress, IPNetwork, family_of
from orchestrator.model.cluster import Cluster, Node, Service, ServiceKey
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import (
    Assignment,
    AssignmentState,
    Election,
    Plan,
    Protocol,
    Reason,
    Session,
    Verdict,
)
from orchestrator.model.policy import BGPAdvertisement, Peer, Policy
from orchestrator.model.route import Rib, Route
from orchestrator.model.virtual_ip import PathByHealth
from orchestrator.planner import advertise, draining, eligible
from orchestrator.planner.allocate import allocate
from orchestrator.planner.coverage import Coverage, Coverages, coverages
from orchestrator.planner.layer2 import Segment, see_segment
from orchestrator.planner.sample import Sample, alike_nodes
from orchestrator.planner.world import World, see, virtual_ip_key

Advertisements = tuple[BGPAdvertisement, ...]
Outlets = tuple[tuple[advertise.Outlet, ...], tuple[str, ...]]


def plan(cluster: Cluster, policy: Policy, local: Local) -> Plan:
    """Decide everything: addresses, sessions, a RIB for each peer, a verdict for each VIP and node.

    Pure: equal inputs give equal plans. With `local.node` set only that node is planned for.
    """
    return plan_world(see(cluster, local), cluster, policy, local, coverages(policy))


def plan_world(
    world: World, cluster: Cluster, policy: Policy, local: Local, covering: Coverages
) -> Plan:
    """Make the plan of `cluster` from what was already made of it and of the policy."""
    assignments = allocate(world.services, policy, cluster.namespaces, local)
    return plan_of(assignments, world, cluster, policy, local=local, covering=covering)


def detail(cluster: Cluster, policy: Policy, local: Local, known: Sequence[Assignment]) -> Plan:
    """Return the part of a plan that is about these assignments, which have all of their addresses."""
    world, covering = see(cluster, local), coverages(policy)
    return plan_of(known, world, cluster, policy, local=local, covering=covering)


def plan_of(
    assignments: Sequence[Assignment],
    world: World,
    cluster: Cluster,
    policy: Policy,
    *,
    local: Local,
    covering: Coverages,
) -> Plan:
    """Decide who announces what was assigned."""
    view = look(world, policy, local, covering)
    judged = judge(view, assignments)
    return Plan(
        assignments=tuple(assignments),
        sessions=tuple(
            Session(one.node.name, peer)
            for one in view.nodes
            if one.node.name not in local.down
            for peer in one.peers
        ),
        ribs={one.node.name: one.finished_ribs() for one in view.nodes},
        elections=tuple(election for key in judged for election in judged[key].elections),
        verdicts=tuple(verdict for key in judged for verdict in judged[key].verdicts),
        bindings=bindings_of(cluster, {answer.service: answer for answer in assignments}),
        problems=draining.problems(world.members, policy.settings),
    )


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at while a plan is made: every node to be planned for, and the segment.

    `sample` chooses the nodes that are asked where only `anywhere` matters; then `nodes` is empty.
    """

    nodes: tuple[NodeView, ...]
    segment: Segment
    sample: Sample[NodeView] | None = None

    def asked(self, assignment: Assignment) -> Iterable[NodeView]:
        """Return the nodes to be asked whether they announce it over BGP."""
        return self.nodes if self.sample is None else self.sample.over_bgp(assignment)

    def asked_on_layer2(self, assignment: Assignment) -> Iterable[NodeView]:
        """Return the nodes to be asked whether they answer for it."""
        if self.sample is None:
            return self.nodes
        places = ((assignment.service, address) for address in assignment.addresses)
        owners = (self.segment.elections[place].owner for place in places)
        return self.sample.on_layer2({one.node for one in owners if one is not None})


class Judgement(NamedTuple):
    """What is decided about the addresses of one Service."""

    verdicts: list[Verdict]
    elections: list[Election]


def judge(view: View, assignments: Sequence[Assignment]) -> dict[ServiceKey, Judgement]:
    """Decide about all addresses of `assignments` on all nodes, adding routes to RIBs.

    `assignments` have all Services of every address in them. The answer has them in their order.
    """
    assigned = [one for one in assignments if one.state is AssignmentState.ASSIGNED]
    if view.segment.coverage.by_pool:
        view.segment.elect(assigned)
    return {one.service: _judge_one(view, one) for one in assigned}


def _judge_one(view: View, assignment: Assignment) -> Judgement:
    found = [verdict for node in view.asked(assignment) for verdict in node.judge(assignment)]
    elections: list[Election] = []
    if view.segment.coverage.by_pool.get(assignment.pool or ""):
        nodes = view.asked_on_layer2(assignment)
        found += [v for node in nodes for v in node.judge_layer2(assignment, view.segment)]
        places = ((assignment.service, address) for address in assignment.addresses)
        elections = [view.segment.elections[place] for place in places]
    return Judgement(sorted(found, key=_verdict_order) if len(found) > 1 else found, elections)


def _verdict_order(verdict: Verdict) -> tuple[int, int, str, str]:
    """Sort the verdicts of one Service by address, node and protocol."""
    address = verdict.address
    version, number = (address.version, int(address)) if address else (0, 0)
    return (version, number, verdict.node, verdict.protocol.value if verdict.protocol else "")


def bindings_of(cluster: Cluster, answers: Mapping[ServiceKey, Assignment]) -> dict[IPAddress, str]:
    """Addresses of VirtualIPs that this host is to have on an interface, whatever their health."""
    return {
        address: vip.bind
        for name, vip in sorted(cluster.virtual_ips.items())
        if vip.bind is not None and (answer := answers.get(virtual_ip_key(name)))
        for address in answer.addresses
    }


def look(world: World, policy: Policy, local: Local, covering: Coverages) -> View:
    """Return a view of each node to be planned for, with empty RIBs, and of the segment."""
    drained, _ = draining.in_turn(world.members, policy.settings)
    segment = see_segment(world, covering.layer2, local, drained)
    coverage = covering.bgp
    pools = coverage.by_pool.items()
    elsewhere = frozenset(name for name, ads in segment.coverage.by_pool.items() if ads)

    def look_at(node: Node, alike: tuple[str, ...]) -> NodeView:
        peers = tuple(peer for peer in policy.peers if peer.selects(node.labels))
        return NodeView(
            node=node,
            world=world,
            local=local,
            peers=peers,
            away=eligible.node_away(node, local, drained),
            unfit=eligible.node_unfit(node, local),
            coverage=coverage,
            selected={name: eligible.select_for_node(ads, node) for name, ads in pools},
            elsewhere=elsewhere,
            ribs={peer.name: {} for peer in peers},
            alike=alike,
        )

    if local.anywhere:
        groups = alike_nodes(world.nodes, policy, local, drained)
        return View((), segment, Sample(groups, world, look_at))
    return View(tuple(look_at(node, ()) for node in world.nodes), segment)


@dataclass(slots=True)
class NodeView:
    """One node while a plan is made: what it may announce, and its RIBs as they grow.

    Of the `coverage` of pools, `selected` is what is for this node. `elsewhere` are the pools that
    are announced on layer 2. `alike` are nodes that it speaks for.
    """

    node: Node
    world: World
    local: Local
    peers: tuple[Peer, ...]
    away: eligible.Answer | None
    unfit: eligible.Answer | None
    coverage: Coverage[BGPAdvertisement]
    selected: Mapping[str, Advertisements]
    elsewhere: frozenset[str]
    ribs: dict[str, dict[IPNetwork, Route]]
    outlets: dict[tuple[int, ...], Outlets] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)
    alike: tuple[str, ...] = ()

    def judge(self, assignment: Assignment) -> list[Verdict]:
        """Give the BGP verdict for each address of `assignment`, adding the routes of a yes.

        An address that no protocol is meant to announce gets one without a protocol.
        """
        service = self.world.services[assignment.service]
        pool = assignment.pool or ""
        protocol = Protocol.BGP if self.coverage.by_pool.get(pool) else None
        if protocol is None and pool in self.elsewhere:
            return []
        verdicts = []
        for address in assignment.addresses:
            reason, message = self._judge_address(service, pool, address)
            name, alike = self.node.name, self.alike
            verdicts.append(Verdict(service.key, address, name, protocol, reason, message, alike))
        return verdicts

    def judge_layer2(self, assignment: Assignment, segment: Segment) -> list[Verdict]:
        """Give the layer-2 verdict for each address of `assignment`."""
        return [
            Verdict(
                assignment.service,
                address,
                self.node.name,
                Protocol.LAYER2,
                *(self._unfit_for_layer2() or segment.judge(assignment, address, self.node)),
            )
            for address in assignment.addresses
        ]

    def _unfit_for_layer2(self) -> eligible.Answer | None:
        if self.away is None and self._drain is not DrainPhase.NONE:
            return Reason.DRAINING, f"node {self.node.name} drains: another one takes over"
        return self.away or self.unfit

    def _judge_address(self, service: Service, pool: str, address: IPAddress) -> eligible.Answer:
        if pool not in self.selected:
            return Reason.IP_NOT_ALLOWED, f"{address} is in no pool that is in force"
        if self.away and self.coverage.by_pool[pool]:
            return self.away
        matching = self.selected[pool]
        if pool in self.coverage.choosy:
            matching = eligible.select_for_service(matching, service)
        family = family_of(address)
        refusal = self._refusal(service, pool, matching)
        return refusal or self._announce(service, address, matching, family)

    def _refusal(
        self, service: Service, pool: str, matching: Advertisements
    ) -> eligible.Answer | None:
        if not matching:
            return eligible.no_advertisement(service, self.coverage.by_pool[pool], pool)
        endpoints = self.world.endpoints.get(service.key, ())
        return (
            eligible.conflict(matching, self.coverage.families[pool])
            or self.unfit
            or eligible.endpoints_missing(service, endpoints, self.node)
        )

    def _announce(
        self, service: Service, address: IPAddress, matching: Advertisements, family: Family
    ) -> eligible.Answer:
        path = self.world.paths.get(service.key, advertise.OWN_PATH)
        found, missing = self._outlets(matching, family, path)
        services = (str(service.key),)
        for outlet in found:
            self._add(outlet, address, services)
        if missing and not found:
            text = f"no {family} address of {self.node.name} towards {', '.join(missing)}"
            if family is Family.IPV4:
                text += ", and no extended next hop (RFC 8950) negotiated"
            return Reason.NO_NEXT_HOP, text
        return self._yes(service, found)

    def _yes(self, service: Service, found: tuple[advertise.Outlet, ...]) -> eligible.Answer:
        text = self._words(found)
        health = self.world.health.get(service.key)
        if health is not None and health.value != "up":
            text += f", demoted: health is {health.value}"
        if self._drain is DrainPhase.DEPRIORITISED:
            return Reason.DRAINING, f"{text}, with graceful-shutdown until it is withdrawn"
        return Reason.ANNOUNCED, text

    def _words(self, found: tuple[advertise.Outlet, ...]) -> str:
        words = self.words.get(id(found))
        if words is None:
            peers = ", ".join(sorted({outlet.peer for outlet in found}))
            words = f"announced to {peers}" if peers else "no peer takes it from this node"
            self.words[id(found)] = words
        return words

    @property
    def _drain(self) -> DrainPhase:
        return self.local.drain if self.local.node == self.node.name else DrainPhase.NONE

    def _outlets(self, matching: Advertisements, family: Family, path: PathByHealth) -> Outlets:
        # By identity: these values live as long as the plan, and their hashes are slow.
        key = (*map(id, matching), family, id(path))
        found = self.outlets.get(key)
        if found is None:
            found = advertise.outlets(self.peers, matching, family, path, self.local)
            self.outlets[key] = found
        return found

    def _add(self, outlet: advertise.Outlet, address: IPAddress, services: tuple[str, ...]) -> None:
        prefix = advertise.prefix_of(address, outlet.length)
        rib = self.ribs[outlet.peer]
        route = Route(prefix, outlet.attributes, services)
        known = rib.setdefault(prefix, route)  # hashing a prefix is slow: once is enough
        if known is not route:
            rib[prefix] = advertise.merge(known, route)

    def finished_ribs(self) -> dict[str, Rib]:
        """Return the RIBs, made unattractive while the node drains."""
        if self._drain is not DrainPhase.DEPRIORITISED:
            return dict(self.ribs)
        return {
            peer.name: advertise.deprioritise(self.ribs[peer.name], ibgp=peer.ibgp)
            for peer in self.peers
        }
