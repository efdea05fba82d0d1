"""Metrics of a controller: MetalLB's names of the allocator, and its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.adapters.metrics import config_metrics, text_of

_USED = {"ipv4": ("assignedIPv4",), "ipv6": ("assignedIPv6",)}
_FREE = {"ipv4": ("availableIPv4",), "ipv6": ("availableIPv6",)}
_FAMILIES = {"": ("ipv4", "ipv6"), "ipv4_": ("ipv4",), "ipv6_": ("ipv6",)}
"""What MetalLB's names of the allocator have in the middle."""


class Controller(Collector):
    """A collector over the document `status`, and the counts of pools."""

    def __init__(self, status: Mapping[str, Any], pools: Mapping[str, Mapping[str, int]]) -> None:
        self._status = status
        self._pools = pools

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
        yield from config_metrics(valid=status["configValid"], loaded=status["synced"])
        for middle, families in _FAMILIES.items():
            used = [field for family in families for field in _USED[family]]
            free = [field for family in families for field in _FREE[family]]
            yield self._of_pools(f"{middle}addresses_in_use", "addresses that Services have", used)
            yield self._of_pools(f"{middle}addresses", "addresses there are", used + free)

    def _of_pools(self, name: str, text: str, fields: Sequence[str]) -> Metric:
        whole = f"metallb_allocator_{name}_total"
        family = GaugeMetricFamily(whole, text, labels=["pool"])
        for pool, counts in sorted(self._pools.items()):
            family.add_metric([pool], sum(counts[field] for field in fields))
        return family


def controller_metrics(
    status: Mapping[str, Any],
    pools: Mapping[str, Mapping[str, int]],
    others: Iterable[Collector] = (),
) -> bytes:
    """Return the text format of all of it, and of `others`."""
    return text_of((Controller(status, pools), *others))
