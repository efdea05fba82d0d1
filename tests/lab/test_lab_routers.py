"""The routers that lab tests assert against report what a speaker has sent them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.harness import Bird, Frr, Lab, Neighbor, Rib, poll

pytestmark = pytest.mark.lab

SPEAKER = """
neighbor {router} {{
  router-id 10.0.0.2; local-address {local}; local-as 64500; peer-as {asn}; hold-time 9;
  {options}
  family {{ ipv4 unicast; ipv6 unicast; }}
  static {{
    route 192.0.2.1/32 next-hop 10.0.0.2 med 5 community [ 65535:0 64500:1 ] large-community [ 1:2:3 ];
    route 2001:db8::1/128 next-hop fd00::2;
  }}
}}
"""
SECRET = "a" * 8
ENVIRONMENT = {"exabgp_daemon_drop": "false", "exabgp_api_cli": "false", "exabgp_tcp_delay": "0"}


def speak(pair: Lab, workdir: Path, *, asn: int, options: str = "") -> None:
    """Start an ExaBGP in node `a` that announces two routes to node `r`."""
    configuration = workdir / "speaker.conf"
    text = SPEAKER.format(router="10.0.0.1", local="10.0.0.2", asn=asn, options=options)
    configuration.write_text(text, encoding="ascii")
    pair.node("a").spawn(["exabgp", "server", str(configuration)], env=ENVIRONMENT)


def best(rib: Rib) -> dict[str, Any] | None:
    """Path to 192.0.2.1/32 that the router has chosen, once it has."""
    return next((path for path in rib.get("192.0.2.1/32", []) if path["best"]), None)


EXPECTED = {
    "nexthop": "10.0.0.2",
    "med": 5,
    "communities": ["64500:1", "65535:0"],
    "large": ["1:2:3"],
    "best": True,
}


def test_frr_reports_paths_and_kernel_routes(pair: Lab, workdir: Path) -> None:
    """FRR's RIB shows every attribute sent, and the kernel of its node the routes, both families."""
    both = ("ipv4", "ipv6")
    neighbor = Neighbor("10.0.0.2", 64500, both, password=SECRET, ttl_security_hops=1)
    frr = Frr(pair.node("r"), asn=64501, neighbors=[neighbor]).start()
    speak(pair, workdir, asn=64501, options=f"md5-password {SECRET}; outgoing-ttl 255;")
    frr.wait_established()
    path = poll(lambda: best(frr.rib()))
    assert {name: path[name] for name in EXPECTED} == EXPECTED
    assert path["as_path"] == [64500]
    poll(lambda: frr.kernel_routes() == {"192.0.2.1/32": ["10.0.0.2"]})
    assert poll(lambda: frr.rib("ipv6"))["2001:db8::1/128"][0]["nexthop"] == "fd00::2"
    poll(lambda: frr.kernel_routes("ipv6") == {"2001:db8::1/128": ["fd00::2"]})


def test_frr_comes_back_after_a_kill(pair: Lab, workdir: Path) -> None:
    """A router that was killed with -9 and started again learns the routes anew."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    speak(pair, workdir, asn=64500)
    assert poll(lambda: frr.rib().get("192.0.2.1/32"))[0]["local_pref"] == 100
    frr.restart(kill=True)
    assert poll(lambda: frr.rib().get("192.0.2.1/32"))


def test_bird_reports_paths_and_kernel_routes(pair: Lab, workdir: Path) -> None:
    """BIRD's RIB shows every attribute sent, and the kernel of its node the routes, both families."""
    neighbor = Neighbor("10.0.0.2", 64500, ("ipv4", "ipv6"), password=SECRET)
    bird = Bird(pair.node("r"), asn=64501, neighbors=[neighbor]).start()
    speak(pair, workdir, asn=64501, options=f"md5-password {SECRET};")
    bird.wait_established()
    path = poll(lambda: best(bird.rib()))
    assert {name: path[name] for name in EXPECTED} == EXPECTED
    assert path["as_path"] == [64500]
    poll(lambda: bird.kernel_routes() == {"192.0.2.1/32": ["10.0.0.2"]})
    assert poll(lambda: bird.rib("ipv6"))["2001:db8::1/128"][0]["nexthop"] == "fd00::2"
