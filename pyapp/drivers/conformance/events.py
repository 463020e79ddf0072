"""The promises about a session's events: order, pages, and what is never overwritten."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from ...errors import EventConflictError, InvalidCursorError, InvalidRecordError
from ..base import SessionPersistDriver
from .kit import (
    ContractBroken,
    DriverPromise,
    all_events,
    all_sessions,
    event,
    expect_equal,
    expect_refused,
    record,
)


async def events_are_ordered(driver: SessionPersistDriver) -> None:
    """By event_index, whatever the order of writing, and each session for itself."""
    for index in (10, 2, 9, 1, 100, 3):
        await driver.insert_event("s1", event(index))
        await driver.insert_event("s", event(index, "s"))
    for session_id in ("s1", "s"):
        listed = [one.event_index for one in await all_events(driver, session_id, limit=2)]
        expect_equal(listed, [1, 2, 3, 9, 10, 100], "the order of events")


async def event_pages_survive_inserts(driver: SessionPersistDriver) -> None:
    """An event written between two pages, before or after the cursor, repeats and skips nothing."""
    for index in (2, 4, 6, 8, 10):
        await driver.insert_event("s1", event(index))
    first = await driver.list_events("s1", limit=2)
    for index in (1, 3, 5, 12):
        await driver.insert_event("s1", event(index))
    second = await driver.list_events("s1", limit=2, cursor=first.next_cursor)
    third = await driver.list_events("s1", limit=10, cursor=second.next_cursor)
    listed = [one.event_index for page in (first, second, third) for one in page.items]
    expect_equal(listed, [2, 4, 5, 6, 8, 10, 12], "the three pages")


async def last_page_has_no_cursor(driver: SessionPersistDriver) -> None:
    """A page that ends exactly at the end gives no cursor, nor does an empty one."""
    for index in range(1, 5):
        await driver.insert_event("s1", event(index))
    for limit, cursors in ((2, [True, False]), (4, [False]), (5, [False]), (3, [True, False])):
        cursor, seen = None, []
        while True:
            page = await driver.list_events("s1", cursor=cursor, limit=limit)
            seen.append(page.next_cursor is not None)
            if (cursor := page.next_cursor) is None:
                break
        expect_equal(seen, cursors, f"which pages of {limit} have a cursor")


async def limits_hold(driver: SessionPersistDriver) -> None:
    """A page holds 100 items unless the caller says; what is not a whole number from 1 is refused."""
    for number in range(1, 103):
        await driver.insert_event("s1", event(number))
        await driver.update_session(record(f"s{number}", number))
    expect_equal(len((await driver.list_events("s1")).items), 100, "events on a page")
    expect_equal(len((await driver.list_sessions()).items), 100, "sessions on a page")
    expect_equal(len((await driver.list_events("s1", limit=102)).items), 102, "events on a page of 102")
    for bad in (0, -1, True, 1.5, "10"):
        wrong: Any = bad
        await expect_refused(driver.list_events("s1", limit=wrong), ValueError, f"limit {bad!r}")
        await expect_refused(driver.list_sessions(limit=wrong), ValueError, f"limit {bad!r}")


async def event_reinsert_is_idempotent(driver: SessionPersistDriver) -> None:
    """The same event twice is stored once, and is no error."""
    given = event(1, nested={"a": [1, None, {"b": 0.5}]})
    await driver.insert_event("s1", given)
    await driver.insert_event("s1", event(2))
    await driver.insert_event("s1", given)
    expect_equal(await all_events(driver), [given, event(2)], "the events")


async def taken_index_is_refused(driver: SessionPersistDriver) -> None:
    """Another event with an index in use is refused in the words that upstream's client looks for."""
    await driver.insert_event("s1", event(1))
    refusal = await expect_refused(
        driver.insert_event("s1", event(1, id_="other")), EventConflictError, "an index in use"
    )
    if not re.search(r"UNIQUE constraint failed: .*session_id, .*event_index", str(refusal)):
        raise ContractBroken(f"the refusal of an index in use does not say so as upstream does: {refusal}")
    expect_equal(await all_events(driver), [event(1)], "the events")
    await driver.insert_event("other", event(1, "other"))


