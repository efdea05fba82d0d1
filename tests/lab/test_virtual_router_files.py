"""Files that people have: the router VM pair of docs/examples, and an imported keepalived.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.asking import Asking, serve
from tests.lab.harness import joined
from tests.lab.keepalived import Keepalived
from tests.lab.layer2_scene import CLIENT, wait_answered
from tests.lab.polling import poll, require
from tests.lab.router_scene import OURS, THEIRS, Routers

pytestmark = pytest.mark.lab

EXAMPLE = Path(__file__).parents[2] / "docs/examples/router-vm"
GATEWAY = "192.0.2.254"
CONF = """
! Edge routers of an office.
global_defs {
    router_id edge
    script_user root
    vrrp_version 3
}

vrrp_script works {
    script "/usr/bin/test -e %(works)s"
    interval 1
    weight -60
}

vrrp_sync_group office {
    group {
        office-v4
        office-v6
    }
}

vrrp_instance office-v4 {
    state BACKUP
    interface eth1
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        10.0.0.253/24 dev eth1
        10.0.0.254/24
    }
    virtual_ipaddress_excluded {
        10.0.0.252/24
    }
    track_script {
        works
    }
    notify "%(notify)s"
}

vrrp_instance office-v6 {
    state BACKUP
    interface eth1
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        fe80::254/64
        fd00::254/64
    }
    track_script {
        works
    }
}
"""


def test_example_of_the_documentation_fails_over_both_ways(workdir: Path) -> None:
    """The two files as they are: the client is served by ours, by keepalived when ours is killed.

    Ours serves again when it returns, and keepalived when ours stops.
    """
    require("keepalived")
    with joined(workdir, OURS, THEIRS, CLIENT, networks=["192.0.2.0/24"]) as lab:
        theirs, ours = lab.node(THEIRS), lab.node(OURS)
        theirs.spawn(["keepalived", "-n", "-l", "-f", str(EXAMPLE / "keepalived.conf")])
        for name in (OURS, THEIRS):
            serve(lab.node(name), name, GATEWAY, log=workdir / f"{name}-echo.log")
        client = Asking(lab.node(CLIENT), GATEWAY, 5, workdir / "client.log")
        wait_answered(client, THEIRS)
        argv = ["orchestrator", "run", "-f", str(EXAMPLE / "orchestrator.yaml")]

        run = ours.spawn(argv)
        wait_answered(client, OURS)
        locks = [f"/run/orchestrator/{role}.lock" for role in ("layer2", "speaker", "run")]
        ours.run(["sh", "-c", f"kill -KILL $(cat {' '.join(locks)})"])
        run.wait(10)
        wait_answered(client, THEIRS)

        run = ours.spawn(argv)
        wait_answered(client, OURS)
        run.terminate()
        assert run.wait(20) == 0
        wait_answered(client, THEIRS)


def test_imported_file_runs_beside_the_other_keepalived(workdir: Path) -> None:
    """What `import keepalived` writes takes one keepalived's place beside the other.

    It is master of both families and runs the notify command; when its script fails, the other
    takes over.
    """
    with Routers(workdir) as scene:
        works, told = workdir / "works", workdir / "told"
        notify = workdir / "notify"
        notify.write_text(f'#!/bin/sh\necho "$@" >> {told}\n', encoding="ascii")
        notify.chmod(0o755)
        works.touch()
        conf = workdir / "keepalived.conf"
        conf.write_text(CONF % {"works": works, "notify": notify}, encoding="ascii")
        box = scene.boxes[OURS]
        imported = box.node.run(box.argv("import", "keepalived", str(conf)), check=False)
        assert "script_user" in imported.stderr
        assert len(imported.stderr.splitlines()) == 1, imported.stderr

        theirs = Keepalived(scene.node(THEIRS))
        text = conf.read_text("ascii").replace("priority 150", "priority 120")
        theirs.config = text.replace(str(works), str(conf))
        theirs.start()
        names = ("office-v4", "office-v6")
        for name in names:
            theirs.wait_state("MASTER", name)
        scene.run(imported.stdout)
        for name in names:
            theirs.wait_state("BACKUP", name)
        asked = ("10.0.0.254", "10.0.0.252", "fd00::254")
        for name in (OURS, THEIRS):
            scene.serve(name, *asked)
        clients = [scene.client(address, 5) for address in asked]
        for client in clients:
            wait_answered(client, OURS)
        poll(lambda: "MASTER 150" in told.read_text("ascii"))

        works.unlink()
        for client in clients:
            wait_answered(client, THEIRS)
