"""`import keepalived`: what becomes of VRRP instances, and what is told to be lost."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.imports.keepalived import read_keepalived
from orchestrator.config.imports.result import Imported
from tests.unit.config.imported import lost, reread, sample, specs


def instance(body: str, before: str = "", name: str = "VI_1") -> Imported:
    """Import one instance with the least that it needs, and `body`."""
    text = f"""{before}
vrrp_instance {name} {{
    interface eth0
    virtual_router_id 7
    virtual_ipaddress {{
        192.0.2.1/24
    }}
{body}
}}
"""
    return read_keepalived(text.encode())


def spec(imported: Imported) -> dict[str, Any]:
    """Return the spec of the one VirtualRouter."""
    (found,) = specs(imported, "VirtualRouter").values()
    return found


def test_router_of_two_sides() -> None:
    """A whole configuration gives one VirtualRouter for each instance."""
    found = specs(read_keepalived(sample("keepalived")), "VirtualRouter")
    public = found["public-v4"]
    assert (public["interface"], public["vrid"], public["version"]) == ("eth0", 51, 2)
    assert (public["priority"], public["preemptDelayMs"]) == (150, 30_000)
    assert public["addresses"] == ["198.51.100.10/24", "198.51.100.11/24"]
    assert public["excludedAddresses"] == ["198.51.100.12/24", "2001:db8:1::10/64"]
    assert public["authentication"] == {"password": "s3cret-a"}
    assert public["syncGroup"] == found["private-v4"]["syncGroup"] == "office"
    assert public["notify"] == ["/usr/local/bin/on-change", "--quiet"]
    assert (found["private-v4"]["preempt"], found["private-v4"]["virtualMAC"]) == (False, True)
    assert (found["public-v6"]["version"], found["public-v6"]["advertIntervalMs"]) == (3, 250)


def test_tracks_of_the_router() -> None:
    """Interfaces, scripts and files that are tracked keep their weights and times."""
    track = specs(read_keepalived(sample("keepalived")), "VirtualRouter")["public-v4"]["track"]
    assert track == [
        {"interface": "eth1", "weight": -20},
        {"interface": "eth2"},
        {
            "command": ["/usr/local/bin/proxy-answers", "--port", "8443"],
            "intervalMs": 2000,
            "timeoutMs": 1000,
            "rise": 2,
            "fall": 3,
            "weight": -30,
        },
        {
            "command": ["/bin/sh", "-c", "killall -0 haproxy"],
            "intervalMs": 5000,
            "timeoutMs": 5000,
            "weight": 5,
        },
        {"file": "/run/edge/maintenance", "weight": -100},
    ]


def test_what_is_lost_of_the_router() -> None:
    """IPVS, mail, routes, labels and included files are told with their lines."""
    found = "\n".join(lost(read_keepalived(sample("keepalived"))))
    for words in ("virtual_server", "notification_email", "virtual_routes", "label", "include"):
        assert words in found


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ("", "version", 2),
        ("", "bind", "eth0"),
        ("    version 3", "version", 3),
        ("    advert_int 3", "advertIntervalMs", 3000),
        ("    version 3\n    advert_int 0.05", "advertIntervalMs", 50),
        ("    state MASTER\n    priority 200", "priority", 200),
        ("    unicast_peer { 192.0.2.9/24 }", "unicastPeers", ["192.0.2.9"]),
        ("    virtual_ipaddress_excluded {\n 192.0.2.8 dev lo\n }", "bind", "lo"),
        ('    authentication {\n auth_type PASS\n auth_pass "a b"\n }', "authentication", None),
        ("    authentication {\n auth_type PASS\n auth_pass ab\n }", "authentication", "ab"),
    ],
)
def test_settings(body: str, field: str, value: Any) -> None:
    """Each setting has its place; a password that VRRP cannot carry makes the object invalid."""
    imported = instance(body)
    if value is None:
        assert lost(imported)
        return
    found = spec(imported)[field]
    assert found == ({"password": value} if field == "authentication" else value)
    assert reread(imported).valid


def test_notify_gets_its_arguments_from_a_shell_too() -> None:
    """A command that needs a shell is given what is added to it; a name that changes is told."""
    imported = instance('    notify "on-change --quiet"', name="vi-1")
    assert spec(imported)["notify"] == ["/bin/sh", "-c", 'on-change --quiet "$@"', "sh"]
    assert not lost(imported)
    (loss,) = lost(instance("    notify /bin/true"))
    assert "second argument" in loss


@pytest.mark.parametrize(
    "body",
    [
        "    advert_int 1.5",
        "    priority high",
        "    authentication {\n auth_type AH\n auth_pass ab\n }",
        "    version 3\n    authentication {\n auth_type PASS\n auth_pass ab\n }",
        "    track_script {\n nobody\n }",
        "    track_interface {\n eth1 weight 5 reverse\n }",
        "    track_process {\n x\n }",
        "    smtp_alert",
        "    mcast_src_ip 192.0.2.3",
        "    garp_master_delay 10",
        "    notify_backup /bin/true",
        "    colour red",
        "    virtual_ipaddress {\n not-an-address\n }",
        "    virtual_ipaddress {\n 192.0.2.2 dev eth1\n 192.0.2.3 dev eth2\n }",
    ],
)
def test_losses(body: str) -> None:
    """What has no place is told, and the rest of the instance is carried over."""
    imported = instance(body)
    assert len(lost(imported)) == 1
    assert (
        "vrrp_instance VI_1" in lost(imported)[0]
        or "advert_int" in lost(imported)[0]
        or ("authentication" in lost(imported)[0])
    )
    assert spec(imported)["vrid"] == 7


def test_families_in_one_list() -> None:
    """Addresses of another family than the first go to the excluded ones, as keepalived has them."""
    imported = instance("    virtual_ipaddress {\n 2001:db8::1/64\n }")
    assert spec(imported)["excludedAddresses"] == ["2001:db8::1/64"]


def test_words_and_comments() -> None:
    """Both kinds of comments, quotes, variables and braces on their own line are understood."""
    text = """\
$IF="eth7"
! a comment { that opens nothing
vrrp_instance "VI 1"   # behind
{
  interface ${IF}
  virtual_router_id 9 ! number
  virtual_ipaddress
  {
    192.0.2.1
  }
}
"""
    imported = read_keepalived(text.encode())
    assert spec(imported)["interface"] == "eth7"
    assert not lost(imported)


def test_defaults_of_all_instances() -> None:
    """Version and interface are taken from global_defs where an instance names none."""
    text = """\
global_defs { default_interface eth3
  vrrp_version 3 }
vrrp_instance A {
  virtual_router_id 9
  virtual_ipaddress { 192.0.2.1 }
}
"""
    found = spec(read_keepalived(text.encode()))
    assert (found["interface"], found["bind"], found["version"]) == ("eth3", "eth3", 3)


def test_lines_for_other_hosts() -> None:
    """A line that is for one of several hosts is not guessed about."""
    imported = instance("", before="@main global_defs")
    assert lost(imported) == ["1: @main global_defs"]


def test_an_instance_that_cannot_be_is_lost() -> None:
    """An instance without a number is told, not written wrongly."""
    text = b"vrrp_instance A {\n interface eth0\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n"
    imported = read_keepalived(text)
    assert lost(imported) == ["1: VirtualRouter a"]
    assert not imported.made
