"""`Planner`: plans like `plan`, but judges only the Services that changed since the last time.

It keeps nothing but what can be made again: the last inputs, which are immutable values, and what
was made of them. The answer always equals `plan` from scratch (tests/property/test_plan_memo.py);
wherever that is not certain, the plan is made from scratch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from orchestrator.model.address import IPAddress, IPNetwork, family_of
from orchestrator.model.alike import changed_keys
from orchestrator.model.cluster import Cluster, ServiceKey
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Assignment, Plan
from orchestrator.model.policy import Policy
from orchestrator.model.route import Rib, Route
from orchestrator.planner.advertise import prefix_of
from orchestrator.planner.coverage import Coverages, coverages
from orchestrator.planner.plan import bindings_of, judge, look, plan_world
from orchestrator.planner.pools import PoolOrder
from orchestrator.planner.reallocate import Allocation, allocate_again, remember
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE, World, see, virtual_ip_key

LARGEST_SHARE = 4
"""Where more than one in this many Services changed, planning from scratch is as fast."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    cluster: Cluster
    policy: Policy
    local: Local

    def comparable(self, other: _Inputs) -> bool:
        """Tell whether the two differ in nothing but Services, endpoints, health, what is held."""
        mine, its = self.cluster, other.cluster
        return (
            self.policy == other.policy
            and mine.nodes == its.nodes
            and mine.namespaces == its.namespaces
            and _elsewhere(self.local) == _elsewhere(other.local)
            and self.local.drain is DrainPhase.NONE
        )

    def changed(self, before: _Inputs) -> set[ServiceKey]:
        """Return the Services (and VirtualIPs) with any input that is another object than before."""
        mine, its = self.cluster, before.cluster
        virtual = {
            *changed_keys(its.virtual_ips, mine.virtual_ips),
            *changed_keys(before.local.health, self.local.health),
        }
        return {
            *changed_keys(its.services, mine.services),
            *changed_keys(its.endpoints, mine.endpoints),
            *(key for key in self._held_anew(before) if not _has_ingress(mine, key)),
            *map(virtual_ip_key, virtual),
        }

    def _held_anew(self, before: _Inputs) -> Iterator[ServiceKey]:
        return map(_key_of, changed_keys(before.local.held, self.local.held))

    def of(self, keys: Iterable[ServiceKey]) -> World:
        """Return the planner's view of these Services alone."""
        cluster = self.cluster
        names = [key.name for key in keys if key.namespace == VIRTUAL_IP_NAMESPACE]
        part = replace(
            cluster,
            services=_part(cluster.services, keys),
            endpoints=_part(cluster.endpoints, keys),
            virtual_ips=_part(cluster.virtual_ips, names),
        )
        return see(part, self.local)


def _has_ingress(cluster: Cluster, key: ServiceKey) -> bool:
    """Tell whether what is held follows from the Service alone (see `held_by`)."""
    service = None if key.namespace == VIRTUAL_IP_NAMESPACE else cluster.services.get(key)
    return service is not None and bool(service.ingress)


def _elsewhere(local: Local) -> Local:
    return replace(local, health={}, held={})


def _key_of(text: str) -> ServiceKey:
    namespace, _, name = text.partition("/")
    return ServiceKey(namespace, name)


K = TypeVar("K")
V = TypeVar("V")


def _part(whole: Mapping[K, V], keys: Iterable[K]) -> dict[K, V]:
    return {key: whole[key] for key in keys if key in whole}


@dataclass(slots=True)
class _Memory:
    inputs: _Inputs
    plan: Plan
    allocation: Allocation
    coverages: Coverages


class Planner:
    """Makes one plan after the other; one that differs little from the last is made fast."""

    def __init__(self) -> None:
        self._memory: _Memory | None = None

    def plan(self, cluster: Cluster, policy: Policy, local: Local) -> Plan:
        """Return what `plan` returns for these inputs."""
        inputs = _Inputs(cluster, policy, local)
        memory, self._memory = self._memory, None
        planned = _Replanning(memory, inputs).plan() if memory is not None else None
        if memory is not None and planned is not None:
            memory.inputs, memory.plan = inputs, planned
        else:
            world, covering = see(cluster, local), coverages(policy)
            planned = plan_world(world, cluster, policy, local, covering)
            pools = PoolOrder(policy.pools, cluster.namespaces)
            allocation = remember(planned.assignments, world.services, pools, local)
            memory = _Memory(inputs, planned, allocation, covering)
        self._memory = memory
        return planned


