"""What is shown of layer 2: `vips`, `status` and the metrics have it in the words of CLI.md."""

from __future__ import annotations

import ipaddress

from orchestrator.adapters.metrics import render_metrics
from orchestrator.adapters.status_page import render_page
from orchestrator.model.cluster import Node
from orchestrator.model.layer2_report import (
    Lateness,
    Layer2Report,
    MemberReport,
    OwnerReport,
    RouterReport,
    SegmentReport,
)
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.policy import L2Advertisement, Policy
from orchestrator.model.session_state import RouteStatus
from orchestrator.planner import plan
from orchestrator.roles.documents import View
from tests.unit.planner.world import POOL, cluster, service

VIP = "203.0.113.10"
REPORT = Layer2Report(
    segments=(
        SegmentReport(
            "eth0",
            "member",
            members=(
                MemberReport("n2", "member", 0.0),
                MemberReport("n3", "member", 0.0, alive=False),
            ),
        ),
        SegmentReport("eth1", "member", counted=False),
    ),
    owners={
        ipaddress.ip_address(VIP): (
            OwnerReport("eth0", "n1", 1.0, wanted=True, answered=3, gratuitous=4),
            OwnerReport("eth1", "n1", 1.0, wanted=True, answered=9, gratuitous=9),
        )
    },
    routers=(
        RouterReport(
            "edge",
            "eth0",
            7,
            3,
            "backup",
            1.0,
            "a better router",
            100,
            90,
            ("192.0.2.9",),
            "192.0.2.2",
            0.0,
            {"advertisements_received": 5, "ip_ttl_errors": 2},
        ),
    ),
    refused={"eth0": {"hmac": 6}},
    failovers=1,
    lateness=Lateness((0.001, 0.01), (3, 4, 5), 0.02, 0.011),
)


def view() -> View:
    """A node that answers for a VIP on two interfaces, and is backup of a virtual router."""
    policy = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))
    world = cluster(service("web", VIP), nodes=(Node("n1"), Node("n2"), Node("n3")))
    return View(
        node="n1",
        role="speaker",
        started_at="then",
        synced=True,
        draining=False,
        plan=plan(world, policy, Local(node="n1")),
        policy=policy,
        problems=(),
        health={},
        live=Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, layer2=REPORT),
        since={},
    )


def metrics() -> list[str]:
    """The lines of all metrics."""
    made = view()
    documents = {
        "status": made.status(),
        "sessions": made.sessions(),
        "vips": made.vips(),
        "layer2": made.layer2(),
    }
    return render_metrics(documents).decode().splitlines()


def test_segments_of_an_address() -> None:
    """Owner, members with the age of their last hello, what was answered and announced."""
    item = view().vips()["items"][0]
    assert (item["reason"], item["protocol"]) == ("announced", "layer2")
    first, second = item["segments"]
    assert (first["interface"], first["owner"], first["wanted"]) == ("eth0", "n1", True)
    assert [(member["node"], member["state"]) for member in first["members"]] == [
        ("n2", "member"),
        ("n3", "down"),
    ]
    assert all(member["lastHeardMs"] > 0 for member in first["members"])
    assert (first["requestsAnswered"], first["gratuitousSent"]) == (3, 4)
    assert (first["counted"], second["counted"]) == (True, False)


def test_a_virtual_router_is_shown() -> None:
    """Its addresses are among the VIPs, and its state is in `status`."""
    item = view().vips()["items"][-1]
    assert (item["service"], item["address"]) == ("virtualrouter/edge", "192.0.2.9")
    assert (item["reason"], item["message"]) == ("notOwner", "backup on eth0: a better router")
    (router,) = view().status()["virtualRouters"]
    assert (router["state"], router["effectivePriority"], router["master"]) == (
        "backup",
        90,
        "192.0.2.2",
    )


def test_counts() -> None:
    """What is owned on segments that count is counted, and announced."""
    counts = view().status()["counts"]
    assert (counts["owned"], counts["announced"]) == (1, 1)


def test_metrics_have_the_names_people_know() -> None:
    """MetalLB's and keepalived-exporter's names, and segments that do not count are left out."""
    lines = metrics()
    for line in (
        f'metallb_speaker_announced{{ip="{VIP}",node="n1",protocol="layer2",service="default/web"}} 1.0',
        f'metallb_layer2_gratuitous_sent{{ip="{VIP}"}} 4.0',
        f'metallb_layer2_requests_received{{ip="{VIP}"}} 3.0',
        f'metallb_layer2_responses_sent{{ip="{VIP}"}} 3.0',
        'orchestrator_layer2_refused_total{cause="hmac",interface="eth0"} 6.0',
        'orchestrator_layer2_members{interface="eth0",state="down"} 1.0',
        "orchestrator_layer2_failovers_total 1.0",
        'orchestrator_layer2_timer_lateness_seconds_bucket{le="0.01"} 4.0',
        'orchestrator_layer2_timer_lateness_seconds_bucket{le="+Inf"} 5.0',
        'keepalived_vrrp_state{iname="edge",intf="eth0",ip_address="192.0.2.9",vrid="7"} 1.0',
        'keepalived_advertisements_received_total{iname="edge",intf="eth0",vrid="7"} 5.0',
        'keepalived_ip_ttl_errors_total{iname="edge",intf="eth0",vrid="7"} 2.0',
    ):
        assert line in lines, line


def test_the_status_page_shows_virtual_routers() -> None:
    """People see the state of each virtual router at a glance."""
    made = view()
    documents = {
        "status": made.status(),
        "sessions": made.sessions(),
        "vips": made.vips(),
        "events": {"items": []},
    }
    assert "<td>edge</td><td>eth0</td><td>7</td><td>backup</td>" in render_page(documents)
