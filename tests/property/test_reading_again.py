"""Reading again after some files changed gives what reading everything afresh gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source

SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: d}}
spec: {{type: LoadBalancer, clusterIP: 10.0.0.{number}}}
"""
SLICE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-{number}, namespace: d, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [10.1.0.1], nodeName: n{number}, conditions: {{ready: true}}}}]
"""
ENDPOINTS = """---
apiVersion: v1
kind: Endpoints
metadata: {{name: {name}, namespace: d}}
subsets: [{{addresses: [{{ip: 10.1.0.{number}}}]}}]
"""
POOL = """---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: {name}, namespace: metallb-system}}
spec: {{addresses: [10.{number}.0.0/24]}}
"""
VIP = """---
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: {name}}}
spec: {{addresses: [10.9.0.{number}]}}
"""
documents = st.builds(
    lambda form, name, number: form.format(name=name, number=number),
    st.sampled_from([SERVICE, SERVICE, SLICE, SLICE, ENDPOINTS, POOL, VIP]),
    st.sampled_from(["a", "b", "c"]),
    st.integers(1, 3),
)
files = st.dictionaries(
    st.sampled_from(["1.yaml", "2.yaml", "3.yaml"]),
    st.lists(documents, min_size=1, max_size=5).map("".join),
)


def sources(texts: dict[str, str]) -> list[Source]:
    """Files in the order of their names."""
    return [Source(name, texts[name].encode()) for name in sorted(texts)]


@given(st.lists(files, min_size=1, max_size=5))
def test_reading_again_equals_reading_afresh(states: list[dict[str, str]]) -> None:
    """Whatever files came, went, moved objects or repeated them, nothing of the past shows.

    Last good versions aside: none of these objects has a fault of its own, and pools, which may
    clash, are compared only while they do not.
    """
    known: Reading | None = None
    for texts in states:
        known, fresh = read(sources(texts), previous=known), read(sources(texts))
        assert known.cluster == fresh.cluster
        assert list(known.cluster.virtual_ips) == list(fresh.cluster.virtual_ips)
        if not fresh.policy.pools_faulty:
            assert known.policy == fresh.policy
            assert known.problems == fresh.problems
        same = read(sources(texts), previous=known)
        assert same.cluster.services is known.cluster.services
        assert same.cluster.endpoints is known.cluster.endpoints
