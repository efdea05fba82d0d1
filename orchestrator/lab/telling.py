"""How a demo tells its story: steps with the time since its beginning, and what is shown below them."""

from __future__ import annotations

import time
from collections.abc import Callable


class Telling:
    """One story; `say` takes lines for people."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._started = time.monotonic()

    def _step(self, text: str) -> None:
        self._say("")
        self._say(f"[{time.monotonic() - self._started:5.1f} s] {text}")

    def _show(self, text: str) -> None:
        for line in text.strip("\n").splitlines():
            self._say(f"    {line}".rstrip())
