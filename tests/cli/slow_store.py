"""A driver that keeps the event loop busy: each event takes a while, and nothing in it waits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pyapp import InMemorySessionPersistDriver, ListPage, SessionEvent, SessionRecord, Totals
from pyapp.drivers.conformance.kit import event, record

SECONDS = 0.02
CALLS = Path("calls")


def work(seconds: float) -> None:
    """Say that it has begun, and take that long."""
    with CALLS.open("a") as file:
        file.write("begun\n")
    time.sleep(seconds)


class SlowStore:
    """It is slow to write."""

    def __init__(self) -> None:
        rows = InMemorySessionPersistDriver()
        self.get_session = rows.get_session
        self.list_sessions = rows.list_sessions
        self.list_events = rows.list_events
        self.update_session = rows.update_session
        self._insert = rows.insert_event

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        work(SECONDS)
        await self._insert(session_id, event)


class StuckStore(SlowStore):
    """One event of it takes for ever."""

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        work(600)


class Endless:
    """It is read page by page without an end."""

    async def get_session(self, session_id: str) -> SessionRecord | None:
        return record(session_id)

    async def list_sessions(self, **_options: Any) -> ListPage[SessionRecord]:
        return ListPage((record("a"),))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int = 1
    ) -> ListPage[SessionEvent]:
        work(SECONDS)
        return ListPage((event(1, session_id),), "more")

    async def update_session(self, record: SessionRecord) -> None:
        raise NotImplementedError

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        raise NotImplementedError


class Counted(Endless):
    """It knows how much there is without reading it."""

    async def totals(self) -> Totals:
        return Totals(1, 1)
