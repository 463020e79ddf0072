"""Sessions in a SQLite file, in upstream's layout: both can work on the same file, at the same time.

Writes stand in one queue, and what waits together is committed together (`writer.py`). Listings are read by key,
so that a page costs what a page costs, however long the session is.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import EventConflictError
from ...types import EventDraft, ListPage, SessionEvent, SessionRecord
from ..base import (
    K,
    Key,
    ReadEvent,
    SessionHead,
    StoreChange,
    Totals,
    check_limit,
    check_record,
    page_of_rows,
    read_cursor,
)
from ..sql.columns import SQLITE
from ..sql.rows import read_event, read_event_and_text, read_head, read_session, store_session
from .changes import Changes
from .database import MEMORY, Database
from .importing import Import
from .layout import COUNT_EVENTS, DELETE_SESSION, TOTALS
from .writer import Writer
from .writes import Append, Insert, InsertMany, Put, Turn, Work, checked

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")

MOST = 2**63 - 1
FIRST: Key = (-MOST, "")
"""Before every key."""


class SQLiteSessionPersistDriver:
    """A SessionStore in the SQLite file `filename`, or in memory.

    The file is opened at the first call, made when it is not there, and brought up to date when upstream made it; one
    that holds something else is left alone (UnknownLayoutError). A write is on the disk when its call returns, as far
    as the system keeps its word. Any number of drivers and processes may use one file, upstream's too. Works as an
    async context manager; close it, since it has threads. With `read_only` the file must be there, and is not changed,
    unless it is of upstream's first layout, which has to be brought up to date before it can be read. Raises ValueError
    for an empty name, and for a database in memory that is only read.
    """

    def __init__(self, filename: str | os.PathLike[str] = MEMORY, *, read_only: bool = False) -> None:
        name = os.fspath(filename)
        if not name:
            raise ValueError("filename must be the path of a file, or ':memory:'")
        if read_only and name == MEMORY:
            raise ValueError("a database in memory has nothing to be read")
        self.filename = name if name == MEMORY else os.path.abspath(name)
        self._database = Database(self.filename, only_reads=read_only)
        self._changes = Changes(self._in_queue, lambda: self._database.first_version)
        self._writer = Writer(self._database, self._changes.touch)
        self._reads = 0
        self._no_reads: asyncio.Future[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the file after the running calls; further calls raise StoreUnavailableError."""
        if self._closing is None:
            self._database.refuse_calls()
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes by anybody; the returned function ends it. Of changes past this driver, which
        are looked for ten times a second, it hears that everything may have changed. Call it while the event loop
        runs. Raises StoreUnavailableError once the driver was closed.
        """
        self._database.check_open()
        return self._changes.listen(listener)

    async def exists(self) -> bool:
        """Whether there is a file with sandbox-agent's tables; none is made, nor changed. Raises as any call does."""
        self._database.check_open()
        return self.filename != MEMORY and await self._database.writing.run(self._database.has_sessions)

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""

        def read(connection: sqlite3.Connection) -> SessionRecord | None:
            rows = _rows(connection, self._database.statements.record, _id(session_id))
            return _record(rows[0]) if rows else None

        return await self._read(read)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError, ValueError."""
        after, most = _key(read_cursor("sessions", cursor)), check_limit(limit)

        def read(connection: sqlite3.Connection) -> ListPage[SessionRecord]:
            rows = _rows(connection, self._database.statements.records, *after, most + 1)
            return page_of_rows("sessions", rows, _record, most)

        return await self._read(read)

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""

        def read(connection: sqlite3.Connection) -> Sequence[SessionHead]:
            return [_head(row) for row in _rows(connection, self._database.statements.heads)]

        return await self._read(read)

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError, StoreFullError."""
        check_record(record)
        self._database.check_open()
        await self._writer.write(Put(record.id, store_session(record.to_row(), SQLITE)))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        return await self._event_page(session_id, cursor, limit, _event)

    async def read_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[ReadEvent]:
        """What `list_events` does, with the text of each payload (see EventGiver)."""
        return await self._event_page(session_id, cursor, limit, _read_event)

    async def _event_page(
        self, session_id: str, cursor: str | None, limit: int | None, read_row: Callable[[tuple[Any, ...]], K]
    ) -> ListPage[K]:
        after, most = _key(read_cursor("events", cursor)), check_limit(limit)

        def read(connection: sqlite3.Connection) -> ListPage[K]:
            rows = _rows(connection, self._database.statements.events_after, _id(session_id), *after, most + 1)
            return page_of_rows("events", rows, read_row, most)

        return await self._read(read)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        most = check_limit(n)

        def read(connection: sqlite3.Connection) -> tuple[SessionEvent, ...]:
            statements = self._database.statements
            if before is None:
                rows = _rows(connection, statements.last_events, _id(session_id), most)
            else:
                rows = _rows(connection, statements.events_before, _id(session_id), *_key(before), most)
            return tuple(map(_event, reversed(rows)))

        return await self._read(read)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event; return when it is on the disk. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        kept = checked(session_id, event)
        self._database.check_open()
        await self._writer.write(Insert(session_id, event, kept))

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events of a session: all of them, or none. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        given = tuple(events)
        kept = [checked(session_id, event) for event in given]
        self._database.check_open()
        if given:
            await self._writer.write(InsertMany(session_id, given, kept))

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one, whose index is read in the same transaction. Raises
        EventConflictError, InvalidRecordError, StoreFullError.
        """
        return (await self.append_events(session_id, (draft,)))[0]

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all of them, or none. Raises EventConflictError, InvalidRecordError,
        StoreFullError.
        """
        named = [draft.named() for draft in drafts]
        kept = [checked(session_id, draft.at(session_id, 1)) for draft in named]  # any index, for the time being
        self._database.check_open()
        if not named:
            return ()
        may_be_stored = any(draft.id is not None for draft in drafts)
        appended: tuple[SessionEvent, ...] = await self._writer.write(Append(session_id, named, kept, may_be_stored))
        return appended

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""

        def read(connection: sqlite3.Connection) -> int:
            return int(connection.execute(COUNT_EVENTS, (_id(session_id),)).fetchone()[0])

        return await self._read(read)

    async def totals(self) -> Totals:
        """How much is stored in all."""
        return await self._read(lambda connection: Totals(*connection.execute(TOTALS).fetchone()))

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and all its events: all of it, or nothing."""
        self._database.check_open()

        def delete(connection: sqlite3.Connection) -> None:
            for statement in DELETE_SESSION:
                connection.execute(statement, (_id(session_id),))

        await self._writer.write(Work(delete, session_id))

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore).

        Other writes wait meanwhile, those of other processes for ten seconds at most.
        """
        await self._add(records, event_rows, progress)

    async def add_read_sessions(
        self,
        records: Sequence[SessionRecord],
        events: Iterable[Sequence[ReadEvent]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """What `add_sessions` does, for events that another store gave (see EventTaker)."""
        await self._add(records, events, progress)

    async def _add(
        self,
        records: Sequence[SessionRecord],
        events: Iterable[Sequence[str | ReadEvent]],
        progress: Callable[[int], None] | None,
    ) -> None:
        for record in records:
            check_record(record)
        self._database.check_open()
        ids = [record.id for record in records]
        if len(set(ids)) < len(ids):
            raise EventConflictError.brought_twice()
        async with self._turn():
            job, run = Import(self._database), self._database.writing.run
            try:
                await run(partial(job.begin, records))
                added = 0
                for rows in filter(None, events):
                    await run(partial(job.add, rows))
                    added += len(rows)
                    if progress is not None:
                        progress(added)
                await asyncio.sleep(0)  # the last moment in which a cancelled task undoes all of it
                await run(job.commit)
            finally:
                await run(job.end)
                if job.is_committed:
                    self._changes.touch(ids)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """No other write of this driver is made meanwhile."""
        turn = Turn()
        try:
            await self._writer.write(turn)
        except asyncio.CancelledError:
            if not turn.done.cancelled():  # it was given, and nobody is there to take it
                self._writer.go_on()
            raise
        try:
            yield
        finally:
            self._writer.go_on()

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._database.check_open()
        if not self._database.has_reader:
            return await self._in_queue(work)
        self._reads += 1
        try:
            if not self._database.is_open:
                await self._database.writing.run(self._database.open)
            return await self._database.reading.run(partial(self._database.read, work))
        finally:
            self._reads -= 1
            if self._no_reads is not None and not self._reads:
                self._no_reads.set_result(None)

    async def _in_queue(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read on the connection that writes, in between."""
        result: T = await self._writer.write(Work(work))
        return result

    async def _close(self) -> None:
        if self._reads:
            self._no_reads = asyncio.get_running_loop().create_future()
            await self._no_reads
        await self._changes.close()
        async with self._turn():
            await self._database.reading.run(self._database.close_reader)
            await self._database.writing.run(self._database.close_writer)
        self._database.reading.close()
        self._database.writing.close()


def _rows(connection: sqlite3.Connection, statement: str, *values: str | int | None) -> list[tuple[Any, ...]]:
    """All rows. Texts that are not UTF-8, which only others can have written, come as bytes."""
    try:
        return connection.execute(statement, values).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    connection.text_factory = _text_or_bytes
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.text_factory = str


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _record(row: tuple[Any, ...]) -> SessionRecord:
    return read_session(row[:-1], row[-1], SQLITE)


def _event(row: tuple[Any, ...]) -> SessionEvent:
    return read_event(row[:-1], row[-1], SQLITE)


def _read_event(row: tuple[Any, ...]) -> ReadEvent:
    return read_event_and_text(row[:-1], row[-1], SQLITE)


def _head(row: tuple[Any, ...]) -> SessionHead:
    return read_head(row[:-1], row[-1], SQLITE)


def _id(id_: str) -> str | None:
    """An id to look for; None, which nothing equals, for one that cannot be stored."""
    return id_ if SQLITE.text(id_) == id_ else None


def _key(key: Key | None) -> Key:
    """A key to compare with, as far as SQLite's numbers and texts go."""
    if key is None:
        return FIRST
    return max(-MOST, min(key[0], MOST)), SQLITE.text(key[1])
