"""Generated values come back from SQLite equal, and malformed ones are refused in words."""

from __future__ import annotations

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st

from pyapp import SQLiteSessionPersistDriver

from ..faults.amounts import VALUES, generated
from ..faults.exercise import WAYS, refusals, written_and_read
from ..faults.values import BATCH, LIST_AS_SESSION_ID, Malformed, Row, batches, malformed, same


@generated(VALUES // BATCH // 2)
@given(batches(), st.sampled_from(WAYS))
def test_what_goes_in_comes_out(batch: tuple[list[Row], list[Row]], way: str) -> None:
    async def run() -> tuple[list[Row], list[Row]]:
        async with SQLiteSessionPersistDriver() as driver:
            return await written_and_read(driver, sessions, events, way)

    sessions, events = batch
    listed, read = asyncio.run(run())
    assert same({row["id"]: row for row in sessions}, {row["id"]: row for row in listed})
    assert same({row["id"]: row for row in events}, {row["id"]: row for row in read})
    assert (len(listed), len(read)) == (len(sessions), len(events))


@generated(VALUES // 4)
@given(malformed())
@example(LIST_AS_SESSION_ID)
def test_what_is_malformed_is_refused(wrong: Malformed) -> None:
    async def run() -> list[str]:
        async with SQLiteSessionPersistDriver() as driver:
            return await refusals(driver, wrong.kind, wrong.row)

    *said, stored = asyncio.run(run())
    assert all(wrong.reason in words for words in said), said
    assert stored == "0 sessions, 0 events"
