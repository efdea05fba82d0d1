"""A role's ConfigurationState: what it thinks of the configuration, as an object (metallb.md 1.7)."""

from __future__ import annotations

from orchestrator.adapters import clock
from orchestrator.kube import configuration_state
from orchestrator.kube.resources import CONFIGURATION_STATES
from orchestrator.kube.writes import Write
from orchestrator.model.problem import Problem
from orchestrator.roles.cluster.observed import Observed


class ConfigurationReport:
    """The object `name`, compared with what is there."""

    def __init__(self, namespace: str, name: str, observed: Observed) -> None:
        self._namespace = namespace
        self._name = name
        self._observed = observed
        self._problems: tuple[Problem, ...] | None = None
        self._since = ""

    def writes(self, problems: tuple[Problem, ...]) -> list[Write]:
        """Return the writes that make it tell of `problems`; none when it does.

        Their time is the same as long as the problems are, so that a write is made once.
        """
        if problems != self._problems:
            self._problems, self._since = problems, clock.wall()
        known = self._observed.get(CONFIGURATION_STATES.kind, self._namespace, self._name)
        return configuration_state.write(
            self._namespace, self._name, problems, known, at=self._since
        )
