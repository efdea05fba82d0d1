"""Metrics in Prometheus' text format, made from the documents at the moment of the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.adapters.layer2_metrics import layer2_metrics

COUNTS = {
    "services": "Services and VirtualIPs that are ours",
    "vips": "addresses that are assigned",
    "announced": "addresses that this node announces",
    "sessions": "BGP sessions this node is to have",
    "sessionsUp": "BGP sessions that are up",
    "routesDesired": "routes that peers are to hold from this node, over all peers",
    "routesSent": "routes handed to ExaBGP, over all peers",
    "routesFlushed": "routes written to the peers, over all peers",
    "owned": "addresses this node answers for on layer 2",
}


class Documents(Collector):
    """A collector over the documents `status`, `sessions`, `vips` and `layer2`."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        status = self._documents["status"]
        yield InfoMetricFamily("orchestrator", "version", {"version": status["version"]})
        for name, text in COUNTS.items():
            yield GaugeMetricFamily(f"orchestrator_{_snake(name)}", text, status["counts"][name])
        yield GaugeMetricFamily("orchestrator_synced", "sources were read", int(status["synced"]))
        yield _gauge_bool("orchestrator_config_valid", "no error stands", status["configValid"])
        yield _gauge_bool("orchestrator_draining", "this node drains", status["draining"])
        yield _problems(status["problems"])
        yield _sessions(self._documents["sessions"]["items"])
        yield _session_routes(self._documents["sessions"]["items"])
        yield from _as_metallb(self._documents["sessions"]["items"])
        yield from config_metrics(valid=status["configValid"], loaded=status["synced"])
        yield _reasons(self._documents["vips"]["items"])
        yield from layer2_metrics(self._documents)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _gauge_bool(name: str, text: str, value: bool) -> Metric:
    return GaugeMetricFamily(name, text, int(value))


def _problems(problems: list[Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily("orchestrator_problems", "problems by severity", labels=["severity"])
    for severity in ("error", "warning", "waiting"):
        family.add_metric([severity], sum(p["severity"] == severity for p in problems))
    return family


def _sessions(items: list[Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily("orchestrator_bgp_session_up", "1 while up", labels=["peer"])
    for item in items:
        family.add_metric([item["peer"]], int(item["state"] == "up"))
    return family


def _session_routes(items: list[Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily(
        "orchestrator_bgp_routes", "routes by peer and how far they got", labels=["peer", "state"]
    )
    for item in items:
        for state, number in item["routes"].items():
            family.add_metric([item["peer"], state], number)
    return family


_OF_PEERS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], float]]] = {
    "metallb_bgp_session_up": ("1 while up", lambda item: int(item["state"] == "up")),
    "metallb_bgp_announced_prefixes_total": (
        "routes that the peer holds",
        lambda item: item["routes"]["flushed"],
    ),
    "metallb_bgp_pending_prefixes_total": (
        "routes that the peer is to hold and does not yet",
        lambda item: item["routes"]["desired"] - item["routes"]["flushed"],
    ),
    "metallb_bgp_updates_total": ("UPDATEs written to the peer", lambda item: item["updates"]),
}
"""MetalLB's names of what its own BGP tells; these have no type, since the library ends counters' names otherwise."""


def _as_metallb(items: list[Mapping[str, Any]]) -> Iterator[Metric]:
    for name, (text, value) in _OF_PEERS.items():
        family = Metric(name, text, "unknown")
        for item in items:
            family.add_sample(name, {"peer": _endpoint(item)}, value(item))
        yield family


def _endpoint(item: Mapping[str, Any]) -> str:
    """Return a peer as MetalLB's labels have it."""
    host = f"[{item['address']}]" if ":" in str(item["address"]) else item["address"]
    return f"{host}:{item['port']}"


def config_metrics(*, valid: bool, loaded: bool) -> Iterator[Metric]:
    """Yield MetalLB's metrics of the configuration, for either role."""
    stale = "a faulty object is not in force as it is"
    yield GaugeMetricFamily("metallb_k8s_client_config_stale_bool", stale, int(not valid))
    text = "the configuration was read at least once"
    yield GaugeMetricFamily("metallb_k8s_client_config_loaded_bool", text, int(loaded))


def _reasons(items: list[Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily(
        "orchestrator_vips_by_reason", "addresses by verdict on this node", labels=["reason"]
    )
    counts: dict[str, int] = {}
    for item in items:
        counts[item["reason"]] = counts.get(item["reason"], 0) + 1
    for reason, number in sorted(counts.items()):
        family.add_metric([reason], number)
    return family


def render_metrics(documents: Mapping[str, Any], others: Iterable[Collector] = ()) -> bytes:
    """Return the text format of all metrics that `documents` give, and `others`."""
    return text_of((Documents(documents), *others))


def text_of(collectors: Iterable[Collector]) -> bytes:
    """Return the text format of all that these collect."""
    registry = CollectorRegistry(auto_describe=False)
    for one in collectors:
        registry.register(one)
    return generate_latest(registry)
