"""kube-vip: its DaemonSet's environment and its cloud provider's ConfigMap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.config.imports.kube_vip_peers import add_peers
from orchestrator.config.imports.kube_vip_pools import Pool, add_pools
from orchestrator.config.imports.objects_in import Node, objects_in
from orchestrator.config.imports.result import Imported, UnreadableImportError
from orchestrator.config.imports.verify import verified
from orchestrator.config.imports.words import is_true

_WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")
_ANNOTATION = "kube-vip.io/"
_LOST = {
    "lb_enable": "IPVS balancing of the control plane is not done here",
    "enable_upnp": "routers are not asked to forward ports (UPnP)",
    "vip_ddns": "no names are registered",
    "vip_wireguard": "WireGuard is not set up",
    "vip_routingtable": "routes go to a router over BGP: write a BGPPeer",
    "egress_podcidr": "what leaves the cluster keeps its source address",
    "egress_servicecidr": "what leaves the cluster keeps its source address",
    "egress_withnftables": "what leaves the cluster keeps its source address",
    "enable_service_security": "loadBalancerSourceRanges are kube-proxy's business",
    "bgp_sourceif": "interfaces of sessions are not chosen: set bgp_sourceip, or sourceAddress",
    "enable_node_labeling": "nodes are not labelled: see ServiceL2Status, or `orchestrator vips`",
    "lb_class_only": "start with --lb-class kube-vip.io/kube-vip-class",
    "zebra_enable": "there is no Zebra",
    "mirror_dest_interface": "traffic is not mirrored",
}
_CONTROL_PLANE = (
    "a cluster's own control plane has no VIP here: keep kube-vip for it with svc_enable false, or "
    "write a VirtualIP on router VMs"
)
_NO_HOW = "write an L2Advertisement, or a BGPAdvertisement and BGPPeers, for the pools"


def read_kube_vip(text: bytes) -> Imported:
    """Convert manifests of kube-vip. Raises UnreadableImportError when there is nothing of it."""
    result = Imported()
    found = list(objects_in(text))
    environments = [env for node in found if (env := _environment(node))]
    config_maps = [node for node in found if _is(node, "ConfigMap", "kubevip")]
    if not environments and not config_maps:
        why = "holds neither kube-vip's DaemonSet or Pod nor the ConfigMap kubevip"
        raise UnreadableImportError(1, why)
    pools = add_pools(config_maps, result)
    for env in environments:
        _announce(env, pools, result)
    if not environments:
        result.lose(config_maps[0].line, "how kube-vip announces its addresses", _NO_HOW)
    for node in found:
        _service(node, result)
    return verified(result)


def _is(node: Node, kind: str, name: str) -> bool:
    return node.at("kind").text == kind and node.at("metadata", "name").text == name


def _environment(node: Node) -> dict[str, Node]:
    """Return the variables of a workload's container that is kube-vip; else nothing."""
    kind = node.at("kind").text
    if kind != "Pod" and kind not in _WORKLOADS:
        return {}
    spec = node.at("spec") if kind == "Pod" else node.at("spec", "template", "spec")
    for container in spec.at("containers").items:
        env = {one.at("name").text: _value(one) for one in container.at("env").items}
        if "vip_arp" in env or "bgp_enable" in env or "svc_enable" in env:
            return env
    return {}


def _value(variable: Node) -> Node:
    value = variable.at("value")
    return value if value.given else value._replace(tree=variable.tree)


def _announce(env: Mapping[str, Node], pools: Sequence[Pool], result: Imported) -> None:
    for name, node in env.items():
        _note(name, node, result)
    _control_plane(env, result)
    services = is_true(_text(env, "svc_enable"))
    if not services:
        return
    line = env["svc_enable"].line
    if is_true(_text(env, "bgp_enable")) and add_peers(env, result):
        name = result.name("BGPAdvertisement", "kube-vip")
        spec = {"ipAddressPools": [pool.name for pool in pools] or None}
        result.add(line, "BGPAdvertisement", name, spec, comment=_comment(pools))
    if is_true(_text(env, "vip_arp")):
        _add_layer2(line, env, pools, result)


def _comment(pools: Sequence[Pool]) -> str:
    return "" if pools else "for all pools: the ConfigMap kubevip was not in the file"


def _add_layer2(
    line: int, env: Mapping[str, Node], pools: Sequence[Pool], result: Imported
) -> None:
    """Add one L2Advertisement for each interface that addresses are for."""
    usual = _text(env, "vip_servicesinterface") or _text(env, "vip_interface")
    by_interface: dict[str, list[str]] = {} if pools else {usual: []}
    for pool in pools:
        by_interface.setdefault(pool.interface or usual, []).append(pool.name)
    for interface, names in by_interface.items():
        spec = {
            "ipAddressPools": names or None,
            "interfaces": [interface] if interface and interface != "lo" else None,
        }
        name = result.name("L2Advertisement", "kube-vip")
        result.add(line, "L2Advertisement", name, spec, comment=_comment(pools))


def _text(env: Mapping[str, Node], name: str) -> str:
    return env[name].text if name in env else ""


def _note(name: str, node: Node, result: Imported) -> None:
    """Note a variable that asks for what is not done here."""
    why = _LOST.get(name)
    if why is not None and node.text and node.text != "false":
        result.lose(node.line, f"{name}={node.text}", why)
    elif name == "lb_class_name" and node.text:
        result.lose(node.line, f"{name}={node.text}", f"start with --lb-class {node.text}")
    elif name in ("bgp_peerpass", "bgp_peers", "bgp_as") and node.at("valueFrom").given:
        why = "is taken from elsewhere: write it out, or write the BGPPeer yourself"
        result.lose(node.line, f"{name} (valueFrom)", why)


def _control_plane(env: Mapping[str, Node], result: Imported) -> None:
    if not is_true(_text(env, "cp_enable")):
        return
    node = next((env[name] for name in _addresses(env)), env["cp_enable"])
    result.lose(node.line, f"control-plane address {node.text}", _CONTROL_PLANE)


def _addresses(env: Mapping[str, Node]) -> Iterator[str]:
    return (name for name in ("address", "vip_address") if _text(env, name))


def _service(node: Node, result: Imported) -> None:
    """Note what Services say to kube-vip alone."""
    if node.at("kind").text != "Service":
        return
    name = node.at("metadata", "name").text
    for key, value in node.at("metadata", "annotations").fields.items():
        if key.startswith(_ANNOTATION):
            why = "not read here"
            if key.lower().endswith("loadbalancerips"):
                why = f"write metallb.io/loadBalancerIPs: {value.text}"
            result.lose(value.line, f"Service {name}: {key}", why)
