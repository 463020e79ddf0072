"""What changes the tables, each in one transaction and, where nothing is in the way, in one round trip.

Upstream's index of events is not unique, so a write takes a lock for its session first (`pg_advisory_xact_lock`) and
then inserts where neither index nor id is taken. Both go in one pipeline, which is one transaction. When nothing was
inserted, a longer transaction finds out why. Because every event has an id, what was stored already is found again,
and each write may be repeated.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import psycopg

from ...errors import EventConflictError, StoreError, StoreUnavailableError, sentences
from ...types import EventDraft, SessionEvent, SessionRecord
from ..base import ReadEvent, check_event, check_record, check_same, check_same_draft
from ..sql.columns import POSTGRES
from ..sql.rows import Stored, read_event, store_event, store_session
from .changes import word_of
from .connections import Connection
from .layout import LISTENING, Schema
from .rows import as_text, brought_rows, checked_row, copy_text, recordset
from .statements import LOCK, LOCK_MANY, Statements
from .tables import Tables

T = TypeVar("T")

TRIES = 5
"""Of a write whose event id somebody stores under another session at the same moment."""

MOST_LOCKS = 1_000
"""Sessions whose lock's words are kept ready."""


class Writer:
    """Writes to one schema. Those of one session go one after the other, in the order of their calls."""

    def __init__(self, tables: Tables, schema: Schema) -> None:
        self._tables = tables
        self._schema = schema
        self._announce = (str(schema.lock), str(LISTENING), schema.channel)
        self._locks: dict[str, tuple[str, ...]] = {}
        self._turns: dict[str, tuple[asyncio.Lock, list[None]]] = {}

    async def put(self, session_id: str, stored: Stored) -> None:
        """Store a record, in place of the one with the same id."""

        async def work(connection: Connection, known: Statements) -> None:
            async with connection.pipeline():
                await self._lock(connection, session_id)
                await connection.execute(known.put_session, (*map(as_text, stored.values), stored.beside))

        await self._in_turn(session_id, lambda: self._tables.run(work))

    async def delete(self, session_id: str) -> None:
        """Delete a record and its events."""
        key = POSTGRES.key(session_id)

        async def work(connection: Connection, known: Statements) -> None:
            async with connection.pipeline():
                await self._lock(connection, session_id)
                for statement in known.delete:
                    await connection.execute(statement, (key,))

        await self._in_turn(session_id, lambda: self._tables.run(work))

    async def insert(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store events where they say: all, or none. Raises EventConflictError."""
        checked = [checked_row(session_id, event) for event in events]
        given: dict[str, SessionEvent] = {}
        rows: dict[str, Stored] = {}
        for event, row in zip(events, checked, strict=True):
            check_same(given.setdefault(event.id, event), event)
            rows.setdefault(event.id, row)
        indexes: set[int] = set()
        for event in given.values():
            if event.event_index in indexes:
                raise EventConflictError.index_taken(session_id, event.event_index)
            indexes.add(event.event_index)
        stored = list(rows.values())

        async def work(connection: Connection, known: Statements) -> None:
            if len(stored) == 1 and stored[0].beside is None:
                async with connection.pipeline():
                    await self._lock(connection, session_id)
                    await connection.writer.execute(known.insert, tuple(map(as_text, stored[0].values)))
                if connection.writer.rowcount == 1:
                    return
            elif (await self._store(connection, known, session_id, stored, behind=False)) is not None:
                return
            await _retried(lambda: self._insert_checked(connection, known, session_id, given, rows))

        await self._in_turn(session_id, lambda: self._tables.run(work))

    async def append(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store drafts that have ids behind the last event: all, or none. Raises EventConflictError,
        InvalidRecordError."""
        given: dict[str, EventDraft] = {}
        for draft in drafts:
            first = given.setdefault(draft.id or "", draft)
            check_same_draft(first.at(session_id, 1), session_id, draft)
        numbered = list(enumerate(given.values(), 1))
        stored = [store_event(draft.at(session_id, place).to_row(), POSTGRES) for place, draft in numbered]

        async def work(connection: Connection, known: Statements) -> dict[str, SessionEvent]:
            behind = await self._store(connection, known, session_id, stored, behind=True)
            if behind is not None:
                return {draft.id or "": draft.at(session_id, behind + place) for place, draft in numbered}
            return await _retried(lambda: self._append_checked(connection, known, session_id, given))

        events = await self._in_turn(session_id, lambda: self._tables.run(work))
        return tuple(events[draft.id or ""] for draft in drafts)

    async def _store(
        self, connection: Connection, known: Statements, session_id: str, stored: Sequence[Stored], *, behind: bool
    ) -> int | None:
        """Store all, each in its place or behind the last event. Gives the index that they went behind, None when
        nothing was stored because an id or an index is taken.
        """
        values = (recordset(stored), POSTGRES.key(session_id), behind)
        try:
            async with connection.pipeline():
                await self._lock(connection, session_id)
                await connection.writer.execute(known.insert_many, values)
        except psycopg.errors.UniqueViolation:
            return None
        row = await connection.writer.fetchone()
        return int(row[0]) if row is not None and row[1] == len(stored) else None

    async def _insert_checked(
        self,
        connection: Connection,
        known: Statements,
        session_id: str,
        given: dict[str, SessionEvent],
        rows: dict[str, Stored],
    ) -> None:
        """As `insert`, when some of it seems to be taken or stored already."""
        async with connection.transaction():
            await self._lock(connection, session_id)
            stored = await _stored(connection, known, given)
            for id_, event in stored.items():
                check_same(event, given[id_])
            fresh = [event for id_, event in given.items() if id_ not in stored]
            indexes = [event.event_index for event in fresh]
            cursor = await connection.execute(known.taken, (POSTGRES.key(session_id), indexes))
            if (taken := await cursor.fetchone()) is not None:
                raise EventConflictError.index_taken(session_id, taken[0])
            if fresh:
                given_rows = recordset([rows[event.id] for event in fresh])
                await connection.execute(known.insert_many, (given_rows, POSTGRES.key(session_id), False))

    async def _append_checked(
        self, connection: Connection, known: Statements, session_id: str, given: dict[str, EventDraft]
    ) -> dict[str, SessionEvent]:
        """As `append`, when some of it seems to be stored already."""
        async with connection.transaction():
            await self._lock(connection, session_id)
            stored = await _stored(connection, known, given)
            for id_, event in stored.items():
                check_same_draft(event, session_id, given[id_])
            cursor = await connection.execute(known.last_index, (POSTGRES.key(session_id),))
            last = ((await cursor.fetchone()) or (0,))[0]
            fresh = [draft for id_, draft in given.items() if id_ not in stored]
            events = [draft.at(session_id, last + place) for place, draft in enumerate(fresh, 1)]
            for event in events:
                check_event(session_id, event)  # an index may be too large
            if events:
                rows = recordset([store_event(event.to_row(), POSTGRES) for event in events])
                await connection.execute(known.insert_many, (rows, POSTGRES.key(session_id), False))
        return stored | {event.id: event for event in events}

    async def add(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str | ReadEvent]],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Add whole sessions by COPY: all, or nothing."""
        stored: dict[str, Stored] = {}
        for record in records:
            check_record(record)
            if record.id in stored:
                raise EventConflictError.brought_twice()
            stored[record.id] = store_session(record.to_row(), POSTGRES)

        begun = False

        async def work(connection: Connection, known: Statements) -> None:
            nonlocal begun
            begun = True
            chunk: list[Stored] = []
            try:
                async with connection.transaction():
                    await connection.execute("SET LOCAL statement_timeout = 0")
                    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                    await self._refuse_known(connection, known, stored)
                    await _copy(connection, known, "session", list(stored.values()))
                    added = Counter(dict.fromkeys(stored, 0))
                    for brought in event_rows:
                        chunk = brought_rows(brought, added)
                        await _copy(connection, known, "event", chunk)
                        if progress is not None:
                            progress(sum(added.values()))
                        await asyncio.sleep(0)  # a task that was cancelled hears of it here
                    await self._refuse_rivals(connection, known, added)
            except psycopg.errors.UniqueViolation:
                await self._refuse_known(connection, known, stored)
                cursor = await connection.execute(known.known_event, ([one.values[0] for one in chunk],))
                if (taken := await cursor.fetchone()) is not None:
                    raise EventConflictError.id_taken(POSTGRES.id_of(taken[0])) from None
                raise EventConflictError.brought_twice() from None

        try:
            with self._tables.call():
                await self._tables.run(_nothing)  # a connection that was lost while it lay idle is found here
                await self._tables.run(work, again=False, limited=False)
        except StoreUnavailableError as lost:
            if not begun:
                raise
            advice = "The import was under way: look whether its sessions are stored, and repeat it if they are not"
            raise StoreUnavailableError(sentences(str(lost), advice)) from lost

    async def _refuse_known(self, connection: Connection, known: Statements, session_ids: Iterable[str]) -> None:
        """Raises EventConflictError when one of these sessions is stored, or events of it."""
        keys = [POSTGRES.key(id_) for id_ in session_ids]
        cursor = await connection.execute(known.known_sessions, (keys,))
        if (taken := await cursor.fetchone()) is not None:
            raise EventConflictError.session_taken(POSTGRES.id_of(taken[0]))

    async def _refuse_rivals(self, connection: Connection, known: Statements, added: Counter[str]) -> None:
        """Raises EventConflictError when others have written to these sessions meanwhile.

        The locks are taken only now, so that an import, which may take minutes, holds up nobody. They are taken in
        one order by all.
        """
        buckets = sorted({self._schema.bucket(id_) for id_ in added})
        await connection.execute(LOCK_MANY, (*self._announce, word_of(added), buckets))
        counts = {POSTGRES.key(id_): (id_, count) for id_, count in added.items()}
        cursor = await connection.execute(known.counts, (list(counts),))
        for key, count in await cursor.fetchall():
            if count != counts[key][1]:
                raise EventConflictError.session_taken(counts[key][0])

    async def _lock(self, connection: Connection, session_id: str) -> None:
        """Take the lock of a session until the transaction ends, and announce the change to who listens."""
        values = self._locks.get(session_id)
        if values is None:
            if len(self._locks) >= MOST_LOCKS:
                self._locks.clear()
            values = (*self._announce, word_of((session_id,)), str(self._schema.bucket(session_id)))
            self._locks[session_id] = values
        await connection.locker.execute(LOCK, values)

    async def _in_turn(self, session_id: str, work: Callable[[], Awaitable[T]]) -> T:
        """Writes that would wait for one lock wait here, and take no connection meanwhile."""
        with self._tables.call():
            lock, waiting = self._turns.setdefault(session_id, (asyncio.Lock(), []))
            waiting.append(None)
            try:
                async with lock:
                    return await work()
            finally:
                waiting.pop()
                if not waiting:
                    del self._turns[session_id]


async def _nothing(connection: Connection, _known: Statements) -> None:
    await connection.execute("SELECT")


async def _stored(connection: Connection, known: Statements, ids: Iterable[str]) -> dict[str, SessionEvent]:
    """Those of the events with these ids that are stored, in whatever session."""
    cursor = await connection.execute(known.events_of_ids, ([POSTGRES.key(id_) for id_ in ids],))
    events = [read_event(row[:-1], row[-1], POSTGRES) for row in await cursor.fetchall()]
    return {event.id: event for event in events}


async def _retried(work: Callable[[], Awaitable[T]]) -> T:
    """A transaction that found an id free which another session's writer then took finds it taken the next time."""
    for _ in range(TRIES):
        try:
            return await work()
        except psycopg.errors.UniqueViolation:
            continue
    raise StoreError("event ids are taken and freed again at the same moment; try again")


async def _copy(connection: Connection, known: Statements, kind: str, stored: Sequence[Stored]) -> None:
    """Add rows to a table, and those beside."""
    if not stored:
        return
    statement = known.copy_sessions if kind == "session" else known.copy_events
    text = copy_text([one.values for one in stored])
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(text)
    if beside := [(one.values[0], one.beside) for one in stored if one.beside is not None]:
        ids, texts = zip(*beside, strict=True)
        await connection.execute(known.put_beside, (kind, list(ids), list(texts)))
