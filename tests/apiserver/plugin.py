"""kubectl with our plugin on its PATH, made as installing the package makes it."""

from __future__ import annotations

import configparser
import os
import re
import sys
from pathlib import Path

NAME = "kubectl-orchestrator"


def environment(directory: Path, kubeconfig: Path) -> dict[str, str]:
    """Make the plugin in `directory`; return the environment of a kubectl that finds it."""
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    scripts = setup["options.entry_points"]["console_scripts"]
    (target,) = re.findall(rf"^{NAME} = (.+)$", scripts, re.MULTILINE)
    module, _, function = target.partition(":")
    script = directory / "bin" / NAME
    script.parent.mkdir(exist_ok=True)
    lines = (f"#!{sys.executable}", f"from {module} import {function}", f"{function}()")
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "KUBECONFIG": str(kubeconfig)}
