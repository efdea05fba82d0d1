"""VirtualIP: an address of this host with its health check (DESIGN 10)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.config.communities import Listed, communities_field, listed
from orchestrator.config.faults import Faults
from orchestrator.config.formats import parse_host_address, parse_virtual_address
from orchestrator.config.item import Item
from orchestrator.config.kinds.trust import (
    ABSOLUTE,
    COMMAND,
    UNTRUSTED_HINT,
    check_program,
    refuse_untrusted,
)
from orchestrator.config.schema import (
    AtMost,
    Choice,
    ExactlyOne,
    Field,
    Integer,
    Kind,
    ListOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Values,
)
from orchestrator.model.virtual_ip import (
    Check,
    ExecProbe,
    Health,
    HttpProbe,
    OnDown,
    PathByHealth,
    TcpProbe,
    VirtualIP,
)

_PORT = Integer(1, 65535)
_MILLISECONDS = Integer(50, 3_600_000)
_TIMES = Integer(1, 100)
_LOOPBACK = "127.0.0.1"
_MAX_ADDRESSES = 1000
_FAST_INTERVAL_MS = 500


def _host(text: str) -> str:
    """Names are not looked up: a check must not depend on DNS."""
    return _LOOPBACK if text == "localhost" else str(parse_host_address(text))


_HOST_FIELD = Field(
    "host",
    Parsed("an address or localhost", _host),
    "Address that is probed.",
    default=_LOOPBACK,
)
_URL_PATH = Text("a path that begins with /", re.compile(r"/[!-~]*"), 2048)

_HTTP = Record(
    (
        Field("port", _PORT, "TCP port.", required=True),
        Field("path", _URL_PATH, "Path, with query if needed, that is asked for.", default="/"),
        _HOST_FIELD,
        Field(
            "scheme",
            Choice(("http", "https")),
            "https does not verify the certificate: it is this host's own.",
            default="http",
        ),
        Field(
            "statuses",
            ListOf(Integer(100, 599), max_items=500, unique=True),
            "Statuses that are good; 200 to 399 when empty.",
            default=(),
        ),
    )
)

_TCP = Record((Field("port", _PORT, "TCP port that must accept.", required=True), _HOST_FIELD))

_EXEC = Record(
    (
        Field(
            "command",
            COMMAND,
            "Program (absolute path) and arguments; no shell. Good when it ends with status 0.",
            required=True,
        ),
    )
)


_CHECK = Record(
    fields=(
        Field("http", _HTTP, "Probe by an HTTP GET."),
        Field("tcp", _TCP, "Probe by a TCP connection."),
        Field("exec", _EXEC, "Probe by a command; in trusted local files only."),
        Field("intervalMs", _MILLISECONDS, "Time between probes.", default=2000),
        Field(
            "fastIntervalMs",
            _MILLISECONDS,
            "The same while the state may be about to change; 500, or intervalMs if shorter.",
        ),
        Field("timeoutMs", _MILLISECONDS, "A probe that takes longer has failed.", default=1000),
        Field("rise", _TIMES, "Good results in a row that bring it up.", default=2),
        Field("fall", _TIMES, "Bad results in a row that take it down.", default=3),
        Field(
            "disableFile",
            ABSOLUTE,
            "While this file exists the VIP is disabled; in trusted local files only.",
        ),
    ),
    rules=(
        ExactlyOne(("http", "tcp", "exec")),
        AtMost("fastIntervalMs", "intervalMs"),
    ),
)

_PORT_ENTRY = Record(
    (
        Field("port", _PORT, "Port of the service behind the VIP.", required=True),
        Field("protocol", Choice(("TCP", "UDP", "SCTP")), "Protocol of the port.", default="TCP"),
    )
)

_STATES = tuple(health.value for health in Health)
_UINT32 = Integer(0, 2**32 - 1)

_MED = Record(
    tuple(Field(state, _UINT32, f"MULTI_EXIT_DISC while it is {state}.") for state in _STATES)
)
_COMMUNITIES = Record(
    tuple(communities_field(state, f"Communities while it is {state}.") for state in _STATES)
)

_SPEC = Record(
    fields=(
        Field(
            "addresses",
            ListOf(
                Parsed("an address that can be announced", parse_virtual_address),
                max_items=_MAX_ADDRESSES,
                unique=True,
            ),
            "The addresses; either these or pool.",
            default=(),
        ),
        Field(
            "pool",
            Text(max_length=253),
            "IPAddressPool that an address is drawn from and then kept.",
            default="",
        ),
        Field(
            "ports",
            ListOf(_PORT_ENTRY, max_items=1000, unique=True),
            "What is served; VIPs with distinct ports may share an address.",
            default=(),
        ),
        Field(
            "bind",
            Text("an interface name or none", re.compile(r"[^\s/:\x00-\x1f]{1,15}"), 15),
            "Interface that the addresses are put on first; `none` leaves that to you.",
            default="lo",
        ),
        Field("check", _CHECK, "How health is found out; without it the VIP is always up."),
        Field(
            "onDown",
            Choice(tuple(choice.value for choice in OnDown)),
            "Withdraw the routes, or keep them with the MED and communities of `down`.",
            default="withdraw",
        ),
        Field("med", _MED, "MED by state of health."),
        Field("communities", _COMMUNITIES, "Communities by state, besides the advertisement's."),
    ),
    rules=(ExactlyOne(("addresses", "pool")),),
)


@dataclass(frozen=True, slots=True)
class VirtualIPDraft:
    """A VIP whose community aliases are still names."""

    virtual_ip: VirtualIP
    communities: Mapping[Health, Listed]


def _probe(check: Values) -> HttpProbe | TcpProbe | ExecProbe:
    http, tcp = check["http"], check["tcp"]
    if http is not None:
        statuses = frozenset(http["statuses"])
        return HttpProbe(http["host"], http["port"], http["path"], http["scheme"], statuses)
    if tcp is not None:
        return TcpProbe(tcp["host"], tcp["port"])
    return ExecProbe(tuple(check["exec"]["command"]))


def _check(check: Values | None) -> Check | None:
    if check is None:
        return None
    interval = check["intervalMs"]
    return Check(
        probe=_probe(check),
        interval_ms=interval,
        fast_interval_ms=check["fastIntervalMs"] or min(_FAST_INTERVAL_MS, interval),
        timeout_ms=check["timeoutMs"],
        rise=check["rise"],
        fall=check["fall"],
        disable_file=check["disableFile"],
    )


def _refuse_untrusted(item: Item, faults: Faults) -> None:
    """Commands, paths and foreign hosts come from trusted local files only (DESIGN 13)."""
    check = item.body["spec"]["check"]
    if item.trusted or check is None:
        return
    for name in ("exec", "disableFile"):
        if check[name] is not None:
            refuse_untrusted(("spec", "check", name), name, faults)
    for name in ("http", "tcp"):
        own = {str(address) for address in item.body["spec"]["addresses"]}
        if check[name] is not None and not _own_host(check[name]["host"], own):
            message = "another host is probed only on behalf of a trusted local file"
            faults.add(("spec", "check", name, "host"), message, "untrusted", hint=UNTRUSTED_HINT)


def _own_host(host: str, own: set[str]) -> bool:
    return host in own or ipaddress.ip_address(host).is_loopback


def _look_at_command(spec: Values, faults: Faults) -> None:
    check = spec["check"]
    if check is None or check["exec"] is None:
        return
    check_program(check["exec"]["command"], ("spec", "check", "exec", "command"), faults)


def _warn(spec: Values, faults: Faults) -> None:
    demoted = (spec["med"] or {}).get("down") is not None
    demoted = demoted or bool((spec["communities"] or {}).get("down"))
    if spec["onDown"] == "demote" and not demoted:
        message = "demote changes nothing without med.down or communities.down"
        faults.warn(("spec", "onDown"), message, "demoteWithoutEffect")
    if spec["onDown"] == "demote" and spec["check"] is None:
        message = "demote never happens without a check"
        faults.warn(("spec", "onDown"), message, "demoteWithoutEffect")


def _build(item: Item, faults: Faults) -> VirtualIPDraft:
    spec = item.body["spec"]
    _refuse_untrusted(item, faults)
    _look_at_command(spec, faults)
    _warn(spec, faults)
    by_state = {
        Health(state): listed(texts, ("spec", "communities", state))
        for state, texts in (spec["communities"] or {}).items()
    }
    return VirtualIPDraft(_virtual_ip(item), by_state)


def _virtual_ip(item: Item) -> VirtualIP:
    spec = item.body["spec"]
    med = spec["med"] or {}
    return VirtualIP(
        name=item.name,
        addresses=spec["addresses"],
        pool=spec["pool"] or None,
        labels=item.labels,
        ports=frozenset((entry["protocol"], entry["port"]) for entry in spec["ports"]),
        bind=None if spec["bind"] == "none" else spec["bind"],
        check=_check(spec["check"]),
        on_down=OnDown(spec["onDown"]),
        paths={
            Health(state): PathByHealth(med=value)
            for state, value in med.items()
            if value is not None
        },
        created=item.created,
    )


KIND = Kind(
    name="VirtualIP",
    group="orchestrator.io",
    versions=("v1alpha1",),
    doc="An address of a box without Kubernetes, with the health check that decides about it.",
    body=Record((Field("spec", _SPEC, required=True), Field("status", Opaque(), "Not read."))),
    build=_build,
    example="""\
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata:
  name: web
  labels: {tier: front}
spec:
  addresses: [192.0.2.1]
  ports: [{port: 443}]
  check: {tcp: {port: 443}, rise: 3, fall: 2}
  onDown: demote
  med: {up: 100, down: 500}
""",
)
