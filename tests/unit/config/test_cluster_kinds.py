"""Services, endpoints, nodes, namespaces and Secrets as they are read."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.address import Family
from orchestrator.model.cluster import (
    Endpoint,
    FamilyPolicy,
    Node,
    Port,
    Service,
    ServiceKey,
    TrafficPolicy,
)
from orchestrator.model.problem import Severity
from tests.unit.config.samples import PEER, errors, only, read_text, text_of

WEB = ServiceKey("default", "web")
SPEC = """type: LoadBalancer
clusterIPs: [10.96.0.1]
ports: [{port: 80, protocol: TCP, targetPort: http}]
selector: {b: y, a: x}"""


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Make an address."""
    return ipaddress.ip_address(text)


def service_of(spec: str = SPEC, status: str = "", **metadata: str) -> Service:
    """Read one Service."""
    reading = read_text(text_of("Service", "web", spec, **metadata) + status)
    assert errors(reading) == []
    return reading.cluster.services[WEB]


def test_service_fields() -> None:
    """A Service as load balancing sees it."""
    spec = SPEC + "\nexternalTrafficPolicy: Local\nloadBalancerClass: x"
    spec += "\nipFamilyPolicy: PreferDualStack"
    status = "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {hostname: x}]}}\n"
    notes = "{metallb.io/allow-shared-ip: key, metallb.io/ip-allocated-from-pool: edge}"
    found = service_of(spec, status, annotations=notes, labels="{app: web}", uid="u1")
    assert found == Service(
        key=WEB,
        load_balancer_class="x",
        labels={"app": "web"},
        traffic_policy=TrafficPolicy.LOCAL,
        family_policy=FamilyPolicy.PREFER_DUAL_STACK,
        families=(Family.IPV4,),
        ports=frozenset({Port("TCP", 80)}),
        pod_selector="a=x,b=y",
        sharing_key="key",
        ingress=(address("192.0.2.1"),),
        allocated_pool="edge",
        uid="u1",
    )


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "ExternalName"])
def test_other_types_are_known_but_not_served(kind: str) -> None:
    """A Service of another type is there, as one that is not ours."""
    assert not service_of(SPEC.replace("LoadBalancer", kind)).load_balancer


def test_headless_service_has_no_family() -> None:
    """`None` is no cluster address."""
    found = service_of("type: LoadBalancer\nclusterIP: None\nclusterIPs: [None]")
    assert found.families == ()


@pytest.mark.parametrize(
    ("listed", "families"),
    [
        ("[]", (Family.IPV4, Family.IPV6)),
        ("[IPv4, IPv6]", (Family.IPV4, Family.IPV6)),
        ("[IPv6, IPv4]", (Family.IPV6, Family.IPV4)),
    ],
)
def test_dual_stack_by_cluster_addresses(listed: str, families: tuple[Family, ...]) -> None:
    """Families are those of the cluster addresses; ipFamilies says which is preferred, else IPv4."""
    spec = SPEC.replace("[10.96.0.1]", "['fd00::1', 10.96.0.1]")
    assert service_of(f"{spec}\nipFamilies: {listed}").families == families


def test_deprecated_annotations_are_noted() -> None:
    """Annotations of the old group are known by name, those that nobody reads are not."""
    annotations = (
        "{metallb.universe.tf/address-pool: edge, metallb.universe.tf/other: x, "
        "metallb.universe.tf/ip-allocated-from-pool: edge}"
    )
    found = service_of(annotations=annotations)
    assert found.deprecated_annotations == ("metallb.universe.tf/address-pool",)


def test_service_without_namespace_is_in_default() -> None:
    """A Service names its namespace, or lives in `default`."""
    reading = read_text(text_of("Service", "web", SPEC, namespace="shop"))
    assert list(reading.cluster.services) == [ServiceKey("shop", "web")]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("{metallb.io/loadBalancerIPs: '192.0.2.1'}", ["192.0.2.1"]),
        ("{metallb.io/loadBalancerIPs: '192.0.2.1, 2001:db8::1'}", ["192.0.2.1", "2001:db8::1"]),
        ("{metallb.universe.tf/loadBalancerIPs: '192.0.2.1'}", ["192.0.2.1"]),
        (
            "{metallb.universe.tf/loadBalancerIPs: '192.0.2.1', metallb.io/loadBalancerIPs: ''}",
            [],
        ),
    ],
)
def test_requested_addresses(annotations: str, expected: list[str]) -> None:
    """Addresses asked for by annotation; the present spelling wins, even when it is empty."""
    found = service_of(annotations=annotations)
    assert found.requested_addresses == tuple(address(text) for text in expected)
    assert found.malformed_request is None


def test_address_asked_for_in_the_spec() -> None:
    """`spec.loadBalancerIP` asks for one address, the annotation for a pool."""
    found = service_of(
        SPEC + "\nloadBalancerIP: 192.0.2.7", annotations="{metallb.io/address-pool: edge}"
    )
    assert found.requested_addresses == (address("192.0.2.7"),)
    assert found.requested_pool == "edge"


