"""Group commit: writes that wait together go in one transaction, and each caller is told when that is complete.

A write that comes alone begins at once. What comes while a transaction runs waits, and goes together in the next one.
When a transaction fails it is halved until the write is alone that is at fault: the others are stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...errors import EventConflictError, InvalidRecordError
from ...interop import JsException, JsValue, each, from_json, is_absent, to_json
from ...json_text import dump
from ...types import MAX_SAFE_INTEGER, EventDraft, SessionEvent
from ..base import check_same, check_same_draft
from ..runs import runs_of
from .connection import MOST_TRIES, Database, is_lost, stores_array
from .idb import Aborted, Connection, Durability, Transaction, begin, durability_options, store_error
from .layout import INDEX, event_key, event_range, index_range, read_event
from .prompt import PromptFuture

MOST_EVENTS = 2_000
MOST_CHARACTERS = 8 << 20
"""How much goes in one transaction at most, unless a single write is larger."""


@dataclass(slots=True, eq=False)
class Insert:
    """Events that are to be stored under the indexes that they have: all of them, or none."""

    session_id: str
    events: Sequence[SessionEvent]
    texts: Sequence[str]
    done: PromptFuture = field(default_factory=PromptFuture)


@dataclass(slots=True, eq=False)
class Append:
    """Drafts, with ids, that are to be stored under the next indexes: all of them, or none. Under ids that are not
    new something may be stored already. `size` is that of their texts, in characters."""

    session_id: str
    drafts: Sequence[EventDraft]
    may_be_stored: bool
    size: int
    stored: tuple[SessionEvent, ...] = ()
    refusal: EventConflictError | InvalidRecordError | None = None
    done: PromptFuture = field(default_factory=PromptFuture)


@dataclass(slots=True, eq=False)
class Put:
    """A session's record, as JSON."""

    session_id: str
    text: str
    done: PromptFuture = field(default_factory=PromptFuture)


Write = Insert | Append | Put


