"""Errors of the outside world, told to an operator: what, where, what to do."""

from __future__ import annotations


class AdapterError(Exception):
    """Something outside could not be done; `place` is a path, address or program."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.message = message
