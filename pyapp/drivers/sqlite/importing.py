"""Whole sessions, added in one transaction that is open over many pieces of work on the writing lane."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from ...errors import EventConflictError
from ...types import SessionRecord
from ..base import ReadEvent
from ..sql.columns import SQLITE
from ..sql.rows import Stored, store_event, store_read_event, store_session
from .database import Database, begin, roll_back
from .errors import translated
from .layout import ADD_EVENT, ANY_OF_SESSION, IS_STORED, PUT_BESIDE, PUT_RECORD


class Import:
    """`begin`, then `add` any number of times, then `commit`; `end` always, which undoes what was not committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun: sqlite3.Connection | None = None
        self.is_committed = False

    def begin(self, records: Sequence[SessionRecord]) -> None:
        """Add the records. Raises EventConflictError when a session's id is in use, by a record or by events."""
        connection = self._database.writer()
        with translated(self._database.name):
            self._database.check_writable()
            begin(connection)
            self._begun = connection
            for record in records:
                if connection.execute(ANY_OF_SESSION, (record.id,)).fetchone()[0]:
                    raise EventConflictError.session_taken(record.id)
            self._put(connection, PUT_RECORD, "session", [store_session(one.to_row(), SQLITE) for one in records])

    def add(self, rows: Sequence[str | ReadEvent]) -> None:
        """Add events, as another store gave them or as JSON texts. Raises EventConflictError when an id is in use."""
        connection = self._database.writer()
        stored = [_stored(one) for one in rows]
        with translated(self._database.name):
            try:
                self._put(connection, ADD_EVENT, "event", stored)
            except sqlite3.IntegrityError:
                roll_back(connection)
                for one in stored:
                    if connection.execute(IS_STORED, one.values[:1]).fetchone():
                        raise EventConflictError.id_taken(str(one.values[0])) from None
                raise EventConflictError.brought_twice() from None

    def commit(self) -> None:
        """All of it is on the disk."""
        with translated(self._database.name):
            self._database.writer().execute("COMMIT")
        self.is_committed = True

    def end(self) -> None:
        """Nothing of it is left, unless it was committed; so also of a file that was moved away meanwhile, which may
        come back."""
        if self._begun is not None:
            with translated(self._database.name):
                roll_back(self._begun)

    def _put(self, connection: sqlite3.Connection, statement: str, kind: str, stored: Sequence[Stored]) -> None:
        connection.executemany(statement, [one.values for one in stored])
        if beside := [(kind, one.values[0], one.beside) for one in stored if one.beside is not None]:
            connection.executemany(PUT_BESIDE, beside)


def _stored(one: str | ReadEvent) -> Stored:
    return store_event(json.loads(one), SQLITE) if isinstance(one, str) else store_read_event(one, SQLITE)
