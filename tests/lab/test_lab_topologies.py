"""The topologies in deploy/containerlab do what their comments say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.lab.runner import Lab
from orchestrator.lab.topology_file import load_topology
from tests.lab.harness import Bird, Frr, lab_name, poll, require

pytestmark = pytest.mark.lab

DIRECTORY = Path(__file__).parents[2] / "deploy" / "containerlab"
VIP = "192.168.143.230/32"


@pytest.fixture
def lab(request: pytest.FixtureRequest, workdir: Path) -> Iterator[Lab]:
    """The lab of the file that the test names, under a name of its own."""
    require("/usr/lib/frr/bgpd", "bird", "ip")
    topology = load_topology(DIRECTORY / request.param)
    with Lab(replace(topology, name=lab_name()), workdir) as running:
        failed = [result for result in running.exec_results if result.returncode]
        assert not failed, failed
        yield running


@pytest.mark.parametrize("lab", ["seed.clab.yml"], indirect=True)
def test_seed(lab: Lab) -> None:
    """R1 has three Established iBGP sessions and one /32 with three next hops, [200/0]."""
    frr = Frr(lab.node("r1"))
    hops = ["192.168.121.170", "192.168.121.224", "192.168.121.72"]
    poll(lambda: frr.kernel_routes().get(VIP) == hops, 60)
    assert frr.sessions() == dict.fromkeys(hops, "Established")
    assert f"{VIP} [200/0] via" in frr.vtysh("show ip route bgp")
    assert frr.json("show bgp summary")["ipv4Unicast"]["routerId"] == "192.168.143.2"

    def answering() -> set[str]:
        argv = ["python3", "-m", "orchestrator.lab.requests", "30", "192.168.143.230:80"]
        return set(json.loads(lab.node("client").run(argv, timeout_s=120).stdout))

    poll(lambda: answering() == {"lb72", "lb170", "lb224"})


@pytest.mark.parametrize("lab", ["ebgp-two-routers.clab.yml"], indirect=True)
def test_ebgp_two_routers(lab: Lab) -> None:
    """FRR gets the VIP with MED and community, BIRD the same VIP with a longer path."""
    frr, bird = Frr(lab.node("r1")), Bird(lab.node("r2"))
    first = poll(lambda: frr.rib().get("198.51.100.1/32"), 60)[0]
    assert (first["med"], first["communities"], first["as_path"]) == (50, ["64500:100"], [64500])
    second = poll(lambda: bird.rib().get("198.51.100.1/32"), 60)[0]
    assert (second["nexthop"], second["as_path"]) == ("10.0.2.2", [64500] * 3)


@pytest.mark.parametrize("lab", ["dual-stack.clab.yml"], indirect=True)
def test_dual_stack(lab: Lab) -> None:
    """Each family's VIP is in R1's kernel with a next hop of that family."""
    frr = Frr(lab.node("r1"))
    poll(lambda: frr.kernel_routes().get("198.51.100.1/32") == ["10.0.0.2"], 60)
    path = poll(lambda: frr.rib("ipv6").get("2001:db8:100::1/128"), 60)[0]
    assert path["nexthop"] == "2001:db8::2"
    poll(lambda: frr.kernel_routes("ipv6").get("2001:db8:100::1/128"), 60)
