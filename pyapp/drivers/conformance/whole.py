"""The promises of a SessionStore that writes in transactions: many at once are stored all, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

from ...errors import EventConflictError
from ...types import SessionEvent
from ..base import SessionStore
from .kit import all_events, all_sessions, event, expect_equal, expect_refused, record
from .store import StorePromise, draft


def rows(events: list[SessionEvent]) -> list[str]:
    """A chunk of event rows, as `add_sessions` takes them."""
    return [json.dumps(one.to_row()) for one in events]


async def insert_events_is_all_or_nothing(driver: SessionStore) -> None:
    """When one of many is refused none is stored: its index or its id is taken, or it comes twice."""
    await driver.insert_event("s1", event(5, id_="taken"))
    for refused in (
        [event(1), event(5), event(6)],
        [event(1), event(6, id_="taken")],
        [event(1), event(2, id_="twice"), event(3, id_="twice")],
        [event(1), event(2), event(2, id_="rival")],
    ):
        await expect_refused(driver.insert_events("s1", refused), EventConflictError, "a conflict among many")
        expect_equal(await all_events(driver), [event(5, id_="taken")], "the events")


async def append_events_is_all_or_nothing(driver: SessionStore) -> None:
    """When one of many is refused, none is stored and no index is lost."""
    stored = await driver.append_event("s1", draft(1, "taken"))
    many = [draft(2), draft(3, "taken"), draft(4)]
    await expect_refused(driver.append_events("s1", many), EventConflictError, "a conflict among many")
    expect_equal(await all_events(driver), [stored], "the events")
    expect_equal((await driver.append_event("s1", draft(5))).event_index, 2, "the next index")


async def add_sessions_adds_everything(driver: SessionStore) -> None:
    """Records and events of all chunks are there afterwards, and progress told of them."""
    await driver.update_session(record("s0"))
    told: list[int] = []
    chunks = [rows([event(2), event(1, "s2")]), rows([]), rows([event(1), event(3), event(2, "s2")])]
    given = [record("s1", extra={"x": None}), record("s2", modes={"a": "é\ud800"}), record("s3")]
    await driver.add_sessions(given, chunks, told.append)
    expect_equal(await all_events(driver), [event(1), event(2), event(3)], "the events")
    expect_equal(await all_events(driver, "s2"), [event(1, "s2"), event(2, "s2")], "the second one's events")
    expect_equal(await all_sessions(driver), [record("s0"), *given], "the sessions")
    expect_equal((told == sorted(told), told[-1:]), (True, [5]), "what progress was told")
    await driver.add_sessions([], [])
    await driver.add_sessions([record("s4")], [])
    expect_equal(await driver.get_session("s4"), record("s4"), "a session without events")


async def add_sessions_refuses_a_known_session(driver: SessionStore) -> None:
    """A session id in use, by a record or by events alone: nothing at all is added."""
    known = record("s2", sandbox_id="mine")
    await driver.update_session(known)
    await driver.insert_event("s3", event(1, "s3"))
    for taken in ("s2", "s3"):
        chunks = [rows([event(1)]), rows([event(7, taken)])]
        await expect_refused(
            driver.add_sessions([record("s1"), record(taken)], chunks), EventConflictError, "a known session"
        )
        expect_equal(await all_sessions(driver), [known], "the sessions")
        expect_equal(await all_events(driver), [], "the events of the new session")
    expect_equal(await all_events(driver, "s2"), [], "the events of the known session")
    expect_equal(await all_events(driver, "s3"), [event(1, "s3")], "the events without a record")


async def add_sessions_refuses_a_known_event(driver: SessionStore) -> None:
    """An event id in use, in the middle of the import: nothing at all is added, and the error names it."""
    await driver.insert_event("s0", event(1, "s0", id_="taken"))
    chunks = [
        rows([event(n) for n in range(1, 9)]),
        rows([event(9), event(10, id_="taken")]),
        rows([event(11)]),
    ]
    refusal = await expect_refused(driver.add_sessions([record()], chunks), EventConflictError, "a known event")
    expect_equal("taken" in str(refusal), True, "whether the refusal names the event")
    expect_equal(await all_sessions(driver), [], "the sessions")
    expect_equal(await all_events(driver), [], "the events")
    expect_equal(await all_events(driver, "s0"), [event(1, "s0", id_="taken")], "the known event")


async def add_sessions_refuses_what_comes_twice(driver: SessionStore) -> None:
    """A session, or an event's id, that the import itself brings twice: nothing at all is added."""
    for records, chunks in (
        ([record(), record()], [rows([event(1)])]),
        ([record()], [rows([event(1, id_="twice")]), rows([event(2, id_="twice")])]),
    ):
        await expect_refused(driver.add_sessions(records, chunks), EventConflictError, "something brought twice")
        expect_equal(await all_sessions(driver), [], "the sessions")
        expect_equal(await all_events(driver), [], "the events")


async def add_sessions_can_be_cancelled(driver: SessionStore) -> None:
    """When the task is cancelled, after any chunk, nothing was added, and the store works on."""
    for cancel_at in (2, 4, 6):
        outcome = (await asyncio.gather(_cancelled_at(driver, cancel_at), return_exceptions=True))[0]
        expect_equal(type(outcome), asyncio.CancelledError, f"the outcome, cancelled at {cancel_at}")
        expect_equal(await all_sessions(driver), [], f"the sessions, cancelled at {cancel_at}")
        expect_equal(await all_events(driver), [], f"the events, cancelled at {cancel_at}")
    await driver.add_sessions([record()], [rows([event(1)])])
    expect_equal(await all_events(driver), [event(1)], "the events of a later import")


async def _cancelled_at(driver: SessionStore, cancel_at: int) -> None:
    """An import of three chunks whose task is cancelled once so many events were handed over."""
    task: asyncio.Task[None]

    def progress(count: int) -> None:
        if count == cancel_at:
            task.cancel()

    chunks = [rows([event(n), event(n + 1)]) for n in (1, 3, 5)]
    task = asyncio.create_task(driver.add_sessions([record()], chunks, progress))
    await task


async def add_sessions_takes_back_what_a_failing_source_began(driver: SessionStore) -> None:
    """When the source of rows or the progress function fails, nothing was added and its error comes out."""

    def failing() -> Iterator[list[str]]:
        yield rows([event(1)])
        raise LookupError("the file is gone")

    def progress(_count: int) -> None:
        raise LookupError("the page is gone")

    await expect_refused(driver.add_sessions([record()], failing()), LookupError, "a failing source")
    await expect_refused(
        driver.add_sessions([record()], [rows([event(1)])], progress),
        LookupError,
        "a failing progress function",
    )
    expect_equal(await all_sessions(driver), [], "the sessions")
    expect_equal(await all_events(driver), [], "the events")


WHOLE_CONTRACT: tuple[StorePromise, ...] = (
    insert_events_is_all_or_nothing,
    append_events_is_all_or_nothing,
    add_sessions_adds_everything,
    add_sessions_refuses_a_known_session,
    add_sessions_refuses_a_known_event,
    add_sessions_refuses_what_comes_twice,
    add_sessions_can_be_cancelled,
    add_sessions_takes_back_what_a_failing_source_began,
)
"""What a SessionStore promises besides STORE_CONTRACT, unless it is a `DefaultStore` around a bare driver."""
