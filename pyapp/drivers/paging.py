"""Whole listings of a store, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ..types import SessionEvent, SessionRecord
from .base import Key, SessionPersistDriver, cursor_after

SESSIONS = 100
"""Sessions of one page."""

EVENTS = 500
"""Events of one page."""


async def session_pages(
    store: SessionPersistDriver, *, limit: int = SESSIONS
) -> AsyncIterator[Sequence[SessionRecord]]:
    """All sessions in their order, in pages that are not empty."""
    cursor: str | None = None
    while True:
        page = await store.list_sessions(cursor=cursor, limit=limit)
        if page.items:
            yield page.items
        if (cursor := page.next_cursor) is None:
            return


async def event_pages(
    store: SessionPersistDriver, session_id: str, *, after: Key | None = None, limit: int = EVENTS
) -> AsyncIterator[Sequence[SessionEvent]]:
    """The events of a session in their order, or those behind a key, in pages that are not empty."""
    cursor = None if after is None else cursor_after("events", after)
    while True:
        page = await store.list_events(session_id, cursor=cursor, limit=limit)
        if page.items:
            yield page.items
        if (cursor := page.next_cursor) is None:
            return
