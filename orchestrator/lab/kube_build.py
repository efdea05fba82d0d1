"""Builds kube-apiserver from its Go module, once: `python -m orchestrator.lab.kube_build`.

`k8s.io/kubernetes` is not made to be depended on: its go.mod points to directories that the module
does not hold. So an own module is written around it that points to their published versions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "1.37.2"
"""Kubernetes' version; changing it is all that an update takes."""
_MODULE = "k8s.io/kubernetes"
_COMMAND = f"{_MODULE}/cmd/kube-apiserver"
_STAGED = re.compile(r"(k8s\.io/\S+) => \./staging/")
_GO_LINES = re.compile(r"^go [^\n]+$|^godebug (?:\([^)]*\)|[^\n]+)$", re.MULTILINE)
_LONGEST_S = 45 * 60


class BuildError(Exception):
    """kube-apiserver cannot be built here; the message says what is missing."""


def cache() -> Path:
    """Return the directory that built programs are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "orchestrator"


def built() -> Path:
    """Return where kube-apiserver is, or will be once it is built."""
    return cache() / f"kube-apiserver-{VERSION}"


def build() -> Path:
    """Build kube-apiserver unless it is there already; takes 5 to 10 minutes on two cores."""
    target = built()
    if target.exists():
        return target
    if shutil.which("go") is None:
        raise BuildError("go is missing; kube-apiserver is built from its Go module")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kube-build-") as directory:
        workdir = Path(directory)
        _write_module(workdir)
        # Tests of the staged modules import what was never published: -e goes on, and so do we.
        _go(workdir, "mod", "tidy", "-e", wanted=False)
        _go(workdir, "build", "-trimpath", "-ldflags", _flags(), "-o", "built", _COMMAND)
        # Renamed when whole, so that an interrupted build is not taken for a finished one.
        partial = target.with_suffix(".new")
        shutil.copy2(workdir / "built", partial)
        partial.replace(target)
    return target


def _write_module(workdir: Path) -> None:
    (workdir / "go.mod").write_text("module orchestrator.example/kube\n", encoding="utf-8")
    listed = _go(workdir, "mod", "download", "-json", f"{_MODULE}@v{VERSION}")
    found = re.search(r'"GoMod": "([^"]+)"', listed)
    if found is None:
        raise BuildError(f"go mod download named no go.mod: {listed[:200]}")
    theirs = Path(found[1]).read_text(encoding="utf-8")
    (workdir / "go.mod").write_text(module_around(theirs), encoding="utf-8")
    (workdir / "tools.go").write_text(
        f'//go:build tools\n\npackage kube\n\nimport _ "{_COMMAND}"\n', encoding="utf-8"
    )


def module_around(theirs: str) -> str:
    """Return a go.mod like theirs, with published versions in place of their directories."""
    staged = f"v0.{VERSION.removeprefix('1.')}"
    replaced = "".join(f"\t{name} => {name} {staged}\n" for name in _STAGED.findall(theirs))
    lines = "\n\n".join(_GO_LINES.findall(theirs))
    head = f"module orchestrator.example/kube\n\n{lines}\n\nrequire {_MODULE} v{VERSION}\n"
    return f"{head}\nreplace (\n{replaced})\n"


def _flags() -> str:
    """Return linker flags with the version: without them it calls itself v0.0.0."""
    major, minor, _ = VERSION.split(".")
    values = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    named = (f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())
    return " ".join(("-s -w", *named))


def _go(workdir: Path, *arguments: str, wanted: bool = True) -> str:
    """Run a command of go; BuildError when it fails, if its success is `wanted`."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(
        ["nice", "go", *arguments],
        cwd=workdir,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if wanted and done.returncode != 0:
        said = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise BuildError(f"go {arguments[0]} failed: {said}")
    return done.stdout


def main() -> int:
    """Build it and say where it is."""
    try:
        sys.stdout.write(f"{build()}\n")
    except (BuildError, OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"kube-apiserver cannot be built: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
