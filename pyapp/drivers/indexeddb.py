"""Sessions in the browser's IndexedDB, in upstream's layout: both can work on the same database.

Rows cross between Python and JavaScript as JSON text, one crossing for a page. Listings are read by key
range, so that a page costs what a page costs, however long the session is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from ..errors import EventConflictError
from ..interop import JsValue, from_json, is_absent, to_json
from ..types import ListPage, SessionEvent, SessionRecord
from .base import (
    Key,
    SessionHead,
    check_event,
    check_limit,
    check_record,
    check_same,
    cursor_after,
    read_cursor,
)
from .idb import Aborted, Durability, Transaction, store_error
from .indexeddb_connection import SessionDatabase
from .indexeddb_layout import (
    INDEX,
    event_range,
    index_range,
    optional_json,
    range_to_end,
    read_event,
    read_events,
    read_heads,
    read_record,
)


class IndexedDBSessionPersistDriver:
    """A SessionStore in the database `database_name` of this site.

    It opens at the first call, creates the layout when the database is new, and leaves alone what has another
    layout (UnknownLayoutError). A write has happened when its call returns: with the durability "relaxed" it
    survives the end of the browser, with "strict" also a power cut, as far as the system keeps its word.
    `update_session` and `add_sessions` are always strict. Works as an async context manager.
    Raises ValueError for an unknown durability.
    """

    def __init__(self, database_name: str = "sandbox-agent-session-store", durability: Durability = "relaxed") -> None:
        if durability not in get_args(Durability):
            raise ValueError(f"durability must be one of {get_args(Durability)}, not {durability!r}")
        self.database_name = database_name
        self._durability: Durability = durability
        self._database = SessionDatabase(database_name)

    async def __aenter__(self) -> IndexedDBSessionPersistDriver:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database after the running calls; further calls raise StoreUnavailableError."""
        self._database.close()

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
            places = sorted(range(len(heads)), key=lambda place: _order(heads[place]))
            if after is not None:
                places = [place for place in places if _order(heads[place]) > after]
            wanted = places[: most + 1]
            return [heads[place] for place in wanted], to_json(from_json(json.dumps(wanted[:most])).map(rows.at, rows))

        def issue(transaction: Transaction) -> None:
            transaction.finish(transaction.store("sessions").getAll(), read)

        heads, text = await self._database.run("sessions", "readonly", issue)
        items = tuple(SessionRecord.from_row(row) for row in json.loads(text))
        more = len(heads) > most
        return ListPage(items, cursor_after("sessions", _order(heads[most - 1])) if more else None)

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""

        def issue(transaction: Transaction) -> None:
            transaction.finish(transaction.store("sessions").getAll(), read_heads)

        return sorted(await self._database.run("sessions", "readonly", issue), key=_order)

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError, StoreFullError."""
        text = check_record(record)

        def issue(transaction: Transaction) -> None:
            transaction.store("sessions").put(from_json(text))

        await self._database.run("sessions", "readwrite", issue, "strict")

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
        return ListPage(events[:most], cursor_after("events", (events[most - 1].event_index, events[most - 1].id)))

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
        text = check_event(session_id, event)
        taken = EventConflictError.index_taken(session_id, event.event_index)

        def issue(transaction: Transaction) -> None:
            store = transaction.store("events")

            def on_key(key: JsValue) -> None:
                if not is_absent(key):
                    transaction.abort(taken)

            index = store.index(INDEX)
            transaction.then(index.getKey(index_range(session_id, event.event_index)), on_key)
            store.add(from_json(text))

        try:
            await self._database.run("events", "readwrite", issue, self._durability)
        except (EventConflictError, Aborted) as error:
            # Stored before, or taken by another: only here does it pay to look at the stored event.
            if isinstance(error, Aborted) and error.name != "ConstraintError":
                raise store_error(error) from None
            stored = await self._event(event.id)
            if stored is None:
                raise taken from None
            check_same(stored, event)

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[str],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore)."""
        texts = [check_record(record) for record in records]
        chunks = iter(event_rows)
        added = 0
        chunk = ""
        requests: list[JsValue] = []

        def issue(transaction: Transaction) -> None:
            sessions, events = transaction.store("sessions"), transaction.store("events")
            index = events.index(INDEX)

            def refuse_if_found(session_id: str) -> Callable[[JsValue], None]:
                def on_key(key: JsValue) -> None:
                    if not is_absent(key):
                        transaction.abort(EventConflictError.session_taken(session_id))

                return on_key

            def on_chunk(_result: JsValue) -> None:
                nonlocal added
                added += len(requests)
                if progress is not None and requests:
                    progress(added)
                if transaction.cancelled:
                    raise asyncio.CancelledError
                add_chunk()

            def add_chunk() -> None:
                nonlocal chunk, requests
                chunk = next(chunks, "")
                if not chunk:
                    return
                add = events.add
                requests = [add(row) for row in from_json(chunk)]
                if requests:
                    transaction.then(requests[-1], on_chunk)
                else:
                    add_chunk()

            for record, text in zip(records, texts, strict=True):
                # events without a record may be left from elsewhere
                transaction.then(index.getKey(event_range(record.id)), refuse_if_found(record.id))
                transaction.then(sessions.getKey(record.id), refuse_if_found(record.id))
                sessions.add(from_json(text))
            add_chunk()

        try:
            await self._database.run(["sessions", "events"], "readwrite", issue, "strict", repeatable=False)
        except Aborted as error:
            if error.name == "ConstraintError":
                stored = await self._first_stored(chunk)
                raise EventConflictError.id_taken(stored) if stored else EventConflictError.brought_twice() from None
            raise store_error(error) from None

    async def _event(self, event_id: str) -> SessionEvent | None:
        def issue(transaction: Transaction) -> None:
            request = transaction.store("events").get(from_json(json.dumps(event_id)))
            transaction.finish(request, optional_json)

        return read_event(await self._database.run("events", "readonly", issue))

    async def _first_stored(self, rows: str) -> str | None:
        for row in json.loads(rows or "[]"):
            if await self._event(row["id"]) is not None:
                return str(row["id"])
        return None


def _order(head: SessionHead) -> Key:
    return head.created_at, head.id
