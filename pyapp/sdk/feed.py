"""What a session's listeners hear: every stored event once, in the order of the store, whoever stored it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..drivers.base import Key, SessionStore, cursor_after
from ..types import SessionEvent

PAGE = 200


class EventFeed:
    """Tells `hear` of the events of a session behind `last`, one after the other.

    The store is what is true: an event that another client stored in between is read and told before those that follow.
    """

    def __init__(self, store: SessionStore, session_id: str, last: Key, hear: Callable[[SessionEvent], None]) -> None:
        self._store = store
        self._session_id = session_id
        self.last = last
        self._hear = hear
        self._lock = asyncio.Lock()

    async def stored(self, events: Sequence[SessionEvent]) -> None:
        """Events that this client has stored, or found stored. Raises StoreError when others cannot be read."""
        async with self._lock:
            for event in events:
                if event.event_index <= self.last[0]:
                    continue
                if event.event_index > self.last[0] + 1:
                    await self._catch_up(event.event_index - 1)
                self._tell(event)

    async def catch_up(self) -> None:
        """Somebody may have stored something. Raises StoreError."""
        async with self._lock:
            await self._catch_up(None)

    async def _catch_up(self, last_index: int | None) -> None:
        cursor: str | None = cursor_after("events", self.last)
        while cursor is not None:
            page = await self._store.list_events(self._session_id, cursor=cursor, limit=PAGE)
            for event in page.items:
                if last_index is not None and event.event_index > last_index:
                    return
                self._tell(event)
            cursor = page.next_cursor

    def _tell(self, event: SessionEvent) -> None:
        key = event.key
        if key > self.last:
            self.last = key
            self._hear(event)
