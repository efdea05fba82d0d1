"""The demo's client: asks for / on a new connection each time and counts who answers.

Run as `python -m orchestrator.lab.requests COUNT ADDRESS:PORT...`; the addresses are asked in
turn. It prints one JSON object: name of the server -> answers, `failed` among them if any were.
"""

from __future__ import annotations

import collections
import http.client
import itertools
import json
import sys
from collections.abc import Sequence

TIMEOUT_S = 3.0
FAILED = "failed"


def ask(address: str, port: int) -> str:
    """Name of the server that answers one request; `failed` when none does."""
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode("ascii", "replace").strip()
    except (OSError, http.client.HTTPException):
        return FAILED
    finally:
        connection.close()


def count(number: int, targets: Sequence[str]) -> dict[str, int]:
    """Send `number` requests and count the answers by the name of the server."""
    places = [target.rpartition(":") for target in targets]
    chosen = itertools.islice(itertools.cycle(places), number)
    answers = collections.Counter(ask(address, int(port)) for address, _, port in chosen)
    return dict(sorted(answers.items()))


if __name__ == "__main__":
    print(json.dumps(count(int(sys.argv[1]), sys.argv[2:])))  # noqa: T201
