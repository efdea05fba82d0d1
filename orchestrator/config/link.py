"""How objects fit together: references, clashes, and the last good version of what is faulty.

Every kind of configuration has a `Linking`: how one draft becomes a value of the model, and with
which value already accepted it clashes. Objects are taken in order of age, so that of two that
clash the younger is left out (DESIGN 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.config.faults import Faults
from orchestrator.config.tree import Path


class ObjectKey(NamedTuple):
    """What an object is known by from one reading to the next."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name}"


class Good(NamedTuple):
    """The last good version of an object: what it means, its age, and the source it came from."""

    value: Any
    source: str
    created: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An object up for linking: its draft (None when faulty or gone dark) and its last good."""

    key: ObjectKey
    created: str
    source: str
    draft: Any
    faults: Faults
    good: Good | None = None

    @property
    def age(self) -> tuple[str, str]:
        """Sorts the older first: creation time, then name."""
        return self.created, self.key.name


class Clash(NamedTuple):
    """Why a value cannot stand beside those accepted before it."""

    path: Path
    message: str
    code: str
    hint: str | None = None


Accepted = Mapping[ObjectKey, Any]


def _no_clash(value: Any, accepted: Accepted) -> None:
    del value, accepted


@dataclass(frozen=True, slots=True)
class Linking:
    """`link` turns a draft into a value, noting faults; `clash` compares it with its elders."""

    link: Callable[[Any, Faults], Any]
    clash: Callable[[Any, Accepted], Clash | None] = _no_clash


def settle(offers: Iterable[Offer], linking: Linking) -> dict[ObjectKey, Good]:
    """Decide which objects are in force, oldest first, each in its newest good version."""
    accepted: dict[ObjectKey, Any] = {}
    settled: dict[ObjectKey, Good] = {}
    for offer in sorted(offers, key=lambda offer: offer.age):
        good = _fresh(offer, linking, accepted) or _former(offer, linking, accepted)
        if good is not None:
            accepted[offer.key] = good.value
            settled[offer.key] = good
    return settled


def _fresh(offer: Offer, linking: Linking, accepted: Accepted) -> Good | None:
    if offer.draft is None:
        return None
    before = offer.faults.errors
    value = linking.link(offer.draft, offer.faults)
    if offer.faults.errors > before:
        return None
    clash = linking.clash(value, accepted)
    if clash is not None:
        offer.faults.add(clash.path, clash.message, clash.code, hint=clash.hint)
        return None
    if offer.good is not None and offer.good.value == value:
        value = offer.good.value
    return Good(value, offer.source, offer.created)


def _former(offer: Offer, linking: Linking, accepted: Accepted) -> Good | None:
    """Return the last good version, unless it clashes with what is in force by now."""
    if offer.good is None or linking.clash(offer.good.value, accepted) is not None:
        return None
    return offer.good._replace(source=offer.source)


def values_of(settled: Mapping[ObjectKey, Good]) -> Sequence[Any]:
    """Values in force, in order of name, so that equal inputs give equal outputs."""
    return [settled[key].value for key in sorted(settled)]
