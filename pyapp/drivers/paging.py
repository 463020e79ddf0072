"""Whole listings of a store, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from ..types import ListPage, SessionEvent, SessionRecord
from .base import EventGiver, Key, ReadEvent, SessionPersistDriver, cursor_after

T = TypeVar("T")

SESSIONS = 100
"""Sessions of one page."""

EVENTS = 500
"""Events of one page."""


def session_pages(store: SessionPersistDriver, *, limit: int = SESSIONS) -> AsyncIterator[Sequence[SessionRecord]]:
    """All sessions in their order, in pages that are not empty."""
    return _pages(lambda cursor: store.list_sessions(cursor=cursor, limit=limit), None)


def event_pages(
    store: SessionPersistDriver, session_id: str, *, after: Key | None = None, limit: int = EVENTS
) -> AsyncIterator[Sequence[SessionEvent]]:
    """The events of a session in their order, or those behind a key, in pages that are not empty."""
    return _pages(lambda cursor: store.list_events(session_id, cursor=cursor, limit=limit), after)


async def read_event_pages(
    store: SessionPersistDriver, session_id: str, *, after: Key | None = None, limit: int = EVENTS
) -> AsyncIterator[Sequence[ReadEvent]]:
    """What `event_pages` gives, with the payloads' JSON texts where the store has them."""
    if isinstance(store, EventGiver):
        giver = store
        async for read in _pages(lambda cursor: giver.read_events(session_id, cursor=cursor, limit=limit), after):
            yield read
    else:
        async for events in event_pages(store, session_id, after=after, limit=limit):
            yield [ReadEvent(event) for event in events]


async def _pages(read: Callable[[str | None], Awaitable[ListPage[T]]], after: Key | None) -> AsyncIterator[Sequence[T]]:
    cursor = None if after is None else cursor_after("events", after)
    while True:
        page = await read(cursor)
        if page.items:
            yield page.items
        if (cursor := page.next_cursor) is None:
            return
