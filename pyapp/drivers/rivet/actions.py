"""What a Rivet actor is asked to do: by the five actions of upstream's driver, or by those that make a store of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...errors import InvalidCursorError, InvalidRecordError, StoreError
from ...json_text import whole_text
from ...types import EventDraft, ListPage, Row, SessionEvent, SessionRecord
from ..base import Listing, SessionHead, Totals, check_event, check_limit, check_record, read_cursor
from .actor import RivetActor
from .rows import from_actor, to_actor

if TYPE_CHECKING:
    from typing import Self

FOREIGN = ":rivet:"
"""Stands between the kind of a list and the cursor of an actor that is not ours, where a cursor may be an offset."""


class FiveActions:
    """A SessionPersistDriver by the five actions that upstream's driver has methods for.

    An insert is not repeated where no answer came: an actor of this kind may store it a second time.
    """

    insert_again = False

    def __init__(self, actor: RivetActor) -> None:
        self._call = actor.call

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        row = await self._call("getSession", whole_text(session_id))
        return None if row is None else _record(row)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError."""
        request = {"cursor": _cursor("sessions", cursor), "limit": check_limit(limit)}
        return _page("sessions", await self._call("listSessions", request), _record)

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError."""
        check_record(record)
        await self._call("updateSession", to_actor(record.to_row()))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError."""
        request = {
            "sessionId": whole_text(session_id),
            "cursor": _cursor("events", cursor),
            "limit": check_limit(limit),
        }
        return _page("events", await self._call("listEvents", request), _event)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event. Raises EventConflictError and InvalidRecordError."""
        check_event(session_id, event)
        await self._call("insertEvent", session_id, to_actor(event.to_row()), again=self.insert_again)


class AllActions(FiveActions):
    """A SessionStore by the actions of the actor in `examples/rivet/`.

    Each but `addSessions` may be done twice, since events and drafts have ids: so it is repeated where no answer came.
    """

    insert_again = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """The actor's connections are closed by whoever opened them."""

    async def aclose(self) -> None:
        """The actor's connections are closed by whoever opened them."""

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""
        filling = {"agentSessionId": "", "lastConnectionId": ""}
        rows = _rows(await self._call("sessionHeads"))
        return [SessionHead.of(_record({**filling, **row})) for row in rows]

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and its events."""
        await self._call("deleteSession", whole_text(session_id))

    async def totals(self) -> Totals:
        """How much is stored in all."""
        told = await self._call("totals")
        match told:
            case {"sessions": int(sessions), "events": int(events)}:
                return Totals(sessions, events)
        raise StoreError("the actor does not say how much it holds")

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        key = list(before) if before is not None else None
        rows = _rows(await self._call("lastEvents", whole_text(session_id), check_limit(n), key))
        return tuple(map(_event, rows))

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""
        return int(await self._call("countEvents", whole_text(session_id)))

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events: all, or none. Raises EventConflictError and InvalidRecordError."""
        for event in events:
            check_event(session_id, event)
        if events:
            await self._call("insertEvents", session_id, [to_actor(event.to_row()) for event in events])

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one. Raises EventConflictError and InvalidRecordError."""
        return (await self.append_events(session_id, (draft,)))[0]

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all, or none. Raises EventConflictError and InvalidRecordError."""
        rows = []
        for draft in drafts:
            event = draft.named().at(session_id, 1)  # any index, for the time being
            check_event(session_id, event)
            row = event.to_row()
            del row["eventIndex"], row["sessionId"]
            rows.append(to_actor(row))
        if not rows:
            return ()
        return tuple(map(_event, _rows(await self._call("appendEvents", session_id, rows))))

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore)."""
        for record in records:
            check_record(record)
        import_id = str(uuid4())
        count = 0
        try:
            for rows in event_rows:
                if rows:
                    await self._call(
                        "importEvents", import_id, [to_actor(json.loads(text)) for text in rows], again=False
                    )
                    count += len(rows)
                if progress is not None:
                    progress(count)
                await asyncio.sleep(0)  # so that the task can be cancelled while nothing is changed yet
            known = [to_actor(record.to_row()) for record in records]
            await self._call("addSessions", import_id, known, count, again=False)
        except BaseException:
            with suppress(Exception):
                await asyncio.shield(self._call("dropImport", import_id, again=False))
            raise


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise StoreError("the actor gave something else than a list")
    return value


def _page(listing: Listing, told: Any, read: Callable[[Any], Any]) -> ListPage[Any]:
    if not isinstance(told, dict):
        raise StoreError("the actor gave something else than a page")
    items, cursor = tuple(map(read, _rows(told.get("items")))), told.get("nextCursor")
    if cursor is not None and not isinstance(cursor, str):
        raise StoreError("the actor gave a cursor that is no text")
    if cursor is not None:
        try:
            read_cursor(listing, cursor)
        except InvalidCursorError:
            cursor = f"{listing}{FOREIGN}{cursor}"
    return ListPage(items, cursor)


def _cursor(listing: Listing, cursor: str | None) -> str | None:
    """The actor's own cursor. Raises InvalidCursorError."""
    prefix = f"{listing}{FOREIGN}"
    if isinstance(cursor, str) and cursor.startswith(prefix):
        return cursor.removeprefix(prefix)
    read_cursor(listing, cursor)
    return cursor


def _record(row: Any) -> SessionRecord:
    return SessionRecord.from_row(_read("session record", row))


def _event(row: Any) -> SessionEvent:
    return SessionEvent.from_row(_read("event", row))


def _read(what: str, row: Any) -> Row:
    try:
        read: Row = from_actor(row)
    except ValueError as error:
        raise InvalidRecordError(f"a stored {what} is not one: {error}") from None
    return read
