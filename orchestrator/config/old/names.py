"""Names of converted objects, as MetalLB's own converter gives them."""

from __future__ import annotations

import re

from orchestrator.config.item import OBJECT_NAME

_KEPT = re.compile(r"[a-z][-a-z0-9]{0,61}[a-z0-9]")
_LONGEST = 63


def object_name(text: str) -> str | None:
    """Make an object's name of an old name; None when nothing is left to make it of.

    A name that is a DNS label and begins with a letter is kept. Of others the first 63 characters
    count: small letters, `-` for `_`, from the first letter on. What still cannot stand in a name
    becomes `-`, and a name without any letter is kept if it is legal: there the converter gives up.
    """
    if _KEPT.fullmatch(text):
        return text
    lowered = text[:_LONGEST].lower().replace("_", "-")
    letter = re.search(r"[a-z]", lowered)
    name = re.sub(r"[^-a-z0-9.]", "-", lowered[letter.start() :] if letter else lowered)
    name = name.rstrip("-.")
    pattern = OBJECT_NAME.pattern
    assert pattern is not None
    return name if pattern.fullmatch(name) else None
