"""Plays a scenario on the pure core: files are read and planned after every step, nothing else."""

from __future__ import annotations

from orchestrator.config.read import read as read_sources
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.address import IPAddress
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import AssignmentState, Plan
from orchestrator.model.virtual_ip import Health
from orchestrator.planner import plan
from tests.scenarios import tables
from tests.scenarios.script import EXPECTATIONS, Scenario, Step


class PureWorld:
    """The directory and the nodes of a scenario, as far as the pure core knows of them."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._directory: dict[str, str] = {}
        self._reading = Reading()
        self._health: dict[str, dict[str, Health]] = {node: {} for node in scenario.nodes}
        self._drain = dict.fromkeys(scenario.nodes, DrainPhase.NONE)
        self._held: dict[str, dict[str, tuple[IPAddress, ...]]] = {n: {} for n in scenario.nodes}
        self._plans: dict[str, Plan] = {}

    def play(self) -> None:
        """Do every step; AssertionError with its place when something is not as expected."""
        for step in self._scenario.steps:
            if step.verb in EXPECTATIONS:
                step.compare(self._seen(step.verb))
            else:
                self._act(step)
                self._decide()

    def _act(self, step: Step) -> None:
        first, *rest = step.words
        match step.verb:
            case "write":
                self._directory[rest[1] if rest else first] = self._scenario.files[first]
            case "delete":
                del self._directory[first]
            case "health":
                self._health[first][rest[0]] = Health(rest[1])
            case "drain":
                self._drain[first] = DrainPhase(rest[0])
            case _:
                pass  # a restart forgets nothing: that is the promise

    def _decide(self) -> None:
        sources = [
            Source(name, text.encode(), trusted=True)
            for name, text in sorted(self._directory.items())
        ]
        self._reading = read_sources(sources, previous=self._reading)
        for node in self._scenario.nodes:
            decided = plan(self._reading.cluster, self._reading.policy, self._local(node))
            self._plans[node] = decided
            self._held[node] = {
                str(a.service): a.addresses
                for a in decided.assignments
                if a.state is AssignmentState.ASSIGNED
            }

    def _local(self, node: str) -> Local:
        return Local(
            node=node,
            health=self._health[node],
            drain=self._drain[node],
            held=self._held[node],
        )

    def _seen(self, what: str) -> list[str]:
        if what == "problems":
            return tables.problems(self._reading.problems)
        if what == "assignments":
            return tables.assignments(self._plans[self._scenario.nodes[0]])
        table = getattr(tables, what)
        return [line for decided in self._plans.values() for line in table(decided)]
