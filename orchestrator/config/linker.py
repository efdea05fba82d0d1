"""Puts objects together to what is in force, kind by kind in the order in which they refer to each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from orchestrator.config.faults import Fault, Faults
from orchestrator.config.kinds.endpoints import Slice
from orchestrator.config.kinds.metallb_extras import ExcludedInterfaces
from orchestrator.config.kinds.secret import Secret
from orchestrator.config.link import Good, Linking, ObjectKey, Offer, settle, values_of
from orchestrator.config.reading import NONE, Goods, GoodsByKind, Reading
from orchestrator.config.rules.advertisement import AdvertisementRules
from orchestrator.config.rules.names import KnownNames
from orchestrator.config.rules.peer import Announced, PeerRules
from orchestrator.config.rules.pool import PoolRules
from orchestrator.config.rules.settings import SettingsRules
from orchestrator.config.rules.virtual_ip import COMMUNITIES, VirtualIPRules
from orchestrator.config.rules.virtual_router import VirtualRouterRules
from orchestrator.config.tree import Mark, Scalar
from orchestrator.model.alike import changed_keys
from orchestrator.model.cluster import Cluster, Endpoint, Service, ServiceKey
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem
from orchestrator.model.settings import DEFAULT_SETTINGS, Membership, Settings

_NOWHERE = Scalar("", plain=True, mark=Mark(1, 1))


class Entry(NamedTuple):
    """An offer, and what makes a problem of one of its faults."""

    offer: Offer
    problem: Callable[[Fault], Problem]


Offers = Mapping[str, Sequence[Entry]]


def _as_it_is(draft: Any, faults: Faults) -> Any:
    del faults
    return draft


_PLAIN = Linking(_as_it_is)


class Linker:
    """Objects of all kinds, put together once. `taken` are those that are what they are.

    `default` are the settings where no object says otherwise.
    """

    def __init__(
        self,
        offers: Offers,
        taken: GoodsByKind,
        namespace: str,
        default: Settings = DEFAULT_SETTINGS,
    ) -> None:
        self._offers = offers
        self._kept = taken
        self._namespace = namespace
        self._default = default
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
        without = self._without(secrets)
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

    def _without(self, secrets: Mapping[str, Secret]) -> Settings:
        """Return the settings where there is no object, with the keys of members."""
        membership = self._default.membership
        secret = secrets.get(membership.auth_secret or "")
        if secret is None:
            return self._default
        return replace(self._default, membership=replace(membership, keys=secret.member_keys))

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

    def resume(self, previous: Reading, anew: Collection[str]) -> None:
        """Take all kinds but these as they were settled before; `policy` need not be called."""
        for kind, goods in previous.kinds.items():
            if kind not in anew:
                self.kinds[kind] = goods
                self.settled.update(goods)

    def problems(self, kinds: Collection[str] | None = None) -> Iterator[Problem]:
        """Return everything that is wrong with objects, or with those of some kinds."""
        for kind, entries in self._offers.items():
            for entry in entries if kinds is None or kind in kinds else ():
                yield from map(entry.problem, entry.offer.faults.found)


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
