"""Notes about sessions in the browser, in the IndexedDB database `sandbox-agent-pyodide`: this project's own.

Version 1 has one object store, `notes`, whose key is [database, session]: the name of the session store's database
and the session's id. A later version adds a step to `UPGRADES`; the steps run from whatever version there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ...interop import JsValue, apply, from_json, scope, to_json
from ...json_text import parse_stored
from ..base import StoreChange
from ..notes import SessionNote, check_description, check_mark, described, marked, read_note
from .connection import Database, Layout
from .idb import Durability, Transaction, Waiting
from .layout import optional_json

NOTES_DATABASE = "sandbox-agent-pyodide"
"""The name of the database."""

_KEY_PATH = ["database", "session"]
_FIELDS = '["session","name","tags","readTo"]'

Upgrade = Callable[[JsValue, JsValue], object]
"""One step to the next version: gets the database and the transaction of the upgrade."""


def _make_notes(database: JsValue, _transaction: JsValue) -> None:
    database.createObjectStore("notes", from_json(json.dumps({"keyPath": _KEY_PATH})))


UPGRADES: tuple[Upgrade, ...] = (_make_notes,)
"""The step at place n leads from version n to n + 1, so their number is the version."""


class IndexedDBNoteStore:
    """The notes about the sessions of the database `session_database` of this site.

    Opens at the first call. A newer version of the notes' database is refused with UnknownLayoutError and left
    alone. `on_wait` is told of an opening that has to wait for another tab (see `idb.open_database`).
    """

    def __init__(
        self,
        session_database: str = "sandbox-agent-session-store",
        on_wait: Waiting | None = None,
        *,
        upgrades: Sequence[Upgrade] = UPGRADES,
    ) -> None:
        self._of = session_database
        self._database = Database(NOTES_DATABASE, _layout(upgrades), f"notes:{session_database}", on_wait)
        self._changes = self._database.changes

    async def aclose(self) -> None:
        """Close the database after the running calls; further calls raise StoreUnavailableError."""
        self._database.close()

    async def release(self) -> None:
        """Let go of the database, as a page does that is put aside; a call opens it again."""
        self._database.release()

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes of these notes in any tab; the returned function ends it."""
        return self._changes.listen(listener)

    async def get_notes(self, session_ids: Sequence[str]) -> Mapping[str, SessionNote]:
        """The notes of these sessions, by id; all are asked for in one go."""
        if not session_ids:
            return {}

        def issue(transaction: Transaction) -> None:
            store = transaction.store("notes")
            requests = [store.get(self._key(session_id)) for session_id in session_ids]
            # Requests succeed in the order in which they were made: with the last one all are there.
            transaction.finish(requests[-1], lambda _last: [_row_text(request.result) for request in requests])

        texts = await self._database.run("notes", "readonly", issue)
        found = zip(session_ids, texts, strict=True)
        return {id_: read_note(id_, _parsed(text)) for id_, text in found if text is not None}

    async def all_notes(self) -> Mapping[str, SessionNote]:
        """The notes of all sessions of the database, by id."""

        def issue(transaction: Transaction) -> None:
            # An array sorts behind every text, so [database, []] is behind all of its keys.
            key_range = scope().IDBKeyRange
            name = json.dumps(self._of)
            keys = apply(key_range.bound, key_range, f'[[{name},""],[{name},[]]]')
            transaction.finish(transaction.store("notes").getAll(keys), read)

        def read(rows: JsValue) -> list[Any]:
            together = _parsed(_row_text(rows))
            # one that cannot be read must not take the others with it
            return [_parsed(_row_text(row)) for row in rows] if together is None else together

        notes = {}
        for row in await self._database.run("notes", "readonly", issue):
            if isinstance(row, dict) and isinstance(session_id := row.get("session"), str):
                notes[session_id] = read_note(session_id, row)
        return notes

    async def describe(self, session_id: str, name: str, tags: Sequence[str]) -> None:
        """Give a session a name and tags. Raises InvalidRecordError, StoreFullError."""
        check_description(session_id, name, tags)
        await self._change(session_id, partial(described, name=name, tags=tags), "strict")

    async def mark_read(self, session_id: str, event_index: int) -> None:
        """The session was read to this event. Raises InvalidRecordError, StoreFullError."""
        check_mark(session_id, event_index)
        await self._change(session_id, partial(marked, event_index=event_index), "relaxed")

    async def forget(self, session_id: str) -> None:
        """Drop what is noted about a session."""
        await self._change(session_id, lambda note: SessionNote(note.session_id), "relaxed")

    async def _change(
        self, session_id: str, change: Callable[[SessionNote], SessionNote], durability: Durability
    ) -> None:
        """Read, change and write a note in one transaction, so that no other tab's word is lost."""

        def issue(transaction: Transaction) -> None:
            store = transaction.store("notes")

            def on_row(row: JsValue) -> None:
                note = change(read_note(session_id, _parsed(_row_text(row))))
                if note.empty:
                    store.delete(self._key(session_id))
                else:
                    store.put(from_json(self._row(note)))

            transaction.then(store.get(self._key(session_id)), on_row)

        await self._database.run("notes", "readwrite", issue, durability)
        self._changes.touch(session_id)

    def _key(self, session_id: str) -> JsValue:
        return from_json(json.dumps([self._of, session_id]))

    def _row(self, note: SessionNote) -> str:
        return json.dumps(
            {
                "database": self._of,
                "session": note.session_id,
                "name": note.name,
                "tags": note.tags,
                "readTo": note.read_to,
            }
        )


def _row_text(row: JsValue) -> str | None:
    """A row, or an array of them, as JSON; what else somebody put into it does not cross over."""
    return optional_json(row, from_json(_FIELDS))


def _parsed(text: str | None) -> Any:
    """The value of such a text; None when there is none, or when it is nested too deep to be ours."""
    try:
        return None if text is None else parse_stored(text)
    except ValueError:
        return None


def _layout(upgrades: Sequence[Upgrade]) -> Layout:
    def upgrade(database: JsValue, old_version: int, transaction: JsValue) -> None:
        for step in upgrades[old_version:]:
            step(database, transaction)

    return Layout(
        len(upgrades),
        upgrade,
        _fault,
        foreign="the database {name!r} is not this page's ({fault}); it was left alone",
        newer="a newer version of this page has stored names and read positions here (the database {name!r} is beyond "
        "version {version}); they were left alone. Reload to get the newer page",
    )


def _fault(database: JsValue) -> str:
    if not database.objectStoreNames.contains("notes"):
        return "it has no object store 'notes'"
    key_path = json.loads(to_json(database.transaction("notes", "readonly").objectStore("notes").keyPath))
    return "" if key_path == _KEY_PATH else "its object store 'notes' has another key"
