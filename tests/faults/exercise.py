"""What is done with generated rows, on any store. The browser tests run this very file in the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pyapp import EventDraft, InvalidRecordError, SessionEvent, SessionRecord, SessionStore
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record

OPTIONAL = {
    "destroyed_at": "destroyedAt",
    "sandbox_id": "sandboxId",
    "session_init": "sessionInit",
    "config_options": "configOptions",
    "modes": "modes",
}
WAYS = ("one by one", "at the same time", "in groups")


async def written_and_read(
    store: SessionStore, sessions: list[dict[str, Any]], events: list[dict[str, Any]], way: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Store rows in one of the WAYS; the rows of what is read then."""
    records = [SessionRecord.from_row(row) for row in sessions]
    given = [SessionEvent.from_row(row) for row in events]
    ids = list(dict.fromkeys(one.session_id for one in given))
    if way == "one by one":
        for known in records:
            await store.update_session(known)
        for one in given:
            await store.insert_event(one.session_id, one)
    elif way == "at the same time":
        updates = [store.update_session(one) for one in records]
        await asyncio.gather(*updates, *(store.insert_event(one.session_id, one) for one in given))
    else:
        await asyncio.gather(*(store.update_session(one) for one in records))
        for id_ in ids:
            await store.insert_events(id_, [one for one in given if one.session_id == id_])
    read = [one for id_ in ids for one in await all_events(store, id_)]
    alone = [await store.get_session(one.id) for one in records]
    listed = await all_sessions(store)
    assert [one.id for one in alone if one in listed] == [one.id for one in records]
    for id_ in ids:
        of_session = [one for one in read if one.session_id == id_]
        assert await store.count_events(id_) == len(of_session)
        assert await store.last_events(id_, 2) == tuple(of_session[-2:])
    return [one.to_row() for one in listed], [one.to_row() for one in read]


async def clear(store: SessionStore, *ids: str) -> None:
    """Delete every session, and those with events alone that have these ids."""
    for id_ in [*ids, *(head.id for head in await store.session_heads())]:
        await store.delete_session(id_)


async def refusals(store: SessionStore, kind: str, row: Any) -> list[str]:
    """What every way of storing this malformed row says, "" for a way that took it; the last is what was stored."""
    said = []
    attempts: list[Callable[[], Awaitable[object]]] = [lambda: of_the_row(store, kind, row)]
    if isinstance(row, dict) and (unchecked := made_unchecked(kind, row)) is not None:
        if isinstance(unchecked, SessionRecord):
            attempts.append(partial(store.update_session, unchecked))
        else:
            session_id = unchecked.session_id
            attempts.append(partial(store.insert_event, session_id, unchecked))
            others = [event(1_001, session_id), event(1_002, session_id)] if type(session_id) is str else []
            attempts.append(partial(store.insert_events, session_id, [*others[:1], unchecked, *others[1:]]))
            if type(row["eventIndex"]) is int and 0 < row["eventIndex"] < 2**53 and row["id"] is not None:
                # a draft has no index that could be wrong, and need not have an id
                attempts.append(partial(store.append_event, session_id, draft(unchecked)))
    for attempt in attempts:
        try:
            await attempt()
        except InvalidRecordError as refusal:
            said.append(str(refusal))
        else:
            said.append("")
    totals = await store.totals()
    return [*said, f"{totals.sessions} sessions, {totals.events} events"]


async def of_the_row(store: SessionStore, kind: str, row: Any) -> None:
    """As a file or another page would bring it: read first, then stored."""
    if kind == "session":
        await store.update_session(SessionRecord.from_row(row))
    else:
        one = SessionEvent.from_row(row)
        await store.insert_event(one.session_id, one)


def made_unchecked(kind: str, row: dict[str, Any]) -> SessionRecord | SessionEvent | None:
    """As a program would bring it that makes records itself; None for a row that lacks a field."""
    names = list((event(1) if kind == "event" else record()).to_row())
    if not row.keys() >= set(names):
        return None
    known: list[Any] = [row[name] for name in names]
    if kind == "event":
        return SessionEvent(*known, extra={name: value for name, value in row.items() if name not in names})  # type: ignore[misc]
    optional: dict[str, Any] = {attribute: row.get(name) for attribute, name in OPTIONAL.items()}
    extra = {name: value for name, value in row.items() if name not in names and name not in OPTIONAL.values()}
    return SessionRecord(*known, **{**optional, "extra": extra})


def draft(one: SessionEvent) -> EventDraft:
    """The event without its place."""
    return EventDraft(one.sender, one.payload, one.connection_id, one.created_at, one.id, one.extra)
