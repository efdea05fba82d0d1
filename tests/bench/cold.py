"""10,000 routes from a cold start to one peer, beside a bare ExaBGP fed by a plain script."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.bench import objects
from tests.bench.place import Place
from tests.bench.table import Table

ROUTES = 10_000
RUNS = 3
ENVIRONMENT = {
    "exabgp.api.ack": "false",
    "exabgp.api.cli": "false",
    "exabgp.daemon.drop": "false",
    "exabgp.log.level": "ERROR",
    "exabgp.tcp.bind": "",
}
CONFIGURATION = """
process feed {{
    run {python} {script};
    encoder json;
}}
neighbor 10.0.0.1 {{
    router-id 10.0.0.2;
    local-address 10.0.0.2;
    local-as 64500;
    peer-as 64500;
    api {{ processes [ feed ]; neighbor-changes; }}
}}
"""
SCRIPT = '''
"""Announces everything at once when the session comes up."""
import sys

while '"up"' not in sys.stdin.readline():
    pass
for number in range({routes}):
    print(f"announce route 198.18.{{number // 250}}.{{number % 250 + 1}}/32 next-hop self")
sys.stdout.flush()
sys.stdin.read()
'''


def cold(workdir: Path) -> Table:
    """Measure both in turns: from the session's coming up to the last route in the kernel."""
    table = Table(
        f"{ROUTES} routes from a cold start to one peer, s after the session is up",
        ("run", "orchestrator run", "bare ExaBGP", "ratio", "start to session up"),
    )
    for run in range(1, RUNS + 1):
        up_after, ours = _appliance(workdir / f"ours{run}")
        theirs = _bare(workdir / f"bare{run}")
        table.add(run, ours, theirs, ours / theirs, up_after)
    return table


def _appliance(workdir: Path) -> tuple[float, float]:
    workdir.mkdir()
    with Place(workdir) as place:
        objects.write_services(place.box.files, ROUTES)
        begun = time.time()
        place.box.start()
        up = place.router.up_at(limit_s=120)
        return up - begun, place.router.all_installed_at(ROUTES) - up


def _bare(workdir: Path) -> float:
    workdir.mkdir()
    with Place(workdir) as place:
        script, configuration = workdir / "feed.py", workdir / "bare.conf"
        script.write_text(SCRIPT.format(routes=ROUTES), encoding="utf-8")
        text = CONFIGURATION.format(python=sys.executable, script=script)
        configuration.write_text(text, encoding="utf-8")
        place.box.node.spawn(
            [sys.executable, "-m", "exabgp", "server", str(configuration)],
            log=workdir / "bare.log",
            env=ENVIRONMENT,
        )
        return place.router.all_installed_at(ROUTES) - place.router.up_at()
