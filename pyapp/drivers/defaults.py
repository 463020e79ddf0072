"""A store made of a driver that has the five methods alone.

What the driver has of its own is used; the rest is done with the five methods. That is right, though not fast:
to count is to read everything, and so is to append for the first time to a session, or after somebody else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import EventConflictError, StoreError
from ..types import EventDraft, ListPage, SessionEvent, SessionRecord
from .base import (
    SessionHead,
    SessionPersistDriver,
    SessionStore,
    Totals,
    check_event,
    check_limit,
    check_record,
    check_same_draft,
)
from .paging import event_pages, session_pages

if TYPE_CHECKING:
    from typing import Self

PAGE = 500
"""Items that are read at once."""

TURN_SECONDS = 0.05
"""How long a driver that never waits may keep others from running."""

DELETED = "pyapp:deleted"
"""The field of a record by which a session counts as deleted: such a driver can take nothing away, so the record is
emptied and marked, and its events stay in the driver, unseen."""

OWN = ("append_event", "append_events", "insert_events", "last_events", "count_events", "delete_session",
       "session_heads", "totals", "add_sessions", "aclose", "__aenter__", "__aexit__")  # fmt: skip
"""What a driver may have beyond the five methods."""


def with_defaults(driver: SessionPersistDriver) -> SessionStore:
    """The driver itself when it is a whole store, else a DefaultStore around it."""
    return driver if isinstance(driver, SessionStore) else DefaultStore(driver)


class DefaultStore:
    """A SessionStore around a driver, with the driver's own further methods where it has some.

    Two promises are weaker than those of a whole store. `insert_events` and `add_sessions` cannot take
    back what they began: after an error the first events are stored (those of `add_sessions` unseen, since
    records come last). And the id of a deleted session cannot be used again (StoreError).

    `append_event` takes the index behind the last one that it knows of. Where others write to the same driver
    and leave out indexes, an event may go in such a hole.

    A driver may do its work without ever waiting, as one does that keeps a file. So between its calls others get their
    turn now and then, and a long job can be cancelled: it ends after the call that is under way.
    """

    def __init__(self, driver: SessionPersistDriver) -> None:
        self.driver = driver
        self._own = {name: getattr(driver, name) for name in OWN if hasattr(driver, name)}
        self._appending = asyncio.Lock()
        self._last: dict[str, int] = {}
        """The highest index of each session that was appended to, as far as is known here."""
        self._others_had_turn = time.monotonic()

    async def __aenter__(self) -> Self:
        if "__aenter__" in self._own:
            await self._own["__aenter__"]()
        return self

    async def __aexit__(self, *exception: object) -> None:
        if "__aexit__" in self._own:
            await self._own["__aexit__"](*exception)
        else:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the driver, if it can be closed."""
        if "aclose" in self._own:
            await self._own["aclose"]()

    # the five methods, without what was deleted

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        await self._give_turn()
        record = await self.driver.get_session(session_id)
        return None if record is None or DELETED in record.extra else record

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError."""
        most = check_limit(limit)
        items: list[SessionRecord] = []
        while True:
            await self._give_turn()
            page = await self.driver.list_sessions(cursor=cursor, limit=most - len(items))
            items += [record for record in page.items if DELETED not in record.extra]
            cursor = page.next_cursor
            if cursor is None or len(items) == most:
                return ListPage(tuple(items), cursor)

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record. Raises StoreError when a session with its id was deleted."""
        await self._give_turn()
        await self._refuse_deleted(record.id)
        await self.driver.update_session(record)

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        await self._give_turn()
        if await self._is_deleted(session_id):
            return ListPage(())
        return await self.driver.list_events(session_id, cursor=cursor, limit=limit)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event. Raises as the driver does, and StoreError when the session was deleted."""
        await self._give_turn()
        await self._refuse_deleted(session_id)
        self._last.pop(session_id, None)
        await self.driver.insert_event(session_id, event)

    # what they make possible

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one: behind the last that was appended here, or that is found by reading."""
        if "append_event" in self._own:
            stored: SessionEvent = await self._own["append_event"](session_id, draft)
            return stored
        draft = draft.named()
        await self._refuse_deleted(session_id)
        async with self._appending:  # one after the other, since another writer may take the index in between
            last = self._last.get(session_id)
            while True:
                if last is not None:
                    event = draft.at(session_id, last + 1)
                    try:
                        await self.driver.insert_event(session_id, event)
                    except EventConflictError:
                        before = last
                    else:
                        self._last[session_id] = event.event_index
                        return event
                else:
                    before = -1
                found, last = await self._find(session_id, draft)
                self._last[session_id] = last
                if found is not None:
                    return found
                if last == before:  # then it is not the index that was taken
                    raise EventConflictError.id_taken(draft.id or "")

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store some events one behind the other, up to the first that is refused."""
        if "append_events" in self._own:
            stored: tuple[SessionEvent, ...] = await self._own["append_events"](session_id, drafts)
            return stored
        named = [draft.named() for draft in drafts]
        for draft in named:
            check_event(session_id, draft.at(session_id, 1))
        return tuple([await self.append_event(session_id, draft) for draft in named])

    async def _find(self, session_id: str, draft: EventDraft) -> tuple[SessionEvent | None, int]:
        """The event that is stored under the draft's id, and the highest index of the session."""
        found, highest = None, 0
        async for event in self._events(session_id):
            if event.id == draft.id:
                check_same_draft(event, session_id, draft)
                found = event
            highest = event.event_index
        return found, highest

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events one after the other, up to the first that is refused."""
        if "insert_events" in self._own:
            await self._own["insert_events"](session_id, events)
            return
        for event in events:
            check_event(session_id, event)
        for event in events:
            await self.insert_event(session_id, event)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; reads all that come before them."""
        if "last_events" in self._own:
            own: tuple[SessionEvent, ...] = await self._own["last_events"](session_id, n, before=before)
            return own
        last: deque[SessionEvent] = deque(maxlen=check_limit(n))
        async for event in self._events(session_id):
            if before is not None and event.key >= before:
                break
            last.append(event)
        return tuple(last)

    async def count_events(self, session_id: str) -> int:
        """How many events a session has; reads them."""
        if "count_events" in self._own:
            return int(await self._own["count_events"](session_id))
        return sum([1 async for _ in self._events(session_id)])

    async def delete_session(self, session_id: str) -> None:
        """Empty the record and hide the session (see DELETED)."""
        if "delete_session" in self._own:
            await self._own["delete_session"](session_id)
            return
        record = await self.driver.get_session(session_id)
        created_at = record.created_at if record else 0
        if record is None or DELETED not in record.extra:
            await self.driver.update_session(SessionRecord(session_id, "", "", "", created_at, extra={DELETED: True}))

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it; reads all records."""
        if "session_heads" in self._own:
            heads: Sequence[SessionHead] = await self._own["session_heads"]()
            return heads
        return [SessionHead.of(record) async for record in self._sessions()]

    async def totals(self) -> Totals:
        """How much is stored in all; reads all of it."""
        if "totals" in self._own:
            own: Totals = await self._own["totals"]()
            return own
        ids = [record.id async for record in self._sessions()]
        return Totals(len(ids), sum([await self.count_events(session_id) for session_id in ids]))

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions: their events first, then their records, so that what broke off is not seen."""
        if "add_sessions" in self._own:
            await self._own["add_sessions"](records, event_rows, progress)
            return
        for record in records:
            check_record(record)
            await self._give_turn()
            if await self.driver.get_session(record.id) is not None:
                raise EventConflictError.session_taken(record.id)
        added = 0
        for rows in event_rows:
            for text in rows:
                event = SessionEvent.from_row(json.loads(text))
                await self._give_turn()
                await self.driver.insert_event(event.session_id, event)
                added += 1
            if progress is not None:
                progress(added)
        for record in records:
            await self._give_turn()
            await self.driver.update_session(record)

    async def _give_turn(self) -> None:
        """Let others run, if none could for a while; raises CancelledError where this job was cancelled meanwhile."""
        if time.monotonic() - self._others_had_turn > TURN_SECONDS:
            await asyncio.sleep(0)
            self._others_had_turn = time.monotonic()

    async def _sessions(self) -> AsyncIterator[SessionRecord]:
        async for records in session_pages(self, limit=PAGE):
            for record in records:
                yield record

    async def _events(self, session_id: str) -> AsyncIterator[SessionEvent]:
        async for events in event_pages(self, session_id, limit=PAGE):
            for event in events:
                yield event

    async def _is_deleted(self, session_id: str) -> bool:
        if "delete_session" in self._own:
            return False
        record = await self.driver.get_session(session_id)
        return record is not None and DELETED in record.extra

    async def _refuse_deleted(self, session_id: str) -> None:
        if await self._is_deleted(session_id):
            raise StoreError(
                f"the session {session_id!r} was deleted; its store cannot take anything away, so its id stays in use"
            )
