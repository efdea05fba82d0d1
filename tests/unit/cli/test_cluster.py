"""Whether a command asks a cluster or the speaker that runs here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from orchestrator.cli.cluster import ALWAYS, Where


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without any way to a cluster; the directory is its home and runtime directory."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def in_cluster(home: Path, *, obj: str | None = None, **fields: Any) -> bool:
    """What is meant on that host with these flags."""
    given: dict[str, Any] = {"kubeconfig": None, "context": None, **fields}
    with click.Context(click.Command("explain"), obj=obj):
        return Where(
            runtime_dir=home, namespace="x", lb_class=None, ignore_exclude_lb=False, **given
        ).in_cluster


def test_without_any_credentials_the_speaker_is_asked(bare: Path) -> None:
    """No flag, no kubeconfig, no pod: whoever should run here is asked."""
    assert not in_cluster(bare)


def test_flags_and_the_plugin_mean_a_cluster(bare: Path) -> None:
    """A flag does even where a speaker runs; `kubectl orchestrator` always does."""
    (bare / "status.sock").touch()
    assert in_cluster(bare, kubeconfig=Path("x"))
    assert in_cluster(bare, context="x")
    assert in_cluster(bare, obj=ALWAYS)
    assert not in_cluster(bare)


@pytest.mark.parametrize("way", ["home", "variable", "pod"])
def test_credentials_mean_a_cluster_where_no_speaker_runs(
    bare: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A kubeconfig at home or in KUBECONFIG, or a pod's account, unless a speaker is here."""
    config = bare / ".kube" / "config"
    if way == "home":
        config.parent.mkdir()
        config.touch()
    elif way == "variable":
        (bare / "own").touch()
        monkeypatch.setenv("KUBECONFIG", f"{bare / 'missing'}:{bare / 'own'}")
    else:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert in_cluster(bare)
    (bare / "status.sock").touch()
    assert not in_cluster(bare)


def test_a_kubeconfig_that_is_missing_means_nothing(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KUBECONFIG with the name of no file is no way to a cluster."""
    monkeypatch.setenv("KUBECONFIG", str(bare / "missing"))
    assert not in_cluster(bare)
