"""The keys of containerlab's files that are honoured here, and why some others are refused."""

from __future__ import annotations

HONOURED, WITHOUT_EFFECT = "honoured", "without effect"

TOP = {
    "name": HONOURED,
    "prefix": HONOURED,
    "topology": HONOURED,
    "mgmt": WITHOUT_EFFECT,
}
TOPOLOGY = dict.fromkeys(("defaults", "kinds", "groups", "nodes", "links"), HONOURED)
NODE = {
    **dict.fromkeys(
        [
            "kind",
            "group",
            "cmd",
            "entrypoint",
            "exec",
            "binds",
            "env",
            "env-files",
            "sysctls",
            "startup-delay",
            "stages",
            "labels",
        ],
        HONOURED,
    ),
    "network-mode": HONOURED,
    "restart-policy": HONOURED,
    "user": HONOURED,
    **dict.fromkeys(
        ["image", "image-pull-policy", "privileged", "cap-add", "auto-remove"], WITHOUT_EFFECT
    ),
}
"""Images are replaced by this host's programs; a node has all capabilities in its namespaces."""
STAGES = dict.fromkeys(("create", "create-links", "configure"), HONOURED)
STAGE = {"wait-for": HONOURED}
WAIT_FOR = {"node": HONOURED, "stage": HONOURED}
LINK = {
    **dict.fromkeys(("endpoints", "type", "mtu", "endpoint", "host-interface"), HONOURED),
    "labels": WITHOUT_EFFECT,
}
ENDPOINT = dict.fromkeys(("node", "interface", "mac"), HONOURED)

_NO_CONTAINER = "not possible without a container engine: nodes are namespaces of this host"
_NO_ADDRESS = "containerlab does not apply it to kind linux: add the address with exec"
_NODE_REASONS = {
    "ports": _NO_CONTAINER,
    "healthcheck": _NO_CONTAINER,
    "dns": _NO_CONTAINER,
    "license": _NO_CONTAINER,
    "cpu": _NO_CONTAINER,
    "cpu-set": _NO_CONTAINER,
    "memory": _NO_CONTAINER,
    "runtime": _NO_CONTAINER,
    "startup-config": "a node of kind linux has none: bind the file and load it with exec or cmd",
}
REFUSED_NODE = _NODE_REASONS
REFUSED_STAGE = {"exec": "not supported here: use the node's exec, or a cmd that waits"}
REFUSED_STAGES = {
    "healthy": "needs a healthcheck of a container engine",
    "exit": "a stage to wait for, not one to hold back",
}
REFUSED_LINK = {"ipv4": _NO_ADDRESS, "ipv6": _NO_ADDRESS}
REFUSED_ENDPOINT = REFUSED_LINK
REFUSED_TOP = {"settings": _NO_CONTAINER, "debug": _NO_CONTAINER}
