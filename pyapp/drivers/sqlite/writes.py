"""The kinds of writes that stand in a SQLite driver's queue, and what is made of an event until it is its turn."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...types import EventDraft, SessionEvent
from ..base import check_event, check_plain_event
from ..sql.columns import SQLITE
from ..sql.rows import Stored, store_event

Checked = str | Stored
"""An event that may be stored, of which nothing can change any more: the JSON text of its payload if it has nothing
beside, or all that is stored of it."""


def checked(session_id: str, event: SessionEvent) -> Checked:
    """What is kept of an event until it is written. Raises InvalidRecordError."""
    payload = check_plain_event(session_id, event)
    if payload is not None and SQLITE.text(event.connection_id) == event.connection_id:
        return payload
    check_event(session_id, event)
    return store_event(event.to_row(), SQLITE)


def stored(event: SessionEvent, kept: Checked) -> Stored:
    """What is stored of an event, under the index that it has by now."""
    if isinstance(kept, Stored):
        id_, _, *values = kept.values
        return Stored((id_, event.event_index, *values), kept.beside)
    return Stored(
        (
            event.id,
            event.event_index,
            event.session_id,
            event.created_at,
            event.connection_id,
            event.sender,
            kept,
        ),
        None,
    )


def size(kept: Checked | Stored) -> int:
    """About how many characters are written."""
    if isinstance(kept, str):
        return len(kept)
    return sum(len(value) for value in (*kept.values, kept.beside) if isinstance(value, str))


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class Insert:
    """An event that is to be stored under the index that it has.

    It has little to hold, since thousands of them may wait: what lives long keeps Python's garbage collector busy.
    """

    session_id: str
    event: SessionEvent
    kept: Checked
    done: asyncio.Future[Any] = field(default_factory=_future)

    @property
    def events(self) -> Sequence[SessionEvent]:
        return (self.event,)

    @property
    def checked(self) -> Sequence[Checked]:
        return (self.kept,)


@dataclass(slots=True, eq=False)
class InsertMany:
    """The same for several: all of them, or none."""

    session_id: str
    events: Sequence[SessionEvent]
    checked: Sequence[Checked]
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Append:
    """Drafts, with ids, that are to be stored under the next indexes: all of them, or none. Under ids that are not new
    something may be stored already."""

    session_id: str
    drafts: Sequence[EventDraft]
    checked: Sequence[Checked]
    may_be_stored: bool
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Put:
    """A session's record."""

    session_id: str
    record: Stored
    done: asyncio.Future[Any] = field(default_factory=_future)

    @property
    def checked(self) -> Sequence[Checked]:
        return (self.record,)


@dataclass(slots=True, eq=False)
class Work:
    """Something that stands alone. If it changes a session it runs in a transaction."""

    run: Callable[[sqlite3.Connection], object]
    session_id: str | None = None
    done: asyncio.Future[Any] = field(default_factory=_future)


@dataclass(slots=True, eq=False)
class Turn:
    """The queue stands still from when `done` is set until `Writer.go_on` is called."""

    session_id: str | None = None
    done: asyncio.Future[Any] = field(default_factory=_future)


Write = Insert | InsertMany | Append | Put | Work | Turn

Outcome = tuple[Any, BaseException | None]
"""What a write gives, or why it was refused."""

DONE: Outcome = (None, None)
