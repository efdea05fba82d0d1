"""Everything a cluster has of some resources, listed once: for commands that look and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube.access import Access, Answer
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Page, RawObject, WireError, decode_page, decode_refusal

PAGE = 500
ATTEMPTS = 3
SHORT_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
_NOT_READ = {403: "may not be read", 404: "is not known to the API server"}
_AGAIN = frozenset({429, 500, 502, 503, 504})
_EXPIRED = 410


@dataclass(frozen=True, slots=True)
class Listed:
    """Objects by resource, and why the others were left out."""

    objects: Mapping[Resource, tuple[RawObject, ...]]
    unread: Mapping[Resource, str]


async def list_once(access: Access, resources: Iterable[Resource]) -> Listed:
    """List all of `resources`; `access` is open.

    What may not be read, or is not known to the server, is left out and named. Raises
    `AdapterError` when the server does not answer, or does not take these credentials.
    """
    wanted = tuple(resources)
    answers = await asyncio.gather(*(_list(access, one) for one in wanted))
    found = dict(zip(wanted, answers, strict=True))
    return Listed(
        {one: answer for one, answer in found.items() if not isinstance(answer, str)},
        {one: answer for one, answer in found.items() if isinstance(answer, str)},
    )


async def _list(access: Access, resource: Resource) -> tuple[RawObject, ...] | str:
    """Return all objects, or why they cannot be read."""
    found: list[RawObject] = []
    following = ""
    while True:
        answer = await _ask(access, resource, following)
        if answer.status == _EXPIRED and following:
            found, following = [], ""  # this took longer than the server remembers: from the start
            continue
        if answer.status in _NOT_READ:
            return _NOT_READ[answer.status]
        page = _page(access, resource, answer)
        found.extend(page.objects)
        following = page.next
        if not following:
            return tuple(found)


async def _ask(access: Access, resource: Resource, following: str) -> Answer:
    query = [("limit", str(PAGE))]
    if resource.field_selector:
        query.append(("fieldSelector", resource.field_selector))
    if following:
        query.append(("continue", following))
    for attempt in range(ATTEMPTS):
        answer = await access.request("GET", resource.path, query=query)
        if answer.status not in _AGAIN:
            break
        if attempt < ATTEMPTS - 1:
            await asyncio.sleep(min(answer.retry_after_s or SHORT_PAUSE_S, LONGEST_PAUSE_S))
    return answer


def _page(access: Access, resource: Resource, answer: Answer) -> Page:
    if answer.status != 200:
        said = decode_refusal(answer.body).message
        raise AdapterError(access.host, f"{resource}: {said or f'status {answer.status}'}")
    try:
        return decode_page(answer.body)
    except WireError as error:
        raise AdapterError(access.host, f"{resource}: what came is no list: {error}") from error
