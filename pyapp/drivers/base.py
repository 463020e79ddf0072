"""What a session store promises, and what every store shares: cursors and limits.

A driver has the five methods of `SessionPersistDriver`; a store has those of `SessionStore` too, and
`defaults.with_defaults` makes a store of any driver. `conformance/` holds the promises as functions that
run on any of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from .. import json_text
from ..errors import EventConflictError, InvalidCursorError, InvalidRecordError
from ..types import MAX_SAFE_INTEGER, EventDraft, ListPage, Row, SessionEvent, SessionRecord, is_plain

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")

DEFAULT_LIMIT = 100
"""How many items a page holds when the caller does not say (upstream's number)."""

MAX_LIMIT = 1_000_000
"""The most that one page may be asked to hold."""


@runtime_checkable
class SessionPersistDriver(Protocol):
    """Where sessions and their events are kept: the contract of upstream's TypeScript drivers."""

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        ...

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError."""
        ...

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id if there is one."""
        ...

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id); empty for an unknown id.

        Raises InvalidCursorError.
        """
        ...

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event; return when it is durable.

        The same event twice is stored once. Raises EventConflictError when the index, or the id
        with other content, is taken, and InvalidRecordError when the event is of another session.
        """
        ...


@runtime_checkable
class SessionStore(SessionPersistDriver, Protocol):
    """A driver that also appends, reads from the end, counts, deletes, and writes many at once.

    `pyapp.drivers.memory` and `pyapp.drivers.indexeddb` are such stores; so is what
    `pyapp.drivers.defaults.with_defaults` makes of a driver that has the five methods alone.
    """

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one of its session, and return it as it was stored.

        However many append at the same time, from wherever: each gets an index of its own, without gaps.
        The same draft with an id a second time gives the event that is stored. Raises EventConflictError
        when the id is taken by another event, and InvalidRecordError.
        """
        ...

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store some events one behind the other, as `append_event` does each: all of them, or nothing.

        For what comes in bursts: a store needs one transaction for all. (A `DefaultStore` stores those before the
        refused one.)
        """
        ...

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events of one session: all of them, or nothing.

        Those that are stored already, and equal, stay as they are. Raises as `insert_event` does. (A
        `DefaultStore` stores those before the refused one.)
        """
        ...

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller.

        Costs what `n` costs, whatever the length of the session.
        """
        ...

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored; 0 for an unknown id."""
        ...

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and all its events: all of it, or nothing. An unknown id is no error."""
        ...

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""
        ...

    async def totals(self) -> Totals:
        """How much is stored in all."""
        ...

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing.

        `event_rows` are chunks of event rows, each row a JSON text that was checked before (see
        `pyapp.archive`); `progress` is told how many events were handed to the store so far.
        Raises EventConflictError when a session id or an event id is in use. When the task is
        cancelled nothing was added.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what the store holds open, after the running calls; a second time is no error."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exception: object) -> None: ...


class ReadEvent(NamedTuple):
    """An event as a store gave it, and its payload's JSON text as it stands there, None where that is not at hand."""

    event: SessionEvent
    payload: str | None = None

    @property
    def key(self) -> Key:
        """The event's place in the list of its session's events."""
        return self.event.key


@runtime_checkable
class EventGiver(Protocol):
    """A store that keeps payloads as JSON texts, and gives these too, so that they need not be written again.

    They are as this package writes JSON, or upstream: not a database's own, which may write a number otherwise.
    """

    async def read_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[ReadEvent]:
        """What `list_events` does, with the text of each payload."""
        ...


