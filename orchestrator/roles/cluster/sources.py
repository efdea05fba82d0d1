"""The objects of a cluster, watched and put together to a `Reading`: what a role in a pod plans from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access, UnreachableError
from orchestrator.adapters.kube.reflections import Listener, Reflections
from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.live import LiveObjects
from orchestrator.config.reading import Reading
from orchestrator.config.schema import Kind
from orchestrator.kube.actions import Changed, Trouble
from orchestrator.kube.member_key import IN_A_CLUSTER
from orchestrator.kube.resource import Resource
from orchestrator.model.problem import Problem, Severity

ASK_S = 10.0
"""How often the API server is asked whether it is there."""
FRESH_S = 30.0
"""Without an answer for so long what is known of the cluster may be old (DESIGN 8.1)."""
NEEDED = frozenset(
    {
        "Service",
        "EndpointSlice",
        "Node",
        "Namespace",
        "IPAddressPool",
        "BGPPeer",
        "BGPAdvertisement",
        "L2Advertisement",
    }
)
"""Without these nothing is decided; what depends on another kind that may not be read waits."""
_READY = "/readyz"
_LASTING = frozenset({Trouble.FORBIDDEN, Trouble.REFUSED})
"""What somebody has to mend; all else passes, and says nothing of the configuration."""


class ClusterSources:
    """Objects as they are on the API server. `on_change` is called when anything changed.

    Who does not allocate goes by the addresses that each Service has in its status. `listener` is
    told of every change of an object, before `on_change`.
    """

    def __init__(
        self,
        access: Access,
        resources: Iterable[Resource],
        namespace: str,
        on_change: Callable[[], None],
        *,
        allocates: bool = False,
        listener: Listener | None = None,
    ) -> None:
        self.access = access
        self.allocates = allocates
        self._listener = listener
        self._on_change = on_change
        self._objects = LiveObjects(namespace, IN_A_CLUSTER)
        self._kinds = {one: _kind_of(one) for one in resources}
        self._reflections = Reflections(access, self._kinds, self._take, on_change)
        self._answered_at = float("-inf")
        self._was_fresh = False

    async def start(self) -> None:
        """Find the way to the API server; raises `AdapterError` when there is none."""
        await self.access.open()

    def reload(self) -> None:
        """Do nothing: whatever changes is told by the API server."""

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reflections.run())
                group.create_task(self._ask())
        finally:
            await self.access.close()

    @property
    def reading(self) -> Reading | None:
        """What is in force; None before all that is needed was known once."""
        if any(self._is_awaited(one) for one in self._reflections.unsynced):
            return None
        return self._objects.read()

    def _is_awaited(self, resource: Resource) -> bool:
        told = self._reflections.troubles.get(resource)
        forbidden = told is not None and told.trouble is Trouble.FORBIDDEN
        return resource.kind in NEEDED or not forbidden

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with objects, and with reading them."""
        reading = self.reading
        return (*self._troubles(), *(reading.problems if reading is not None else ()))

    def _troubles(self) -> Iterable[Problem]:
        for resource, told in self._reflections.troubles.items():
            lasting = told.trouble in _LASTING
            severity = Severity.ERROR if lasting else Severity.WARNING
            yield Problem(severity, "notWatched", str(resource), told.message)

    @property
    def fresh(self) -> bool:
        """Tell whether the API server answered lately."""
        return clock.monotonic() - self._answered_at < FRESH_S

    def _take(self, resource: Resource, changed: Changed) -> None:
        version = f"{resource.group}/{resource.version}" if resource.group else resource.version
        texts = (one.text for one in changed.objects)
        self._objects.change(self._kinds[resource], version, texts, changed.gone)
        if self._listener is not None:
            self._listener(resource, changed)
        self._on_change()

    async def _ask(self) -> None:
        """Ask again and again whether the API server is there."""
        while True:
            with contextlib.suppress(UnreachableError):
                answer = await self.access.request("GET", _READY)
                if answer.status == 200:
                    self._answered_at = clock.monotonic()
            if self.fresh is not self._was_fresh:
                self._was_fresh = self.fresh
                self._on_change()
            await asyncio.sleep(ASK_S)


def _kind_of(resource: Resource) -> Kind:
    kind = kind_of(resource.group, resource.version, resource.kind)
    assert kind is not None, f"{resource} is not read"
    return kind
