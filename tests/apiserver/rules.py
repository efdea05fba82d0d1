"""Specs that keep and that break the rules between fields, each rule at least once."""

from __future__ import annotations

PEER = "myASN: 64500, peerAddress: 192.0.2.1"
BASES = {
    "v1": f"{PEER}, peerASN: 64501",
    "router": "interface: eth0, vrid: 5, addresses: [192.0.2.254]",
}

BREAKING: dict[tuple[str, str], tuple[str, ...]] = {
    ("BGPPeer", "v1beta2"): (
        "myASN: 0, peerAddress: 192.0.2.1, peerASN: 64501",
        PEER,
        f"{PEER}, peerASN: 0",
        f"{PEER}, peerASN: 64501, dynamicASN: external",
        "myASN: 64500, peerASN: 64501",
        "myASN: 64500, peerASN: 64501, peerAddress: ''",
        f"{BASES['v1']}, interface: eth0",
        f"{BASES['v1']}, password: x, passwordSecret: {{name: s}}",
        f"{BASES['v1']}, password: x, passwordSecret: {{namespace: s}}",
        f"{BASES['v1']}, holdTime: 2s",
        f"{BASES['v1']}, holdTime: 1s",
        f"{BASES['v1']}, holdTime: -3s",
        f"{BASES['v1']}, holdTime: 2999ms",
        f"{BASES['v1']}, holdTime: -1s",
        f"{BASES['v1']}, holdTime: 65536s",
        f"{BASES['v1']}, holdTime: ''",
        f"{BASES['v1']}, holdTime: '90'",
        f"{BASES['v1']}, holdTime: 90x",
        f"{BASES['v1']}, keepaliveTime: 500ms",
        f"{BASES['v1']}, keepaliveTime: 999ms",
        f"{BASES['v1']}, keepaliveTime: -1s",
        f"{BASES['v1']}, keepaliveTime: 6h5m",
        f"{BASES['v1']}, holdTime: 9s, keepaliveTime: 9001ms",
        f"{BASES['v1']}, holdTime: 9s, keepaliveTime: -1ms",
        f"{BASES['v1']}, holdTime: 0s, keepaliveTime: 1s",
        f"{BASES['v1']}, connectTime: 0s",
        f"{BASES['v1']}, connectTime: 1500ms",
        f"{BASES['v1']}, connectTime: 65536s",
        f"{BASES['v1']}, connectTime: -5s",
        f"{PEER}, peerASN: 64500, ebgpMultiHop: true",
        f"{BASES['v1']}, localASN: 64501, ebgpMultiHop: true",
        f"{BASES['v1']}, nodeSelectors: [{{matchExpressions: [{{key: a, operator: In}}]}}]",
        (
            f"{BASES['v1']}, nodeSelectors:"
            " [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]"
        ),
        f"{BASES['v1']}, nodeSelectors: [{{matchLabels: {{a: b}}}}, {{matchLabels: {{a: b}}}}]",
    ),
    ("BGPPeer", "v1beta1"): (
        "myASN: 0, peerAddress: 192.0.2.1, peerASN: 64501",
        f"{PEER}, peerASN: 0",
        "myASN: 64500, peerASN: 64501, peerAddress: ''",
        f"{BASES['v1']}, holdTime: 2s",
        f"{BASES['v1']}, keepaliveTime: 500ms",
        f"{BASES['v1']}, holdTime: 9s, keepaliveTime: 10s",
        f"{PEER}, peerASN: 64500, ebgpMultiHop: true",
        (
            f"{BASES['v1']}, nodeSelectors:"
            " [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]"
        ),
    ),
    ("BGPAdvertisement", "v1beta1"): (
        "serviceSelectors: [{}], aggregationLength: 24",
        "serviceSelectors: [{}], aggregationLengthV6: 64",
        "nodeSelectors: [{matchExpressions: [{key: a, operator: In}]}]",
        "ipAddressPools: [a, a]",
        "communities: ['1:2', '1:2']",
    ),
    ("L2Advertisement", "v1beta1"): (
        "nodeSelectors: [{matchExpressions: [{key: a, operator: NotIn, values: []}]}]",
        (
            "preferredNodeSelectors: [{weight: 1, preference:"
            " {matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]}}]"
        ),
    ),
    ("IPAddressPool", "v1beta1"): (
        (
            "addresses: [192.0.2.0/24], serviceAllocation: {serviceSelectors:"
            " [{matchExpressions: [{key: a, operator: In}]}]}"
        ),
        "addresses: [192.0.2.0/24], serviceAllocation: {namespaces: [a, a]}",
    ),
    ("VirtualIP", "v1alpha1"): (
        "{}",
        "addresses: [192.0.2.1], pool: p",
        "addresses: [192.0.2.1], check: {}",
        "addresses: [192.0.2.1], check: {tcp: {port: 1}, http: {port: 1}}",
        "addresses: [192.0.2.1], check: {tcp: {port: 1}, fastIntervalMs: 2001}",
        "addresses: [192.0.2.1], check: {tcp: {port: 1}, fastIntervalMs: 600, intervalMs: 599}",
    ),
    ("VirtualRouter", "v1alpha1"): (
        f"{BASES['router']}, version: 2, advertIntervalMs: 1500",
        f"{BASES['router']}, version: 2, advertIntervalMs: 256000",
        f"{BASES['router']}, advertIntervalMs: 15",
        f"{BASES['router']}, advertIntervalMs: 40960",
        f"{BASES['router']}, authentication: {{password: x}}",
        f"{BASES['router']}, track: [{{}}]",
        f"{BASES['router']}, track: [{{interface: eth0, virtualIP: v}}]",
        f"{BASES['router']}, track: [{{interface: eth0, rise: 2}}]",
    ),
}
"""By kind and version: specs that both refuse."""

