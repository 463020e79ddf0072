"""Writes in one transaction: swiftly, as if nothing were in the way, or one by one, so that each is refused alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from ...errors import EventConflictError, InvalidRecordError, PyappError
from ...types import MAX_SAFE_INTEGER, SessionEvent
from ..base import check_same, check_same_draft
from ..runs import runs_of
from ..sql.columns import SQLITE
from ..sql.rows import Stored, Value, read_event
from .database import Database
from .layout import ADD_EVENT, ANY_INDEX, DROP_BESIDE, LAST_INDEX, PUT_BESIDE, PUT_RECORD
from .writes import DONE, Append, Insert, InsertMany, Outcome, Put, Write, stored


class InTheWay(Exception):
    """Something is refused, or may be."""


class Batch:
    """Writes in one transaction."""

    def __init__(self, connection: sqlite3.Connection, database: Database) -> None:
        self._connection = connection
        self._statements = database.statements
        self._last: dict[str, int] = {}
        """The last index of each session that was appended to, with what is written here."""

    def swiftly(self, batch: Sequence[Write]) -> list[Outcome]:
        """What each gives, as if nothing were in the way of any of them. Raises InTheWay."""
        inserts = [write for write in batch if isinstance(write, (Insert, InsertMany))]
        appends = [write for write in batch if isinstance(write, Append)]
        if not {write.session_id for write in inserts}.isdisjoint(write.session_id for write in appends):
            raise InTheWay  # where an event goes depends on which of them comes first
        placed: dict[str, SessionEvent] = {}
        results: dict[Write, object] = {}
        try:
            self._refuse_taken(event for write in inserts for event in write.events)
            self._add(stored(*one) for write in inserts for one in zip(write.events, write.checked, strict=True))
            appended: list[Stored] = []
            for append in appends:
                results[append], new = self._place(append, placed)
                appended += new
            self._add(appended)
        except (EventConflictError, InvalidRecordError, sqlite3.IntegrityError):
            raise InTheWay from None
        for write in batch:
            if isinstance(write, Put):
                self._put(write)
        return [(results[write], None) if write in results else DONE for write in batch]

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
                    result, new = self._place(write, {})
                    self._add(new)
                elif isinstance(write, Put):
                    self._put(write)
            except PyappError as error:
                outcomes.append((None, error))
            else:
                outcomes.append((result, None))
        return outcomes

    def _add(self, new: Iterable[Stored]) -> None:
        beside: list[tuple[Value, str]] = []

        def rows() -> Iterator[tuple[Value, ...]]:  # made one by one: what is not held costs no memory
            for values, text in new:
                if text is not None:
                    beside.append((values[0], text))
                yield values

        self._connection.executemany(ADD_EVENT, rows())
        if beside:
            self._connection.executemany(PUT_BESIDE, [("event", *one) for one in beside])

    def _put(self, write: Put) -> None:
        values, beside = write.record
        self._connection.execute(PUT_RECORD, values)
        if beside is None:
            self._connection.execute(DROP_BESIDE, ("session", write.session_id))
        else:
            self._connection.execute(PUT_BESIDE, ("session", write.session_id, beside))

    def _refuse_taken(self, events: Iterable[SessionEvent]) -> None:
        """Raises EventConflictError for an index that is in use, or comes twice: upstream's index is not unique."""
        for session_id, first, last in runs_of((event.session_id, event.event_index) for event in events):
            if (taken := self._connection.execute(ANY_INDEX, (session_id, first, last)).fetchone()) is not None:
                raise EventConflictError.index_taken(session_id, taken[0])

    def _missing(self, write: Insert | InsertMany) -> list[Stored]:
        """Those of the events that are not stored yet. Raises EventConflictError."""
        missing: list[Stored] = []
        new: dict[str, SessionEvent] = {}
        for event, checked in zip(write.events, write.checked, strict=True):
            if (known := new.get(event.id) or self._event(event.id)) is not None:
                check_same(known, event)
                continue
            new[event.id] = event
            missing.append(stored(event, checked))
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
        for draft, checked in zip(write.drafts, write.checked, strict=True):
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
            new.append(stored(event, checked))
        self._last[session_id] = last
        return tuple(events), new
