"""ConfigMaps of MetalLB besides its configuration: used, or named as not applicable (1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.config.documents import UnreadableError, parse
from orchestrator.config.faults import Faults
from orchestrator.config.kinds.settings import PATTERNS
from orchestrator.config.schema import Field, Record
from orchestrator.config.tree import text_of
from orchestrator.config.walk import FAULTY, read_record

EXCLUDE_L2 = "metallb-excludel2"
_FILE = "excludel2.yaml"
_EXCLUDE = Record(
    (
        Field(
            "announcedInterfacesToExclude",
            PATTERNS,
            "Regular expressions of interfaces without layer 2.",
            default=(),
        ),
    )
)
_NOT_USED = {
    "bgpextras": (
        "bgpextras is text for FRR's configuration, and there is no FRR here",
        "what fields and annotations of BGPPeer and BGPAdvertisement do not offer belongs on the router",
    ),
    "metallb-memberlist-config": (
        "metallb-memberlist-config is for MetalLB's memberlist, which is not used here",
        "use spec.membership of Settings",
    ),
}


@dataclass(frozen=True, slots=True)
class ExcludedInterfaces:
    """What MetalLB's excludel2.yaml says: patterns of interfaces without layer 2."""

    patterns: tuple[str, ...]


def read_extra(name: str, data: Mapping[str, str], faults: Faults) -> ExcludedInterfaces | None:
    """Read a ConfigMap of MetalLB's by its name; None when it has no meaning here."""
    if name in _NOT_USED:
        message, hint = _NOT_USED[name]
        faults.warn(("data",), message, "notApplicable", hint=hint)
    if name != EXCLUDE_L2 or _FILE not in data:
        return None
    return _excluded(data[_FILE], faults)


def _excluded(text: str, faults: Faults) -> ExcludedInterfaces | None:
    path = ("data", _FILE)
    try:
        root = parse(text.encode("utf-8"))
    except UnreadableError as error:
        message = f"line {error.mark.line}: {error.message}"
        faults.add(path, message, "unreadable", hint=error.hint)
        return None
    if root is None:
        return ExcludedInterfaces(())
    inner = Faults(lambda: root)
    values = read_record(_EXCLUDE, root, (), inner)
    for fault in inner.found:
        where = f"line {fault.mark.line}: {text_of(fault.path)}".rstrip(": ")
        faults.add(path, f"{where}: {fault.message}", fault.code, hint=fault.hint)
    if values is FAULTY or inner.errors:
        return None
    return ExcludedInterfaces(values["announcedInterfacesToExclude"])
