"""The status page: one HTML table for each subject, made on the server, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2433}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th{text-align:left;color:#5b6475;font-weight:600}
td,th{padding:.3rem .8rem .3rem 0;border-bottom:1px solid #e4e7ee;vertical-align:top}
.good{color:#0a7a3d}.bad{color:#b3261e}
"""
GOOD = frozenset({"announced", "up", "enabled", "master"})
BAD = frozenset(
    {
        "down",
        "unhealthy",
        "peerDown",
        "error",
        "noEndpoints",
        "noLocalEndpoints",
        "addressConflict",
        "kernelAnswers",
        "isolated",
        "fault",
    }
)
EVENTS_SHOWN = 50


def render_page(documents: Mapping[str, Any]) -> str:
    """Render the page from the documents `status`, `sessions`, `vips` and `events`."""
    status = documents["status"]
    parts = [
        f"<h1>orchestrator {escape(status['version'])} on {escape(status['node'])}</h1>",
        _table("Counts", ("what", "number"), status["counts"].items()),
        _items("Problems", ("severity", "place", "object", "message", "hint"), status["problems"]),
        _items(
            "Sessions", ("peer", "address", "state", "since", "lastError"), documents["sessions"]
        ),
        _items("VIPs", ("service", "address", "health", "reason", "message"), documents["vips"]),
        _items(
            "Virtual routers",
            ("name", "interface", "vrid", "state", "effectivePriority", "master", "message"),
            status["virtualRouters"],
        ),
        _items(
            "Last changes",
            ("time", "kind", "service", "vip", "peer", "old", "new", "message"),
            documents["events"],
        ),
    ]
    head = f"<meta charset=utf-8><title>orchestrator</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>"


def _items(title: str, keys: tuple[str, ...], document: Any) -> str:
    items = document if isinstance(document, list) else (document or {}).get("items", [])
    rows = ([item.get(key) for key in keys] for item in items[:EVENTS_SHOWN])
    return _table(title, keys, rows)


def _table(title: str, keys: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> str:
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    if not body:
        return f"<h2>{escape(title)}</h2><p>none</p>"
    head = "".join(f"<th>{escape(key)}</th>" for key in keys)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    tone = " class=good" if text in GOOD else " class=bad" if text in BAD else ""
    return f"<td{tone}>{escape(text)}</td>"
