"""Community: names for BGP communities (metallb.md 1.6)."""

from __future__ import annotations

from orchestrator.config.communities import Aliases, Value
from orchestrator.config.faults import Faults, shown
from orchestrator.config.formats import parse_community
from orchestrator.config.item import Item
from orchestrator.config.schema import Field, Kind, ListOf, Opaque, Parsed, Record, Text

_ALIAS = Record(
    (
        Field("name", Text(max_length=253), "Name of the alias.", default=""),
        Field(
            "value",
            Parsed("a community", parse_community),
            "`A:B`, or `large:A:B:C`.",
            required=True,
        ),
    )
)

_SPEC = Record(
    (Field("communities", ListOf(_ALIAS), "The aliases that are defined.", default=()),),
)


def _build(item: Item, faults: Faults) -> Aliases:
    aliases: dict[str, Value] = {}
    for index, alias in enumerate((item.body["spec"] or {"communities": ()})["communities"]):
        path = ("spec", "communities", index, "name")
        if alias["name"] in aliases:
            message = f"alias {shown(alias['name'])} is defined twice in this object"
            faults.add(path, message, "duplicateAlias", hint="remove one of them")
        elif not alias["name"]:
            faults.warn(path, "an alias without a name cannot be used", "unnamedAlias")
        aliases[alias["name"]] = alias["value"]
    return aliases


KIND = Kind(
    name="Community",
    group="metallb.io",
    versions=("v1beta1",),
    doc="Names (aliases) for BGP communities, for use in advertisements and VirtualIPs.",
    body=Record((Field("spec", _SPEC), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names}
spec:
  communities:
  - {name: no-export, value: "65535:65281"}
  - {name: blue, value: "large:64500:1:2"}
""",
)