class _Replanning:
    """One plan made from the last one."""

    def __init__(self, memory: _Memory, inputs: _Inputs) -> None:
        self._known = memory.allocation
        self._coverages = memory.coverages
        self._before = memory.plan
        self._last = memory.inputs
        self._inputs = inputs
        self._lengths = _lengths(inputs.policy)

    def plan(self) -> Plan | None:
        """Return the plan, or None when it must be made from scratch."""
        inputs = self._inputs
        if not inputs.comparable(self._last) or self._last.local.drain is not DrainPhase.NONE:
            return None
        changed = inputs.changed(self._last)
        if not changed:
            return self._before
        changed |= self._known.open
        former = _part(self._known.answers, changed)
        if self._is_much(changed):
            return None
        services = inputs.of(changed).services
        ours = _part(services, changed)
        answers = allocate_again(self._known, changed, ours, inputs.policy, inputs.local)
        if answers is None:
            return None
        touched: set[IPNetwork] = set()
        judged = self._involved(changed, (*former.values(), *answers.values()), touched)
        return None if self._is_much(judged) else self._judge(changed, judged, touched)

    def _is_much(self, keys: Collection[ServiceKey]) -> bool:
        return len(keys) * LARGEST_SHARE > len(self._known.answers)

    def _involved(
        self,
        changed: Collection[ServiceKey],
        answers: Collection[Assignment],
        touched: set[IPNetwork],
    ) -> set[ServiceKey]:
        """Add the Services that share an address or a route with a changed one, and so on.

        `answers` are those of the changed ones, old and new. `touched` gets the prefixes of all.
        """
        judged = set(changed)
        while answers and not self._is_much(judged):
            fresh = _prefixes(answers, self._lengths) - touched
            touched |= fresh
            sharing = {*self._on_routes(fresh), *self._on_addresses(answers)} - judged
            judged |= sharing
            answers = _part(self._known.answers, sharing).values()
        return judged

    def _on_routes(self, prefixes: Iterable[IPNetwork]) -> Iterator[ServiceKey]:
        ribs = [rib for peers in self._before.ribs.values() for rib in peers.values()]
        routes = (rib[prefix] for rib in ribs for prefix in prefixes if prefix in rib)
        return (_key_of(name) for route in routes for name in route.services)

    def _on_addresses(self, answers: Iterable[Assignment]) -> Iterator[ServiceKey]:
        users = self._known.ledger.users
        addresses = (address for answer in answers for address in answer.addresses)
        return (user.key for address in addresses for user in users.get(address, ()))

    def _judge(
        self, changed: set[ServiceKey], judged: set[ServiceKey], touched: set[IPNetwork]
    ) -> Plan:
        inputs = self._inputs
        view = look(inputs.of(judged), inputs.policy, inputs.local, self._coverages)
        answers = _part(self._known.answers, sorted(judged))
        decided = judge(view, tuple(answers.values()))
        old = self._before
        return replace(
            old,
            assignments=_spliced(
                old.assignments, changed, {key: [one] for key, one in answers.items()}
            ),
            ribs={
                one.node.name: _patched_all(old.ribs[one.node.name], one.ribs, touched)
                for one in view.nodes
            },
            elections=_spliced(
                old.elections, judged, {key: one.elections for key, one in decided.items()}
            ),
            verdicts=_spliced(
                old.verdicts, judged, {key: one.verdicts for key, one in decided.items()}
            ),
            bindings=self._bindings(changed),
        )

    def _bindings(self, changed: Collection[ServiceKey]) -> Mapping[IPAddress, str]:
        if any(key.namespace == VIRTUAL_IP_NAMESPACE for key in changed):
            return bindings_of(self._inputs.cluster, self._known.answers)
        return self._before.bindings


def _lengths(policy: Policy) -> dict[int, set[int]]:
    """Prefix lengths that routes may have, by version of the address."""
    ads = policy.bgp_advertisements
    return {
        4: {ad.aggregation_length for ad in ads},
        6: {ad.aggregation_length_v6 for ad in ads},
    }


def _prefixes(
    answers: Iterable[Assignment], lengths: Mapping[int, Collection[int]]
) -> set[IPNetwork]:
    return {
        prefix_of(address, length)
        for answer in answers
        for address in answer.addresses
        for length in lengths[family_of(address)]
    }


def _patched_all(
    old: Mapping[str, Rib], fresh: Mapping[str, Rib], touched: Collection[IPNetwork]
) -> dict[str, Rib]:
    return {peer: _patched(rib, fresh[peer], touched) for peer, rib in old.items()}


def _patched(old: Rib, fresh: Rib, touched: Collection[IPNetwork]) -> Rib:
    """Put the `fresh` routes in the place of those of the `touched` prefixes."""
    if all(_same(old.get(prefix), fresh.get(prefix)) for prefix in touched):
        return old
    rib = {**old, **fresh}
    for prefix in touched:
        if prefix not in fresh:
            rib.pop(prefix, None)
    return rib


def _same(one: Route | None, other: Route | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other and one.services == other.services


class _Row(Protocol):
    @property
    def service(self) -> ServiceKey: ...


R = TypeVar("R", bound=_Row)


def _spliced(
    rows: Sequence[R], keys: Collection[ServiceKey], fresh: Mapping[ServiceKey, Sequence[R]]
) -> tuple[R, ...]:
    """Replace the rows of `keys` in `rows`, which are sorted by Service, by the fresh ones."""
    result = list(rows)
    for key in keys:
        begin = bisect_left(result, (key.namespace, key.name), key=_name_of)
        end = bisect_right(result, (key.namespace, key.name), key=_name_of)
        new = fresh.get(key, ())
        if result[begin:end] != list(new):
            result[begin:end] = new
    return tuple(result)


def _name_of(row: _Row) -> tuple[str, str]:
    return (row.service.namespace, row.service.name)
