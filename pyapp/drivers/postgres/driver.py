"""Sessions in PostgreSQL, in upstream's tables: both can work on the same schema, and any number of processes.

psycopg 3 is known to this driver's files alone, and only once a driver is made: `pip install
'sandbox-agent-pyodide[postgres]'`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import StoreUnavailableError
from ...types import EventDraft, ListPage, SessionEvent, SessionRecord
from ..base import (
    Key,
    ReadEvent,
    SessionHead,
    StoreChange,
    Totals,
    check_event,
    check_limit,
    check_record,
    page_of_rows,
    read_cursor,
)
from ..sql.columns import POSTGRES
from ..sql.rows import read_event, read_head, read_session, store_session

if TYPE_CHECKING:
    from typing import Self

    from .statements import Statements

LEAST, MOST = -(2**63), 2**63 - 1
"""Before and behind every BIGINT: anybody may have written any."""


class PostgresSessionPersistDriver:
    """A SessionStore in the schema `schema` of the database that `connection_string` names.

    The string is libpq's: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or `host=… dbname=…`; what it leaves out
    comes from the environment (PGHOST, PGPASSWORD, …). It connects at the first call, with at most `max_connections`
    connections, makes what is missing of the tables, and leaves alone what has others (UnknownLayoutError). A write is
    durable when its call returns. A call is given up after `timeout` seconds (StoreError), except imports and the one
    that brings older tables up to date. Works as an async context manager, for one event loop.

    Raises StoreUnavailableError when psycopg is not installed, and ValueError for a string, a schema's name, or
    numbers that cannot be.
    """

    def __init__(
        self,
        connection_string: str = "",
        schema: str = "public",
        *,
        max_connections: int = 5,
        timeout: float = 30.0,
    ) -> None:
        try:
            import psycopg  # noqa: F401
        except ImportError as lack:
            raise StoreUnavailableError(
                f"The 'postgres' driver needs: pip install 'sandbox-agent-pyodide[postgres]' ({lack})"
            ) from None
        from .changes import Changes
        from .connections import Connections
        from .errors import Place
        from .layout import Schema
        from .tables import Tables
        from .writer import Writer

        if max_connections < 1 or timeout <= 0:
            raise ValueError("max_connections must be at least 1 and timeout more than 0 seconds")
        self.schema = schema
        self._schema = Schema(schema)
        self._connections = Connections(Place(connection_string), schema, max_connections, timeout)
        self._changes = Changes(self._connections, self._schema)
        self._tables = Tables(self._connections, self._schema)
        self._writer = Writer(self._tables, self._schema)

    def __repr__(self) -> str:
        return f"PostgresSessionPersistDriver({str(self._connections.place)!r}, schema={self.schema!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections after the running calls; further calls raise StoreUnavailableError."""
        await self._connections.close()
        await self._changes.close()

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes by any driver of this schema, in any process; the returned function ends it.

        What writes past this package, as upstream's own code does, is not heard of. The first word is that everything
        may have changed: it comes when the listening has begun, and again after the server was away. Raises
        StoreUnavailableError once the driver was closed.
        """
        self._connections.check_open()
        return self._changes.listen(listener)

    async def exists(self) -> bool:
        """Whether there are sandbox-agent's tables in the schema; none are made. Raises UnknownLayoutError."""
        return await self._tables.exist()

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        if (key := _key(session_id)) is None:
            return None
        rows = await self._tables.rows(lambda known: known.session, key)
        return _record(rows[0]) if rows else None

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError, ValueError.

        The layout has no index for this order: the table is read, but only the page is sent.
        """
        after, most = read_cursor("sessions", cursor), check_limit(limit)
        rows = await self._tables.rows(lambda known: known.sessions_after, *_place(after or (LEAST, "")), most + 1)
        return page_of_rows("sessions", rows, _record, most)

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""
        return [read_head(row[:-1], row[-1], POSTGRES) for row in await self._tables.rows(lambda known: known.heads)]

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError, StoreFullError."""
        check_record(record)
        await self._writer.put(record.id, store_session(record.to_row(), POSTGRES))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        after, most = read_cursor("events", cursor), check_limit(limit)
        rows = await self._events(lambda known: known.events_after, after or (LEAST, ""), most + 1, session_id)
        return page_of_rows("events", rows, _event, most)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        most = check_limit(n)
        rows = await self._events(lambda known: known.events_before, before or (MOST, ""), most, session_id)
        return tuple(map(_event, reversed(rows)))

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""
        if (key := _key(session_id)) is None:
            return 0
        return int((await self._tables.rows(lambda known: known.count, key))[0][0])

    async def totals(self) -> Totals:
        """How much is stored in all."""
        return Totals(*(await self._tables.rows(lambda known: known.totals))[0])

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event; return when it is durable. Raises EventConflictError, InvalidRecordError, StoreFullError."""
        await self._writer.insert(session_id, (event,))

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events: all, or none. Raises EventConflictError, InvalidRecordError, StoreFullError."""
        if events:
            await self._writer.insert(session_id, events)

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one. Raises EventConflictError, InvalidRecordError, StoreFullError."""
        return (await self.append_events(session_id, (draft,)))[0]

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all, or none. Raises EventConflictError, InvalidRecordError,
        StoreFullError."""
        named = [draft.named() for draft in drafts]
        for draft in named:
            check_event(session_id, draft.at(session_id, 1))
        return await self._writer.append(session_id, named) if named else ()

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and all its events: all of it, or nothing."""
        if _key(session_id) is not None:
            await self._writer.delete(session_id)

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet, by COPY: all of them, or nothing (see SessionStore).

        Raises StoreUnavailableError when the connection is lost; the rows cannot be had a second time, so nothing is
        tried again.
        """
        await self._writer.add(records, event_rows, progress)

    async def add_read_sessions(
        self,
        records: Sequence[SessionRecord],
        events: Iterable[Sequence[ReadEvent]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """What `add_sessions` does, for events that another store gave (see EventTaker)."""
        await self._writer.add(records, events, progress)

    async def _events(
        self, choose: Callable[[Statements], str], place: Key, most: int, session_id: str
    ) -> list[tuple[Any, ...]]:
        if (key := _key(session_id)) is None:
            return []
        return await self._tables.rows(choose, *_place(place), most, key)


def _key(id_: str) -> str | None:
    """An id as it stands in its column; None for one that no database has, since it holds half a character."""
    key = POSTGRES.key(id_)
    return None if not key.isascii() and any("\ud800" <= mark <= "\udfff" for mark in key) else key


def _place(key: Key) -> tuple[str, str]:
    """A place in a listing as it is compared with. No id holds half a character, but a place may."""
    return str(max(LEAST, min(key[0], MOST))), POSTGRES.key(
        "".join("\ue000" if "\ud800" <= mark <= "\udfff" else mark for mark in key[1])
    )


def _record(row: tuple[Any, ...]) -> SessionRecord:
    return read_session(row[:-1], row[-1], POSTGRES)


def _event(row: tuple[Any, ...]) -> SessionEvent:
    return read_event(row[:-1], row[-1], POSTGRES)
