"""What is wanted done about notes, as values. `database` is as in the route, "" for the usual one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadNotes:
    """Read the notes of these sessions."""

    database: str
    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadAllNotes:
    """Read the notes of all sessions, for the filter."""

    database: str


@dataclass(frozen=True, slots=True)
class SaveNote:
    """Store a session's name and tags."""

    database: str
    session_id: str
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Store that a session was read to this event."""

    database: str
    session_id: str
    event_index: int


@dataclass(frozen=True, slots=True)
class MarkSoon:
    """Send MarkDue after some milliseconds."""

    after: float = 1000.0


@dataclass(frozen=True, slots=True)
class ForgetNote:
    """Drop what is noted about a session that was deleted."""

    database: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Focus:
    """Give the focus to the element with this id."""

    id: str


NoteEffect = ReadNotes | ReadAllNotes | SaveNote | MarkRead | MarkSoon | ForgetNote | Focus
