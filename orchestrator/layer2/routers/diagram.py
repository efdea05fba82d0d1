"""The state machine of a virtual router as a diagram, made from its table."""

from __future__ import annotations

from orchestrator.layer2.routers.table import TABLE


def state_diagram() -> str:
    """Return a Mermaid state diagram: an arrow for each reaction, `event / what is done`."""
    lines = ["stateDiagram-v2", "    [*] --> Init"]
    for (state, event), transition in TABLE.items():
        arrow = f"{state.value.title()} --> {transition.state.value.title()}"
        done = ", then ".join(step.value for step in transition.steps)
        lines.append(f"    {arrow}: {event.value}" + (f" / {done}" if done else ""))
    return "\n".join(lines) + "\n"
