"""Virtual routers as JSON, for the line between speaker and layer2 role."""

from __future__ import annotations

import ipaddress
from dataclasses import fields
from typing import Any

from orchestrator.model.virtual_router import (
    ChecksumForm,
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    Track,
    VirtualRouter,
)

_TRACKS: dict[str, type[Track]] = {
    "interface": InterfaceTrack,
    "file": FileTrack,
    "command": CommandTrack,
    "health": HealthTrack,
}
_INTERFACES = ("addresses", "excluded_addresses")
Document = dict[str, Any]


def router_document(router: VirtualRouter) -> Document:
    """Put a virtual router down."""
    document = {field.name: getattr(router, field.name) for field in fields(router)}
    for name in (*_INTERFACES, "unicast_peers"):
        document[name] = [str(address) for address in document[name]]
    document["checksum"] = router.checksum.value
    document["track"] = [_track_document(track) for track in router.track]
    return document


def router_of(document: Document) -> VirtualRouter:
    """Read a virtual router back; ValueError, TypeError or KeyError when it is none."""
    parsed = dict(document)
    for name in _INTERFACES:
        parsed[name] = tuple(map(ipaddress.ip_interface, document[name]))
    parsed["unicast_peers"] = tuple(map(ipaddress.ip_address, document["unicast_peers"]))
    parsed["checksum"] = ChecksumForm(document["checksum"])
    parsed["track"] = tuple(map(_track_of, document["track"]))
    parsed["notify"] = tuple(document["notify"])
    return VirtualRouter(**parsed)


def _track_document(track: Track) -> Document:
    kind = next(name for name, made in _TRACKS.items() if isinstance(track, made))
    return {"kind": kind, **{field.name: getattr(track, field.name) for field in fields(track)}}


def _track_of(document: Document) -> Track:
    values = {name: value for name, value in document.items() if name != "kind"}
    if "command" in values:
        values["command"] = tuple(values["command"])
    return _TRACKS[document["kind"]](**values)
