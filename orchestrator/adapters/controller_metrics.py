"""Metrics of a controller: MetalLB's names of the allocator, and its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

_POOLS = {
    "in_use": ("addresses that Services have", ("assignedIPv4", "assignedIPv6")),
    "": ("addresses there are", ("assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6")),
}
_STALE = "metallb_k8s_client_config_stale_bool"


class Controller(Collector):
    """A collector over the document `status`, the counts of pools, and what was asked of the server.

    `requests` are answers of the API server by method and status, 0 for none.
    """

    def __init__(
        self,
        status: Mapping[str, Any],
        pools: Mapping[str, Mapping[str, int]],
        requests: Mapping[tuple[str, int], int],
    ) -> None:
        self._status = status
        self._pools = pools
        self._requests = requests

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        status = self._status
        yield InfoMetricFamily("orchestrator", "version", {"version": status["version"]})
        yield GaugeMetricFamily(
            "orchestrator_leading", "this replica writes", int(status["leading"])
        )
        yield GaugeMetricFamily("orchestrator_synced", "sources were read", int(status["synced"]))
        for name, text in (("services", "Services that are ours"), ("vips", "addresses assigned")):
            yield GaugeMetricFamily(f"orchestrator_{name}", text, status["counts"][name])
        stale = int(not status["configValid"])
        yield GaugeMetricFamily(_STALE, "a faulty object is not in force as it is", stale)
        yield from self._of_pools()
        yield self._of_requests()

    def _of_pools(self) -> Iterator[Metric]:
        for kind, (text, fields) in _POOLS.items():
            middle = f"_{kind}" if kind else ""
            name = f"metallb_allocator_addresses{middle}_total"
            family = GaugeMetricFamily(name, text, labels=["pool"])
            for pool, counts in sorted(self._pools.items()):
                family.add_metric([pool], sum(counts[field] for field in fields))
            yield family

    def _of_requests(self) -> Metric:
        family = CounterMetricFamily(
            "orchestrator_kube_requests",
            "requests to the API server by method and status, 0 for no answer",
            labels=["method", "code"],
        )
        for (method, code), count in sorted(self._requests.items()):
            family.add_metric([method, str(code)], count)
        return family


def controller_metrics(
    status: Mapping[str, Any],
    pools: Mapping[str, Mapping[str, int]],
    requests: Mapping[tuple[str, int], int],
) -> bytes:
    """Return the text format of all of it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Controller(status, pools, requests))
    return generate_latest(registry)
