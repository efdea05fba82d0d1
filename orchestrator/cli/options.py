"""Options that several commands share, with the names and defaults of CLI.md."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestrator.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT_HTTP = "127.0.0.1:7472"


def _environment(flag: str) -> str:
    return "ORCHESTRATOR_" + flag.removeprefix("--").replace("-", "_").upper()


def single(flag: str, *names: str, **attributes: Any) -> Callable[[Command], Command]:
    """Declare an option that the environment gives too, as ORCHESTRATOR_<FLAG>."""
    return click.option(*names, flag, envvar=_environment(flag), show_envvar=True, **attributes)


def _all(function: Command, options: Sequence[Callable[[Any], Any]]) -> Command:
    for option in reversed(options):
        function = option(function)
    return function


def _host_and_port(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> str | None:
    """Refuse what is neither `off` nor ADDRESS:PORT."""
    if value is None:
        return None
    _, colon, port = value.rpartition(":")
    if value != "off" and not (colon and port.isdecimal() and int(port) < 65536):
        raise click.BadParameter(f"{value!r} is neither ADDRESS:PORT nor off")
    return value


def filenames(*, required: bool = False) -> Callable[[Command], Command]:
    """`-f/--filename`, repeatable: a file, a directory or `-`."""
    return click.option(
        "-f",
        "--filename",
        "filename",
        multiple=True,
        required=required,
        type=click.Path(path_type=Path, allow_dash=True),
        envvar="ORCHESTRATOR_FILENAME",
        help="File, directory (its *.yaml, *.yml, *.json) or - for standard input; repeatable.",
    )


def output(*formats: str) -> Callable[[Command], Command]:
    """`-o/--output`: table for people, json or yaml for scripts."""
    return single(
        "--output",
        "-o",
        type=click.Choice(formats or ("table", "json", "yaml")),
        default="table",
        show_default=True,
        help="How the answer is printed.",
    )


def namespace(function: Command) -> Command:
    """`--namespace`: where configuration objects live."""
    return single(
        "--namespace",
        default="metallb-system",
        show_default=True,
        help="Namespace of the configuration objects.",
    )(function)


def service_selection(function: Command) -> Command:
    """`--lb-class` and `--ignore-exclude-lb`: which Services and nodes are ours."""
    return _all(
        function,
        [
            single("--lb-class", default=None, help="Serve only Services of this class."),
            single(
                "--ignore-exclude-lb",
                is_flag=True,
                help="Announce from nodes labelled exclude-from-external-load-balancers too.",
            ),
        ],
    )


def _node_name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Refuse what Kubernetes takes for no node: members say their name in every hello."""
    if not 0 < len(value.encode()) <= LONGEST_NODE_NAME:
        raise click.BadParameter(f"the name of a node has 1 to {LONGEST_NODE_NAME} bytes")
    return value


def runtime_dir(function: Command) -> Command:
    """`--runtime-dir`: where a running instance is found."""
    return single(
        "--runtime-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default="/run/orchestrator",
        show_default=True,
        help="Sockets, locks and the rendered ExaBGP configuration.",
    )(function)


LONGEST_NODE_NAME = 253
"""As long as a DNS name may be (RFC 1123), which Kubernetes takes for nodes."""
IDENTITY = (
    click.option(
        "--node",
        envvar=["ORCHESTRATOR_NODE", "NODE_NAME"],
        show_envvar=True,
        default=platform.node,
        callback=_node_name,
        help="Name of this node (default: the host's name).",
    ),
    single(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default="/var/lib/orchestrator",
        show_default=True,
        help="What outlives a reboot: addresses drawn from pools, the drain.",
    ),
    single(
        "--http",
        callback=_host_and_port,
        default=None,
        help="ADDRESS:PORT of the read-only HTTP server, or off. "
        f"Default: what Settings in the files say, else {DEFAULT_HTTP}.",
    ),
)
STOPPING = (
    single(
        "--on-stop",
        type=click.Choice(["withdraw", "hold"]),
        default="withdraw",
        show_default=True,
        help="What TERM does with the routes.",
    ),
    single(
        "--orphan-hold",
        type=click.FloatRange(min=0),
        default=600.0,
        show_default=True,
        metavar="SECONDS",
        help="Withdraw all this long after the last speaker; 0 is for ever.",
    ),
)
LOGGING = (
    single(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default=None,
        help="Default: what Settings in the files say, else info.",
    ),
    single(
        "--log-format",
        type=click.Choice(["json", "text"]),
        default=None,
        help="Default: what Settings in the files say, else text on a terminal and json elsewhere.",
    ),
)


CLUSTER = (
    single(
        "--kubeconfig",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="How to reach a cluster. Default: the pod's service account, else KUBECONFIG, else ~/.kube/config.",
    ),
    single("--context", default=None, help="Context of the kubeconfig, if not its current one."),
)


def cluster(function: Command) -> Command:
    """`--kubeconfig` and `--context`: which cluster is meant."""
    return _all(function, CLUSTER)


def asking(function: Command) -> Command:
    """Whom a command asks: the speaker that runs here, or a cluster."""
    return runtime_dir(cluster(namespace(service_selection(function))))


def long_running(function: Command) -> Command:
    """Options of every long-running command; `process_settings` makes values of them."""
    function = _all(function, [*IDENTITY, *STOPPING, *CLUSTER, *LOGGING])
    return runtime_dir(namespace(service_selection(function)))


def process_settings(filename: tuple[Path, ...] = (), **options: Any) -> Settings:
    """Make `Settings` of what `long_running` and `filenames` parsed.

    Flags and the environment come first, then the Settings object in the files, then defaults.
    """
    http, level, form = (options.pop(name) for name in ("http", "log_level", "log_format"))
    if filename and None in (http, level, form):
        from orchestrator.cli.file_settings import settings_in

        found = settings_in(filename, options["namespace"])
        http, level, form = http or found.http, level or found.log.level, form or found.log.format
    http = http or DEFAULT_HTTP
    return Settings(
        filenames=filename,
        http=None if http == "off" else http,
        orphan_hold_s=options.pop("orphan_hold"),
        log_level=level or "info",
        log_format=form or "",
        **options,
    )
