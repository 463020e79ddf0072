"""Sessions in the browser's IndexedDB, in upstream's layout: both can work on the same database.

Rows cross between Python and JavaScript as JSON text, one crossing for a page. Listings are read by key
range, so that a page costs what a page costs, however long the session is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, get_args

from ...errors import EventConflictError
from ...interop import JsValue, from_json, is_absent, to_json
from ...types import EventDraft, ListPage, SessionEvent, SessionRecord
from ..base import (
    SessionHead,
    StoreChange,
    Totals,
    check_event,
    check_limit,
    check_record,
    cursor_after,
    read_cursor,
)
from .connection import Database
from .idb import Aborted, Durability, Transaction, Waiting
from .layout import (
    INDEX,
    LAYOUT,
    event_range,
    optional_json,
    range_to_end,
    read_events,
    read_heads,
    read_record,
    read_records,
)
from .writer import Append, Insert, Put, Writer, add_rows

if TYPE_CHECKING:
    from typing import Self

DELETED_AT_ONCE = 1_000
"""Events of a session whose keys are held at once while it is deleted."""


class IndexedDBSessionPersistDriver:
    """A SessionStore in the database `database_name` of this site.

    It opens at the first call, creates the layout when the database is new, and leaves alone what has another
    layout (UnknownLayoutError). A write has happened when its call returns: with the durability "relaxed" it
    survives the end of the browser, with "strict" also a power cut, as far as the system keeps its word.
    `update_session` and `add_sessions` are always strict. Works as an async context manager.
    Raises ValueError for an unknown durability.
    """

    def __init__(
        self,
        database_name: str = "sandbox-agent-session-store",
        durability: Durability = "relaxed",
        on_wait: Waiting | None = None,
    ) -> None:
        if durability not in get_args(Durability):
            raise ValueError(f"durability must be one of {get_args(Durability)}, not {durability!r}")
        self.database_name = database_name
        self._database = Database(database_name, LAYOUT, database_name, on_wait)
        self._changes = self._database.changes
        self._writer = Writer(self._database, durability, self._changes.touch)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database after the running calls; further calls raise StoreUnavailableError."""
        await self._writer.idle()
        self._database.close()

    async def release(self) -> None:
        """Let go of the database after the running calls, as a page does that is put aside; a call opens it again."""
        await self._writer.idle()
        self._database.release()

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes by any driver of this database, in any tab; the returned function ends it.

        What writes past this package, as upstream's own code does, is not heard of. When the browser has taken the
        database away, everything has changed.
        """
        return self._changes.listen(listener)

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""

        def issue(transaction: Transaction) -> None:
            request = transaction.store("sessions").get(from_json(json.dumps(session_id)))
            transaction.finish(request, optional_json)

        return read_record(await self._database.run("sessions", "readonly", issue))

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError, ValueError.

        The layout has no index for this order: all records are read, but only those of the page
        come over to Python whole.
        """
        after, most = read_cursor("sessions", cursor), check_limit(limit)

        def read(rows: JsValue) -> tuple[list[SessionHead], str]:
            heads = read_heads(rows)
            places = sorted(range(len(heads)), key=lambda place: heads[place].key)
            if after is not None:
                places = [place for place in places if heads[place].key > after]
            wanted = places[: most + 1]
            return [heads[place] for place in wanted], to_json(from_json(json.dumps(wanted[:most])).map(rows.at, rows))

        def issue(transaction: Transaction) -> None:
            transaction.finish(transaction.store("sessions").getAll(), read)

        heads, text = await self._database.run("sessions", "readonly", issue)
        items = read_records(text)
        more = len(heads) > most
        return ListPage(items, cursor_after("sessions", heads[most - 1].key) if more else None)

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""

        def issue(transaction: Transaction) -> None:
            transaction.finish(transaction.store("sessions").getAll(), read_heads)

        return sorted(await self._database.run("sessions", "readonly", issue), key=attrgetter("key"))

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError, StoreFullError."""
        await self._writer.write(Put(record.id, check_record(record)))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        after, most = read_cursor("events", cursor), check_limit(limit)

        def issue(transaction: Transaction) -> None:
            index = transaction.store("events").index(INDEX)
            transaction.finish(index.getAll(event_range(session_id, after=after), most + 1), to_json)

        events = read_events(await self._database.run("events", "readonly", issue))
        if len(events) <= most:
            return ListPage(events)
        return ListPage(events[:most], cursor_after("events", events[most - 1].key))

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        most = check_limit(n)

        def issue(transaction: Transaction) -> None:
            index = transaction.store("events").index(INDEX)
            keys = event_range(session_id, before=before)
            # A key cursor goes back over n - 1 keys without reading a row; one getAll reads from there on.
            request = index.openKeyCursor(keys, "prev")
            advanced = most == 1

            def on_key(cursor: JsValue) -> None:
                nonlocal advanced
                if advanced or is_absent(cursor):
                    first = keys if is_absent(cursor) else range_to_end(cursor.key, keys)
                    transaction.finish(index.getAll(first), to_json)
                else:
                    advanced = True
                    cursor.advance(most - 1)

            transaction.then(request, on_key)

        return read_events(await self._database.run("events", "readonly", issue))

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event; return when it is durable. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        await self._writer.write(Insert(session_id, (event,), (check_event(session_id, event),)))

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events of a session: all, or none. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        texts = [check_event(session_id, event) for event in events]
        if texts:
            await self._writer.write(Insert(session_id, tuple(events), texts))

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one, whose index is read in the same transaction. Raises
        EventConflictError, InvalidRecordError, StoreFullError.
        """
        return (await self.append_events(session_id, (draft,)))[0]

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all, or none. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        named = [draft.named() for draft in drafts]
        size = sum(len(check_event(session_id, draft.at(session_id, 1))) for draft in named)
        may_be_stored = any(draft.id is not None for draft in drafts)
        if not named:
            return ()
        stored: tuple[SessionEvent, ...] = await self._writer.write(Append(session_id, named, may_be_stored, size))
        return stored

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""

        def issue(transaction: Transaction) -> None:
            request = transaction.store("events").index(INDEX).count(event_range(session_id))
            transaction.finish(request, int)

        return int(await self._database.run("events", "readonly", issue))

    async def totals(self) -> Totals:
        """How much is stored in all."""

        def issue(transaction: Transaction) -> None:
            counts: list[int] = []
            transaction.then(transaction.store("sessions").count(), counts.append)
            transaction.finish(transaction.store("events").count(), lambda events: Totals(int(counts[0]), int(events)))

        totals: Totals = await self._database.run(("sessions", "events"), "readonly", issue)
        return totals

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and all its events: all of it, or nothing."""

        def issue(transaction: Transaction) -> None:
            events = transaction.store("events")
            index = events.index(INDEX)
            # delete() takes one argument and does not mind that forEach gives it three
            delete = events.delete.bind(events)

            def on_keys(keys: JsValue) -> None:
                keys.forEach(delete)
                if keys.length == DELETED_AT_ONCE:
                    transaction.then(index.getAllKeys(event_range(session_id), DELETED_AT_ONCE), on_keys)

            transaction.store("sessions").delete(from_json(json.dumps(session_id)))
            transaction.then(index.getAllKeys(event_range(session_id), DELETED_AT_ONCE), on_keys)

        await self._write_whole(issue)
        self._changes.touch(session_id)

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore)."""
        texts = [check_record(record) for record in records]
        chunks = iter(event_rows)
        added = 0
        chunk: Sequence[str] | None = None
        task = asyncio.current_task()

        def issue(transaction: Transaction) -> None:
            sessions, events = transaction.store("sessions"), transaction.store("events")
            index = events.index(INDEX)

            def refuse_if_found(session_id: str) -> Callable[[JsValue], None]:
                def on_key(key: JsValue) -> None:
                    if not is_absent(key):
                        transaction.abort(EventConflictError.session_taken(session_id))

                return on_key

            def on_chunk(count: int, _result: JsValue) -> None:
                nonlocal added
                added += count
                if progress is not None:
                    progress(added)
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError
                add_chunk()

            def add_chunk() -> None:
                nonlocal chunk
                chunk = next(chunks, None)
                while chunk is not None and not chunk:
                    chunk = next(chunks, None)
                if chunk:
                    transaction.then(add_rows(events, chunk), partial(on_chunk, len(chunk)))

            for record, text in zip(records, texts, strict=True):
                # events without a record may be left from elsewhere
                transaction.then(index.getKey(event_range(record.id)), refuse_if_found(record.id))
                transaction.then(sessions.getKey(record.id), refuse_if_found(record.id))
                sessions.add(from_json(text))
            add_chunk()

        try:
            await self._write_whole(issue)
        except Aborted:
            stored = await self._first_stored(chunk)
            raise EventConflictError.id_taken(stored) if stored else EventConflictError.brought_twice() from None
        for record in records:
            self._changes.touch(record.id)

    async def _write_whole(self, issue: Callable[[Transaction], None]) -> None:
        """A transaction of its own over both stores. Raises Aborted for a ConstraintError."""
        await self._database.run(("sessions", "events"), "readwrite", issue, "strict", repeatable=False)

    async def _is_stored(self, event_id: str) -> bool:
        def issue(transaction: Transaction) -> None:
            request = transaction.store("events").getKey(from_json(json.dumps(event_id)))
            transaction.finish(request, is_absent)

        return not await self._database.run("events", "readonly", issue)

    async def _first_stored(self, texts: Sequence[str] | None) -> str | None:
        for text in texts or ():
            event_id = json.loads(text)["id"]
            if await self._is_stored(event_id):
                return str(event_id)
        return None
