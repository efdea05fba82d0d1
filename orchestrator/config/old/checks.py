"""What MetalLB v0.12 refused beyond the form of its configuration, and later versions see otherwise.

An unknown community or BFD profile was an error there, not something that may yet come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.config.faults import Faults, shown
from orchestrator.config.formats import parse_community
from orchestrator.config.schema import Values
from orchestrator.config.tree import Path
from orchestrator.config.walk import FAULTY, nearest
from orchestrator.model.community import Community


def check(values: Values, faults: Faults) -> None:
    """Note what does not fit together in a configuration that is well-formed."""
    _aliases(values["bgp-communities"], faults)
    profiles = {profile["name"] for profile in values["bfd-profiles"]}
    for index, peer in enumerate(values["peers"]):
        _profile(peer, profiles, ("peers", index), faults)
    for path, advertisement in _advertisements(values):
        _communities(advertisement, values["bgp-communities"], path, faults)
    for index, pool in enumerate(values["address-pools"]):
        _refuse_equal(pool, ("address-pools", index, "bgp-advertisements"), faults)


def _aliases(aliases: Mapping[str, str], faults: Faults) -> None:
    for name, text in aliases.items():
        why = why_no_community(text)
        if why:
            message = f"{shown(text)} is not a community: {why}"
            faults.add(("bgp-communities", name), message, "invalidCommunity")


def why_no_community(text: str) -> str | None:
    """Why a text is no standard community; large ones came with later versions."""
    try:
        known = parse_community(text)
    except ValueError:
        return "write A:B, each 0 to 65535"
    return None if isinstance(known, Community) else "this format has no large communities"


def _profile(peer: Values, profiles: set[Any], path: Path, faults: Faults) -> None:
    name = peer["bfd-profile"]
    if name is FAULTY or not name or name in profiles:
        return
    hint = nearest(name, [known for known in profiles if isinstance(known, str)])
    message = f"there is no BFD profile {shown(name)} in bfd-profiles"
    faults.add((*path, "bfd-profile"), message, "unknownBFDProfile", hint=hint)


def _advertisements(values: Values) -> Iterator[tuple[Path, Values]]:
    for index, pool in enumerate(values["address-pools"]):
        for number, advertisement in enumerate(_listed(pool["bgp-advertisements"])):
            yield ("address-pools", index, "bgp-advertisements", number), advertisement


def _listed(value: Any) -> tuple[Any, ...]:
    return () if value is FAULTY else tuple(value)


def _communities(
    advertisement: Values, aliases: Mapping[str, str], path: Path, faults: Faults
) -> None:
    for index, text in enumerate(_listed(advertisement["communities"])):
        if text not in aliases and why_no_community(text):
            message = f"{shown(text)} is neither A:B nor a name in bgp-communities"
            where = (*path, "communities", index)
            faults.add(where, message, "invalidCommunity", hint=nearest(text, aliases))


def _refuse_equal(pool: Values, path: Path, faults: Faults) -> None:
    advertisements = _listed(pool["bgp-advertisements"])
    for index, advertisement in enumerate(advertisements):
        if advertisement in advertisements[:index]:
            first = advertisements.index(advertisement)
            message = f"is the same as {path[-1]}[{first}] of this pool"
            faults.add((*path, index), message, "duplicateItem", hint="remove it")
