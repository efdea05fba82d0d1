"""What the controller writes of each Service: its addresses once they differ, and Events about it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from orchestrator.kube.actions import Changed
from orchestrator.kube.outbox import Rank
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import SERVICES
from orchestrator.kube.service_status import service_write
from orchestrator.kube.wire import Key
from orchestrator.kube.writes import Write, label_of
from orchestrator.model.address import IPAddress
from orchestrator.model.alike import changed_keys, common_ends
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState, KubernetesEvent, Plan

_Given = tuple[AssignmentState, tuple[IPAddress, ...], str | None]
Put = Callable[[Write, Rank], None]


class Allocation:
    """Compares plans with what Services have, and puts the writes that make them agree.

    `held` are addresses that were written and are not seen in the status yet: nobody else may be
    given them meanwhile.
    """

    def __init__(self, put: Put, tell: Callable[[Service, KubernetesEvent, str], None]) -> None:
        """`tell` takes an Event about a Service that was read at a version."""
        self._put = put
        self._tell = tell
        self._told: dict[ServiceKey, tuple[KubernetesEvent, ...]] = {}
        self._versions: dict[Key, str] = {}
        self._settled: dict[ServiceKey, tuple[Service, _Given]] = {}
        self._written: dict[str, ServiceKey] = {}
        """Services by the label of their last write."""
        self._assignments: Sequence[Assignment] = ()
        self._services: Mapping[ServiceKey, Service] = {}
        self._anew: set[ServiceKey] = set()
        self.held: Mapping[str, tuple[IPAddress, ...]] = {}

    def observe(self, resource: Resource, changed: Changed) -> None:
        """Note the versions of Services as they are told.

        A list that is read anew may be that of an older store, which has forgotten what was written
        and looks to the watch as if nothing had changed: then every Service is looked at again.
        """
        if resource.kind != SERVICES.kind:
            return
        if changed.complete:
            self._settled.clear()
            self._anew.update(self._services)
        for key in changed.gone:
            self._versions.pop(key, None)
        for one in changed.objects:
            self._versions[one.key] = one.version

    def start_over(self) -> None:
        """Forget what was written: another replica may have written since."""
        self._settled.clear()
        self._written.clear()
        self._assignments, self._services = (), {}
        self.held = {}

    def write(self, plan: Plan, services: Mapping[ServiceKey, Service]) -> None:
        """Put a write for each Service that has not what the plan gives it."""
        held = dict(self.held)
        for key in self._changed(plan.assignments, services):
            held.pop(str(key), None)
            service, assignment = services.get(key), _find(plan.assignments, key)
            if service is None:
                self._forget(key)
            elif assignment is not None:
                if assignment.addresses and service.ingress != assignment.addresses:
                    held[str(key)] = assignment.addresses
                self._look(service, assignment)
        if held != self.held:
            self.held = held

    def _changed(
        self, assignments: Sequence[Assignment], services: Mapping[ServiceKey, Service]
    ) -> set[ServiceKey]:
        """Return the Services of which anything is another than the last time."""
        old, new = self._assignments, assignments
        head, tail = common_ends(old, new)
        other = (*old[head : len(old) - tail], *new[head : len(new) - tail])
        changed = {one.service for one in other} | self._anew
        changed.update(changed_keys(self._services, services))
        self._assignments, self._services, self._anew = assignments, services, set()
        return changed

    def _look(self, service: Service, assignment: Assignment) -> None:
        self._tell_one(service, assignment)
        settled, given = self._settled.get(service.key), _given(assignment)
        if settled is None or settled[0] is not service or settled[1] != given:
            self._settled[service.key] = service, given
            self._write_one(service, assignment)

    def _forget(self, key: ServiceKey) -> None:
        self._settled.pop(key, None)
        self._told.pop(key, None)
        self._written.pop(label_of(SERVICES, key.namespace, key.name, "status"), None)

    def version(self, key: ServiceKey) -> str:
        """Return the version that a Service was last told at."""
        return self._versions.get(Key(key.namespace, key.name), "")

    def _tell_one(self, service: Service, assignment: Assignment) -> None:
        """Tell the Events about a Service, unless they were its last ones."""
        if assignment.events == self._told.get(service.key, ()):
            return
        self._told[service.key] = assignment.events
        for event in assignment.events:
            self._tell(service, event, self.version(service.key))

    def _write_one(self, service: Service, assignment: Assignment) -> None:
        write = service_write(service, self.version(service.key), assignment)
        if write is not None:
            self._written[write.label] = service.key
            self._put(write, Rank.NETWORK)

    def again(self, label: str) -> None:
        """Look at the Service of a write again with the next plan, though nothing may have changed."""
        key = self._written.get(label)
        if key is not None:
            self._settled.pop(key, None)
            self._anew.add(key)


def _find(assignments: Sequence[Assignment], key: ServiceKey) -> Assignment | None:
    """Return the assignment of a Service; they are sorted by namespace and name."""
    place = (key.namespace, key.name)
    at = bisect_left(assignments, place, key=lambda one: (one.service.namespace, one.service.name))
    found = assignments[at] if at < len(assignments) else None
    return found if found is not None and found.service == key else None


def _given(assignment: Assignment) -> _Given:
    """Return what is written of an assignment: how it came about is not."""
    return assignment.state, assignment.addresses, assignment.pool
