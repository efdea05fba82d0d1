"""Configuration text to policy and cluster, with every problem and the last good versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.config.documents import Document
from orchestrator.config.faults import Faults
from orchestrator.config.gather import Gathered, Memo, Placed, gather
from orchestrator.config.kinds.endpoints import Slice
from orchestrator.config.link import Good, Linking, ObjectKey, Offer, settle, values_of
from orchestrator.config.objects import nodes_of
from orchestrator.config.rules_advertisement import AdvertisementRules
from orchestrator.config.rules_peer import PeerRules
from orchestrator.config.rules_pool import PoolRules
from orchestrator.config.rules_virtual_ip import COMMUNITIES, SETTINGS, VirtualIPRules
from orchestrator.config.source import Source
from orchestrator.config.tree import Mark, Scalar, Tree
from orchestrator.model.cluster import Cluster, Endpoint, ServiceKey
from orchestrator.model.policy import Policy, Settings
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.selector import Labels

_NOWHERE = Scalar("", plain=True, mark=Mark(1, 1))

Goods = dict[ObjectKey, Good]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in force, and everything that is wrong with the input.

    `good` are the last good versions by object and `memo` what unchanged documents hold: the next
    reading needs both. An object or value that did not change is the same Python object again.
    """

    policy: Policy = field(default_factory=Policy)
    cluster: Cluster = field(default_factory=Cluster)
    problems: tuple[Problem, ...] = ()
    good: Mapping[ObjectKey, Good] = field(default_factory=dict, repr=False, compare=False)
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
    gathered = gather(sources, namespace, previous.memo, known)
    gathered.lost.update(_under(known, unread))
    offers, taken = _sort_out(gathered, previous)
    linker = _Linker(offers, taken, namespace)
    policy, cluster = linker.policy(), linker.cluster(previous.cluster)
    problems = _in_order(sources, [*gathered.problems, *linker.problems()])
    faulty = bool(unread) or bool(gathered.lost) or _error_on_pool(problems)
    if faulty:
        policy = replace(policy, pools_faulty=True)
    return Reading(policy, cluster, problems, linker.settled, gathered.memo)


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
        self._nodes: dict[Document, list[Tree]] = {}

    def of(self, placed: Placed) -> Callable[[], Tree]:
        """Return what finds the object's tree."""

        def find() -> Tree:
            document = placed.document
            if document not in self._nodes:
                self._nodes[document] = nodes_of(document.text)
            return self._nodes[document][placed.found.position]

        return find


Offers = Mapping[str, list[_Placed]]


def _sort_out(gathered: Gathered, previous: Reading) -> tuple[Offers, Goods]:
    """Tell objects that need linking from those that are what they are.

    The first are grouped by kind; of the second the good versions are returned.
    """
    offers: dict[str, list[_Placed]] = defaultdict(list)
    taken: Goods = {}
    roots = _Roots()
    for key, placed in gathered.placed.items():
        good = previous.good.get(key)
        found = placed.found
        if found.kind.strict or found.faults:
            offers[key.kind].append(_offer(placed, good, roots))
        elif found.draft is not None:
            same = good is not None and good.value == found.draft
            value = good.value if good is not None and same else found.draft
            taken[key] = Good(value, placed.source, found.created)
    for key, good in previous.good.items():
        if good.source in gathered.lost and key not in gathered.placed:
            taken[key] = good
    return offers, taken


def _offer(placed: Placed, good: Good | None, roots: _Roots) -> _Placed:
    found = placed.found
    faults = Faults(roots.of(placed))
    faults.found.extend(found.faults)
    offer = Offer(placed.key, found.created, placed.source, found.draft, faults, good)
    return _Placed(placed, offer)


def _as_it_is(draft: Any, faults: Faults) -> Any:
    del faults
    return draft


_PLAIN = Linking(_as_it_is)


class _Linker:
    """Puts the objects together, kind by kind in the order in which they refer to each other."""

    def __init__(self, offers: Offers, taken: Goods, namespace: str) -> None:
        self._offers = offers
        self._kept = taken
        self._namespace = namespace
        self.settled: Goods = {}
        self._values: dict[str, dict[ObjectKey, Good]] = {}

    def _settle(self, kind: str, linking: Linking) -> Sequence[Any]:
        kept = {key: good for key, good in self._kept.items() if key.kind == kind}
        offers = [entry.offer for entry in self._offers.get(kind, ())]
        if linking is not _PLAIN:
            offers.extend(_standing(key, good) for key, good in kept.items())
            kept = {}
        settled = {**kept, **settle(offers, linking)}
        self.settled.update(settled)
        self._values[kind] = settled
        return values_of(settled)

    def _by_key(self, kind: str) -> Iterator[tuple[ObjectKey, Any]]:
        self._settle(kind, _PLAIN)
        settled = self._values[kind]
        return ((key, settled[key].value) for key in sorted(settled))

    def policy(self) -> Policy:
        """Everything that is configured; to be called before `cluster`."""
        nodes = [node.labels for _, node in self._by_key("Node")] or [{}]
        aliases: dict[str, Any] = {}
        for value in self._settle("Community", COMMUNITIES):
            aliases.update(value)
        pools = self._settle("IPAddressPool", PoolRules().linking())
        rules = AdvertisementRules(pools, aliases, nodes)
        advertisements = self._settle("BGPAdvertisement", rules.linking())
        settings = self._settle("Settings", SETTINGS)
        self._settle("VirtualIP", VirtualIPRules(aliases).linking())
        return Policy(
            pools=tuple(pools),
            bgp_advertisements=tuple(advertisements),
            peers=tuple(self._peers(nodes)),
            settings=settings[0] if settings else Settings(),
        )

    def _peers(self, nodes: Sequence[Labels]) -> Sequence[Any]:
        secrets = {key.name: value for key, value in self._by_key("Secret")}
        rules = PeerRules(secrets, nodes, self._namespace)
        return self._settle("BGPPeer", rules.linking())

    def cluster(self, previous: Cluster) -> Cluster:
        """Return the world to be announced."""
        virtual_ips = self._values["VirtualIP"]
        return Cluster(
            services={value.key: value for _, value in self._by_key("Service")},
            endpoints=self._endpoints(previous),
            nodes={key.name: good.value for key, good in sorted(self._values["Node"].items())},
            namespaces={key.name: value for key, value in self._by_key("Namespace")},
            virtual_ips={key.name: virtual_ips[key].value for key in sorted(virtual_ips)},
        )

    def _endpoints(self, previous: Cluster) -> Mapping[ServiceKey, tuple[Endpoint, ...]]:
        """Endpoints by Service: those of all its slices, else of its Endpoints object."""
        whole = {value.service: value.endpoints for _, value in self._by_key("Endpoints")}
        sliced: dict[ServiceKey, tuple[Endpoint, ...]] = {}
        for _, value in self._by_key("EndpointSlice"):
            assert isinstance(value, Slice)
            before = sliced.get(value.service)
            sliced[value.service] = before + value.endpoints if before else value.endpoints
        merged = {**whole, **sliced}
        former = previous.endpoints
        return {
            key: former[key] if former.get(key) == endpoints else endpoints
            for key, endpoints in merged.items()
        }

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong with an object."""
        for entries in self._offers.values():
            for entry in entries:
                yield from (entry.placed.problem(fault) for fault in entry.offer.faults.found)


def _standing(key: ObjectKey, good: Good) -> Offer:
    """Offer what stays because its source is unreadable; it can still lose to an elder."""
    return Offer(key, good.created, good.source, None, Faults(lambda: _NOWHERE), good)
