"""Two nodes with one name: the later one stays silent (DESIGN 8.1).

What proves another living node of our name is a hello that lists our boot id as heard: neither our
own last frames before a restart nor a recording of them can do that.
"""

from __future__ import annotations

from orchestrator.layer2.shared.hello import Hello, Report
from orchestrator.layer2.shared.liveness import LISTED_INTERVALS, age_ms
from orchestrator.layer2.shared.member_frame import Refusal
from orchestrator.layer2.shared.membership import dead_s


class Twin:
    """The other node of our name, if there is one."""

    def __init__(self, own_boot: bytes) -> None:
        self._own_boot = own_boot
        self._boot = b""
        self._counter = -1
        self._heard = float("-inf")
        self._interval_s = 0.0
        self.proved = False

    def hear(self, hello: Hello, now: float) -> Refusal:
        """Take a hello with our name; return the cause it is refused for."""
        head = hello.head
        if head.boot != self._boot:
            self._boot, self._counter, self.proved = head.boot, -1, False
        if head.counter <= self._counter:
            return Refusal.REPLAY
        self._counter, self._heard, self._interval_s = head.counter, now, hello.interval_s
        self.proved = any(report.boot == self._own_boot for report in hello.reports)
        return Refusal.SAME_NAME

    def is_earlier(self, counter: int) -> bool:
        """Tell whether it has been here for longer: it has sent more frames than our `counter`."""
        return (self._counter, self._boot) > (counter, self._own_boot)

    @property
    def gone_at(self) -> float:
        """When it is dead unless it is heard again."""
        return self._heard + dead_s(self._interval_s)

    def report(self, now: float) -> list[Report]:
        """Return the report that proves to it that we live."""
        age_s = now - self._heard
        if age_s > LISTED_INTERVALS * self._interval_s:
            return []
        return [Report(self._boot, age_ms(age_s), 0)]
