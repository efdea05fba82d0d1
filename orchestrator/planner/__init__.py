"""Pure decisions: what should be true, and why not where it is not."""

from orchestrator.planner.memo import Planner
from orchestrator.planner.plan import plan

__all__ = ["Planner", "plan"]
