"""What clients of ours ask an API server, step by step, and with what status it has to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.apiserver.play import Play, version_of
from tests.fakes.apiserver_kinds import (
    EVENTS,
    LEASES,
    NODES,
    SECRETS,
    SERVICES,
    SLICES,
    Collection,
    Object,
    custom,
)

STATES = custom("configurationstates", "ConfigurationState")
POOLS = custom("ipaddresspools", "IPAddressPool")
KINDS = (SERVICES, EVENTS, NODES, SECRETS, LEASES, SLICES, STATES, POOLS)
NOWHERE = Collection("nowhere.example", "v1", "things", "Thing")
NO_KIND = Collection("", "v1", "things", "Thing")
LOAD_BALANCERS = [("fieldSelector", "spec.type=LoadBalancer")]
BALANCED = {"loadBalancer": {"ingress": [{"ip": "198.51.100.5"}]}}

Scene = Callable[[Play], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(function: Scene) -> Scene:
    """Have a scene played."""
    SCENES[getattr(function, "__name__", "").replace("_", "-")] = function
    return function


def service(name: str, kind: str = "LoadBalancer", **spec: Any) -> Object:
    """A Service."""
    ports = [{"name": "http", "port": 80}]
    body = {"type": kind, "ports": ports, "selector": {"app": name}, **spec}
    return {"metadata": {"name": name, "annotations": {"of": "user"}}, "spec": body}


def whole(collection: Collection, name: str, **rest: Any) -> Object:
    """Any object, with what says of which kind it is."""
    head = {"apiVersion": collection.api_version, "kind": collection.kind}
    return {**head, "metadata": {"name": name}, **rest}


def of(version: str, **rest: Any) -> Object:
    """A patch that is for one version only."""
    return {"metadata": {"resourceVersion": version}, **rest}


@scene
async def making(play: Play) -> None:
    """Objects are made once, with defaults, and never with a status."""
    services = play.path(SERVICES)
    await play.ask(201, "POST", services, {**service("a"), "status": BALANCED})
    await play.ask(409, "POST", services, service("a"))
    await play.ask(201, "POST", services, {**service("b", "ClusterIP"), "status": BALANCED})
    await play.ask(201, "POST", services, service("local", externalTrafficPolicy="Local"))
    await play.ask(201, "POST", services, service("dual", ipFamilyPolicy="PreferDualStack"))
    await play.ask(201, "POST", services, service("class", loadBalancerClass="x.example/y"))
    await play.ask(201, "POST", services, service("port", "NodePort"))
    await play.ask(201, "POST", services, service("headless", "ClusterIP", clusterIP="None"))
    external = {"type": "ExternalName", "externalName": "a.example"}
    await play.ask(201, "POST", services, {"metadata": {"name": "external"}, "spec": external})
    unnamed = service("")
    unnamed["metadata"] = {"generateName": "some-", "uid": "mine"}
    await play.ask(201, "POST", services, unnamed)
    await play.ask(200, "GET", play.path(SERVICES, "a"))
    await play.ask(404, "GET", play.path(SERVICES, "z"))


@scene
async def making_what_is_wrong(play: Play) -> None:
    """What is no such object, or of another place, is refused."""
    services = play.path(SERVICES)
    versioned = {"name": "a", "resourceVersion": "5"}
    await play.ask(500, "POST", services, {**service("a"), "metadata": versioned})
    await play.ask(400, "POST", services, {**service("a"), "kind": "Pod", "apiVersion": "v1"})
    elsewhere = {"name": "a", "namespace": "elsewhere"}
    await play.ask(400, "POST", services, {**service("a"), "metadata": elsewhere})
    await play.ask(422, "POST", services, {**service("a"), "metadata": {}})
    await play.ask(400, "POST", play.path(STATES), {"metadata": {"name": "a"}})
    await play.ask(405, "POST", play.path(SERVICES, "a"), service("a"))
    await play.ask(405, "POST", "/api/v1/services", service("a"))


@scene
async def replacing(play: Play) -> None:
    """A PUT writes all but the status, for one version or for any."""
    path = play.path(SERVICES, "a")
    made = await play.ask(201, "POST", play.path(SERVICES), service("a"))
    await play.patch(200, f"{path}/status", {"status": BALANCED})
    await play.ask(409, "PUT", path, made)
    now = await play.ask(200, "GET", path)
    await play.ask(200, "PUT", path, now)
    await play.ask(200, "PUT", path, {**now, "metadata": {"name": "a"}, "status": {}})
    await play.ask(200, "PUT", path, service("a", publishNotReadyAddresses=True))
    await play.ask(409, "PUT", path, {**service("a"), "metadata": {"name": "a", "uid": "other"}})
    await play.ask(400, "PUT", play.path(SERVICES, "b"), service("a"))
    await play.ask(201, "PUT", play.path(SERVICES, "b"), service("b"))
    await play.ask(200, "PUT", path, service("a", "ClusterIP"))


@scene
async def patching(play: Play) -> None:
    """A merge patch changes what it names; one for an old version, or of nothing, changes nothing."""
    path = play.path(SERVICES, "a")
    made = await play.ask(201, "POST", play.path(SERVICES), service("a"))
    old = version_of(made)
    await play.patch(200, path, {"metadata": {"annotations": {"of": None, "b": "2"}}})
    await play.patch(409, path, of(old, spec={"sessionAffinity": "ClientIP"}))
    await play.patch(409, path, of(old))
    await play.patch(200, path, {})
    await play.patch(200, path, {"metadata": {"annotations": {"b": "2"}}})
    await play.patch(200, path, {"metadata": {"annotations": {"b": None}}, "status": BALANCED})
    await play.patch(200, path, {"spec": {"ports": [{"port": 81}]}})
    await play.patch(422, path, {"metadata": {"uid": "other"}})
    await play.patch(404, play.path(SERVICES, "z"), {})
    await play.ask(200, "GET", path)


@scene
async def statuses_of_services(play: Play) -> None:
    """The status of a Service is written with its annotations, never with its spec."""
    made = await play.ask(201, "POST", play.path(SERVICES), service("a"))
    path = play.path(SERVICES, "a", "status")
    noted = {"annotations": {"metallb.io/ip-allocated-from-pool": "p"}, "labels": {"l": "1"}}
    whole_patch = {"metadata": noted, "spec": {"sessionAffinity": "ClientIP"}, "status": BALANCED}
    await play.patch(200, path, whole_patch)
    await play.patch(409, path, of(version_of(made), status={"loadBalancer": None}))
    await play.patch(200, path, {"status": BALANCED})
    await play.patch(
        200, path, {"status": {"loadBalancer": {"ingress": [{"hostname": "h.example"}]}}}
    )
    await play.patch(422, path, {"status": {"loadBalancer": {"ingress": [{"ip": "none"}]}}})
    await play.patch(422, path, {"spec": {"type": "ClusterIP"}, "status": BALANCED})
    now = await play.ask(200, "GET", path)
    await play.ask(200, "PUT", path, {**now, "status": BALANCED})
    await play.patch(200, path, {"status": {"loadBalancer": None}})
    await play.patch(404, play.path(SERVICES, "z", "status"), {"status": BALANCED})
    await play.ask(405, "DELETE", path)
    await play.ask(404, "GET", play.path(SERVICES, "a", "nothing"))


@scene
async def services_that_change_their_type(play: Play) -> None:
    """What is no load balancer any more loses its addresses, and can be given none."""
    path, status = play.path(SERVICES, "a"), play.path(SERVICES, "a", "status")
    await play.ask(201, "POST", play.path(SERVICES), service("a", loadBalancerClass="x.example/y"))
    await play.patch(200, status, {"status": BALANCED})
    await play.patch(200, path, {"spec": {"type": "ClusterIP"}})
    vip = {"loadBalancer": {"ingress": [{"ip": "198.51.100.5", "ipMode": "VIP"}]}}
    await play.patch(422, status, {"status": vip})
    await play.patch(200, path, {"spec": {"type": "LoadBalancer"}})
    await play.patch(200, status, {"status": BALANCED})


@scene
async def statuses_of_custom_kinds(play: Play) -> None:
    """Of kinds of ours a status is written alone; the object takes no status, the status no labels."""
    states, path = play.path(STATES), play.path(STATES, "a")
    valid, wrong = {"result": "Valid"}, {"result": "Invalid"}
    made = await play.ask(201, "POST", states, whole(STATES, "a", status=valid))
    labelled = {"annotations": {"k": "1"}, "labels": {"k": "1"}}
    await play.patch(200, f"{path}/status", {"metadata": labelled, "status": valid})
    await play.patch(409, f"{path}/status", of(version_of(made), status=wrong))
    await play.patch(200, f"{path}/status", {"status": valid})
    await play.patch(200, path, {"metadata": labelled, "status": wrong})
    await play.ask(422, "PUT", f"{path}/status", whole(STATES, "a", status=wrong))
    await play.ask(422, "PUT", path, whole(STATES, "a"))
    await play.ask(404, "PUT", play.path(STATES, "z"), whole(STATES, "z"))
    now = await play.ask(200, "GET", path)
    await play.ask(200, "PUT", f"{path}/status", {**now, "status": wrong})
    await play.patch(200, f"{path}/status", {"status": None})
    await play.ask(200, "DELETE", path)


@scene
async def generations(play: Play) -> None:
    """The generation of a kind of ours grows with its spec only."""
    pools, path = play.path(POOLS), play.path(POOLS, "a")
    spec = {"addresses": ["192.0.2.0/24"], "autoAssign": True, "avoidBuggyIPs": False}
    await play.ask(201, "POST", pools, whole(POOLS, "a", spec=spec))
    await play.patch(200, path, {"metadata": {"labels": {"k": "1"}}})
    await play.patch(200, path, {"spec": {"autoAssign": False}})
    counts = {
        "assignedIPv4": 1,
        "assignedIPv6": 0,
        "availableIPv4": 255,
        "availableIPv6": 2**63 - 1,
    }
    await play.patch(200, f"{path}/status", {"status": counts})
    await play.ask(200, "GET", pools)


@scene
async def deleting(play: Play) -> None:
    """What is deleted is gone, but for what has a finalizer; preconditions are kept to."""
    path = play.path(SERVICES, "a")
    made = await play.ask(201, "POST", play.path(SERVICES), service("a"))
    await play.ask(201, "POST", play.path(SERVICES), service("b", "ClusterIP"))
    await play.ask(200, "DELETE", play.path(SERVICES, "b"))
    await play.ask(404, "DELETE", play.path(SERVICES, "b"))
    for wrong in ({"resourceVersion": "1"}, {"uid": "other"}):
        await play.ask(409, "DELETE", path, {"preconditions": wrong})
    await play.patch(200, path, {"metadata": {"finalizers": ["x.example/y"]}})
    await play.ask(200, "DELETE", path)
    await play.ask(200, "DELETE", path)
    await play.ask(200, "GET", path)
    await play.patch(200, path, {"metadata": {"finalizers": None}})
    await play.ask(404, "GET", path)
    await play.watch(play.path(SERVICES), version_of(made), 5)


@scene
async def leases(play: Play) -> None:
    """A Lease is made and renewed for a version that must be named."""
    path = play.path(LEASES, "l")
    spec = {"holderIdentity": "a", "leaseDurationSeconds": 15}
    times = {"renewTime": "2026-01-01T00:00:00.000000Z"}
    made = await play.ask(201, "POST", play.path(LEASES), whole(LEASES, "l", spec=spec))
    await play.ask(409, "POST", play.path(LEASES), whole(LEASES, "l", spec=spec))
    await play.ask(200, "PUT", path, {**made, "spec": {**spec, **times}})
    await play.ask(409, "PUT", path, {**made, "spec": {**spec, "holderIdentity": "b"}})
    await play.ask(422, "PUT", path, whole(LEASES, "l", spec=spec))
    await play.patch(409, path, of(version_of(made), spec=times))
    await play.patch(200, path, {"spec": {"holderIdentity": ""}})
    await play.patch(200, path, {"spec": {"holderIdentity": None, "renewTime": None}})
    await play.ask(404, "GET", play.path(LEASES, "l", "status"))
    await play.ask(200, "DELETE", path)
    await play.ask(201, "PUT", path, whole(LEASES, "l", spec=spec))


@scene
async def events(play: Play) -> None:
    """Events are about objects of their own namespace, and can be counted on."""
    about = {"kind": "Service", "namespace": play.home, "name": "a"}
    told = {"reason": "IPAllocated", "message": "m", "type": "Normal", "source": {"component": "c"}}
    when = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z"}
    body = {"involvedObject": about, **told, **when, "count": 1}
    await play.ask(201, "POST", play.path(EVENTS), {"metadata": {"generateName": "a."}, **body})
    await play.ask(201, "POST", play.path(EVENTS), whole(EVENTS, "a.1", **body))
    await play.patch(200, play.path(EVENTS, "a.1"), {"count": 2})
    node = {**body, "involvedObject": {"kind": "Node", "name": "n"}}
    await play.ask(422, "POST", play.path(EVENTS), whole(EVENTS, "a.2", **node))
    for home, status in (("default", 201), ("kube-system", 422)):
        there = f"/api/v1/namespaces/{home}/events"
        await play.ask(status, "POST", there, whole(EVENTS, "a.3", **node))
        await play.ask(200 if status == 201 else 404, "DELETE", f"{there}/a.3")
    await play.ask(200, "DELETE", play.path(EVENTS, "a.1"))


@scene
async def secrets(play: Play) -> None:
    """A Secret that is given as text is kept encoded."""
    made = whole(SECRETS, "memberlist", stringData={"secretkey": "word"})
    await play.ask(201, "POST", play.path(SECRETS), made)
    await play.ask(409, "POST", play.path(SECRETS), made)
    await play.ask(404, "PUT", play.path(SECRETS, "z"), whole(SECRETS, "z"))


@scene
async def kinds_that_nobody_knows(play: Play) -> None:
    """What the server does not know is 404, and so is every write to it."""
    for kind in (NOWHERE, NO_KIND):
        await play.ask(404, "GET", play.path(kind))
        await play.ask(404, "GET", f"{kind.root}/{kind.plural}", query=[("limit", "1")])
        await play.ask(404, "POST", play.path(kind), whole(kind, "a"))
        await play.patch(404, play.path(kind, "a"), {})


@scene
async def fields_to_select_by(play: Play) -> None:
    """Services are selected by their type, every kind by its name, and no kind by what it does not know."""
    for made in (service("a"), service("b", "ClusterIP"), service("c")):
        await play.ask(201, "POST", play.path(SERVICES), made)
    await play.ask(200, "GET", play.path(SERVICES), query=LOAD_BALANCERS)
    await play.ask(200, "GET", play.path(SERVICES), query=[("fieldSelector", "metadata.name=b")])
    await play.ask(400, "GET", play.path(SERVICES), query=[("fieldSelector", "spec.other=b")])
    await play.ask(400, "GET", play.path(SLICES), query=LOAD_BALANCERS)
    await play.ask(400, "GET", play.path(STATES), query=LOAD_BALANCERS)


@scene
async def pages(play: Play) -> None:
    """All pages of a list are of one moment."""
    services = play.path(SERVICES)
    await play.ask(200, "GET", services)
    for name in "abcde":
        await play.ask(201, "POST", services, service(name, "ClusterIP"))
    page = await play.ask(200, "GET", services, query=[("limit", "2")])
    first, pages_read = version_of(page), 1
    await play.ask(200, "DELETE", play.path(SERVICES, "d"))
    await play.ask(201, "POST", services, service("f", "ClusterIP"))
    await play.patch(200, play.path(SERVICES, "e"), {"metadata": {"labels": {"k": "1"}}})
    while token := page["metadata"].get("continue"):
        page = await play.ask(200, "GET", services, query=[("limit", "2"), ("continue", token)])
        assert version_of(page) == first
        pages_read += 1
    assert pages_read == 3
    await play.ask(200, "GET", services)


@scene
async def watches(play: Play) -> None:
    """A watch tells everything after its version, each change as those see it who select."""
    services, path = play.path(SERVICES), play.path(SERVICES, "a")
    begin = version_of(await play.ask(200, "GET", services))
    await play.ask(201, "POST", services, service("a"))
    await play.ask(201, "POST", services, service("b", "ClusterIP"))
    await play.patch(200, f"{path}/status", {"status": BALANCED})
    await play.patch(200, path, {})
    await play.patch(200, path, {"spec": {"type": "ClusterIP"}})
    middle = await play.patch(200, path, {"spec": {"type": "LoadBalancer"}})
    await play.ask(200, "DELETE", path)
    await play.ask(200, "DELETE", play.path(SERVICES, "b"))
    await play.watch(services, begin, 7)
    await play.watch(services, begin, 5, LOAD_BALANCERS)
    await play.watch("/api/v1/services", version_of(middle), 1, LOAD_BALANCERS)
    await play.watch(services, version_of(middle), 2)


@scene
async def labels(play: Play) -> None:
    """Lists and watches are of objects with all labels that are asked for; who loses one is gone."""
    states = play.path(STATES)
    for name, value in (("a", "1"), ("b", "2")):
        made = whole(STATES, name)
        made["metadata"]["labels"] = {"k": value, "all": "x"}
        await play.ask(201, "POST", states, made)
    chosen = [("labelSelector", "k=1,all=x")]
    begin = version_of(await play.ask(200, "GET", states, query=chosen))
    await play.patch(200, play.path(STATES, "b"), {"metadata": {"labels": {"k": "1"}}})
    await play.patch(200, play.path(STATES, "a"), {"metadata": {"labels": {"k": "3"}}})
    await play.watch(states, begin, 2, chosen)
    await play.ask(200, "GET", states, query=chosen)


@scene
async def versions_yet_to_come(play: Play) -> None:
    """A watch from a version that is yet to come says nothing, as after a restored store."""
    made = await play.ask(201, "POST", play.path(SERVICES), service("a"))
    await play.watch(play.path(SERVICES), str(int(version_of(made)) + 1_000_000), 0)


@scene
async def what_was_forgotten(play: Play) -> None:
    """A version from before what the server remembers is expired: in watches, and between pages."""
    services = play.path(SERVICES)
    for name in "abc":
        await play.ask(201, "POST", services, service(name))
    page = await play.ask(200, "GET", services, query=[("limit", "1")])
    await play.ask(200, "DELETE", play.path(SERVICES, "c"))
    play.forget()
    token = page["metadata"]["continue"]
    await play.ask(410, "GET", services, query=[("limit", "1"), ("continue", token)])
    await play.watch(services, version_of(page), 1)
    newest = version_of(await play.ask(200, "GET", services))
    await play.ask(201, "POST", services, service("d"))
    await play.watch(services, newest, 1)
