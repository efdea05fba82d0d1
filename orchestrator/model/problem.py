"""What is wrong with an input: object, path, place, words and a hint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a problem is; `WAITING` is a reference that may yet appear."""

    ERROR = "error"
    WARNING = "warning"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an operator should know or mend (CLI.md, `check`).

    `object` is `KIND NAMESPACE/NAME` or the name of a file; `place` is `FILE:LINE:COL` where
    known, else the object; `path` is the field, such as `spec.addresses[2]`.
    """

    severity: Severity
    code: str
    object: str
    message: str
    place: str = ""
    path: str = ""
    hint: str | None = None

    def __str__(self) -> str:
        where = self.place or " ".join(part for part in (self.object, self.path) if part)
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}: {self.severity.value}: {self.message}{hint}"
