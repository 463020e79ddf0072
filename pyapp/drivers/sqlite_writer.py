"""Group commit: writes that wait together go in one transaction, and each caller is told when that is on the disk.

All of it happens on the writing lane: the queue is emptied in transactions until nothing waits. A transaction is tried
swiftly first, as if nothing were in the way; if something is, it is rolled back and done write by write, so that what
is refused is refused alone. If there is no room for all of it, it is halved, until the write that is too large stands
alone.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import EventConflictError, InvalidRecordError, PyappError, StoreFullError
from ..types import MAX_SAFE_INTEGER, EventDraft, SessionEvent
from .base import check_same, check_same_draft
from .runs import runs_of
from .sql_columns import SQLITE
from .sql_rows import Stored, read_event, store_checked_event, store_session
from .sqlite_database import Database
from .sqlite_errors import translated
from .sqlite_layout import ADD_EVENT, ANY_INDEX, DROP_BESIDE, LAST_INDEX, PUT_BESIDE, PUT_RECORD

MOST_EVENTS = 2_000
MOST_CHARACTERS = 8 << 20
"""How much goes in one transaction at most, unless a single write is larger."""

T = TypeVar("T")


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class Insert:
    """An event that is to be stored under the index that it has. `text` is its checked row.

    It has little to hold, since thousands of them may wait: what lives long keeps Python's garbage collector busy.
    """

    session_id: str
    event: SessionEvent
    text: str
    done: asyncio.Future[Any] = field(default_factory=_future)

    @property
    def events(self) -> Sequence[SessionEvent]:
        return (self.event,)

    @property
    def texts(self) -> Sequence[str]:
        return (self.text,)


@dataclass(slots=True, eq=False)
class InsertMany:
    """The same for several: all of them, or none."""

    session_id: str
    events: Sequence[SessionEvent]
    texts: Sequence[str]
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Append:
    """Drafts, with ids, that are to be stored under the next indexes: all of them, or none. Under ids that are not new
    something may be stored already. `texts` are their checked rows, with an index that does not count."""

    session_id: str
    drafts: Sequence[EventDraft]
    texts: Sequence[str]
    may_be_stored: bool
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Put:
    """A session's record, as the text of its checked row."""

    session_id: str
    text: str
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Work:
    """Something that stands alone. `changed` is the session that it changes; then it runs in a transaction."""

    run: Callable[[sqlite3.Connection], object]
    changed: str | None = None
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Turn:
    """The queue stands still from when `done` is set until `Writer.go_on` is called."""

    done: asyncio.Future[Any] = field(default_factory=_future)


Write = Insert | InsertMany | Append | Put | Work | Turn
Outcome = tuple[Any, BaseException | None]
"""What a write gives, or why it was refused."""


