"""A cluster looked at once, from outside: its objects, the plan they make, and what nodes told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.listing import Listed, list_once
from orchestrator.adapters.kube.server_clock import server_now
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
from orchestrator.kube.told import Clock, heard, lives, lost_nodes
from orchestrator.kube.told_flags import local_of
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

    `local` has the flags that speakers run with. `unread` are problems of what could not be read,
    `differing` those of speakers whose flags differ. `states` are ConfigurationStates, `speakers`
    SpeakerStates, as they are on the server; `lives` is by node.
    """

    reading: Reading
    local: Local
    plan: Plan
    lives: Mapping[str, Live]
    speakers: Mapping[str, Document]
    states: Mapping[str, Document]
    unread: tuple[Problem, ...]
    differing: tuple[Problem, ...]
    listed: Listed

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with objects and speakers' flags, and with reading them."""
        return (*self.unread, *self.differing, *self.reading.problems)


async def look(kubeconfig: Path | None, context: str | None, namespace: str, local: Local) -> Look:
    """Look at a cluster; raises `AdapterError` when it does not answer.

    `local` has the class of Services that is served, and whether labels of nodes are ignored; where
    it does not say, what speakers tell of it counts.
    """
    access = Access(kubeconfig, context)
    await access.open()
    try:
        listed, now = await asyncio.gather(
            list_once(access, _resources(namespace)), server_now(access)
        )
    finally:
        await access.close()
    return seen(listed, namespace, local, now)


def _resources(namespace: str) -> Iterator[Resource]:
    for resource in watched_by_speaker(namespace):
        yield ALL_SERVICES if resource == SERVICES else resource
    for resource in _TOLD:
        yield replace(resource, namespace=namespace)


def seen(listed: Listed, namespace: str, local: Local, now: float) -> Look:
    """Return what was listed, put together; `now` is when, by this host's monotonic clock."""
    objects = LiveObjects(namespace)
    for resource, found in listed.objects.items():
        _take(objects, resource, [one.text for one in found])
    if any(one.kind == SECRETS.kind for one in listed.unread):
        users = (*_of(listed, BGP_PEERS), *_of(listed, SETTINGS))
        _take(objects, SECRETS, supposed_secrets(users))
    reading = objects.read()
    speakers = _documents(listed, SPEAKER_STATES)
    answering = _documents(listed, SERVICE_L2_STATUSES).values()
    lost = lost_nodes(_documents(listed, NODES).values())
    time = Clock(clock.monotonic_of, now)
    local, differing = local_of(local, heard(speakers.values(), time, lost))
    plan = plan_as_seen(reading.cluster, reading.policy, local)
    return Look(
        reading=reading,
        local=local,
        plan=plan,
        lives=lives(plan, reading.cluster.nodes, speakers.values(), answering, time, lost=lost),
        speakers=speakers,
        states=_documents(listed, CONFIGURATION_STATES),
        unread=tuple(_unread(listed)),
        differing=differing,
        listed=listed,
    )


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
