"""Which proxy the environment names for an API server."""

from __future__ import annotations

import os

import pytest

from orchestrator.adapters.kube.proxy import proxy_for

SERVER = "https://10.0.0.1:6443"
PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what this machine's environment says."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def test_without_a_word_there_is_none() -> None:
    """An environment that names no proxy leads straight to the server."""
    assert proxy_for(SERVER) is None
    assert proxy_for("") is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_scheme_is_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """HTTPS_PROXY is for https, in either case, and not for http."""
    monkeypatch.setenv(name, PROXY)
    assert proxy_for(SERVER) == PROXY
    assert proxy_for("http://10.0.0.1") is None


@pytest.mark.parametrize("none", ["10.0.0.1", "*", "a.example,10.0.0.1"])
def test_hosts_that_need_none(monkeypatch: pytest.MonkeyPatch, none: str) -> None:
    """A host that NO_PROXY has is asked straight."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", none)
    assert proxy_for(SERVER) is None
    if none != "*":
        assert proxy_for("https://other.example") == PROXY
