"""Configuration text to policy and cluster, with every problem and the last good versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from orchestrator.config.faults import Faults
from orchestrator.config.gather import Gathered, Memo, Placed, gather
from orchestrator.config.kinds.endpoints import Slice
from orchestrator.config.kinds.metallb_extras import ExcludedInterfaces
from orchestrator.config.kinds.secret import Secret
from orchestrator.config.link import Good, Linking, ObjectKey, Offer, settle, values_of
from orchestrator.config.objects import Nodes
from orchestrator.config.rules.advertisement import AdvertisementRules
from orchestrator.config.rules.names import KnownNames
from orchestrator.config.rules.peer import Announced, PeerRules
from orchestrator.config.rules.pool import PoolRules
from orchestrator.config.rules.settings import SettingsRules
from orchestrator.config.rules.virtual_ip import COMMUNITIES, VirtualIPRules
from orchestrator.config.rules.virtual_router import VirtualRouterRules
from orchestrator.config.source import Source
from orchestrator.config.tree import Mark, Scalar, Tree
from orchestrator.model.alike import changed_keys
from orchestrator.model.cluster import Cluster, Endpoint, Service, ServiceKey
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Membership, Settings

_NOWHERE = Scalar("", plain=True, mark=Mark(1, 1))

Goods = dict[ObjectKey, Good]
GoodsByKind = Mapping[str, Goods]
NONE: Goods = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in force, and everything that is wrong with the input.

    `good` are the last good versions by object, `kinds` the same by kind, and `memo` what unchanged
    sources hold: the next reading needs them. An object or value that did not change is the same Python object again.
    """

    policy: Policy = field(default_factory=Policy)
    cluster: Cluster = field(default_factory=Cluster)
    problems: tuple[Problem, ...] = ()
    good: Mapping[ObjectKey, Good] = field(default_factory=dict, repr=False, compare=False)
    kinds: GoodsByKind = field(default_factory=dict, repr=False, compare=False)
    memo: Memo = field(default_factory=dict, repr=False, compare=False)

    @property
    def valid(self) -> bool:
        """Tell whether no problem is an error; `waiting` and warnings are not."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


def read(
    sources: Sequence[Source],
    *,
    namespace: str = "metallb-system",
    previous: Reading | None = None,
    unread: Sequence[str] = (),
) -> Reading:
    """Read all sources. Never raises on bad input.

    A faulty object is left out, or stays in force in its last good version, known from `previous`.
    What a source held last time stays too while part of that source is unreadable. An object that is
    absent from well-read sources is deleted. `unread` names files and directories that could not be
    had at all: what came from them stays, and pools may be missing.
    """
    previous = previous or Reading()
    known = {good.source for good in previous.good.values()}
    gathered = gather(sources, namespace, previous.memo, previous.good, known)
    gathered.lost.update(_under(known, unread))
    offers, taken = _sort_out(gathered, previous)
    linker = _Linker(offers, taken, namespace)
    policy, cluster = linker.policy(), linker.cluster(previous)
    problems = _in_order(sources, [*gathered.problems, *linker.problems()])
    faulty = bool(unread) or bool(gathered.lost) or _error_on_pool(problems)
    if faulty:
        policy = replace(policy, pools_faulty=True)
    return Reading(policy, cluster, problems, linker.settled, linker.kinds, gathered.parts)


def _under(known: Iterable[str], unread: Sequence[str]) -> Iterator[str]:
    """Find the known sources that are, or lie in, what could not be had."""
    for name in known:
        if any(name == path or name.startswith(path.rstrip("/") + "/") for path in unread):
            yield name


def _error_on_pool(problems: Iterable[Problem]) -> bool:
    return any(
        problem.severity is Severity.ERROR and problem.object.startswith("IPAddressPool")
        for problem in problems
    )


def _in_order(sources: Sequence[Source], problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems as one reads: by source, line and column."""
    order = {source.name: index for index, source in enumerate(sources)}

    def place(problem: Problem) -> tuple[int, int, int]:
        name, line, column = problem.place.rsplit(":", 2)
        return order.get(name, -1), int(line), int(column)

    return tuple(sorted(problems, key=place))


@dataclass(frozen=True, slots=True)
class _Placed:
    """An offer with the place its faults are reported at."""

    placed: Placed
    offer: Offer


