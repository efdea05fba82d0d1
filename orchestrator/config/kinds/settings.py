"""Settings: what holds for the whole installation."""

from __future__ import annotations

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import Field, Integer, Kind, Opaque, Record
from orchestrator.model.settings import Settings

_SPEC = Record(
    (
        Field(
            "maxDraining",
            Integer(1, 1000),
            "Most nodes that drain at once; the others wait.",
            default=1,
        ),
    )
)


def _build(item: Item, faults: Faults) -> Settings:
    del faults
    return Settings(max_draining=item.body["spec"]["maxDraining"])


KIND = Kind(
    name="Settings",
    group="orchestrator.io",
    versions=("v1alpha1",),
    doc="Settings of the whole installation. There is one such object, of any name.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=_build,
)
