"""What cannot be done of what is wanted, as problems for an operator."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.bgp.adj_rib_out import AdjRibOut
from orchestrator.bgp.render import Rendering
from orchestrator.model.address import IPAddress
from orchestrator.model.problem import Problem, Severity

LIMIT = 20
"""Problems that are named at most; the first ones are about sessions."""


def problems_of(
    rendering: Rendering | None, ribs: Mapping[IPAddress, AdjRibOut], *, file_refused: bool
) -> tuple[Problem, ...]:
    """Return the problems of sessions, of the configuration file, and of single routes."""
    if rendering is None:
        return ()
    found = [*rendering.problems, *(_refused_file(),) * file_refused]
    for neighbor in rendering.neighbors:
        refusals = ribs[neighbor.link.address].refusals()
        found += [_refused_route(neighbor.peer, *one) for one in refusals.items()]
    return tuple(found[:LIMIT])


def _refused_file() -> Problem:
    return Problem(
        Severity.ERROR,
        "reloadRefused",
        "exabgp.conf",
        "ExaBGP does not take the rendered configuration into force; the old one stays",
        hint="see the log of the exabgp role",
    )


def _refused_route(peer: str, prefix: object, reason: str) -> Problem:
    message = f"{prefix} is not sent: {reason}"
    return Problem(Severity.WARNING, "routeNotSent", f"BGPPeer {peer}", message)
