"""The Dockerfile agrees with what the manifests and the package ask of the image."""

from __future__ import annotations

import configparser
import re
from fnmatch import fnmatch
from pathlib import Path

from tests.unit.deploy.manifests import of_kind

ROOT = Path(__file__).parents[3]
LINES = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()


def words(instruction: str) -> list[list[str]]:
    """Arguments of each line of an instruction."""
    return [line.split()[1:] for line in LINES if line.split(" ")[0] == instruction]


def test_the_user_is_that_of_the_manifests() -> None:
    """Without a word of the pod it runs as the user and group that the sockets belong to."""
    ((user,),) = words("USER")
    pods = [one["spec"]["template"]["spec"] for one in of_kind("Deployment", "DaemonSet")]
    assert pods
    for pod in pods:
        context = pod["securityContext"]
        assert user == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_all_that_is_copied_is_there_and_not_ignored() -> None:
    """What the build stage copies from here exists, and .dockerignore lets it through."""
    taken = [path for args in words("COPY") if "--from" not in args[0] for path in args[:-1]]
    assert "orchestrator" in taken
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    for path in taken:
        assert (ROOT / path).exists(), path
        assert any(fnmatch(path, pattern) for pattern in let_through), path


def test_the_python_is_new_enough() -> None:
    """The default base has a Python that the package takes."""
    ((default,),) = words("ARG")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    needed = setup["options"]["python_requires"].removeprefix(">=")
    found = re.match(r"PYTHON=python:(\d+)\.(\d+)-", default)
    assert found is not None
    assert tuple(map(int, found.groups())) >= tuple(map(int, needed.split(".")))
