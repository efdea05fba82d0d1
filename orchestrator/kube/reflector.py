"""Keeps the objects of one resource known: lists them, watches them, and begins anew when it must.

Bytes, ends and time go in, requests and changes come out (DESIGN 9). Whatever goes wrong, what was
known stays known: only a complete list, or the server's word, removes anything.
Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.kube.actions import (
    Action,
    Changed,
    Close,
    Open,
    RenewCredentials,
    Trouble,
    Troubled,
)
from orchestrator.kube.backoff import Backoff, Spread
from orchestrator.kube.request import LONGEST_LIST, Purpose, Request
from orchestrator.kube.resource import Resource
from orchestrator.kube.store import Store
from orchestrator.kube.watch import End, Ending, WatchStream
from orchestrator.kube.wire import RawObject, WireError, decode_page, decode_refusal

PAGE = 500
"""Objects asked for at once."""
WATCH_S = (240.0, 300.0)
"""How long the server is asked to keep a watch open: by chance, so that not all end together."""
SILENCE_S = 70.0
"""Without a word for so long the server is asked whether our version is still one of its own."""
WAKE_S = (0.0, 3.0)
"""After an outage."""
ANSWER_S = 30.0
"""Without a piece of an answer for so long a request is given up."""
EARLY_S = 2.0
"""A watch that ends so long before its time has not just run out."""
GOOD_S = 10.0
"""A stream that lasted so long was good: the next failure is the first one again."""
NOT_SERVED_S = (30.0, 60.0)
"""How often a kind that the server does not know is asked for again."""
LONGEST_RETRY_AFTER_S = 120.0


class Reflector:
    """One resource. `spread` is chance, `numbers` gives each request its number.

    `synced` once all there is was known; `heard` is when the server last said anything of it.
    """

    def __init__(self, resource: Resource, spread: Spread, numbers: Callable[[], int]) -> None:
        self.resource = resource
        self.synced = False
        self.version = ""
        self.heard = float("-inf")
        self.relists = 0
        self._spread = spread
        self._numbers = numbers
        self._backoff = Backoff(spread)
        self._store = Store()
        self._request: Request | None = None
        self._stream = WatchStream(self._store, "")
        self._watch_s = 0
        self._next = Purpose.LIST
        self._at: float | None = None
        self._listed: list[RawObject] = []
        self._page = PAGE
        self._selects = bool(resource.field_selector)
        self._garbled_at = ""
        self._troubled = False

    def __len__(self) -> int:
        return len(self._store)

    # What happens

    def start(self, now: float) -> list[Action]:
        """Begin."""
        return self._ask(Purpose.LIST, now)

    def stop(self) -> list[Action]:
        """End."""
        self._at = None
        return self._give_up()

    def answered(self, number: int, status: int, retry_after_s: float, now: float) -> list[Action]:
        """Take the head of an answer; `retry_after_s` is 0 where the server names no time."""
        request = self._own(number)
        if request is None:
            return []
        request.answer(status, retry_after_s, now)
        if status == 200:
            self.heard = now
        return self._well() if request.streams else []

    def received(self, number: int, data: bytes, now: float) -> list[Action]:
        """Take a piece of an answer."""
        request = self._own(number)
        if request is None:
            return []
        request.at = now
        if request.streams:
            return self._follow(data, now)
        if request.collect(data):
            return []
        self._page = max(1, self._page // 4)
        why = f"a page of the list is longer than {LONGEST_LIST} bytes"
        return [*self._give_up(), *self._fail(Trouble.GARBLED, why, now)]

    def ended(self, number: int, now: float) -> list[Action]:
        """Take it that an answer is complete."""
        request = self._own(number)
        if request is None:
            return []
        self._request = None
        if request.status != 200:
            return self._refused(request, now)
        if request.purpose is Purpose.WATCH:
            return self._go_on(request, now)
        return self._read(request, now)

    def failed(self, number: int, why: str, now: float) -> list[Action]:
        """Take it that there is no (more) answer: no connection, or it broke."""
        request = self._own(number)
        if request is None:
            return []
        self._request = None
        self._was_good(request, now)
        # Who comes back may be another one, with an older store.
        following = Purpose.PROBE if request.purpose is Purpose.WATCH else request.purpose
        return self._fail(Trouble.UNREACHABLE, why, now, following)

    # Time

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        request = self._request
        if request is None:
            return self._at
        return request.at + (SILENCE_S if request.streams else ANSWER_S)

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due."""
        due, request = self.next_timer(), self._request
        if due is None or now < due:
            return []
        if request is None:
            return self._ask(self._next, now)
        closing = self._give_up()
        if request.streams:
            return [*closing, *self._ask(Purpose.PROBE, now)]
        why = f"no answer within {ANSWER_S:.0f} s"
        return [*closing, *self._fail(Trouble.UNREACHABLE, why, now)]

    def wake(self, now: float) -> None:
        """Take it that the server answers again: what waits because it did not, waits no longer.

        By chance within some seconds, since every client of a cluster learns of it at once.
        """
        if self._request is None and self._at is not None:
            self._at = min(self._at, now + self._spread(*WAKE_S))

    # Requests

    def _own(self, number: int) -> Request | None:
        request = self._request
        return request if request is not None and request.number == number else None

    def _give_up(self) -> list[Action]:
        request, self._request = self._request, None
        return [] if request is None else [Close(request.number)]

    def _ask(self, purpose: Purpose, now: float, token: str = "") -> list[Action]:
        if purpose is Purpose.LIST and not token:
            self._listed = []
        if purpose is Purpose.WATCH:
            self._stream = WatchStream(self._store, self.version)
            self._watch_s = round(self._spread(*WATCH_S))
        self._next, self._at = purpose, None
        self._request = Request(self._numbers(), purpose, now)
        query = tuple(self._query(purpose, token))
        stream = purpose is Purpose.WATCH
        return [Open(self._request.number, self.resource.path, query, stream)]

    def _query(self, purpose: Purpose, token: str) -> list[tuple[str, str]]:
        selector = [("fieldSelector", self.resource.field_selector)] if self._selects else []
        if self.resource.label_selector:
            selector.append(("labelSelector", self.resource.label_selector))
        if purpose is Purpose.WATCH:
            return [
                ("watch", "1"),
                ("resourceVersion", self.version),
                ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", str(self._watch_s)),
                *selector,
            ]
        limit = 1 if purpose is Purpose.PROBE else self._page
        following = [("continue", token)] if token else []
        return [("limit", str(limit)), *following, *selector]

    # Lists

    def _read(self, request: Request, now: float) -> list[Action]:
        """Read a page of a list."""
        try:
            page = decode_page(request.body)
        except WireError as error:
            return self._fail(Trouble.GARBLED, f"the list makes no sense: {error}", now)
        if request.purpose is Purpose.PROBE:
            return self._compare(page.version, now)
        self._listed += page.objects
        if page.next:
            return self._ask(Purpose.LIST, now, page.next)
        return self._complete(page.version, now)

    def _complete(self, version: str, now: float) -> list[Action]:
        listed, self._listed = self._listed, []
        changed, gone = self._store.replace(listed)
        self.synced, self.version = True, version
        told = Changed(tuple(changed), tuple(gone), complete=True)
        return [*self._well(), told, *self._ask(Purpose.WATCH, now)]

    def _relist(self, now: float) -> list[Action]:
        """List again soon: our version means nothing to the server any more."""
        self.relists += 1
        self._next, self._at = Purpose.LIST, now + self._backoff.wait_s()
        return []

    def _compare(self, version: str, now: float) -> list[Action]:
        """Compare the server's version with ours: a restored store would stay silent for ever."""
        if _number(version) >= _number(self.version):
            return self._ask(Purpose.WATCH, now)
        self.relists += 1
        why = (
            f"the API server's store has version {version}, and had {self.version} before: it was "
            "restored; everything is read anew"
        )
        return [*self._tell(Trouble.RESTORED, why), *self._ask(Purpose.LIST, now)]

    # Watches

    def _follow(self, data: bytes, now: float) -> list[Action]:
        """Take lines of a watch."""
        self.heard = now
        changed = self._stream.feed(data)
        self.version = self._stream.version
        told: list[Action] = [] if changed is None else [changed]
        ending = self._stream.ending
        return told if ending is None else [*told, *self._give_up(), *self._broken(ending, now)]

    def _broken(self, ending: Ending, now: float) -> list[Action]:
        """Go on after a watch that is of no use: with a list where the version is, or seems, at fault."""
        if ending.end is End.GONE:
            return self._relist(now)
        if ending.end is End.REFUSED:
            return self._fail(Trouble.SERVER_ERROR, f"the watch ended: {ending.message}", now)
        again, self._garbled_at = self._garbled_at == self.version, self.version
        self.relists += again
        following = Purpose.LIST if again else Purpose.WATCH
        return self._fail(Trouble.GARBLED, ending.message, now, following)

    def _go_on(self, request: Request, now: float) -> list[Action]:
        """Go on from the last version: at once after a stream that lasted as long as it was to.

        Where it ended early, who answers next may be another server, with an older store.
        """
        if now >= request.begun + self._watch_s - EARLY_S:
            self._backoff.reset()
            return self._ask(Purpose.WATCH, now)
        if self._was_good(request, now):
            return self._ask(Purpose.PROBE, now)
        self._next, self._at = Purpose.PROBE, now + self._backoff.wait_s()
        return []

    def _was_good(self, request: Request, now: float) -> bool:
        good = request.streams and now >= request.begun + GOOD_S
        if good:
            self._backoff.reset()
        return good

    # What goes wrong

    def _refused(self, request: Request, now: float) -> list[Action]:
        """Take an answer other than 200."""
        status = request.status
        if status == 410:
            return self._relist(now)
        if status == 400 and self._selects:
            # A server may not know the field: then all objects are read.
            self._selects = False
            return self._ask(Purpose.LIST, now)
        if status == 404:
            return self._not_served(now)
        refusal = decode_refusal(request.body)
        trouble = _TROUBLES.get(status, Trouble.SERVER_ERROR if status >= 500 else Trouble.REFUSED)
        why = f"HTTP {status}: {refusal.message or refusal.reason or 'no reason given'}"
        told = self._fail(trouble, why, now, retry_after_s=request.retry_after_s)
        return [RenewCredentials(), *told] if status == 401 else told

    def _not_served(self, now: float) -> list[Action]:
        """Take it that the server does not know the kind: there are none, unless some were known."""
        told = self._tell(Trouble.NOT_SERVED, f"the API server does not know {self.resource}")
        self._next, self._at = Purpose.LIST, now + self._spread(*NOT_SERVED_S)
        if self.synced:
            return told
        self.synced = True
        return [*told, Changed((), (), complete=True)]

    def _fail(
        self,
        trouble: Trouble,
        why: str,
        now: float,
        following: Purpose | None = None,
        retry_after_s: float = 0.0,
    ) -> list[Action]:
        """Wait, then go on with what was under way or is `following`."""
        self._next = following or self._next
        self._at = now + max(self._backoff.wait_s(), min(retry_after_s, LONGEST_RETRY_AFTER_S))
        return self._tell(trouble, why)

    def _tell(self, trouble: Trouble, why: str) -> list[Action]:
        self._troubled = True
        return [Troubled(trouble, why)]

    def _well(self) -> list[Action]:
        """Tell once that what was wrong is over."""
        troubled, self._troubled = self._troubled, False
        return [Troubled(None)] if troubled else []


_TROUBLES = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    429: Trouble.BUSY,
}


def _number(version: str) -> int:
    """Return a version as a number; those that are none are all alike."""
    return int(version) if version.isdecimal() else 0
