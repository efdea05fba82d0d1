"""What two collections have in common by identity: cheap where one is nearly the other.

Values are immutable and unchanged ones are kept, so the same object is an unchanged object. The
loops are in C: comparing 10,000 entries takes a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from operator import is_, not_
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def common_ends(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """Return how many objects are the same at the beginning, and how many of the rest at the end."""
    head = _run(list(map(is_, old, new)))
    longest = min(len(old), len(new)) - head
    tail = _run(list(map(is_, reversed(old), reversed(new))))
    return head, min(tail, longest)


def _run(same: list[bool]) -> int:
    """Return how many are true before the first that is not."""
    return same.index(False) if False in same else len(same)


def changed_keys(old: Mapping[K, V], new: Mapping[K, V]) -> list[K]:
    """Return the keys that were added or removed, or whose value is another object."""
    if old is new:
        return []
    if len(old) == len(new) and all(map(is_, old, new)):
        differ = map(not_, map(is_, old.values(), new.values()))
        return list(compress(new, differ))
    keys, values = (tuple(old), tuple(new)), (tuple(old.values()), tuple(new.values()))
    heads, tails = zip(common_ends(*keys), common_ends(*values), strict=True)
    head, tail = min(heads), min(tails)
    gone, come = (
        dict(zip(names[head : len(names) - tail], found[head : len(found) - tail], strict=True))
        for names, found in zip(keys, values, strict=True)
    )
    return [key for key in {**gone, **come} if not _same(gone, come, key)]


def _same(gone: Mapping[K, V], come: Mapping[K, V], key: K) -> bool:
    return key in gone and key in come and gone[key] is come[key]