class Writer:
    """The one queue in which a driver's writes stand; `on_written` hears of sessions that changed."""

    def __init__(self, database: Database, on_written: Callable[[Iterable[str]], None]) -> None:
        self._database = database
        self._on_written = on_written
        self._waiting: deque[Write] = deque()
        self._is_busy = False
        self._lock = threading.Lock()

    def write(self, write: Write) -> asyncio.Future[Any]:
        """Hand over a write. The future is done once the transaction with it is on the disk, or has failed.

        When whoever waits is cancelled, a write that has not begun is not made; one that has goes on.
        """
        with self._lock:
            self._waiting.append(write)
            start = not self._is_busy
            self._is_busy = True
        if start:
            # What else is handed over in this turn of the event loop goes along; and the thread and the loop's own
            # work do not take the interpreter from each other.
            write.done.get_loop().call_soon(self._database.writing.post, self._empty)
        return write.done

    def go_on(self) -> None:
        """End a turn."""
        self._database.writing.post(self._empty)

    # on the lane

    def _empty(self) -> None:
        """Do what waits, until nothing does or somebody takes his turn."""
        while batch := self._take():
            if isinstance(batch[0], Turn):
                self._tell(batch, [(None, None)])
                return
            self._tell(batch, self._outcomes(batch))

    def _take(self) -> list[Write]:
        """The writes that go together next."""
        batch: list[Write] = []
        events = characters = 0
        with self._lock:
            while self._waiting:
                write = self._waiting[0]
                if write.done.cancelled():
                    self._waiting.popleft()
                    continue
                if isinstance(write, (Work, Turn)):
                    if not batch:
                        batch.append(self._waiting.popleft())
                    break
                texts = (write.text,) if isinstance(write, Put) else write.texts
                events += len(texts)
                characters += sum(map(len, texts))
                if batch and (events > MOST_EVENTS or characters > MOST_CHARACTERS):
                    break
                batch.append(self._waiting.popleft())
            self._is_busy = bool(batch)
        return batch

    def _outcomes(self, batch: Sequence[Write]) -> list[Outcome]:
        try:
            if isinstance(batch[0], Work):
                return [(self._alone(batch[0]), None)]
            return self._together(batch)
        except (StoreFullError, InvalidRecordError) as error:  # too much for the disk, or for SQLite
            if len(batch) == 1:
                return [(None, error)]
            middle = len(batch) // 2
            return self._outcomes(batch[:middle]) + self._outcomes(batch[middle:])
        except Exception as error:  # whatever it is, whoever waits must hear of it
            return [(None, error)] * len(batch)

    def _alone(self, work: Work) -> object:
        if work.changed is None:
            connection = self._database.writer()
            with translated(self._database.name):
                return work.run(connection)
        return self._in_transaction(work.run)

    def _together(self, batch: Sequence[Write]) -> list[Outcome]:
        try:
            return self._in_transaction(lambda connection: Batch(connection, self._database).swiftly(batch))
        except _InTheWay:
            return self._in_transaction(lambda connection: Batch(connection, self._database).one_by_one(batch))

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do this in a transaction, which is rolled back when it raises."""
        connection = self._database.writer()
        with translated(self._database.name):
            begin(connection, self._database)
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                roll_back(connection)
                raise
        return result

    def _tell(self, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[tuple[Write, Outcome]]] = {}
        for write, outcome in zip(batch, outcomes, strict=True):
            loops.setdefault(write.done.get_loop(), []).append((write, outcome))
        for loop, settled in loops.items():
            self._database.writing.tell(loop, self._settle, settled)

    def _settle(self, settled: Sequence[tuple[Write, Outcome]]) -> None:
        """On the event loop."""
        changed = set()
        for write, (result, error) in settled:
            if error is None:
                if isinstance(write, Work):
                    changed.add(write.changed)
                elif not isinstance(write, Turn):
                    changed.add(write.session_id)
            if write.done.done():  # cancelled
                if isinstance(write, Turn):
                    self.go_on()
            elif error is None:
                write.done.set_result(result)
            else:
                write.done.set_exception(error)
        self._on_written(session_id for session_id in changed if session_id is not None)


def begin(connection: sqlite3.Connection, database: Database) -> None:
    """Begin a transaction that nobody else can write beside. Raises StoreUnavailableError."""
    database.check_writable()
    connection.execute("BEGIN IMMEDIATE")


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo it; after some errors, such as that of a full disk, SQLite has done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class _InTheWay(Exception):
    """Something is refused, or may be."""


class Batch:
    """Writes in one transaction."""

    def __init__(self, connection: sqlite3.Connection, database: Database) -> None:
        self._connection = connection
        self._statements = database.statements
        self._last: dict[str, int] = {}
        """The last index of each session that was appended to, with what is written here."""

    def swiftly(self, batch: Sequence[Write]) -> list[Outcome]:
        """What each gives, as if nothing were in the way of any of them. Raises _InTheWay."""
        inserts = [write for write in batch if isinstance(write, (Insert, InsertMany))]
        appends = [write for write in batch if isinstance(write, Append)]
        if not {write.session_id for write in inserts}.isdisjoint(write.session_id for write in appends):
            raise _InTheWay  # where an event goes depends on which of them comes first
        placed: dict[str, SessionEvent] = {}
        new = [stored for write in inserts for stored in _stored(write)]
        results: dict[Write, object] = {}
        try:
            self._refuse_taken(event for write in inserts for event in write.events)
            for append in appends:
                results[append], stored = self._place(append, placed)
                new += stored
            self._add(new)
        except (EventConflictError, InvalidRecordError, sqlite3.IntegrityError):
            raise _InTheWay from None
        for write in batch:
            if isinstance(write, Put):
                self._put(write)
        return [(results.get(write), None) for write in batch]

    def one_by_one(self, batch: Sequence[Write]) -> list[Outcome]:
        """What each gives, or why it is refused; each is looked at before anything of it is written."""
        outcomes: list[Outcome] = []
        for write in batch:
            self._last.clear()
            result: object = None
            try:
                if isinstance(write, (Insert, InsertMany)):
                    self._add(self._missing(write))
                elif isinstance(write, Append):
                    result, stored = self._place(write, {})
                    self._add(stored)
                elif isinstance(write, Put):
                    self._put(write)
            except PyappError as error:
                outcomes.append((None, error))
            else:
                outcomes.append((result, None))
        return outcomes

    def _add(self, new: Sequence[Stored]) -> None:
        if not new:
            return
        self._connection.executemany(ADD_EVENT, [stored.values for stored in new])
        if beside := [("event", stored.values[0], stored.beside) for stored in new if stored.beside is not None]:
            self._connection.executemany(PUT_BESIDE, beside)

    def _put(self, write: Put) -> None:
        stored = store_session(json.loads(write.text), SQLITE)
        self._connection.execute(PUT_RECORD, stored.values)
        if stored.beside is None:
            self._connection.execute(DROP_BESIDE, ("session", write.session_id))
        else:
            self._connection.execute(PUT_BESIDE, ("session", write.session_id, stored.beside))

    def _refuse_taken(self, events: Iterable[SessionEvent]) -> None:
        """Raises EventConflictError for an index that is in use, or comes twice: upstream's index is not unique."""
        for session_id, first, last in runs_of((event.session_id, event.event_index) for event in events):
            if (taken := self._connection.execute(ANY_INDEX, (session_id, first, last)).fetchone()) is not None:
                raise EventConflictError.index_taken(session_id, taken[0])

    def _missing(self, write: Insert | InsertMany) -> list[Stored]:
        """Those of the events that are not stored yet. Raises EventConflictError."""
        missing: list[Stored] = []
        new: dict[str, SessionEvent] = {}
        for event, stored in zip(write.events, _stored(write), strict=True):
            if (known := new.get(event.id) or self._event(event.id)) is not None:
                check_same(known, event)
                continue
            new[event.id] = event
            missing.append(stored)
        self._refuse_taken(new.values())
        return missing

    def _event(self, id_: str) -> SessionEvent | None:
        row = self._connection.execute(self._statements.event, (id_,)).fetchone()
        return None if row is None else read_event(row[:-1], row[-1], SQLITE)

    def _place(self, write: Append, placed: dict[str, SessionEvent]) -> tuple[tuple[SessionEvent, ...], list[Stored]]:
        """The events that an append asks for, and those of them that are new; `placed` are those of this transaction.
        Raises EventConflictError and InvalidRecordError."""
        session_id = write.session_id
        if (last := self._last.get(session_id)) is None:
            last = self._connection.execute(LAST_INDEX, (session_id,)).fetchone()[0] or 0
            if not isinstance(last, int):  # somebody else wrote it
                raise InvalidRecordError(f"the session {session_id!r} has an event whose index is no whole number")
        events: list[SessionEvent] = []
        new: list[Stored] = []
        for draft, text in zip(write.drafts, write.texts, strict=True):
            id_ = draft.id or ""
            known = placed.get(id_) or (self._event(id_) if write.may_be_stored else None)
            if known is not None:
                check_same_draft(known, session_id, draft)
                events.append(known)
                continue
            if last >= MAX_SAFE_INTEGER:
                raise InvalidRecordError(f"the session {session_id!r} has no further index to give")
            last += 1
            event = placed[id_] = draft.at(session_id, last)
            events.append(event)
            new.append(store_checked_event(event, text, SQLITE))
        self._last[session_id] = last
        return tuple(events), new


def _stored(write: Insert | InsertMany) -> list[Stored]:
    return [store_checked_event(event, text, SQLITE) for event, text in zip(write.events, write.texts, strict=True)]
