"""Layer 2: which nodes may answer for an address, in which order, and why the others may not.

MetalLB's election (metallb.md 4.1), once for each address rather than for each Service, so that a
shared address has one owner (DESIGN 8.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Node, Service, ServiceKey, TrafficPolicy
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Assignment, AssignmentState, Candidate, Election, Reason
from orchestrator.model.policy import L2Advertisement
from orchestrator.model.selector import matches_any
from orchestrator.planner import eligible
from orchestrator.planner.coverage import Coverage
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE, World

Advertisements = tuple[L2Advertisement, ...]
Candidates = Mapping[str, Candidate]
"""Candidates by the name of their node."""


@lru_cache(maxsize=32768)
def ranked(names: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Order nodes by sha256(NODE#ADDRESS), ascending as bytes: MetalLB's choice."""
    suffix = f"#{key}".encode()
    return tuple(sorted(names, key=lambda name: hashlib.sha256(name.encode() + suffix).digest()))


@dataclass(slots=True)
class Segment:
    """All nodes while a plan is made: who may answer for what.

    `fit` are the nodes that may answer at all, by name; `here` is this one,
    whose health checks decide about its own VirtualIPs only.
    """

    world: World
    fit: Mapping[str, Node]
    coverage: Coverage[L2Advertisement]
    here: str | None
    elections: dict[tuple[ServiceKey, IPAddress], Election] = field(default_factory=dict)
    candidates: dict[ServiceKey, Candidates] = field(default_factory=dict)
    _whole: dict[tuple[int, ...], Candidates] = field(default_factory=dict)
    _known_names: dict[int, tuple[tuple[str, ...], bool, Candidates]] = field(default_factory=dict)

    def elect(self, assignments: Iterable[Assignment]) -> None:
        """Elect an owner for every address of `assignments`, which are all that have them."""
        holders: dict[IPAddress, list[Assignment]] = {}
        for answer in assignments:
            if answer.state is AssignmentState.ASSIGNED and self.coverage.by_pool.get(
                answer.pool or ""
            ):
                self.candidates[answer.service] = self._candidates(answer)
                for address in answer.addresses:
                    holders.setdefault(address, []).append(answer)
        for address, answers in holders.items():
            self._elect(address, answers)

    def _elect(self, address: IPAddress, answers: list[Assignment]) -> None:
        """Elect among the candidates of all Services on `address`; the oldest Service's counts most."""
        if len(answers) > 1:
            answers = sorted(answers, key=self._age)
        wanting = [a for a in answers if self.candidates[a.service]] or answers
        key = self._key(wanting[0])
        order = self._order(wanting, key)
        for answer in answers:
            place = (answer.service, address)
            self.elections[place] = Election(answer.service, address, key, order)

    def _order(self, answers: list[Assignment], key: IPAddress) -> tuple[Candidate, ...]:
        """Order the candidates of these Services, of which the first is the oldest."""
        candidates = self.candidates[answers[0].service]
        for answer in answers[1:]:
            candidates = {**self.candidates[answer.service], **candidates}
        names, scored = self._names(candidates)
        order = tuple(map(candidates.__getitem__, ranked(names, str(key))))
        return tuple(sorted(order, key=lambda one: -one.score)) if scored else order

    def _names(self, candidates: Candidates) -> tuple[tuple[str, ...], bool]:
        """Return the names in order, and whether any has a score; most Services have the same."""
        known = self._known_names.get(id(candidates))
        if known is None:
            scored = any(candidate.score for candidate in candidates.values())
            known = (tuple(sorted(candidates)), scored, candidates)
            self._known_names[id(candidates)] = known
        return known[:2]

    def _age(self, answer: Assignment) -> tuple[str, ServiceKey]:
        return (self.world.services[answer.service].created, answer.service)

    def _key(self, answer: Assignment) -> IPAddress:
        """Return the first address of a Service, in the order of its status where it kept them."""
        held = self.world.services[answer.service].ingress
        return held[0] if held and held[0] in answer.addresses else answer.addresses[0]

    def _candidates(self, answer: Assignment) -> Candidates:
        service = self.world.services[answer.service]
        ads = self._matching(service, answer.pool or "")
        if self.refusal(service, ads) is not None:
            return {}
        candidates = self._of_advertisements(ads)
        endpoints = self.world.endpoints.get(service.key, ())
        if service.traffic_policy is TrafficPolicy.LOCAL:
            local = eligible.nodes_with_endpoints(endpoints)
            return {name: c for name, c in candidates.items() if name in local}
        if eligible.endpoints_nowhere(service, endpoints) is None:
            return candidates
        # A VirtualIP whose check fails on this node: others have checks of their own.
        others = candidates if self.here is not None else {}
        return {name: c for name, c in others.items() if name != self.here}

    def _matching(self, service: Service, pool: str) -> Advertisements:
        ads = self.coverage.by_pool.get(pool, ())
        return eligible.select_for_service(ads, service) if pool in self.coverage.choosy else ads

    def _of_advertisements(self, ads: Advertisements) -> Candidates:
        # By identity: these values live as long as the plan, and their hashes are slow.
        key = tuple(map(id, ads))
        if key not in self._whole:
            found = {name: _candidate(node, ads) for name, node in self.fit.items()}
            self._whole[key] = {name: one for name, one in found.items() if one is not None}
        return self._whole[key]

    def refusal(self, service: Service, ads: Advertisements) -> eligible.Answer | None:
        """Say why no node at all may answer for `service`."""
        if not ads:
            return Reason.NO_MATCHING_ADVERTISEMENT, f"no L2Advertisement matches {service.key}"
        if service.sharing_key and any(ad.service_selectors for ad in ads):
            text = (
                f"{service.key} may share its address, and an L2Advertisement with serviceSelectors "
                "matches it: others on the address would be announced with it"
            )
            return Reason.SHARED_IP_WITH_SERVICE_SELECTOR, text
        if service.key.namespace == VIRTUAL_IP_NAMESPACE:
            return None
        return eligible.endpoints_nowhere(service, self.world.endpoints.get(service.key, ()))

    def judge(self, assignment: Assignment, address: IPAddress, node: Node) -> eligible.Answer:
        """Say whether `node`, which is fit, answers for `address`, or the first reason why not."""
        service = self.world.services[assignment.service]
        pool = assignment.pool or ""
        ads = self._matching(service, pool)
        if not any(matches_any(ad.node_selectors, node.labels) for ad in ads):
            return eligible.no_advertisement(service, self.coverage.by_pool[pool], pool)
        refusal = self.refusal(service, ads)
        if refusal is not None and refusal[0] is not Reason.NO_ENDPOINTS:
            return refusal
        missing = eligible.endpoints_missing(
            service, self.world.endpoints.get(service.key, ()), node
        )
        return missing or self._owned(service, address, node)

    def _owned(self, service: Service, address: IPAddress, node: Node) -> eligible.Answer:
        owner = self.elections[service.key, address].owner
        assert owner is not None  # this node is a candidate
        if owner.node == node.name:
            where = "all interfaces" if owner.interfaces is None else _listed(owner.interfaces)
            return Reason.ANNOUNCED, f"answered by {node.name} on {where}"
        return Reason.NOT_OWNER, f"{owner.node} is before {node.name} in the order of candidates"


