"""Sessions in the memory of this process: for tests, for short-lived programs, and as the SDK's default.

Rows are kept as JSON text, so that nothing a caller does to a record afterwards reaches the store.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import EventConflictError
from ..listeners import Listeners
from ..types import EventDraft, ListPage, SessionEvent, SessionRecord
from .base import (
    Key,
    SessionHead,
    StoreChange,
    Totals,
    check_event,
    check_limit,
    check_record,
    check_same,
    check_same_draft,
    cursor_after,
    read_cursor,
)

if TYPE_CHECKING:
    from typing import Self


class InMemorySessionPersistDriver:
    """A SessionStore with upstream's caps: beyond them the oldest go.

    Of the sessions these are the first by (created_at, id), with their events; of a session's
    events those with the lowest index. Raises ValueError for a cap below 1.
    """

    def __init__(self, max_sessions: int = 1024, max_events_per_session: int = 500) -> None:
        if max_sessions < 1 or max_events_per_session < 1:
            raise ValueError("max_sessions and max_events_per_session must be at least 1")
        self._max_sessions = max_sessions
        self._max_events = max_events_per_session
        self._records: dict[str, str] = {}
        self._session_order: list[Key] = []
        self._events: dict[str, str] = {}
        self._event_order: dict[str, list[Key]] = {}
        self._listeners: Listeners[StoreChange] = Listeners()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Nothing to close; there so that every store can be closed alike."""

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after each change; the returned function ends it."""
        return self._listeners.add(listener)

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        text = self._records.get(session_id)
        return None if text is None else SessionRecord.from_row(json.loads(text))

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError."""
        keys, more = _page(self._session_order, read_cursor("sessions", cursor), check_limit(limit))
        items = tuple(SessionRecord.from_row(json.loads(self._records[id_])) for _, id_ in keys)
        return ListPage(items, cursor_after("sessions", keys[-1]) if more else None)

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError."""
        text = check_record(record)
        self._put_record(record.id, record.created_at, text)
        self._drop_oldest_sessions()
        self._tell(record.id)

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        order = self._event_order.get(session_id, [])
        keys, more = _page(order, read_cursor("events", cursor), check_limit(limit))
        return ListPage(self._read_events(keys), cursor_after("events", keys[-1]) if more else None)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event. Raises EventConflictError and InvalidRecordError."""
        await self.insert_events(session_id, [event])

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events: all, or none. Raises EventConflictError and InvalidRecordError."""
        texts = {event.id: check_event(session_id, event) for event in events}
        indexes = {index for index, _ in self._event_order.get(session_id, [])}
        new: dict[str, SessionEvent] = {}
        for event in events:
            stored = self._event(event.id) or new.get(event.id)
            if stored is not None:
                check_same(stored, event)
                continue
            if event.event_index in indexes:
                raise EventConflictError.index_taken(session_id, event.event_index)
            indexes.add(event.event_index)
            new[event.id] = event
        for event in new.values():
            self._put_event(session_id, event.key, texts[event.id])
        self._drop_oldest_events(session_id)
        self._tell(session_id)

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one. Raises EventConflictError and InvalidRecordError."""
        return (await self.append_events(session_id, (draft,)))[0]

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all, or none. Raises EventConflictError and InvalidRecordError."""
        # An id that is no text, and perhaps no key, is refused below.
        order = self._event_order.get(session_id, []) if isinstance(session_id, str) else []
        next_index = order[-1][0] + 1 if order else 1
        events: dict[str, SessionEvent] = {}
        new: list[tuple[Key, str]] = []
        named = [draft.named() for draft in drafts]
        for draft in named:
            event = draft.at(session_id, next_index)
            text = check_event(session_id, event)
            if (stored := self._event(event.id) or events.get(event.id)) is not None:
                check_same_draft(stored, session_id, draft)
                events[event.id] = stored
                continue
            events[event.id] = event
            new.append(((next_index, event.id), text))
            next_index += 1
        for key, text in new:
            self._put_event(session_id, key, text)
        self._drop_oldest_events(session_id)
        self._tell(session_id)
        return tuple(events[draft.id or ""] for draft in named)

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""
        return len(self._event_order.get(session_id, []))

    async def totals(self) -> Totals:
        """How much is stored in all."""
        return Totals(len(self._records), len(self._events))

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and its events."""
        if (text := self._records.pop(session_id, None)) is not None:
            self._session_order.remove((json.loads(text)["createdAt"], session_id))
        for _, id_ in self._event_order.pop(session_id, []):
            del self._events[id_]
        self._tell(session_id)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        order = self._event_order.get(session_id, [])
        end = len(order) if before is None else bisect_left(order, before)
        return self._read_events(order[max(0, end - check_limit(n)) : end])

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""
        return [
            SessionHead.of(SessionRecord.from_row(json.loads(self._records[id_]))) for _, id_ in self._session_order
        ]

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore)."""
        new_records: dict[str, tuple[int, str]] = {}
        for record in records:
            if record.id in new_records:
                raise EventConflictError.brought_twice()
            new_records[record.id] = record.created_at, check_record(record)
        new_events: dict[str, tuple[str, Key, str]] = {}
        for rows in event_rows:
            for text in rows:
                event = SessionEvent.from_row(json.loads(text))
                if event.id in new_events:
                    raise EventConflictError.brought_twice()
                new_events[event.id] = event.session_id, event.key, text
            if progress is not None:
                progress(len(new_events))
            await asyncio.sleep(0)  # so that the task can be cancelled while nothing is changed yet
        for id_ in new_records:
            if id_ in self._records or id_ in self._event_order:
                raise EventConflictError.session_taken(id_)
        for id_ in new_events:
            if id_ in self._events:
                raise EventConflictError.id_taken(id_)
        for id_, (created_at, text) in new_records.items():
            self._put_record(id_, created_at, text)
        for session_id, key, text in new_events.values():
            self._put_event(session_id, key, text)
        for session_id in new_records:
            self._drop_oldest_events(session_id)
        self._drop_oldest_sessions()
        self._tell(*new_records)

    def _event(self, id_: str) -> SessionEvent | None:
        text = self._events.get(id_)
        return None if text is None else SessionEvent.from_row(json.loads(text))

    def _read_events(self, keys: Iterable[Key]) -> tuple[SessionEvent, ...]:
        return tuple(SessionEvent.from_row(json.loads(self._events[id_])) for _, id_ in keys)

    def _put_record(self, id_: str, created_at: int, text: str) -> None:
        if (old := self._records.get(id_)) is not None:
            self._session_order.remove((json.loads(old)["createdAt"], id_))
        self._records[id_] = text
        insort(self._session_order, (created_at, id_))

    def _put_event(self, session_id: str, key: Key, text: str) -> None:
        self._events[key[1]] = text
        insort(self._event_order.setdefault(session_id, []), key)

    def _drop_oldest_events(self, session_id: str) -> None:
        order = self._event_order.get(session_id, [])
        surplus = max(0, len(order) - self._max_events)
        for _, id_ in order[:surplus]:
            del self._events[id_]
        del order[:surplus]

    def _drop_oldest_sessions(self) -> None:
        while len(self._session_order) > self._max_sessions:
            _, oldest = self._session_order.pop(0)
            del self._records[oldest]
            for _, id_ in self._event_order.pop(oldest, []):
                del self._events[id_]

    def _tell(self, *session_ids: str) -> None:
        self._listeners.tell(StoreChange(frozenset(session_ids)))


def _page(order: list[Key], after: Key | None, limit: int) -> tuple[list[Key], bool]:
    """The keys of one page of a sorted list, and whether there are more behind them."""
    start = 0 if after is None else bisect_right(order, after)
    return order[start : start + limit], start + limit < len(order)
