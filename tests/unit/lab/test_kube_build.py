"""The module around Kubernetes' programs, and where programs are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.apiserver import ApiServerError, program
from orchestrator.lab.kube_build import VERSION, BuildError, build, built, module_around

THEIRS = """module k8s.io/kubernetes

go 1.99.0

godebug default=go1.99

require (
	k8s.io/api v0.0.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
)
"""


def test_module_takes_published_versions() -> None:
    """Directories of the repository become the versions that were published with it."""
    staged = f"v0.{VERSION.removeprefix('1.')}"
    made = module_around(THEIRS)
    assert f"\tk8s.io/api => k8s.io/api {staged}\n" in made
    assert f"\tk8s.io/client-go => k8s.io/client-go {staged}\n" in made
    assert f"require k8s.io/kubernetes v{VERSION}\n" in made
    assert "staging" not in made


@pytest.mark.parametrize("debug", ["godebug default=go1.99", "godebug (\n\tdefault=go1.99\n)"])
def test_module_keeps_go_and_godebug(debug: str) -> None:
    """The version of Go and its settings are theirs, in either notation."""
    made = module_around(THEIRS.replace("godebug default=go1.99", debug))
    assert f"\ngo 1.99.0\n\n{debug}\n" in made


def test_what_is_built_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the cache is taken, with no go on the machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(BuildError, match="go is missing"):
        build("kube-proxy")
    built("kube-proxy").parent.mkdir()
    built("kube-proxy").touch()
    assert build("kube-proxy") == tmp_path / "orchestrator" / f"kube-proxy-{VERSION}"
    with pytest.raises(BuildError, match="go is missing"):
        build("kube-apiserver")


def test_programs_of_the_kubernetes_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the Kubernetes tools say where programs are; the more special one wins."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.delenv("TEST_ASSET_ETCD", raising=False)
    with pytest.raises(ApiServerError, match="etcd is missing"):
        program("etcd")
    for name in ("etcd", "other"):
        (tmp_path / name).touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert program("etcd") == tmp_path / "etcd"
    monkeypatch.setenv("TEST_ASSET_ETCD", str(tmp_path / "other"))
    assert program("etcd") == tmp_path / "other"
