"""Objects that are told of one by one, as an API server does, and what is in force by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import msgspec

from orchestrator.config.fast.wire import read_wire
from orchestrator.config.faults import Fault, Faults
from orchestrator.config.found import Found
from orchestrator.config.link import Good, ObjectKey, Offer
from orchestrator.config.linker import Entry, Linker
from orchestrator.config.objects import nodes_of, read_document
from orchestrator.config.reading import Goods, Reading, error_on_pool
from orchestrator.config.schema import Kind
from orchestrator.config.tree import text_of
from orchestrator.model.cluster import Cluster
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import DEFAULT_SETTINGS, MEMBER_KEY, Membership, Settings

SOURCE = "kubernetes"
"""What all these objects are from."""
_ANNOUNCED = frozenset({"Service", "EndpointSlice", "Endpoints"})
"""Kinds that no configuration depends on: what changes in them alone is read at little cost."""


class _Heading(msgspec.Struct):
    kind: str | None = None


class _Offered(NamedTuple):
    """An object that needs others to be known, or has something wrong with it."""

    key: ObjectKey
    found: Found
    text: bytes

    def problem(self, fault: Fault) -> Problem:
        """Return a fault of it: by object and path, as there is no file."""
        return Problem(
            fault.severity,
            fault.code,
            str(self.key),
            fault.message,
            path=text_of(fault.path),
            hint=fault.hint,
        )

    def entry(self, good: Good | None) -> Entry:
        """Offer it anew."""
        found = self.found
        faults = Faults(lambda: nodes_of(self.text)[0])
        faults.found.extend(found.faults)
        offer = Offer(self.key, found.created, SOURCE, found.draft, faults, good)
        return Entry(offer, self.problem)


class LiveObjects:
    """All objects that are there, by kind; `read` says what they mean together.

    `default` are the settings where no object says otherwise.
    """

    def __init__(self, namespace: str, default: Settings = DEFAULT_SETTINGS) -> None:
        self._namespace = namespace
        self._default = default
        self._offered: dict[str, dict[ObjectKey, _Offered]] = {}
        self._taken: dict[str, Goods] = {}
        self._changed: set[str] = set()
        self._reading: Reading | None = None
        self._problems: tuple[Problem, ...] = ()
        """Those of configuration."""

    def change(
        self, kind: Kind, api_version: str, texts: Iterable[bytes], gone: Iterable[tuple[str, str]]
    ) -> None:
        """Take objects of a kind that came or changed, and namespace and name of those that went."""
        offered = dict(self._offered.get(kind.name, {}))
        taken = dict(self._taken.get(kind.name, {}))
        for namespace, name in gone:
            key = ObjectKey(kind.name, namespace, name)
            offered.pop(key, None)
            taken.pop(key, None)
        for text in texts:
            self._take(kind, api_version, text, offered, taken)
        self._offered[kind.name], self._taken[kind.name] = offered, taken
        self._changed.add(kind.name)

    def _take(
        self,
        kind: Kind,
        api_version: str,
        text: bytes,
        offered: dict[ObjectKey, _Offered],
        taken: Goods,
    ) -> None:
        found = read_wire(kind, text) or _read_whole(kind, api_version, text)
        if found is None:
            return
        key = ObjectKey(kind.name, found.namespace, found.name)
        if kind.strict or found.faults:
            offered[key] = _Offered(key, found, text)
            taken.pop(key, None)
            return
        offered.pop(key, None)
        known = taken.pop(key, None)
        if found.draft is not None:
            same = known is not None and known.value == found.draft
            value = known.value if same and known is not None else found.draft
            taken[key] = Good(value, SOURCE, found.created)

    def read(self) -> Reading:
        """Return what is in force now, and all that is wrong.

        A faulty object stays in force in its last good version. What did not change is the same
        Python object as in the reading before.
        """
        if self._reading is None or not self._changed <= _ANNOUNCED:
            self._reading = self._read_all(self._reading or Reading())
        elif self._changed:
            self._reading = self._read_announced(self._reading)
        self._changed.clear()
        return self._reading

    def _read_all(self, previous: Reading) -> Reading:
        linker = self._linker(previous, self._offered)
        policy, cluster = linker.policy(), linker.cluster(previous)
        configured = self._offered.keys() - _ANNOUNCED
        problems = (*linker.problems(configured), *self._keyless(policy.settings.membership))
        self._problems = _in_order(problems)
        if error_on_pool(self._problems):
            policy = replace(policy, pools_faulty=True)
        return self._finished(linker, policy, cluster)

    def _keyless(self, membership: Membership) -> Iterator[Problem]:
        """Tell that the key is missing that no object asks for."""
        name = membership.auth_secret
        if name and name == self._default.membership.auth_secret and not membership.keys:
            yield Problem(
                Severity.WAITING,
                "missingSecret",
                f"Secret {self._namespace}/{name}",
                f"it is not there, or has no key {MEMBER_KEY}: no member speaks on layer 2",
                hint="the controller makes it; `membership.authSecret` of Settings names another",
            )

    def _read_announced(self, previous: Reading) -> Reading:
        linker = self._linker(previous, _ANNOUNCED)
        linker.resume(previous, _ANNOUNCED)
        return self._finished(linker, previous.policy, linker.cluster(previous))

    def _linker(self, previous: Reading, kinds: Iterable[str]) -> Linker:
        offers = {
            kind: [
                one.entry(previous.good.get(key))
                for key, one in self._offered.get(kind, {}).items()
            ]
            for kind in kinds
        }
        return Linker(offers, self._taken, self._namespace, self._default)

    def _finished(self, linker: Linker, policy: Policy, cluster: Cluster) -> Reading:
        problems = (*self._problems, *_in_order(linker.problems(_ANNOUNCED)))
        return Reading(policy, cluster, problems, linker.settled, linker.kinds)


def _read_whole(kind: Kind, api_version: str, text: bytes) -> Found | None:
    """Read an object with places; objects in lists do not say what they are."""
    if msgspec.json.decode(text, type=_Heading).kind is None:
        head = {"apiVersion": api_version, "kind": kind.name}
        text = msgspec.json.encode(head)[:-1] + b"," + text.lstrip()[1:]
    return next(iter(read_document(text, trusted=False).found), None)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.object, problem.path)))
