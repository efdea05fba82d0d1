"""Figures of what one process has to do with the API server, and metrics of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.adapters import clock
from orchestrator.kube.outbox import Outbox
from orchestrator.kube.reflector import Reflector
from orchestrator.kube.wire import Key

_LAG_S = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
_REMEMBERED = 1000
"""Versions of own writes that are waited for; older ones are seldom seen any more."""


class Figures(Collector):
    """Counted by whoever asks, watches and writes; collected for metrics."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        """Answers by method and status; status 0 is none."""
        self.updates = 0
        """Objects that came, changed or went."""
        self.refused = 0
        """Writes that the server does not take."""
        self.reflectors: list[Reflector] = []
        self.outboxes: list[Outbox] = []
        self.lag = Histogram(
            "orchestrator_kube_watch_lag_seconds",
            "from the answer to a write of this process until the watch tells of it",
            registry=None,
            buckets=_LAG_S,
        )
        self._written: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def requested(self, method: str, status: int) -> None:
        """Count an answer; status 0 is none."""
        self.requests[method, status] = self.requests.get((method, status), 0) + 1

    def changed(self, versions: Iterable[str], gone: Iterable[Key]) -> None:
        """Count objects that a watch tells of, by their versions, and those that went."""
        now = clock.monotonic()
        for version in versions:
            self.updates += 1
            self._meet(version, now, self._seen, self._written)
        self.updates += len(tuple(gone))

    def wrote(self, version: str) -> None:
        """Take it that a write was answered with an object of this version."""
        self._meet(version, clock.monotonic(), self._written, self._seen)

    def _meet(
        self, version: str, now: float, own: dict[str, float], other: dict[str, float]
    ) -> None:
        """Note the lag of what was both written and seen; the watch may be the faster one."""
        if version in other:
            before = other.pop(version)
            self.lag.observe(now - before if own is self._seen else 0.0)
            return
        own[version] = now
        if len(own) > _REMEMBERED:
            del own[next(iter(own))]

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        yield self._of_requests()
        text = "objects of the API server that came, changed or went"
        yield CounterMetricFamily("metallb_k8s_client_updates", text, value=self.updates)
        text = "writes that the API server refused"
        yield CounterMetricFamily("metallb_k8s_client_update_errors", text, value=self.refused)
        now = clock.monotonic()
        yield self._of_watches(
            GaugeMetricFamily(
                "orchestrator_kube_watch_silence_seconds",
                "time since the server told anything of a resource; it does every minute",
                labels=["resource"],
            ),
            lambda one: round(now - one.heard, 3),
        )
        yield self._of_watches(
            CounterMetricFamily(
                "orchestrator_kube_relists",
                "times all objects of a resource were listed anew",
                labels=["resource"],
            ),
            lambda one: one.relists,
        )
        text = "writes to the API server that wait or are under way"
        waiting = sum(map(len, self.outboxes))
        yield GaugeMetricFamily("orchestrator_kube_writes_waiting", text, waiting)
        text = "reports that were dropped since too many waited"
        dropped = sum(one.dropped for one in self.outboxes)
        yield CounterMetricFamily("orchestrator_kube_writes_dropped", text, value=dropped)
        yield from self.lag.collect()

    def _of_requests(self) -> Metric:
        family = CounterMetricFamily(
            "orchestrator_kube_requests",
            "requests to the API server by method and status, 0 for no answer",
            labels=["method", "code"],
        )
        for (method, code), count in sorted(self.requests.items()):
            family.add_metric([method, str(code)], count)
        return family

    def _of_watches(
        self,
        family: GaugeMetricFamily | CounterMetricFamily,
        value: Callable[[Reflector], float],
    ) -> Metric:
        for one in self.reflectors:
            if one.heard > float("-inf"):
                family.add_metric([str(one.resource)], value(one))
        return family
