"""MetalLB's names of metrics, so that its dashboards and alerts go on working."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from orchestrator.adapters.controller_metrics import controller_metrics
from orchestrator.adapters.kube.figures import Figures
from orchestrator.adapters.metrics import COUNTS, render_metrics
from orchestrator.adapters.pace import Flushing, plan_seconds

SESSION = {
    "peer": "r1",
    "address": "10.0.0.1",
    "port": 179,
    "state": "up",
    "routes": {"desired": 5, "sent": 4, "flushed": 3},
    "updates": 9,
}


def samples(text: bytes) -> dict[str, float]:
    """Every sample by its name and labels."""
    lines = text.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def status(**fields: Any) -> dict[str, Any]:
    """The document `status`."""
    return {
        "node": "n1",
        "version": "1",
        "synced": True,
        "configValid": True,
        "draining": False,
        "problems": [],
        "counts": dict.fromkeys(COUNTS, 0),
        "virtualRouters": [],
        "leading": True,
        **fields,
    }


def documents(*sessions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Documents of a speaker with these sessions."""
    lateness = {"bounds": [], "counts": [], "sum": 0}
    layer2 = {"segments": [], "refused": {}, "failovers": 0, "stepBacks": 0, "lateness": lateness}
    return {
        "status": status(**fields),
        "sessions": {"items": list(sessions)},
        "vips": {"items": []},
        "layer2": layer2,
    }


def speaker(*sessions: dict[str, Any], **fields: Any) -> dict[str, float]:
    """Metrics of a speaker with these sessions."""
    return samples(render_metrics(documents(*sessions, **fields)))


def test_sessions_have_the_names_of_metallbs_own_bgp() -> None:
    """A peer is its address and port, an IPv6 address in brackets."""
    found = speaker(SESSION, {**SESSION, "address": "fd00::1", "port": 1790, "state": "down"})
    assert found['metallb_bgp_session_up{peer="10.0.0.1:179"}'] == 1
    assert found['metallb_bgp_session_up{peer="[fd00::1]:1790"}'] == 0
    assert found['metallb_bgp_announced_prefixes_total{peer="10.0.0.1:179"}'] == 3
    assert found['metallb_bgp_pending_prefixes_total{peer="10.0.0.1:179"}'] == 2
    assert found['metallb_bgp_updates_total{peer="10.0.0.1:179"}'] == 9


def test_both_roles_say_whether_the_configuration_is_in_force() -> None:
    """MetalLB's alerts for stale and for missing configuration fire for either role."""
    for found in (
        speaker(configValid=False, synced=False),
        samples(controller_metrics(status(configValid=False, synced=False), {})),
    ):
        assert found["metallb_k8s_client_config_stale_bool"] == 1
        assert found["metallb_k8s_client_config_loaded_bool"] == 0
    assert speaker()["metallb_k8s_client_config_stale_bool"] == 0


def test_pools_are_counted_whole_and_by_family() -> None:
    """Addresses in use and addresses there are, of both families and of each."""
    counts = {"assignedIPv4": 1, "assignedIPv6": 2, "availableIPv4": 10, "availableIPv6": 20}
    found = samples(controller_metrics(status(), {"edge": counts}))
    allocator = {name: value for name, value in found.items() if "allocator" in name}
    assert allocator == {
        'metallb_allocator_addresses_in_use_total{pool="edge"}': 3,
        'metallb_allocator_addresses_total{pool="edge"}': 33,
        'metallb_allocator_ipv4_addresses_in_use_total{pool="edge"}': 1,
        'metallb_allocator_ipv4_addresses_total{pool="edge"}': 11,
        'metallb_allocator_ipv6_addresses_in_use_total{pool="edge"}': 2,
        'metallb_allocator_ipv6_addresses_total{pool="edge"}': 22,
    }


def families(text: bytes) -> set[str]:
    """Names of metrics as they are queried: counters end in `_total`."""
    words = [line.split() for line in text.decode().splitlines() if line.startswith("# TYPE")]
    return {name for _, _, name, _ in words if not name.endswith("_created")}


def test_the_page_about_metrics_is_complete() -> None:
    """docs/metrics.md names every metric of either role, and none that is not there."""
    others = (plan_seconds(), Flushing().seconds, Figures())
    found = families(controller_metrics(status(), {}, others)) | families(
        render_metrics(documents(SESSION), others)
    )
    page = Path(__file__).parents[3] / "docs/metrics.md"
    named = set(
        re.findall(r"`((?:orchestrator|metallb|keepalived)_\w*[a-z0-9])`", page.read_text("utf-8"))
    )
    assert named == found
