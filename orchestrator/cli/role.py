"""Runs one role as this process: logs, parent's death, and errors as one line."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.logs import start_logging
from orchestrator.adapters.parent import die_with_parent
from orchestrator.cli.failure import fail
from orchestrator.settings import Settings


def run_role(
    name: str,
    settings: Settings,
    main: Callable[[], Coroutine[None, None, None]],
    *,
    precise: bool = False,
) -> None:
    """Run `main` until it returns; an `AdapterError` ends the process with status 3.

    `precise` takes a selector that waits for microseconds: epoll waits for whole milliseconds.
    """
    die_with_parent()
    start_logging(name, settings.log_level, settings.log_format)
    failure: AdapterError | None = None
    try:
        with asyncio.Runner(loop_factory=_precise_loop if precise else None) as runner:
            runner.run(main())
    except* AdapterError as group:
        failure = _first(group)
    if failure is not None:
        fail(failure.place, failure.message)


def _precise_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _first(group: BaseExceptionGroup[AdapterError]) -> AdapterError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
