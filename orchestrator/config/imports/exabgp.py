"""ExaBGP: neighbors to BGPPeers, static routes to VirtualIPs; processes have no place here."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.imports.blocks import Statement, exabgp_tokens, statements
from orchestrator.config.imports.exabgp_neighbor import add_peer, session_of
from orchestrator.config.imports.exabgp_route import routes
from orchestrator.config.imports.exabgp_vips import Announced, add_vips
from orchestrator.config.imports.result import Imported
from orchestrator.config.imports.verify import verified

_NO_PLACE = "has no place here"
_LOST = {
    "process": "programs do not drive the routes: write a check (http, tcp, exec) in the VirtualIP",
    "flow": "FlowSpec is not announced",
    "l2vpn": "VPLS and EVPN are not announced",
    "operational": "operational messages are not sent",
}
_MOST_TEMPLATES = 100


def read_exabgp(text: bytes) -> Imported:
    """Convert an exabgp.conf. Raises UnreadableImportError when braces do not pair."""
    result = Imported()
    tree = statements(exabgp_tokens(text.decode("utf-8", "replace")))
    templates = dict(_templates(tree))
    peers: list[str] = []
    announced: list[Announced] = []
    for statement in _neighbors(tree, result):
        whole = _inherited(statement, templates, result)
        name = add_peer(whole, result)
        if name is None:
            continue
        peers.append(name)
        found = routes(whole.inner, session_of(whole), result.lose)
        announced.extend(Announced(name, route) for route in found)
    add_vips(announced, tuple(peers), result)
    return verified(result)


def _templates(tree: tuple[Statement, ...]) -> Iterator[tuple[str, Statement]]:
    for statement in tree:
        if statement.name == "template":
            for inner in statement.inner:
                yield " ".join(inner.rest), inner


def _neighbors(tree: tuple[Statement, ...], result: Imported) -> Iterator[Statement]:
    for statement in tree:
        if statement.name == "neighbor":
            yield statement
        elif statement.name == "group":
            yield from _of_group(statement)
        elif statement.name != "template":
            why = _LOST.get(statement.name, _NO_PLACE)
            result.lose(statement.line, statement.text(), why)


def _of_group(group: Statement) -> Iterator[Statement]:
    """Give the neighbors of an old `group` what stands before them in it."""
    shared = tuple(inner for inner in group.inner if inner.name != "neighbor")
    for inner in group.inner:
        if inner.name == "neighbor":
            yield inner._replace(block=(*shared, *inner.inner))


def _inherited(neighbor: Statement, templates: dict[str, Statement], result: Imported) -> Statement:
    """Put the statements of the templates that a neighbor inherits before its own."""
    before: list[Statement] = []
    for setting in neighbor.inner:
        if setting.name == "inherit":
            for name in [word for word in setting.rest if word not in ("[", "]")][:_MOST_TEMPLATES]:
                if name in templates:
                    before.extend(templates[name].inner)
                else:
                    result.lose(setting.line, f"inherit {name}", "there is no such template")
    own = (setting for setting in neighbor.inner if setting.name != "inherit")
    return neighbor._replace(block=(*before, *own))
