"""What a kind of object looks like, as data: types with limits, fields, rules.

Everything else about a kind follows from its declaration: how it is read, its defaults, the
messages about it and its documentation. A new field is one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

Values: TypeAlias = Mapping[str, Any]
"""Values of a record by field name, defaults filled in; None where there is neither."""


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Text:
    """Text of limited length; `pattern` must match all of it, `words` says what it is."""

    words: str = "text"
    pattern: re.Pattern[str] | None = None
    max_length: int = 1024
    min_length: int = 0


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number between two limits, both allowed."""

    minimum: int
    maximum: int

    @property
    def words(self) -> str:
        """The type in words."""
        return f"a whole number from {self.minimum} to {self.maximum}"


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false; here also on, off, yes and no."""

    @property
    def words(self) -> str:
        """The type in words."""
        return "true or false"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """The type in words."""
        return "one of " + ", ".join(value or '""' for value in self.values)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Text that means something: `parse` returns the meaning or raises ValueError(why not)."""

    words: str
    parse: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `unique` refuses items whose `identity` is equal."""

    item: Type
    min_items: int = 0
    max_items: int = 10_000
    unique: bool = False
    identity: Callable[[Any], Any] = _itself

    @property
    def words(self) -> str:
        """The type in words."""
        return f"a list (each: {self.item.words})"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping of free keys to values of one type."""

    value: Type
    key: Text = Text()

    @property
    def words(self) -> str:
        """The type in words."""
        return f"a mapping to {self.value.words}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything; it is not looked at."""

    words: str = "anything"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    `default` is the value as the reader gives it when the field is absent. `secret` values are
    never shown in a message. `doc` is a sentence for the documentation.
    """

    name: str
    type: Type
    doc: str = ""
    default: Any = None
    required: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold: at which field, and why."""

    field: str
    message: str
    hint: str | None = None


def is_set(value: object) -> bool:
    """Tell whether a value counts as given; zero and empty do not, as in Kubernetes' Go types."""
    if isinstance(value, dict):
        return any(is_set(inner) for inner in value.values())
    return value is not None and value not in ("", 0, ())


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """One of the fields must be given, and only one."""

    names: tuple[str, ...]

    def check(self, values: Values) -> Broken | None:
        """Return what is broken, or None."""
        given = [name for name in self.names if is_set(values[name])]
        if len(given) == 1:
            return None
        listed = " and ".join(self.names)
        found = f"{' and '.join(given)} are" if given else "none is"
        return Broken(given[-1] if given else "", f"exactly one of {listed} must be set, {found}")


@dataclass(frozen=True, slots=True)
class AtMostOne:
    """Not more than one of the fields may be given."""

    names: tuple[str, ...]

    def check(self, values: Values) -> Broken | None:
        """Return what is broken, or None."""
        given = [name for name in self.names if is_set(values[name])]
        if len(given) < 2:
            return None
        return Broken(given[-1], f"{' and '.join(given)} cannot both be set", "remove one of them")


@dataclass(frozen=True, slots=True)
class AtMost:
    """One number may not be greater than another; nothing is said when either is missing."""

    smaller: str
    greater: str

    def check(self, values: Values) -> Broken | None:
        """Return what is broken, or None."""
        low, high = values[self.smaller], values[self.greater]
        if low is None or high is None or low <= high:
            return None
        return Broken(self.smaller, f"{self.smaller} may not be greater than {self.greater}")


@dataclass(frozen=True, slots=True)
class Disjoint:
    """Two fields that exclude each other unless one has its default."""

    name: str
    other: str
    default: Any
    why: str

    def check(self, values: Values) -> Broken | None:
        """Return what is broken, or None."""
        if not is_set(values[self.name]) or values[self.other] == self.default:
            return None
        return Broken(self.other, f"{self.other} cannot be set with {self.name}: {self.why}")


@dataclass(frozen=True, slots=True)
class Holds:
    """Any other condition on one record: `test` returns what is broken, or None.

    `cel` says the same to an API server, as far as CEL can; empty where it cannot.
    """

    words: str
    test: Callable[[Values], Broken | None]
    cel: str = ""

    def check(self, values: Values) -> Broken | None:
        """Return what is broken, or None."""
        return self.test(values)


Rule: TypeAlias = ExactlyOne | AtMostOne | AtMost | Disjoint | Holds


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known fields. `lenient` ignores unknown ones (kinds that are not ours)."""

    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    lenient: bool = False
    words: str = "a mapping"


Type: TypeAlias = Text | Integer | Boolean | Choice | Parsed | ListOf | MapOf | Opaque | Record


class Scope(Enum):
    """Where objects of a kind live: with the configuration, in any namespace, or in none."""

    CONFIGURATION = "configuration"
    NAMESPACED = "namespaced"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    `body` are the top-level fields besides apiVersion, kind and metadata. `annotations` are those
    that carry a setting; their type applies to the annotation's text. `build` makes the draft: the
    object's own meaning, before references to other objects are looked at. `example` is YAML text
    for the documentation.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    doc: str
    body: Record
    build: Callable[..., Any]
    scope: Scope = Scope.CONFIGURATION
    annotations: tuple[Field, ...] = ()
    example: str = ""

    @property
    def strict(self) -> bool:
        """Tell whether an unknown field is an error: in our own groups it is."""
        return not self.body.lenient
