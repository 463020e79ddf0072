"""Generated values, right and malformed ones, go through a real server as through the store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyapp import PostgresSessionPersistDriver

from ..faults.amounts import VALUES, generated
from ..faults.exercise import WAYS, clear, refusals, written_and_read
from ..faults.values import BATCH, LIST_AS_SESSION_ID, Malformed, Row, batches, malformed, same
from .postgres_server import PostgresServer

Runner = asyncio.Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One event loop for all examples, since connections belong to one."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def store(postgres: PostgresServer, runner: Runner) -> Iterator[PostgresSessionPersistDriver]:
    driver = PostgresSessionPersistDriver(postgres.address(), "generated values")
    yield driver
    runner.run(driver.aclose())


@generated(VALUES // BATCH)
@given(batch=batches(), way=st.sampled_from(WAYS))
def test_what_goes_in_comes_out(
    runner: Runner, store: PostgresSessionPersistDriver, batch: tuple[list[Row], list[Row]], way: str
) -> None:
    sessions, events = batch

    async def work() -> tuple[list[Row], list[Row]]:
        try:
            return await written_and_read(store, sessions, events, way)
        finally:
            await clear(store, *{row["sessionId"] for row in events})

    listed, read = runner.run(work())
    assert same({row["id"]: row for row in sessions}, {row["id"]: row for row in listed})
    assert same({row["id"]: row for row in events}, {row["id"]: row for row in read})
    assert (len(listed), len(read)) == (len(sessions), len(events))


@generated(VALUES)
@given(wrong=malformed())
@example(wrong=LIST_AS_SESSION_ID)
def test_what_is_malformed_is_refused(runner: Runner, store: PostgresSessionPersistDriver, wrong: Malformed) -> None:
    async def work() -> list[str]:
        return await refusals(store, wrong.kind, wrong.row)

    before = runner.run(store.totals())
    *said, stored = runner.run(work())
    assert all(wrong.reason in words for words in said), said
    assert stored == f"{before.sessions} sessions, {before.events} events"