class _Roots:
    """Trees of objects, parsed again when a fault between objects is to be placed.

    Keeping all trees would cost more memory than everything else that is known of an object.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, int], Nodes] = {}

    def of(self, placed: Placed) -> Callable[[], Tree]:
        """Return what finds the object's tree."""

        def find() -> Tree:
            place = (placed.source.name, placed.start)
            if place not in self._nodes:
                self._nodes[place] = Nodes(placed.text)
            return self._nodes[place].of(placed.found)

        return find


Offers = Mapping[str, list[_Placed]]


def _sort_out(gathered: Gathered, previous: Reading) -> tuple[Offers, GoodsByKind]:
    """Tell objects that need linking from those that are what they are, both by kind.

    Of the second the good versions are returned.
    """
    offers: dict[str, list[_Placed]] = defaultdict(list)
    taken: dict[str, Goods] = defaultdict(dict)
    roots = _Roots()
    for part in gathered.parts.values():
        whole = part.source.name not in gathered.overlapping
        for placed in part.offered:
            if whole or gathered.counts(part, placed.key):
                offers[placed.key.kind].append(_offer(placed, previous.good.get(placed.key), roots))
        for kind, goods in part.taken.items():
            taken[kind].update(
                goods
                if whole
                else {key: good for key, good in goods.items() if gathered.counts(part, key)}
            )
    for key, good in previous.good.items() if gathered.lost else ():
        if good.source in gathered.lost and key not in gathered.placed:
            taken[key.kind][key] = good
    return offers, taken


def _offer(placed: Placed, good: Good | None, roots: _Roots) -> _Placed:
    found = placed.found
    faults = Faults(roots.of(placed))
    faults.found.extend(found.faults)
    offer = Offer(placed.key, found.created, placed.source.name, found.draft, faults, good)
    return _Placed(placed, offer)


def _as_it_is(draft: Any, faults: Faults) -> Any:
    del faults
    return draft


_PLAIN = Linking(_as_it_is)


