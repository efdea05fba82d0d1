"""ConfigMap: only a few of MetalLB are looked at, by their names."""

from __future__ import annotations

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.kinds.metallb_extras import ExcludedInterfaces, read_extra
from orchestrator.config.schema import Field, Kind, MapOf, Record, Scope, Text

MAX_TEXT = 4 * 1024 * 1024


def _build(item: Item, faults: Faults) -> ExcludedInterfaces | None:
    """Read what MetalLB keeps beside `config`, which is converted before (config/old)."""
    return read_extra(item.name, item.body["data"], faults)


KIND = Kind(
    name="ConfigMap",
    group="",
    versions=("v1",),
    doc="`config`: the configuration of MetalLB v0.9 to v0.12; `metallb-excludel2`: interfaces.",
    body=Record(
        (Field("data", MapOf(Text(max_length=MAX_TEXT)), "Texts by key.", default={}),),
        lenient=True,
    ),
    build=_build,
    scope=Scope.NAMESPACED,
)
