"""A cluster looked at once, from outside: its objects, the plan they make, and what nodes told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.listing import Listed, list_once
from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.live import LiveObjects
from orchestrator.config.reading import Reading
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    BGP_PEERS,
    CONFIGURATION_STATES,
    NODES,
    SECRETS,
    SERVICE_L2_STATUSES,
    SERVICES,
    SETTINGS,
    SPEAKER_STATES,
    watched_by_speaker,
)
from orchestrator.kube.supposed import supposed_secrets
from orchestrator.kube.told import lives, lost_nodes
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan
from orchestrator.model.problem import Problem, Severity
from orchestrator.planner.as_seen import plan_as_seen

ALL_SERVICES = replace(SERVICES, field_selector="")
"""Whoever looks is told of Services of other types too: that may be what is wrong."""
_TOLD = (SPEAKER_STATES, SERVICE_L2_STATUSES, CONFIGURATION_STATES)
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What there is.

    `unread` are problems of what could not be read. `states` are ConfigurationStates, `speakers`
    SpeakerStates, as they are on the server; `lives` is by node.
    """

    reading: Reading
    plan: Plan
    lives: Mapping[str, Live]
    speakers: Mapping[str, Document]
    states: Mapping[str, Document]
    unread: tuple[Problem, ...]
    listed: Listed

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with objects, and with reading them."""
        return (*self.unread, *self.reading.problems)


async def look(kubeconfig: Path | None, context: str | None, namespace: str, local: Local) -> Look:
    """Look at a cluster; raises `AdapterError` when it does not answer.

    `local` has the class of Services that is served, and whether labels of nodes are ignored.
    """
    access = Access(kubeconfig, context)
    await access.open()
    try:
        listed = await list_once(access, _resources(namespace))
    finally:
        await access.close()
    return seen(listed, namespace, local)


def _resources(namespace: str) -> Iterator[Resource]:
    for resource in watched_by_speaker(namespace):
        yield ALL_SERVICES if resource == SERVICES else resource
    for resource in _TOLD:
        yield replace(resource, namespace=namespace)


def seen(listed: Listed, namespace: str, local: Local) -> Look:
    """Return what was listed, put together."""
    objects = LiveObjects(namespace)
    for resource, found in listed.objects.items():
        _take(objects, resource, [one.text for one in found])
    if any(one.kind == SECRETS.kind for one in listed.unread):
        users = (*_of(listed, BGP_PEERS), *_of(listed, SETTINGS))
        _take(objects, SECRETS, supposed_secrets(users))
    reading = objects.read()
    plan = plan_as_seen(reading.cluster, reading.policy, local)
    speakers = _documents(listed, SPEAKER_STATES)
    answering = _documents(listed, SERVICE_L2_STATUSES).values()
    lost = lost_nodes(_documents(listed, NODES).values())
    nodes, moment = reading.cluster.nodes, clock.monotonic_of
    told = lives(plan, nodes, speakers.values(), answering, moment, lost=lost)
    states = _documents(listed, CONFIGURATION_STATES)
    return Look(reading, plan, told, speakers, states, tuple(_unread(listed)), listed)


def _take(objects: LiveObjects, resource: Resource, texts: list[bytes]) -> None:
    kind = kind_of(resource.group, resource.version, resource.kind)
    if kind is not None:
        version = f"{resource.group}/{resource.version}" if resource.group else resource.version
        objects.change(kind, version, texts, ())


def _of(listed: Listed, resource: Resource) -> Iterator[Any]:
    for one, found in listed.objects.items():
        if one.kind == resource.kind:
            yield from found


def _documents(listed: Listed, resource: Resource) -> dict[str, Document]:
    return {one.key.name: msgspec.json.decode(one.text) for one in _of(listed, resource)}


def _unread(listed: Listed) -> Iterator[Problem]:
    for resource, why in listed.unread.items():
        text = f"{resource.kind} objects are left out: {resource} {why}"
        if resource.kind == SECRETS.kind:
            text = f"{resource} {why}: those that objects name are taken to be there"
        yield Problem(Severity.WARNING, "notRead", str(resource), text)
