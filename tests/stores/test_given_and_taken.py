"""Events as one SQL store gives and another takes them, with the texts of their payloads: nothing of them changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import given

from pyapp import PostgresSessionPersistDriver, SessionEvent, SessionRecord, SessionStore, SQLiteSessionPersistDriver
from pyapp.drivers.base import EventGiver, EventTaker, ReadEvent
from pyapp.drivers.conformance.kit import event, record
from pyapp.drivers.paging import read_event_pages, session_pages

from ..faults.amounts import VALUES, generated
from ..faults.exercise import clear
from ..faults.values import BATCH, Row, batches, same
from .postgres_server import PostgresServer

Stores = list[SessionStore]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def stores(postgres: PostgresServer, runner: asyncio.Runner) -> Iterator[Stores]:
    """Each gives to the next one."""
    made: Stores = [
        SQLiteSessionPersistDriver(),
        SQLiteSessionPersistDriver(),
        PostgresSessionPersistDriver(postgres.address(), "given"),
        PostgresSessionPersistDriver(postgres.address(), "taken"),
        SQLiteSessionPersistDriver(),
    ]
    yield made
    for store in made:
        runner.run(store.aclose())


@generated(VALUES // BATCH)
@given(batch=batches())
def test_events_pass_through_stores(runner: asyncio.Runner, stores: Stores, batch: tuple[list[Row], list[Row]]) -> None:
    sessions, events = batch
    records = [SessionRecord.from_row(row) for row in sessions]
    known = {one.id for one in records}
    brought = [ReadEvent(SessionEvent.from_row(row)) for row in events if row["sessionId"] in known]

    async def passed_on() -> list[ReadEvent]:
        read = brought
        for store in stores:
            assert isinstance(store, EventTaker)
            await clear(store)
            await store.add_read_sessions(records, [read])
            read = [one for id_ in known async for page in read_event_pages(store, id_, limit=3) for one in page]
            listed = [one async for page in session_pages(store) for one in page]
            assert {one.id: one for one in listed} == {one.id: one for one in records}
        return read

    read = runner.run(passed_on())
    came = {one.event.id: one.event.to_row() for one in read}
    for one in brought:
        row = one.event.to_row()
        assert same(row, came.pop(one.event.id)), f"not the same: {row}"
    assert not came
    assert all(json.loads(one.payload) == one.event.payload for one in read if one.payload is not None)


def test_the_text_comes_along_where_the_column_holds_all(runner: asyncio.Runner, stores: Stores) -> None:
    plain, odd = event(1, text="é"), event(2, text="\ud800\0")
    more = SessionEvent.from_row({**event(3).to_row(), "more": 1})

    async def texts(store: SessionStore) -> list[str | None]:
        await clear(store)
        await store.update_session(record())
        await store.insert_events("s1", [plain, odd, more])
        return [one.payload async for page in read_event_pages(store, "s1") for one in page]

    for store in stores:
        first, second, third = runner.run(texts(store))
        assert (first is None) == (not isinstance(store, EventGiver))
        assert first is None or json.loads(first) == plain.payload
        assert second is None or json.loads(second) == odd.payload
        assert third is None
