"""A store that somebody else has open, to be read: `python -m pyapp inspect` answers, the page asks.

Both sides speak JSON: a method's name and its parameters, upstream's camelCase rows (`pyapp.remote` answers). How a
call reaches the other side is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidRecordError, PyappError, StoreError
from ..listeners import Listeners
from ..types import EventDraft, ListPage, SessionEvent, SessionRecord
from .base import Key, SessionHead, StoreChange, Totals

if TYPE_CHECKING:
    from typing import Self

Call = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Carries out a method with parameters, and gives its answer as a JSON value. Raises PyappError."""

RETRY_SECONDS = 2.0
"""After so long word of changes is asked for again, when the other side did not answer."""


class RemoteStore:
    """An ObservableStore that is only read; what would write raises StoreError.

    `on_reach` hears true when the other side answers, and how that calls its store, and false when it does so no more;
    that is known while somebody wants word of changes.
    """

    def __init__(self, call: Call, on_reach: Callable[[bool, str], None] = lambda _is_there, _name: None) -> None:
        self._call = call
        self._on_reach = on_reach
        self._is_there = False
        self._listeners: Listeners[StoreChange] = Listeners()
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ask for changes no more."""
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes that the other side tells of; the returned function ends it."""
        if self._following is None:
            self._following = asyncio.ensure_future(self._follow())
        return self._listeners.add(listener)

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        row = await self._call("getSession", {"id": session_id})
        return None if row is None else SessionRecord.from_row(row)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id)."""
        rows, more = _page(await self._call("listSessions", {"cursor": cursor, "limit": limit}))
        return ListPage(tuple(map(SessionRecord.from_row, rows)), more)

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id)."""
        rows, more = _page(await self._call("listEvents", {"sessionId": session_id, "cursor": cursor, "limit": limit}))
        return ListPage(tuple(map(SessionEvent.from_row, rows)), more)

    async def last_events(self, session_id: str, n: int, *, before: Key | None = None) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        place = None if before is None else list(before)
        rows = await self._call("lastEvents", {"sessionId": session_id, "limit": n, "before": place})
        return tuple(map(SessionEvent.from_row, rows))

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""
        return int(await self._call("countEvents", {"sessionId": session_id}))

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it."""
        return [SessionHead(*head) for head in await self._call("sessionHeads", {})]

    async def totals(self) -> Totals:
        """How much is stored in all."""
        return Totals(*await self._call("totals", {}))

    # what would write

    async def update_session(self, record: SessionRecord) -> None:
        """Refused."""
        raise _refusal()

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Refused."""
        raise _refusal()

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Refused."""
        raise _refusal()

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Refused."""
        raise _refusal()

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Refused."""
        raise _refusal()

    async def delete_session(self, session_id: str) -> None:
        """Refused."""
        raise _refusal()

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Refused."""
        raise _refusal()

    async def _follow(self) -> None:
        """Ask for changes again and again; the other side answers when there are some, or after a while."""
        since: int | None = None
        while True:
            try:
                answer = await self._call("changes", {"since": since})
            except PyappError:
                self._reach(False, "")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._reach(True, name if isinstance(name := answer.get("name"), str) else "")
            if answer["sessions"] or answer["everything"]:
                self._listeners.tell(StoreChange(frozenset(answer["sessions"]), answer["everything"]))
            since = answer["number"]

    def _reach(self, is_there: bool, name: str) -> None:
        if is_there != self._is_there:
            self._is_there = is_there
            self._on_reach(is_there, name)


def _page(answer: Any) -> tuple[list[Any], str | None]:
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise InvalidRecordError("the other side gave no page")
    return answer["items"], answer.get("nextCursor")


def _refusal() -> StoreError:
    return StoreError("These sessions belong to another program and are only shown here; nothing was changed.")