KEEPING: dict[tuple[str, str], tuple[str, ...]] = {
    ("BGPPeer", "v1beta2"): (
        BASES["v1"],
        f"{BASES['v1']}, interface: ''",
        f"{BASES['v1']}, password: '', passwordSecret: {{name: s}}",
        f"{BASES['v1']}, password: x, passwordSecret: {{}}",
        f"{BASES['v1']}, password: x, passwordSecret: {{name: ''}}",
        f"{BASES['v1']}, holdTime: 0s",
        f"{BASES['v1']}, holdTime: '0'",
        f"{BASES['v1']}, holdTime: 999ms",
        f"{BASES['v1']}, holdTime: -999ms",
        f"{BASES['v1']}, holdTime: 3000ms",
        f"{BASES['v1']}, holdTime: 65535999ms",
        f"{BASES['v1']}, holdTime: 1m30s, keepaliveTime: 1.5m",
        f"{BASES['v1']}, holdTime: 0s, keepaliveTime: 0s",
        f"{BASES['v1']}, keepaliveTime: 300ms",
        f"{BASES['v1']}, keepaliveTime: 0s",
        f"{BASES['v1']}, keepaliveTime: 21845s",
        f"{BASES['v1']}, connectTime: 1s",
        f"{BASES['v1']}, connectTime: 1m5s",
        f"{BASES['v1']}, connectTime: 1000ms",
        f"{BASES['v1']}, ebgpMultiHop: true",
        f"{PEER}, peerASN: 64500, ebgpMultiHop: false",
        f"{PEER}, peerASN: 4294967295, ebgpMultiHop: true, localASN: 1",
        f"{BASES['v1']}, nodeSelectors: [{{}}, {{matchLabels: {{a: b}}}}]",
        (
            f"{BASES['v1']}, nodeSelectors:"
            " [{matchExpressions: [{key: a, operator: DoesNotExist, values: []}]}]"
        ),
    ),
    ("BGPPeer", "v1beta1"): (
        BASES["v1"],
        f"{BASES['v1']}, peerPort: 0",
        f"{BASES['v1']}, holdTime: 2m, keepaliveTime: 0s",
        f"{BASES['v1']}, keepaliveTime: 0s",
        (
            f"{BASES['v1']}, nodeSelectors:"
            " [{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}]"
        ),
    ),
    ("BGPAdvertisement", "v1beta1"): (
        "{}",
        "serviceSelectors: [{}], aggregationLength: 32, aggregationLengthV6: 128",
        "serviceSelectors: [], aggregationLength: 24",
        "localPref: 4294967295",
        "communities: ['1:2', 'large:1:2:3', alias]",
    ),
    ("L2Advertisement", "v1beta1"): (
        "{}",
        "preferredNodeSelectors: [{weight: 100, preference: {}}]",
        "interfaces: [eth0, eth1]",
    ),
    ("IPAddressPool", "v1beta1"): (
        "addresses: [192.0.2.0/24, '198.51.100.1 - 198.51.100.9', '2001:db8::/64']",
        "addresses: [192.0.2.0/24], autoAssign: false, serviceAllocation: {priority: 0}",
    ),
    ("BFDProfile", "v1beta1"): ("{}", "receiveInterval: 10, minimumTtl: 254, echoMode: true"),
    ("Community", "v1beta1"): ("{}", "communities: [{name: a, value: '1:2'}]"),
    ("VirtualIP", "v1alpha1"): (
        "addresses: [192.0.2.1]",
        "pool: p",
        "addresses: [], pool: p",
        "addresses: [192.0.2.1], pool: ''",
        "addresses: [192.0.2.1], check: {exec: {command: [/bin/true]}}",
        "addresses: [192.0.2.1], check: {tcp: {port: 1}, fastIntervalMs: 2000}",
    ),
    ("VirtualRouter", "v1alpha1"): (
        BASES["router"],
        f"{BASES['router']}, version: 2, authentication: {{password: x}}",
        f"{BASES['router']}, version: 2, advertIntervalMs: 255000",
        f"{BASES['router']}, advertIntervalMs: 40950",
        f"{BASES['router']}, track: [{{command: [/bin/true], rise: 2}}, {{virtualIP: v}}]",
    ),
    ("Settings", "v1alpha1"): ("{}", "maxDraining: 3"),
}
"""By kind and version: specs that both take."""
