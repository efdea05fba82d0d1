"""Variables in a topology file, expanded over its whole text before it is read as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(
    r"\$\$(?P<escaped>\w+|\{)?"
    r"|\$(?P<plain>[A-Za-z_]\w*)"
    r"|\$\{(?P<name>[A-Za-z_]\w*)(?P<operator>:?[-=])?(?P<default>[^}\n]*)\}"
)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Expand $X, ${X} and ${X:=default} as containerlab does.

    A variable that is not set and has no default stays as it is written; $$X gives $X. With
    `:=` or `:-` the default also stands for an empty value, with `=` or `-` only for a missing one.
    """

    def value(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return f"${match['escaped'] or ''}"
        name = match["plain"] or match["name"]
        operator = match["operator"]
        if not operator:
            return match[0] if match["default"] else environ.get(name, match[0])
        found = environ.get(name)
        absent = not found if operator.startswith(":") else found is None
        return match["default"] if absent or found is None else found

    return _VARIABLE.sub(value, text)