class Writer:
    """The one place from which a driver writes records and events; `on_written` hears of sessions that changed."""

    def __init__(self, database: Database, durability: Durability, on_written: Callable[[str], None]) -> None:
        self._database = database
        self._durability: Durability = durability
        self._on_written = on_written
        self._waiting: deque[Write] = deque()
        self._halves: deque[list[Write]] = deque()
        self._is_busy = False
        self._idle: PromptFuture | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def write(self, write: Write) -> PromptFuture:
        """Hand over a write. The future is done once the transaction with it is complete, or has failed.

        When whoever waits is cancelled, a write that has not begun is not made; one that has goes on.
        """
        self._database.check_open()
        self._waiting.append(write)
        if not self._is_busy:
            self._is_busy = True
            self._begin_next()
        return write.done

    async def idle(self) -> None:
        """Wait until all that was handed over is done."""
        while self._is_busy:
            self._idle = self._idle or PromptFuture()
            await asyncio.shield(self._idle)

    def _begin_next(self) -> None:
        batch = self._halves.popleft() if self._halves else self._take()
        if batch:
            self._begin(batch)
            return
        self._is_busy = False
        if self._idle is not None:
            idle, self._idle = self._idle, None
            idle.resolve(None)

    def _take(self) -> list[Write]:
        """The writes that go together next: no two of them want the same index, since one is to be refused then."""
        if len(self._waiting) == 1 and not self._waiting[0].done.cancelled():
            return [self._waiting.popleft()]
        batch: list[Write] = []
        wanted: set[tuple[str, int]] = set()
        events = characters = 0
        while self._waiting:
            write = self._waiting[0]
            if not write.done.cancelled():
                if isinstance(write, Insert):
                    indexes = {(write.session_id, event.event_index) for event in write.events}
                    if not wanted.isdisjoint(indexes):
                        break
                    wanted |= indexes
                events += _count(write)
                characters += _size(write)
                if batch and (events > MOST_EVENTS or characters > MOST_CHARACTERS):
                    break
                batch.append(write)
            self._waiting.popleft()
        return batch

    def _begin(self, batch: list[Write], tries: int = MOST_TRIES) -> None:
        connection = self._database.connection
        if connection is None:
            self._start(self._connect_and_begin(batch, tries))
            return
        with_records = any(isinstance(write, Put) for write in batch)
        stores = stores_array(("sessions", "events") if with_records else "events")
        options = durability_options("strict" if with_records else self._durability)

        def ended(_result: object, fault: BaseException | None) -> None:
            self._ended(connection, batch, fault, tries)

        try:
            begin(connection, stores, "readwrite", partial(_issue, batch), options, ended)
        except JsException as error:
            self._ended(connection, batch, error, tries)

    async def _connect_and_begin(self, batch: list[Write], tries: int) -> None:
        try:
            await self._database.connect()
        except BaseException as error:
            self._settle(batch, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._begin(batch, tries)

    def _ended(self, connection: Connection, batch: list[Write], fault: BaseException | None, tries: int) -> None:
        if fault is None:
            self._settle(batch, None)
        elif is_lost(fault) and tries > 1:
            self._database.lose(connection)
            for write in batch:
                if isinstance(write, Append):
                    write.may_be_stored = True  # if the browser was as far as to commit it
            self._begin(batch, tries - 1)
        elif len(batch) > 1:
            middle = len(batch) // 2
            self._halves.extendleft([batch[middle:], batch[:middle]])
            self._begin_next()
        elif isinstance(batch[0], Insert) and _is_conflict(fault):
            self._start(self._insert_what_is_missing(batch[0]))
        else:
            self._settle(batch, fault)

    async def _insert_what_is_missing(self, write: Insert) -> None:
        """Something stands in the way of these events: perhaps they are stored already, wholly or in part."""
        try:
            await self._database.run(
                "events", "readwrite", lambda transaction: _issue_missing(transaction, write), self._durability
            )
        except BaseException as error:
            self._settle([write], error)
            if not isinstance(error, Exception):
                raise
        else:
            self._settle([write], None)

    def _settle(self, batch: Iterable[Write], fault: BaseException | None) -> None:
        error = None if fault is None else store_error(fault)
        for write in batch:
            if isinstance(write, Append):
                write.done.settle(write.stored, error or write.refusal)
            else:
                write.done.settle(None, error)
            if error is None:
                self._on_written(write.session_id)
        self._begin_next()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _count(write: Write) -> int:
    if isinstance(write, Insert):
        return len(write.events)
    return len(write.drafts) if isinstance(write, Append) else 1


def _size(write: Write) -> int:
    if isinstance(write, Insert):
        return sum(len(text) for text in write.texts)
    return len(write.text) if isinstance(write, Put) else write.size


def _is_conflict(fault: BaseException) -> bool:
    return isinstance(fault, EventConflictError) or (isinstance(fault, Aborted) and fault.name == "ConstraintError")


def _issue(batch: Sequence[Write], transaction: Transaction) -> None:
    """All of a batch in one go; only where an index is to be found out does Python hear of a request in between."""
    inserts = [write for write in batch if isinstance(write, Insert)]
    if inserts:
        events = transaction.store("events")
        _refuse_taken(transaction, events, inserts)
        add_rows(events, [text for write in inserts for text in write.texts])
    puts = [write.text for write in batch if isinstance(write, Put)]
    if puts:
        sessions = transaction.store("sessions")
        _rows(puts).map(each(sessions.put, sessions))
    appends = [write for write in batch if isinstance(write, Append)]
    if appends:
        _issue_appends(transaction, appends)


def add_rows(events: JsValue, texts: Sequence[str]) -> JsValue:
    """Add rows, at least one, that are JSON texts; the request of the last one."""
    if len(texts) == 1:
        return events.add(from_json(texts[0]))
    return _rows(texts).map(each(events.add, events)).pop()


def _rows(texts: Sequence[str]) -> JsValue:
    """Rows as `interop.each` wants them: each of them an array of one argument."""
    return from_json(f"[[{'],['.join(texts)}]]")


def _refuse_taken(transaction: Transaction, events: JsValue, inserts: Sequence[Insert]) -> None:
    """Roll back when an index is in use. Indexes that follow one another take one request."""
    index = events.index(INDEX)
    for session_id, first, last in _runs(inserts):
        refusal = EventConflictError.index_taken(session_id, first)

        def on_key(key: JsValue, refusal: EventConflictError = refusal) -> None:
            if not is_absent(key):
                transaction.abort(refusal)

        transaction.then(index.getKey(index_range(session_id, first, last)), on_key)


def _runs(inserts: Sequence[Insert]) -> Sequence[tuple[str, int, int]]:
    """The indexes as (session id, first, last). Raises EventConflictError for one that comes twice."""
    if len(inserts) == 1 and len(inserts[0].events) == 1:
        event = inserts[0].events[0]
        return [(event.session_id, event.event_index, event.event_index)]
    return runs_of((event.session_id, event.event_index) for write in inserts for event in write.events)


def _issue_appends(transaction: Transaction, appends: Sequence[Append]) -> None:
    """Read the last index of each session, and what is stored under ids that were given; then add."""
    events = transaction.store("events")
    index = events.index(INDEX)
    last_index: dict[str, int] = {}
    known: dict[str, SessionEvent] = {}
    texts: list[str] = []

    def place() -> None:
        for write in appends:
            write.stored, write.refusal = (), None
            try:
                placed = _placed(write, last_index[write.session_id], known)
            except (EventConflictError, InvalidRecordError) as refusal:
                write.refusal = refusal
                continue
            write.stored = tuple(placed)
            new = {event.id: event for event in placed if event.id not in known}.values()
            for event in new:
                known[event.id] = event
                last_index[write.session_id] = event.event_index
            texts.extend(dump(event.to_row()) for event in new)
        if texts:
            add_rows(events, texts)

    def learn_event(row: JsValue) -> None:
        if not is_absent(row) and (event := read_event(to_json(row))) is not None:
            known[event.id] = event

    def learn_last(session_id: str, cursor: JsValue) -> None:
        last_index[session_id] = 0 if is_absent(cursor) else event_key(cursor.key)[1]
        if len(last_index) == len(session_ids):  # requests are answered in order: this was the last of all
            place()

    for write in appends:
        for draft in write.drafts if write.may_be_stored else ():
            transaction.then(events.get(from_json(dump(draft.id))), learn_event)
    session_ids = dict.fromkeys(write.session_id for write in appends)
    for session_id in session_ids:
        request = index.openKeyCursor(event_range(session_id), "prev")
        transaction.then(request, partial(learn_last, session_id))


def _placed(write: Append, last_index: int, known: Mapping[str, SessionEvent]) -> Sequence[SessionEvent]:
    """The events that an append asks for: those that are stored, and the new ones behind the last index. Raises
    EventConflictError and InvalidRecordError."""
    placed: dict[str, SessionEvent] = {}
    for draft in write.drafts:
        id_ = draft.id or ""
        if (stored := known.get(id_) or placed.get(id_)) is not None:
            check_same_draft(stored, write.session_id, draft)
            placed[id_] = stored
            continue
        if last_index == MAX_SAFE_INTEGER:
            raise InvalidRecordError(f"the session {write.session_id!r} has no further index to give")
        last_index += 1
        placed[id_] = draft.at(write.session_id, last_index)
    return [placed[draft.id or ""] for draft in write.drafts]


def _issue_missing(transaction: Transaction, write: Insert) -> None:
    """Look at each of the events: those that are stored, and equal, stay; the others are added."""
    events = transaction.store("events")
    index = events.index(INDEX)
    stored: dict[str, SessionEvent] = {}
    taken: set[int] = set()

    def learn_event(row: JsValue) -> None:
        if not is_absent(row) and (event := read_event(to_json(row))) is not None:
            stored[event.id] = event

    def learn_key(event: SessionEvent, key: JsValue) -> None:
        if not is_absent(key):
            taken.add(event.event_index)
        if event is write.events[-1]:
            add()

    def add() -> None:
        texts = []
        for event, text in zip(write.events, write.texts, strict=True):
            if event.id in stored:
                check_same(stored[event.id], event)
                continue
            if event.event_index in taken:
                raise EventConflictError.index_taken(event.session_id, event.event_index)
            stored[event.id] = event
            taken.add(event.event_index)
            texts.append(text)
        if texts:
            add_rows(events, texts)

    for event in write.events:
        transaction.then(events.get(from_json(dump(event.id))), learn_event)
        keys = index_range(event.session_id, event.event_index, event.event_index)
        transaction.then(index.getKey(keys), partial(learn_key, event))