class _Linker:
    """Puts the objects together, kind by kind in the order in which they refer to each other."""

    def __init__(self, offers: Offers, taken: GoodsByKind, namespace: str) -> None:
        self._offers = offers
        self._kept = taken
        self._namespace = namespace
        self.settled: Goods = {}
        self.kinds: dict[str, Goods] = {}

    def _settle(self, kind: str, linking: Linking) -> Goods:
        kept = self._kept.get(kind, NONE)
        offers = [entry.offer for entry in self._offers.get(kind, ())]
        if linking is not _PLAIN:
            offers.extend(_standing(key, good) for key, good in kept.items())
            kept = NONE
        settled = {**kept, **settle(offers, linking)} if offers else kept
        self.settled.update(settled)
        self.kinds[kind] = settled
        return settled

    def _values(self, kind: str, linking: Linking) -> Sequence[Any]:
        return values_of(self._settle(kind, linking))

    def _by_key(self, kind: str) -> Iterator[tuple[ObjectKey, Any]]:
        settled = self._settle(kind, _PLAIN)
        return ((key, settled[key].value) for key in sorted(settled))

    def _by_name(self, kind: str) -> dict[str, Any]:
        return {key.name: value for key, value in self._by_key(kind)}

    def _named(self, kind: str) -> frozenset[str]:
        """Return the names of all objects of a kind that are written, faulty ones too."""
        written = {entry.offer.key.name for entry in self._offers.get(kind, ())}
        return frozenset(written.union(key.name for key in self._kept.get(kind, NONE)))

    def policy(self) -> Policy:
        """Everything that is configured; to be called before `cluster`."""
        nodes = [node.labels for _, node in self._by_key("Node")]
        secrets = self._by_name("Secret")
        aliases: dict[str, Any] = {}
        for value in self._values("Community", COMMUNITIES):
            aliases.update(value)
        pools = self._values("IPAddressPool", PoolRules().linking())
        names = KnownNames(self._named("IPAddressPool"), self._named("BGPPeer"))
        rules = AdvertisementRules(pools, aliases, nodes, names)
        advertisements = self._values("BGPAdvertisement", rules.linking())
        profiles = self._by_name("BFDProfile")
        announced = Announced(pools, advertisements)
        peers = PeerRules(secrets, profiles, announced, nodes, self._namespace)
        self._values("VirtualIP", VirtualIPRules(aliases).linking())
        routers = VirtualRouterRules(self._named("VirtualIP"))
        return Policy(
            pools=tuple(pools),
            bgp_advertisements=tuple(advertisements),
            peers=tuple(self._values("BGPPeer", peers.linking())),
            l2_advertisements=tuple(self._values("L2Advertisement", names.l2_linking())),
            bfd_profiles=tuple(profiles.values()),
            virtual_routers=tuple(self._values("VirtualRouter", routers.linking())),
            settings=self._settings(secrets),
        )

    def _settings(self, secrets: Mapping[str, Secret]) -> Settings:
        without = Settings()
        for _, extra in self._by_key("ConfigMap"):
            if isinstance(extra, ExcludedInterfaces):
                without = replace(without, excluded_interfaces=extra.patterns)
        rules = SettingsRules(secrets, without, self._namespace)
        found: Sequence[Settings] = self._values("Settings", rules.linking())
        if found:
            return found[0]
        if self._named("Settings"):  # what they ask of members is not known
            return replace(without, membership=Membership(known=False))
        return without

    def cluster(self, previous: Reading) -> Cluster:
        """Return the world to be announced."""
        virtual_ips = self.kinds["VirtualIP"]
        return Cluster(
            services=self._services(previous),
            endpoints=self._endpoints(previous),
            nodes={key.name: good.value for key, good in sorted(self.kinds["Node"].items())},
            namespaces={key.name: value for key, value in self._by_key("Namespace")},
            virtual_ips={key.name: virtual_ips[key].value for key in sorted(virtual_ips)},
        )

    def _services(self, previous: Reading) -> Mapping[ServiceKey, Service]:
        changed = self._changed("Service", previous)
        return patched(
            previous.cluster.services,
            {was.key: now for was, now in changed if was is not None},
            {now.key: now for _, now in changed if now is not None},
        )

    def _changed(self, kind: str, previous: Reading) -> list[tuple[Any, Any]]:
        """Settle a kind; return what was and what is of every object that is not as it was."""
        before, after = previous.kinds.get(kind, NONE), self._settle(kind, _PLAIN)
        return [
            (_value(before.get(key)), _value(after.get(key))) for key in changed_keys(before, after)
        ]

    def _endpoints(self, previous: Reading) -> Mapping[ServiceKey, tuple[Endpoint, ...]]:
        """Endpoints by Service: those of all its slices, else of its Endpoints object."""
        changes = [*self._changed("Endpoints", previous), *self._changed("EndpointSlice", previous)]
        services = {value.service for pair in changes for value in pair if value is not None}
        if not services:
            return previous.cluster.endpoints
        whole = self._of_services("Endpoints", services)
        found = {**whole, **self._of_services("EndpointSlice", services)}
        return patched(previous.cluster.endpoints, services, found)

    def _of_services(
        self, kind: str, services: set[ServiceKey]
    ) -> dict[ServiceKey, tuple[Endpoint, ...]]:
        goods = self.kinds[kind]
        names = {service.name for service in services}  # text keeps its hash: ten times as fast
        keys = [
            key
            for key, good in goods.items()
            if good.value.service.name in names and good.value.service in services
        ]
        found: dict[ServiceKey, tuple[Endpoint, ...]] = {}
        for value in (goods[key].value for key in sorted(keys)):
            assert isinstance(value, Slice)
            before = found.get(value.service)
            found[value.service] = before + value.endpoints if before else value.endpoints
        return found

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong with an object."""
        for entries in self._offers.values():
            for entry in entries:
                yield from (entry.placed.problem(fault) for fault in entry.offer.faults.found)


def _value(good: Good | None) -> Any:
    return None if good is None else good.value


K = TypeVar("K")
V = TypeVar("V")


def patched(former: Mapping[K, V], gone: Collection[K], come: Mapping[K, V]) -> Mapping[K, V]:
    """Return `former` without `gone` and with `come`: itself when nothing is another object."""
    changed = {key: value for key, value in come.items() if former.get(key) is not value}
    lost = [key for key in gone if key not in come and key in former]
    if not changed and not lost:
        return former
    result = {**former, **{k: v for k, v in changed.items() if former.get(k) != v}}
    for key in lost:
        del result[key]
    return result


def _standing(key: ObjectKey, good: Good) -> Offer:
    """Offer what stays because its source is unreadable; it can still lose to an elder."""
    return Offer(key, good.created, good.source, None, Faults(lambda: _NOWHERE), good)