async def taken_event_id_is_refused(driver: SessionPersistDriver) -> None:
    """An event with a known id and other content is refused, in any session; the first is kept."""
    first = event(1, id_="e")
    await driver.insert_event("s1", first)
    for changed in (event(1, id_="e", other=1), event(2, id_="e"), event(1, "s2", id_="e")):
        await expect_refused(driver.insert_event(changed.session_id, changed), EventConflictError, "an event id in use")
    expect_equal(await all_events(driver), [first], "the events")
    expect_equal(await all_events(driver, "s2"), [], "the other session's events")


async def foreign_event_is_refused(driver: SessionPersistDriver) -> None:
    """An event of another session is refused, and nothing is stored under either."""
    await expect_refused(driver.insert_event("s1", event(1, "s2")), InvalidRecordError, "a foreign event")
    for session_id in ("s1", "s2"):
        expect_equal(await all_events(driver, session_id), [], f"the events of {session_id}")


async def bad_cursors_are_refused(driver: SessionPersistDriver) -> None:
    """Garbage, a cursor of the other listing and a tampered one are refused with InvalidCursorError."""
    for number in range(1, 4):
        await driver.insert_event("s1", event(number))
        await driver.update_session(record(f"s{number}", number))
    of_events = (await driver.list_events("s1", limit=1)).next_cursor
    of_sessions = (await driver.list_sessions(limit=1)).next_cursor
    if of_events is None or of_sessions is None:
        raise ContractBroken("a listing with more items gave no cursor")
    garbage = ["", "1", "garbage", "\ud800", "[1,2]", "x" * 20_000, "events:" + "[" * 20_000]
    for cursor in (*garbage, of_sessions, of_events[:-1], of_events + "!"):
        await expect_refused(driver.list_events("s1", cursor=cursor), InvalidCursorError, f"{cursor[:40]!r}")
    for cursor in (*garbage, of_events, of_sessions[:-1], of_sessions + "!"):
        await expect_refused(driver.list_sessions(cursor=cursor), InvalidCursorError, f"{cursor[:40]!r}")


async def long_ids_have_cursors(driver: SessionPersistDriver) -> None:
    """Listings go on behind ids of any length."""
    session_ids = [name + "🦀" * 2_000 for name in "abc"]
    for number, id_ in enumerate(session_ids, 1):
        await driver.update_session(record(id_))
        await driver.insert_event("s1", event(number, id_="e" + id_))
    expect_equal(
        [one.id for one in await all_events(driver, limit=1)], ["e" + id_ for id_ in session_ids], "the events"
    )
    expect_equal([one.id for one in await all_sessions(driver, limit=1)], session_ids, "the sessions")


async def concurrent_inserts_all_arrive(driver: SessionPersistDriver) -> None:
    """Inserts at the same time are all stored; of those that want one index just one is."""
    await asyncio.gather(*(driver.insert_event("s1", event(index)) for index in range(1, 51)))
    listed = [one.event_index for one in await all_events(driver, limit=20)]
    expect_equal(listed, list(range(1, 51)), "the events inserted at the same time")
    rivals = [driver.insert_event("s1", event(51, id_=f"rival-{number}")) for number in range(5)]
    outcomes = await asyncio.gather(*rivals, return_exceptions=True)
    expect_equal(sum(outcome is None for outcome in outcomes), 1, "how many got the one index")
    expect_equal([type(outcome) for outcome in outcomes if outcome is not None], [EventConflictError] * 4, "the others")
    same = event(52, id_="same")
    await asyncio.gather(*(driver.insert_event("s1", same) for _ in range(5)))
    expect_equal((await all_events(driver))[-1], same, "the event that five inserted at once")


EVENTS: tuple[DriverPromise, ...] = (
    events_are_ordered,
    event_pages_survive_inserts,
    last_page_has_no_cursor,
    limits_hold,
    event_reinsert_is_idempotent,
    taken_index_is_refused,
    taken_event_id_is_refused,
    foreign_event_is_refused,
    bad_cursors_are_refused,
    long_ids_have_cursors,
    concurrent_inserts_all_arrive,
)