def _candidate(node: Node, ads: Advertisements) -> Candidate | None:
    """Rank `node` among the advertisements that select it; None when none does."""
    mine = [ad for ad in ads if matches_any(ad.node_selectors, node.labels)]
    if not mine:
        return None
    score = sum(
        preference.weight
        for ad in mine
        for preference in ad.preferences
        if preference.selector.matches(node.labels)
    )
    everywhere = any(not ad.interfaces for ad in mine)
    interfaces = None if everywhere else frozenset().union(*(ad.interfaces for ad in mine))
    return Candidate(node.name, score, interfaces)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def see_segment(
    world: World, coverage: Coverage[L2Advertisement], local: Local, draining: Collection[str]
) -> Segment:
    """Return the view of all members, before any election."""
    return Segment(
        world=world,
        fit={node.name: node for node in world.members if _is_fit(node, local, draining)},
        coverage=coverage,
        here=local.node,
    )


def _is_fit(node: Node, local: Local, draining: Collection[str]) -> bool:
    """Tell whether a node may answer at all; one that drains hands over at once (CLI.md, drain)."""
    if local.node == node.name and local.drain is not DrainPhase.NONE:
        return False
    away = eligible.node_away(node, local, draining)
    return away is None and eligible.node_unfit(node, local) is None
