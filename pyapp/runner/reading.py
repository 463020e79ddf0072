"""Reads of the store, each of which costs what is looked at, and the background reading of the rest."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from ..drivers.base import SessionStore, cursor_after
from ..inspector.log import SessionLog
from ..inspector.messages import Folded, Grew
from ..inspector.model import EventDetail, EventRow, OpenSession, Summary
from ..inspector.playback import event_at
from ..json_text import dump
from ..transcript.describe import describe, title_of
from ..transcript.fold import Transcript
from ..types import SessionEvent

PAGE = 100
"""Events that are read to show a session for the first time."""

SLICE = 250
"""Events that the background reading takes at once: some 20 ms in the browser."""

TITLE_SEARCH = 30
"""Events at the start of a session among which its first prompt is looked for."""


async def read_session(store: SessionStore, session_id: str, event: int | None) -> OpenSession | None:
    """A session and one page of events up to its playhead; None when it is not stored."""
    record = await store.get_session(session_id)
    if record is None:
        return None
    first = (await store.list_events(session_id, limit=1)).items
    if not first:
        created = record.created_at
        return OpenSession(record, SessionLog(), 0, 1, created, created, playhead=0, complete=True)
    last = await store.last_events(session_id, PAGE if event is None else 1) or first  # or it was deleted meanwhile
    first_index, last_index = first[0].event_index, last[-1].event_index
    total = last_index - first_index + 1
    position = total if event is None else max(0, min(event - first_index + 1, total))
    page = last if event is None else await _page_before(store, session_id, first_index + position)
    session = OpenSession(
        record,
        SessionLog(),
        total,
        first_index,
        first[0].created_at,
        max(last[-1].created_at, first[0].created_at),
        playhead=position,
    )
    start = position - len(page)
    return _with_page(session, page, start)


def _with_page(session: OpenSession, page: Sequence[SessionEvent], start: int) -> OpenSession:
    tail = _folded_alone(page, start)
    detail = detail_of(page[-1], session.playhead - 1) if page else None
    return OpenSession(
        session.record,
        session.log,
        session.total,
        session.first_index,
        session.first_created_at,
        session.last_created_at,
        playhead=session.playhead,
        tail=tail,
        rows=rows_of(page, start),
        detail=detail,
    )


async def read_tail(store: SessionStore, session: OpenSession, position: int) -> Transcript:
    """One page of events that ends at a position, folded alone."""
    page = await _page_before(store, session.record.id, event_at(session, position - 1) + 1)
    return _folded_alone(page, position - len(page))


async def read_rows(store: SessionStore, session: OpenSession, first: int, count: int) -> dict[int, EventRow]:
    """Rows of the list of events."""
    events = await _events_from(store, session, first, count)
    return rows_of(events, first)


async def read_detail(store: SessionStore, session: OpenSession, ordinal: int) -> EventDetail | None:
    """One event, whole."""
    events = await _events_from(store, session, ordinal, 1)
    return detail_of(events[0], ordinal) if events else None


async def read_summaries(store: SessionStore, session_ids: Iterable[str]) -> Mapping[str, Summary]:
    """Title, length and duration of some sessions, from their first events and the last one."""
    return {session_id: await _read_summary(store, session_id) for session_id in session_ids}


async def read_on(
    store: SessionStore, session: OpenSession, every: float, clock: Callable[[], float]
) -> AsyncIterator[Folded]:
    """Read and fold a whole session in slices; tells how far it came about each `every` milliseconds."""
    log, session_id = session.log, session.record.id
    cursor: str | None = None
    last_created_at, told = session.first_created_at, clock()
    while True:
        page = await store.list_events(session_id, cursor=cursor, limit=SLICE)
        for event in page.items:
            log.append(event)
            last_created_at = max(last_created_at, event.created_at)
        cursor = page.next_cursor
        if cursor is None:
            # What was folded stays, and none of it is in a cycle: the collector need never walk through it again.
            gc.freeze()
            yield Folded(session_id, len(log), True, last_created_at)
            return
        if clock() - told >= every:
            told = clock()
            yield Folded(session_id, len(log), False, last_created_at)
        await asyncio.sleep(0)


async def read_more(store: SessionStore, session: OpenSession) -> Grew | None:
    """Read and fold what was added to a session since it was read to its end; None when there is nothing."""
    log, session_id = session.log, session.record.id
    cursor: str | None = cursor_after("events", (log.timeline.event_index(len(log) - 1) + 1, ""))
    before, last_created_at = len(log), session.last_created_at
    while cursor is not None:
        page = await store.list_events(session_id, cursor=cursor, limit=SLICE)
        for event in page.items:
            log.append(event)
            last_created_at = max(last_created_at, event.created_at)
        cursor = page.next_cursor
    return Grew(session_id, len(log), last_created_at) if len(log) > before else None


def rows_of(events: Sequence[SessionEvent], start: int) -> dict[int, EventRow]:
    """The rows of events that follow one another from the place `start` on."""
    rows = {}
    for ordinal, event in enumerate(events, start):
        line = describe(event)
        rows[ordinal] = EventRow(ordinal, event.event_index, event.created_at, line.kind, line.method, line.excerpt)
    return rows


def detail_of(event: SessionEvent, ordinal: int) -> EventDetail:
    """An event with its JSON, for a person to read."""
    row = rows_of([event], ordinal)[ordinal]
    stored = event.to_row()
    text = json.dumps(stored, ensure_ascii=False, indent=2)
    size = len(dump(stored).encode())
    return EventDetail(row, event.sender, event.connection_id, text, size)


def _folded_alone(page: Sequence[SessionEvent], start: int) -> Transcript:
    transcript = Transcript(start)
    for event in page:
        transcript.append(event)
    return transcript


async def _page_before(store: SessionStore, session_id: str, event_index: int) -> tuple[SessionEvent, ...]:
    return await store.last_events(session_id, PAGE, before=(event_index, ""))


async def _events_from(store: SessionStore, session: OpenSession, first: int, count: int) -> Sequence[SessionEvent]:
    """`count` events from a place on. Upstream's layout lets two events share an index: those are stepped over."""
    skipped = session.log.timeline.same_index_before(first) if first < session.folded else 0
    cursor = cursor_after("events", (event_at(session, first), ""))
    page = await store.list_events(session.record.id, cursor=cursor, limit=count + skipped)
    return page.items[skipped:]


async def _read_summary(store: SessionStore, session_id: str) -> Summary:
    first = (await store.list_events(session_id, limit=TITLE_SEARCH)).items
    if not first:
        return Summary("Untitled session", 0, 0)
    (last,) = await store.last_events(session_id, 1) or first[-1:]  # deleted meanwhile
    title = title_of(first) or "Untitled session"
    events = last.event_index - first[0].event_index + 1
    return Summary(title, events, max(0, last.created_at - first[0].created_at), last.event_index)