@pytest.mark.parametrize(
    ("annotation", "single", "words"),
    [
        ("192.0.2.1", "192.0.2.1", "both"),
        ("192.0.2.1,192.0.2.2", "", "one family"),
        ("192.0.2.1,2001:db8::1,192.0.2.2", "", "more than two"),
        ("192.0.2.300", "", "not an address"),
        ("192.0.2.1,", "", "not an address"),
    ],
)
def test_malformed_request_is_kept_and_warned_about(
    annotation: str, single: str, words: str
) -> None:
    """A request that makes no sense stays with the Service, and is a warning."""
    spec = SPEC + (f"\nloadBalancerIP: {single}" if single else "")
    notes = f"{{metallb.io/loadBalancerIPs: '{annotation}'}}"
    reading = read_text(text_of("Service", "web", spec, annotations=notes))
    problem = only(reading.problems)
    assert (problem.severity, problem.code) == (Severity.WARNING, "invalidRequest")
    assert words in (reading.cluster.services[WEB].malformed_request or "")


SLICE = """apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: %s
"""


@pytest.mark.parametrize(
    ("conditions", "usable"),
    [
        ("{}", True),
        ("{ready: true}", True),
        ("{ready: null}", True),
        ("{ready: false}", False),
        ("{ready: false, serving: true}", True),
        ("{ready: false, serving: false}", False),
        ("{ready: true, serving: false}", True),
    ],
)
def test_serving_test(conditions: str, usable: bool) -> None:
    """An endpoint is usable when it is ready, or of unknown readiness, or still serving."""
    entry = f"[{{addresses: [10.0.0.1], nodeName: n1, conditions: {conditions}}}]"
    reading = read_text(SLICE % ("web-1", entry))
    assert reading.cluster.endpoints == {WEB: (Endpoint("n1", usable),)}


def test_endpoint_without_address_is_not_usable() -> None:
    """An entry without addresses cannot serve."""
    reading = read_text(SLICE % ("web-1", "[{addresses: [], nodeName: n1}]"))
    assert reading.cluster.endpoints[WEB] == (Endpoint("n1", usable=False),)


def test_slices_of_one_service_are_joined() -> None:
    """A Service has the endpoints of all its slices."""
    one = SLICE % ("web-1", "[{addresses: [10.0.0.1], nodeName: n1}]")
    two = SLICE % ("web-2", "[{addresses: [10.0.0.2]}]")
    endpoints = read_text(two, one).cluster.endpoints[WEB]
    assert endpoints == (Endpoint("n1", usable=True), Endpoint(None, usable=True))


def test_older_slices_name_the_node_in_topology() -> None:
    """discovery.k8s.io/v1beta1 has the node in `topology`."""
    entry = "[{addresses: [10.0.0.1], topology: {kubernetes.io/hostname: n1}}]"
    text = (SLICE % ("web-1", entry)).replace("/v1\n", "/v1beta1\n", 1)
    assert read_text(text).cluster.endpoints[WEB] == (Endpoint("n1", usable=True),)


def test_slice_of_no_service_is_ignored() -> None:
    """A slice without the label of a Service means nothing to us."""
    text = (SLICE % ("x", "[]")).replace("kubernetes.io/service-name: web", "a: b")
    reading = read_text(text)
    assert (reading.cluster.endpoints, reading.problems) == ({}, ())


ENDPOINTS = """apiVersion: v1
kind: Endpoints
metadata: {name: web}
subsets:
- addresses: [{ip: 10.0.0.1, nodeName: n1}]
  notReadyAddresses: [{ip: 10.0.0.2, nodeName: n2}]
"""


def test_endpoints() -> None:
    """Endpoints objects tell usable from other addresses; slices replace them."""
    whole = (Endpoint("n1", usable=True), Endpoint("n2", usable=False))
    assert read_text(ENDPOINTS).cluster.endpoints == {WEB: whole}
    sliced = read_text(ENDPOINTS, SLICE % ("web-1", "[{addresses: [10.0.0.9], nodeName: n9}]"))
    assert sliced.cluster.endpoints == {WEB: (Endpoint("n9", usable=True),)}


def test_nodes() -> None:
    """Labels, NetworkUnavailable, the drain annotation, and addresses that are addresses."""
    text = text_of("Node", "n1", labels="{rack: a}", annotations="{orchestrator.io/drain: now}")
    text += """status:
  conditions: [{type: Ready, status: 'False'}, {type: NetworkUnavailable, status: 'True'}]
  addresses:
  - {type: Hostname, address: n1}
  - {type: ExternalIP, address: 203.0.113.1}
  - {type: InternalIP, address: 10.0.0.1}
"""
    expected = Node("n1", {"rack": "a"}, True, "now", (address("10.0.0.1"), address("203.0.113.1")))
    assert read_text(text).cluster.nodes == {"n1": expected}


