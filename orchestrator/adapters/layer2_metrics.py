"""Metrics of layer 2: MetalLB's names where it has them, keepalived-exporter's for virtual routers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

Items = list[Mapping[str, Any]]
_OF_ADDRESSES = {
    "metallb_layer2_requests_received": ("requestsAnswered", "ARP and NDP requests for an address"),
    "metallb_layer2_responses_sent": ("requestsAnswered", "ARP and NDP replies for an address"),
    "metallb_layer2_gratuitous_sent": ("gratuitousSent", "gratuitous ARP and NA for an address"),
}
ROUTER_LABELS = ("iname", "intf", "vrid")
"""keepalived-exporter's labels."""
STATES = {"init": 0, "backup": 1, "master": 2, "fault": 3}
"""keepalived's numbers of states."""
_OF_ROUTERS = {
    "advertisements_received": "adverts accepted",
    "advertisements_sent": "adverts sent",
    "become_master": "times this router became master",
    "release_master": "times this router ceased to be master",
    "packet_length_errors": "adverts of a wrong length",
    "advertisements_interval_errors": "adverts with another interval",
    "ip_ttl_errors": "adverts with a TTL other than 255",
    "invalid_type_received": "packets of another type",
    "address_list_errors": "adverts with other addresses",
    "authentication_invalid": "adverts with an unknown authentication type",
    "authentication_mismatch": "adverts with another authentication type than ours",
    "authentication_failure": "adverts with another password",
    "priority_zero_received": "adverts of a router that stops",
    "priority_zero_sent": "adverts sent when stopping",
}


def layer2_metrics(documents: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield every metric family of layer 2, from the documents `status`, `vips` and `layer2`."""
    yield _announced(documents["vips"]["items"], documents["status"]["node"])
    for name, (key, text) in _OF_ADDRESSES.items():
        yield _of_addresses(name, key, text, documents["vips"]["items"])
    layer2 = documents["layer2"]
    yield _members(layer2["segments"])
    yield _refused(layer2["refused"])
    yield _counter("failovers", "addresses taken over from a member that died", layer2["failovers"])
    yield _counter("step_backs", "times all was given up after a pause", layer2["stepBacks"])
    yield _lateness(layer2["lateness"])
    yield from _routers(documents["status"]["virtualRouters"])


def _announced(items: Items, node: str) -> Metric:
    labels = ["service", "protocol", "node", "ip"]
    family = GaugeMetricFamily("metallb_speaker_announced", "1 while announced", labels=labels)
    for item in items:
        if item["reason"] == "announced":
            family.add_metric([item["service"], item["protocol"], node, item["address"]], 1)
    return family


def _of_addresses(name: str, key: str, text: str, items: Items) -> Metric:
    # Without a type: the library adds `_total` to counters, which MetalLB's names do not have.
    family = Metric(name, text, "unknown")
    counts: dict[str, dict[str, int]] = {}
    for item in items:
        for segment in item["segments"]:
            if segment.get("counted"):
                counts.setdefault(item["address"], {})[segment["interface"]] = segment[key]
    for address, by_interface in counts.items():
        family.add_sample(name, {"ip": address}, sum(by_interface.values()))
    return family


def _members(segments: Items) -> Metric:
    labels = ["interface", "state"]
    text = "members of a segment by state, this node not counted"
    family = GaugeMetricFamily("orchestrator_layer2_members", text, labels=labels)
    for segment in segments:
        counts: dict[str, int] = {}
        for member in segment["members"]:
            counts[member["state"]] = counts.get(member["state"], 0) + 1
        for state, number in sorted(counts.items()):
            family.add_metric([segment["interface"], state], number)
    return family


def _refused(refused: Mapping[str, Mapping[str, int]]) -> Metric:
    text = "adverts and hellos that were not heeded, by cause"
    labels = ["interface", "cause"]
    family = CounterMetricFamily("orchestrator_layer2_refused", text, labels=labels)
    for interface, causes in sorted(refused.items()):
        for cause, number in sorted(causes.items()):
            family.add_metric([interface, cause], number)
    return family


def _counter(name: str, text: str, number: int) -> Metric:
    return CounterMetricFamily(f"orchestrator_layer2_{name}", text, value=number)


def _lateness(lateness: Mapping[str, Any]) -> Metric:
    text = "how late timers of the layer2 process were"
    family = HistogramMetricFamily("orchestrator_layer2_timer_lateness_seconds", text)
    buckets = zip([*map(str, lateness["bounds"]), "+Inf"], lateness["counts"], strict=False)
    whole = list(buckets)
    if whole:
        family.add_metric([], whole, lateness["sum"])
    return family


def _routers(routers: Items) -> Iterator[Metric]:
    labels = list(ROUTER_LABELS)
    state = GaugeMetricFamily(
        "keepalived_vrrp_state",
        "0 init, 1 backup, 2 master, 3 fault",
        labels=[*labels, "ip_address"],
    )
    for router in routers:
        for address in router["addresses"]:
            state.add_metric([*_labels(router), address], STATES[router["state"]])
    yield state
    for name, text in _OF_ROUTERS.items():
        family = CounterMetricFamily(f"keepalived_{name}", text, labels=labels)
        for router in routers:
            family.add_metric(_labels(router), router["counters"].get(name, 0))
        yield family


def _labels(router: Mapping[str, Any]) -> list[str]:
    return [router["name"], router["interface"], str(router["vrid"])]
