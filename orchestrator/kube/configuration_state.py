"""ConfigurationState: whether the controller, or a speaker, could read the configuration.

As MetalLB writes it (metallb.md 1.7), but that a condition's time moves with its status only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.kube.resources import CONFIGURATION_STATES
from orchestrator.kube.writes import Document, Report, Write, label_values, report
from orchestrator.model.problem import Problem, Severity

CONTROLLER = "controller"
SPEAKER_PREFIX = "speaker-"
COMPONENT_LABEL, NODE_LABEL = "metallb.io/component-type", "metallb.io/node-name"
_LONGEST = 32768
"""Characters that the definition allows for a message."""
_CUT = "..."


def speaker_name(node: str) -> str:
    """Return the name of the object of a node's speaker."""
    return SPEAKER_PREFIX + node


def write(
    namespace: str,
    name: str,
    problems: Sequence[Problem] | None,
    observed: Document | None,
    *,
    at: str,
) -> list[Write]:
    """Return the writes that make the object `name` tell of `problems`; none when it does.

    `name` is `controller` or a `speaker_name`. None for `problems`: nobody knows yet. Warnings do not
    make a configuration invalid; what waits for another object does. `at` is the time (RFC 3339).
    """
    before = (observed or {}).get("status") or {}
    status = _status(name, problems, before.get("conditions") or (), at)
    return report(Report(CONFIGURATION_STATES, namespace, name, _labels(name), status), observed)


def _labels(name: str) -> dict[str, str]:
    if name == CONTROLLER:
        return {COMPONENT_LABEL: CONTROLLER}
    node = name.removeprefix(SPEAKER_PREFIX)
    return {COMPONENT_LABEL: "speaker", **label_values({NODE_LABEL: node})}


def _status(
    name: str, problems: Sequence[Problem] | None, known: Sequence[Mapping[str, Any]], at: str
) -> dict[str, Any]:
    if problems is None:
        return {"result": "Unknown"}
    bad = sorted({str(one) for one in problems if one.severity is not Severity.WARNING})
    summary = _limited("; ".join(bad))
    condition = {
        "type": "poolReconcilerValid" if name == CONTROLLER else "configReconcilerValid",
        "status": "False" if bad else "True",
        "reason": "ConfigurationError" if bad else "Reconciled",
        "message": summary,
    }
    since = _since(condition, known, at)
    result = {"result": "Invalid", "errorSummary": summary} if bad else {"result": "Valid"}
    return {**result, "conditions": [{**condition, "lastTransitionTime": since}]}


def _since(condition: Mapping[str, str], known: Sequence[Mapping[str, Any]], at: str) -> str:
    """Return since when the condition has its status."""
    for one in known:
        if all(one.get(key) == condition[key] for key in ("type", "status")):
            return str(one.get("lastTransitionTime") or at)
    return at


def _limited(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - len(_CUT)] + _CUT