@pytest.mark.parametrize(("value", "cordoned"), [("true", True), ("false", False), ("null", False)])
def test_cordoned_nodes(value: str, cordoned: bool) -> None:
    """`spec.unschedulable` is a cordon; podCIDR and the like are passed over."""
    text = text_of("Node", "n1") + f"spec: {{podCIDR: 10.0.0.0/24, unschedulable: {value}}}\n"
    assert read_text(text).cluster.nodes == {"n1": Node("n1", cordoned=cordoned)}


@pytest.mark.parametrize(("text", "wait_s"), [("60", 60.0), ("0", 0.0), ("1.5", 1.5)])
def test_how_long_a_drained_node_waits(text: str, wait_s: float) -> None:
    """An annotation says for how long routes are only made unattractive, in seconds."""
    annotations = f"{{orchestrator.io/drain: now, orchestrator.io/drain-wait: '{text}'}}"
    reading = read_text(text_of("Node", "n1", annotations=annotations))
    assert reading.cluster.nodes == {"n1": Node("n1", drain="now", drain_wait_s=wait_s)}
    assert reading.problems == ()


@pytest.mark.parametrize("text", ["soon", "-1", "86401", "nan", "inf", ""])
def test_a_wait_that_is_none(text: str) -> None:
    """What is no number of seconds counts as absent, which is told; the node drains all the same."""
    annotations = f"{{orchestrator.io/drain: now, orchestrator.io/drain-wait: '{text}'}}"
    reading = read_text(text_of("Node", "n1", annotations=annotations))
    assert reading.cluster.nodes == {"n1": Node("n1", drain="now")}
    problem = only(reading.problems)
    assert (problem.severity, problem.path) == (
        Severity.WARNING,
        "metadata.annotations.orchestrator.io/drain-wait",
    )


def test_namespaces() -> None:
    """Namespaces have their labels."""
    reading = read_text(text_of("Namespace", "shop", labels="{env: prod}"))
    assert reading.cluster.namespaces == {"shop": {"env": "prod"}}


def secret(data: str, name: str = "s", kind: str = "kubernetes.io/basic-auth") -> str:
    """Make a Secret."""
    return text_of("Secret", name, namespace="metallb-system") + f"type: {kind}\n{data}\n"


PEER_WITH_SECRET = text_of("BGPPeer", "r1", PEER + "\npasswordSecret: {name: s}")


@pytest.mark.parametrize(
    "data", ["data: {password: aHVudGVyMg==}", "stringData: {password: hunter2}"]
)
def test_password_from_a_secret(data: str) -> None:
    """A peer has the password of its Secret, in base64 or as it is, wherever the Secret stands."""
    for texts in ((PEER_WITH_SECRET, secret(data)), (secret(data), PEER_WITH_SECRET)):
        reading = read_text(*texts)
        assert reading.problems == ()
        assert f"<{reading.policy.peers[0].password}>" == "<hunter2>"
        assert "hunter2" not in repr(reading)


def test_missing_secret_is_waited_for() -> None:
    """Without its Secret the peer waits, and has no session without the password."""
    reading = read_text(PEER_WITH_SECRET)
    problem = only(reading.problems)
    assert (problem.severity, problem.object) == (Severity.WAITING, "BGPPeer metallb-system/r1")
    assert reading.valid
    assert reading.policy.peers == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (secret("stringData: {password: x}", kind="Opaque"), "type is Opaque"),
        (secret("stringData: {username: x}"), "no key password"),
        (secret("data: {password: '%%%'}"), "not base64"),
        (secret("data: {password: /w==}"), "not base64 of UTF-8"),
        (secret("stringData: {password: ''}"), "empty"),
        (secret(f"stringData: {{password: {'x' * 81}}}"), "longer than 80"),
    ],
)
def test_unusable_secret_is_an_error(text: str, words: str) -> None:
    """A Secret of another type, or without a usable key, is an error of the peer."""
    problem = only(read_text(PEER_WITH_SECRET, text).problems)
    assert problem.severity is Severity.ERROR
    assert words in problem.message
    assert problem.path == "spec.passwordSecret.name"


def test_line_break_in_a_password_is_an_error() -> None:
    """The usual slip of `echo x | base64` is refused, as in MetalLB, with what to do."""
    problem = only(read_text(PEER_WITH_SECRET, secret("data: {password: eAo=}")).problems)
    assert (problem.severity, problem.code) == (Severity.ERROR, "passwordLineBreak")
    assert "echo -n" in (problem.hint or "")


def test_secrets_elsewhere_are_ignored() -> None:
    """A Secret of another namespace is no business of ours."""
    other = secret("stringData: {password: x}").replace("metallb-system", "default")
    assert only(read_text(PEER_WITH_SECRET, other).problems).code == "missingSecret"
