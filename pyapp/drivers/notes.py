"""What people note about sessions: a name, tags, and how far they have read. Never part of a session store.

A `NoteStore` holds the notes of one session store's sessions. `indexeddb/notes.py` keeps them in the browser, in a
database of their own; the one here in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from ..errors import InvalidRecordError
from ..json_text import whole_text
from ..listeners import Listeners
from ..types import MAX_SAFE_INTEGER
from .base import StoreChange, check_ids

MAX_NAME = 200
"""Characters of a session's name."""

MAX_TAGS = 20
"""Tags of one session."""

MAX_TAG = 40
"""Characters of a tag."""


@dataclass(frozen=True, slots=True)
class SessionNote:
    """What is noted about one session. `read_to` is the highest event index that was seen, None if none was."""

    session_id: str
    name: str = ""
    tags: tuple[str, ...] = ()
    read_to: int | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.name and not self.tags and self.read_to is None


@runtime_checkable
class NoteStore(Protocol):
    """Where the notes about the sessions of one session store are kept."""

    async def get_notes(self, session_ids: Sequence[str]) -> Mapping[str, SessionNote]:
        """The notes of these sessions, by id; one that has none is missing. Costs what is asked for."""
        ...

    async def all_notes(self) -> Mapping[str, SessionNote]:
        """The notes of all sessions, by id."""
        ...

    async def describe(self, session_id: str, name: str, tags: Sequence[str]) -> None:
        """Give a session a name and tags, in place of those it had; "" and () take them away.

        Raises InvalidRecordError beyond MAX_NAME, MAX_TAGS or MAX_TAG.
        """
        ...

    async def mark_read(self, session_id: str, event_index: int) -> None:
        """The session was read to this event. A mark never goes back, whoever else writes one."""
        ...

    async def forget(self, session_id: str) -> None:
        """Drop what is noted about a session that was deleted; an unknown id is no error."""
        ...

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes, also by other tabs; the returned function ends it."""
        ...

    async def aclose(self) -> None:
        """Let go of what is held open; a second time is no error."""
        ...


class InMemoryNoteStore:
    """A NoteStore in the memory of this process."""

    def __init__(self) -> None:
        self._notes: dict[str, SessionNote] = {}
        self._listeners: Listeners[StoreChange] = Listeners()

    async def get_notes(self, session_ids: Sequence[str]) -> Mapping[str, SessionNote]:
        return {id_: self._notes[id_] for id_ in session_ids if id_ in self._notes}

    async def all_notes(self) -> Mapping[str, SessionNote]:
        return dict(self._notes)

    async def describe(self, session_id: str, name: str, tags: Sequence[str]) -> None:
        check_description(session_id, name, tags)
        self._put(described(self._get(session_id), name, tags))

    async def mark_read(self, session_id: str, event_index: int) -> None:
        check_mark(session_id, event_index)
        self._put(marked(self._get(session_id), event_index))

    async def forget(self, session_id: str) -> None:
        self._put(SessionNote(session_id))

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        return self._listeners.add(listener)

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _get(self, session_id: str) -> SessionNote:
        return self._notes.get(session_id, SessionNote(session_id))

    def _put(self, note: SessionNote) -> None:
        if note.empty:
            self._notes.pop(note.session_id, None)
        else:
            self._notes[note.session_id] = note
        self._listeners.tell(StoreChange(frozenset({note.session_id})))


def described(note: SessionNote, name: str, tags: Iterable[str]) -> SessionNote:
    """The note with this name and these tags."""
    return replace(note, name=name, tags=tuple(tags))


def marked(note: SessionNote, event_index: int) -> SessionNote:
    """The note once this event was read."""
    return replace(note, read_to=event_index if note.read_to is None else max(note.read_to, event_index))


def check_description(session_id: str, name: str, tags: Sequence[str]) -> None:
    """Raises InvalidRecordError for a name or tags that no store keeps."""
    check_ids("note", session_id, name, *tags)
    if len(name) > MAX_NAME:
        raise InvalidRecordError(f"a name has at most {MAX_NAME} characters, not {len(name):,}")
    if len(tags) > MAX_TAGS:
        raise InvalidRecordError(f"a session has at most {MAX_TAGS} tags, not {len(tags):,}")
    for tag in tags:
        if not 1 <= len(tag) <= MAX_TAG:
            raise InvalidRecordError(f"a tag has 1 to {MAX_TAG} characters, not {len(tag):,}")


def check_mark(session_id: str, event_index: int) -> None:
    """Raises InvalidRecordError for what is no event index."""
    check_ids("note", session_id)
    if not _is_index(event_index):
        raise InvalidRecordError(f"an event index is a whole number from 0, not {event_index!r}")


def read_note(session_id: str, row: Any) -> SessionNote:
    """The note of a stored row, which anybody may have written: what does not fit is left out or cut."""
    if not isinstance(row, dict):
        return SessionNote(session_id)
    name, tags, read_to = row.get("name"), row.get("tags"), row.get("readTo")
    if isinstance(read_to, float) and read_to.is_integer():
        read_to = int(read_to)
    return SessionNote(
        session_id,
        whole_text(name)[:MAX_NAME] if isinstance(name, str) else "",
        tuple([whole_text(tag)[:MAX_TAG] for tag in tags if isinstance(tag, str) and tag][:MAX_TAGS])
        if isinstance(tags, list)
        else (),
        read_to if _is_index(read_to) else None,
    )


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SAFE_INTEGER