@runtime_checkable
class EventTaker(Protocol):
    """A store to which another store's events can be added as they are, without their way through JSON."""

    async def add_read_sessions(
        self,
        records: Sequence[SessionRecord],
        events: Iterable[Sequence[ReadEvent]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """What `SessionStore.add_sessions` does, for chunks of events that a driver has given."""
        ...


@runtime_checkable
class ObservableStore(SessionStore, Protocol):
    """A store that tells when its content changes, also when another tab changed it."""

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes, some 20 times a second at most; the returned function ends it.

        A change may be told that the listener's side made itself.
        """
        ...


@runtime_checkable
class Findable(Protocol):
    """A store that makes its place, a file or tables, when it is first asked for anything else than this."""

    async def exists(self) -> bool:
        """Whether its place is there; nothing is made."""
        ...


@dataclass(frozen=True, slots=True)
class StoreChange:
    """Which sessions' records or events are not as before; `everything` when that cannot be told."""

    session_ids: frozenset[str] = frozenset()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """How many sessions and events a store holds."""

    sessions: int
    events: int


@dataclass(frozen=True, slots=True)
class SessionHead:
    """The few fields by which sessions are listed; times in milliseconds since the epoch."""

    id: str
    agent: str
    created_at: int
    destroyed_at: int | None = None

    @classmethod
    def of(cls, record: SessionRecord) -> SessionHead:
        """The head of a record."""
        return cls(record.id, record.agent, record.created_at, record.destroyed_at)

    @property
    def key(self) -> Key:
        """Its place in a list of sessions."""
        return self.created_at, self.id


def check_limit(limit: int | None) -> int:
    """The page size to use. Raises ValueError unless it is None or a whole number from 1."""
    if limit is None:
        return DEFAULT_LIMIT
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit must be a whole number from 1 to {MAX_LIMIT:,}, not {limit!r}")
    return limit


Key = tuple[int, str]
"""Where an item stands in its listing: (created_at, id) of a session, (event_index, id) of an event."""

Listing = Literal["sessions", "events"]


def cursor_after(listing: Listing, key: Key) -> str:
    """The cursor for what comes after `key`.

    A cursor is the key of the last item seen, not an offset: what is inserted or deleted between
    two pages neither repeats nor skips a row. The key need not exist: `(7, "")` comes before every
    event with the index 7, since no id is empty.
    """
    return f"{listing}:{json.dumps(key, separators=(',', ':'))}"


def read_cursor(listing: Listing, cursor: str | None) -> Key | None:
    """The key of a cursor, None for None. Raises InvalidCursorError for what `cursor_after` did not make."""
    if cursor is None:
        return None
    refusal = InvalidCursorError(f"not a cursor of a list of {listing}: {str(cursor)[:80]!r}")
    prefix = f"{listing}:"
    if not isinstance(cursor, str) or not cursor.startswith(prefix):
        raise refusal
    try:
        key = json_text.parse(cursor[len(prefix) :])
    except ValueError:
        raise refusal from None
    match key:
        case [int(number), str(id_)] if not isinstance(number, bool) and 0 <= number <= MAX_SAFE_INTEGER:
            return number, id_
    raise refusal


class _Keyed(Protocol):
    @property
    def key(self) -> Key: ...


K = TypeVar("K", bound=_Keyed)


def page_of(listing: Listing, items: Iterable[K], cursor: str | None, limit: int | None) -> ListPage[K]:
    """One page of a listing, for a driver that has all of it at hand, in any order.

    Raises InvalidCursorError, and ValueError for a limit that is none.
    """
    after, most = read_cursor(listing, cursor), check_limit(limit)
    rest = sorted((item for item in items if after is None or item.key > after), key=lambda item: item.key)
    return page_of_rows(listing, rows=rest, read_row=lambda item: item, most=most)


def page_of_rows(listing: Listing, rows: Sequence[T], read_row: Callable[[T], K], most: int) -> ListPage[K]:
    """A page of a listing, at most so many items long, of the rows that are the page's and one more if there is one."""
    items = tuple(map(read_row, rows[:most]))
    return ListPage(items, cursor_after(listing, items[-1].key) if len(rows) > most else None)


def check_event(session_id: str, event: SessionEvent) -> str:
    """The JSON text of the event's row, once it is known that every store can keep it.

    Raises InvalidRecordError unless the event is one of this session and fit to be stored: lone
    surrogates are kept in a payload but not taken in ids, which become keys, links and file names.
    """
    if event.session_id != session_id:
        raise InvalidRecordError(f"event {event.id!r} belongs to session {event.session_id!r}, not to {session_id!r}")
    row = event.to_row()
    SessionEvent.check_row(row)
    # Without further fields all but the payload was looked at by now, and that is one level below the row.
    return _storable("event", row, event.id, session_id, inner=None if event.extra else event.payload)


def check_plain_event(session_id: str, event: SessionEvent) -> str | None:
    """The JSON text of the payload alone, for a store that has columns for the other fields, once it is known that
    every store can keep the event; None where `check_event` has to look: at further fields, or for what is wrong.
    """
    payload = event.payload
    if event.extra or event.session_id != session_id or not is_plain(event):
        return None
    try:
        check_ids("event", event.id, session_id)
        json_text.check(payload, above=1)
        text = json_text.dump(payload)
    except ValueError:
        return None
    return None if "\\ud" in text else text


def check_record(record: SessionRecord) -> str:
    """The JSON text of the record's row. Raises InvalidRecordError unless it is fit to be stored."""
    row = record.to_row()
    SessionRecord.from_row(row)
    return _storable("session record", row, record.id)


def _storable(what: str, row: Row, *ids: str, inner: Row | None = None) -> str:
    """The JSON text of a row. `inner` is what is to be looked at of it, a level below; None for all of it."""
    check_ids(what, *ids)
    try:
        if inner is None:
            json_text.check(row)
        else:
            json_text.check(inner, above=1)
        text = json_text.dump(row)
    except ValueError as error:
        raise InvalidRecordError(f"{what} {ids[0]!r}: {error}") from None
    # Half characters are written as escapes, and two of them that meet are read as the whole character.
    if "\\ud" in text and json.loads(text) != row:
        raise InvalidRecordError(f"{what} {ids[0]!r}: two halves of a character (surrogates) side by side; join them")
    return text


def check_ids(what: str, *ids: str) -> None:
    """Raises InvalidRecordError for an id that no UTF-8 can hold."""
    for id_ in ids:
        if not id_.isascii() and any("\ud800" <= mark <= "\udfff" for mark in id_):
            raise InvalidRecordError(f"{what}: the id {id_!r} holds half a character (a lone surrogate)")


def is_new(session_id: str, event: SessionEvent, stored: Iterable[SessionEvent]) -> bool:
    """Whether an event has to be stored, for a driver that has all its events at hand; False when it is stored already.

    Raises InvalidRecordError as `check_event` does, and EventConflictError when its id, or its index in the session, is
    another event's.
    """
    check_event(session_id, event)
    for one in stored:
        if one.id == event.id:
            check_same(one, event)
            return False
        if (one.session_id, one.event_index) == (session_id, event.event_index):
            raise EventConflictError.index_taken(session_id, event.event_index)
    return True


def check_same(stored: SessionEvent, given: SessionEvent) -> None:
    """A second insert of an id: fine when the events are equal. Raises EventConflictError otherwise."""
    if stored != given:
        raise EventConflictError.id_taken(given.id)


def check_same_draft(stored: SessionEvent, session_id: str, draft: EventDraft) -> None:
    """A second append of an id: fine when it is the same message in the same session.

    Its time and its connection may be others: two clients hear of one message, each in its own moment. Raises
    EventConflictError otherwise.
    """
    if (stored.session_id, stored.sender, stored.payload) != (session_id, draft.sender, draft.payload):
        raise EventConflictError.id_taken(stored.id)
