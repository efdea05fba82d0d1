"""Configuration text to policy and cluster, with every problem and the last good versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from orchestrator.config.faults import Faults
from orchestrator.config.gather import Gathered, Placed, gather
from orchestrator.config.link import Good, Offer
from orchestrator.config.linker import Entry, Linker, Offers
from orchestrator.config.objects import Nodes
from orchestrator.config.reading import Goods, GoodsByKind, Reading, error_on_pool
from orchestrator.config.source import Source
from orchestrator.config.tree import Tree
from orchestrator.model.problem import Problem


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
    linker = Linker(offers, taken, namespace)
    policy, cluster = linker.policy(), linker.cluster(previous)
    problems = _in_order(sources, [*gathered.problems, *linker.problems()])
    faulty = bool(unread) or bool(gathered.lost) or error_on_pool(problems)
    if faulty:
        policy = replace(policy, pools_faulty=True)
    return Reading(policy, cluster, problems, linker.settled, linker.kinds, gathered.parts)


def _under(known: Iterable[str], unread: Sequence[str]) -> Iterator[str]:
    """Find the known sources that are, or lie in, what could not be had."""
    for name in known:
        if any(name == path or name.startswith(path.rstrip("/") + "/") for path in unread):
            yield name


def _in_order(sources: Sequence[Source], problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems as one reads: by source, line and column."""
    order = {source.name: index for index, source in enumerate(sources)}

    def place(problem: Problem) -> tuple[int, int, int]:
        name, line, column = problem.place.rsplit(":", 2)
        return order.get(name, -1), int(line), int(column)

    return tuple(sorted(problems, key=place))


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


def _sort_out(gathered: Gathered, previous: Reading) -> tuple[Offers, GoodsByKind]:
    """Tell objects that need linking from those that are what they are, both by kind.

    Of the second the good versions are returned.
    """
    offers: dict[str, list[Entry]] = defaultdict(list)
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


def _offer(placed: Placed, good: Good | None, roots: _Roots) -> Entry:
    found = placed.found
    faults = Faults(roots.of(placed))
    faults.found.extend(found.faults)
    offer = Offer(placed.key, found.created, placed.source.name, found.draft, faults, good)
    return Entry(offer, placed.problem)
