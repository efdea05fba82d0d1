"""A piece of configuration text with the name an operator knows it by."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input.

    `trusted` means that whoever wrote it may name commands and file paths for this host: a local
    file of root or the service's user (DESIGN 10). The text is not shown: it may hold passwords.
    """

    name: str
    text: bytes = field(repr=False)
    trusted: bool = True
