"""The promises of a SessionStore beyond those of a driver: appending, reading from the end, counting, deleting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from ...errors import EventConflictError, InvalidRecordError
from ...types import EventDraft
from ..base import SessionHead, SessionStore, Totals
from .kit import ContractBroken, all_events, all_sessions, event, expect_equal, expect_refused, record

StorePromise = Callable[[SessionStore], Awaitable[None]]
"""One promise: raises ContractBroken when a fresh, empty store does not keep it."""


async def last_events_are_exact(driver: SessionStore) -> None:
    """The last n, oldest first; with `before` those before a key, which need not exist; never another's."""
    for index in (1, 2, 3, 5, 8):
        await driver.insert_event("s1", event(index))
    await driver.insert_event("s0", event(1, "s0"))
    await driver.insert_event("s10", event(9, "s10"))
    cases: list[tuple[int, tuple[int, str] | None, list[int]]] = [
        (1, None, [8]),
        (2, None, [5, 8]),
        (5, None, [1, 2, 3, 5, 8]),
        (6, None, [1, 2, 3, 5, 8]),
        (1_000, None, [1, 2, 3, 5, 8]),
        (2, (8, "s1-e8"), [3, 5]),
        (2, (8, ""), [3, 5]),
        (2, (8, "t"), [5, 8]),
        (2, (6, ""), [3, 5]),
        (1, (2, ""), [1]),
        (3, (2, ""), [1]),
        (3, (1, ""), []),
        (3, (1, "s1-e1"), []),
    ]
    for n, before, indexes in cases:
        got = await driver.last_events("s1", n, before=before)
        expect_equal([one.event_index for one in got], indexes, f"the last {n} before {before}")
    expect_equal(await driver.last_events("s1", 1), (event(8),), "the last event")
    expect_equal(await driver.last_events("nothing", 3), (), "the last events of an unknown session")
    await expect_refused(driver.last_events("s1", 0), ValueError, "the last 0 events")


async def session_heads_agree_with_the_list(driver: SessionStore) -> None:
    """The heads are those of list_sessions, in its order."""
    expect_equal(list(await driver.session_heads()), [], "the heads of nothing")
    given = [record("b", 2, destroyed_at=7), record("a", 2, extra={"destroyedAt": None}), record("c", 1)]
    for one in given:
        await driver.update_session(one)
    listed = await all_sessions(driver)
    heads = [SessionHead(one.id, one.agent, one.created_at, one.destroyed_at) for one in listed]
    expect_equal(list(await driver.session_heads()), heads, "the heads")
    expect_equal([head.id for head in heads], ["c", "a", "b"], "their order")


def draft(number: int, id_: str | None = None, **payload: Any) -> EventDraft:
    """A draft for a test."""
    message = {"jsonrpc": "2.0", "method": "session/update", "params": payload or {"n": number}}
    return EventDraft("agent", message, "connection-1", 1_000 + number, id_)


async def appends_take_the_next_index(driver: SessionStore) -> None:
    """Each goes behind the last event of its session, whoever wrote that, and comes back as it is stored."""
    first = await driver.append_event("s1", draft(1))
    expect_equal((first.event_index, first.session_id, first.payload), (1, "s1", draft(1).payload), "the first")
    await driver.insert_event("s1", event(7))
    await driver.insert_event("s10", event(70, "s10"))
    second = await driver.append_event("s1", draft(2, "named"))
    expect_equal((second.event_index, second.id, second.created_at), (8, "named", 1_002), "the second")
    expect_equal(await all_events(driver), [first, event(7), second], "the events")
    if not first.id or first.id == (await driver.append_event("s0", draft(1))).id:
        raise ContractBroken("a draft without an id must get one of its own")


async def appending_a_known_id_gives_the_stored_event(driver: SessionStore) -> None:
    """The same message again, perhaps heard later by another client, is stored once; another one is refused."""
    stored = await driver.append_event("s1", draft(1, "m"))
    await driver.append_event("s1", draft(2))
    again = replace(draft(1, "m"), created_at=9_999, connection_id="connection-2")
    expect_equal(await driver.append_event("s1", again), stored, "what the second append gave")
    for session_id, other in (("s1", draft(3, "m")), ("s2", draft(1, "m")), ("s1", replace(again, sender="client"))):
        await expect_refused(driver.append_event(session_id, other), EventConflictError, "an event id in use")
    expect_equal(await driver.count_events("s1"), 2, "the number of events")
    expect_equal(await driver.count_events("s2"), 0, "the number of events of the other session")


async def appends_of_many_go_one_behind_the_other(driver: SessionStore) -> None:
    """In the order given, each with an index of its own; what is stored already is given back from its place."""
    known = await driver.append_event("s1", draft(1, "a"))
    first, *new, last = await driver.append_events("s1", [draft(1, "a"), draft(2, "b"), draft(3), draft(2, "b")])
    expect_equal((first, last), (known, new[0]), "those that were stored already")
    expect_equal([one.event_index for one in new], [2, 3], "the indexes of the new ones")
    expect_equal(await all_events(driver), [known, *new], "the events")
    expect_equal(await driver.append_events("s1", []), (), "what appending nothing gives")
    bursts = await asyncio.gather(
        *(driver.append_events("s2", [draft(10 * burst + n) for n in range(10)]) for burst in range(5))
    )
    expect_equal(await all_events(driver, "s2", limit=20), [one for burst in bursts for one in burst], "the bursts")


async def bad_drafts_are_refused(driver: SessionStore) -> None:
    """What no insert would take no append takes either, and no index is lost by it."""
    await driver.append_event("s1", draft(1))
    no_text: Any = ["id"]
    for bad in (
        draft(2, ""),
        draft(2, "\ud800"),
        draft(2, no_text),
        draft(2, n=float("nan")),
        replace(draft(2), created_at=-1),
    ):
        await expect_refused(driver.append_event("s1", bad), InvalidRecordError, "a bad draft")
        await expect_refused(driver.append_events("s1", [draft(2), bad]), InvalidRecordError, "a bad draft of two")
    expect_equal((await driver.append_event("s1", draft(2))).event_index, 2, "the next index")


async def nothing_is_appended_behind_the_largest_index(driver: SessionStore) -> None:
    """An index that JavaScript does not keep exactly is refused, and what is stored stays readable."""
    given = replace(event(1), event_index=2**53 - 2)
    await driver.insert_event("s1", given)
    last = await driver.append_event("s1", draft(1))
    expect_equal(last.event_index, 2**53 - 1, "the largest index")
    await expect_refused(driver.append_event("s1", draft(2)), InvalidRecordError, "an append behind it")
    expect_equal(await all_events(driver), [given, last], "the events")


async def concurrent_appends_leave_no_gap(driver: SessionStore) -> None:
    """Many at the same time, to several sessions: indexes 1 to n, each once, in the order of the calls."""
    wanted = [(f"s{number % 3}", number) for number in range(60)]
    stored = await asyncio.gather(*(driver.append_event(session_id, draft(number)) for session_id, number in wanted))
    for session_id in ("s0", "s1", "s2"):
        listed = await all_events(driver, session_id, limit=50)
        expect_equal(listed, [one for one in stored if one.session_id == session_id], f"the events of {session_id}")
        expect_equal([one.event_index for one in listed], list(range(1, 21)), f"the indexes of {session_id}")


async def writes_at_once_fail_alone(driver: SessionStore) -> None:
    """Of many writes that are made together those that are refused are, and all others are stored."""
    await driver.insert_event("s1", event(3))
    await driver.insert_event("s1", event(4, id_="mine"))
    outcomes = await asyncio.gather(
        driver.insert_event("s1", event(1)),
        driver.insert_event("s1", event(3, id_="rival")),
        driver.insert_event("s1", event(2, id_="mine")),
        driver.insert_event("s1", event(3)),
        driver.insert_events("s1", [event(5), event(4, id_="rival")]),
        driver.insert_events("s2", [event(1, "s2"), event(2, "s2")]),
        driver.append_event("s1", draft(9, "mine")),
        driver.append_event("s2", draft(3, "third")),
        driver.update_session(record("s2")),
        return_exceptions=True,
    )
    refused = [position for position, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    expect_equal(refused, [1, 2, 4, 6], "which of the writes were refused")
    expect_equal({type(outcomes[position]) for position in refused}, {EventConflictError}, "the refusals")
    kept = [one.key for one in await all_events(driver)]
    expect_equal([one for one in kept if one[0] != 5], [(1, "s1-e1"), (3, "s1-e3"), (4, "mine")], "the events")
    expect_equal([one.id for one in await all_events(driver, "s2")], ["s2-e1", "s2-e2", "third"], "those of s2")
    expect_equal(await driver.get_session("s2"), record("s2"), "the record")


async def insert_events_stores_many(driver: SessionStore) -> None:
    """All are there, in any order of giving; those stored before stay as they are; none is fine too."""
    await driver.insert_event("s1", event(2))
    await driver.insert_events("s1", [event(3), event(1), event(2)])
    await driver.insert_events("s1", [])
    expect_equal(await all_events(driver), [event(1), event(2), event(3)], "the events")
    await expect_refused(driver.insert_events("s1", [event(1, "s2")]), InvalidRecordError, "a foreign event")


async def events_are_counted(driver: SessionStore) -> None:
    """Of one session and in all; nothing of what was not there."""
    expect_equal(await driver.totals(), Totals(0, 0), "the totals of nothing")
    for index in (1, 2, 9):
        await driver.insert_event("s1", event(index))
    await driver.insert_event("s10", event(1, "s10"))
    for id_ in ("s1", "s10"):
        await driver.update_session(record(id_))
    counted = [await driver.count_events(session_id) for session_id in ("s1", "s10", "s", "")]
    expect_equal(counted, [3, 1, 0, 0], "the numbers of events")
    expect_equal(await driver.totals(), Totals(2, 4), "the totals")


async def a_deleted_session_is_gone(driver: SessionStore) -> None:
    """Record and events go, others stay; an unknown id, or a second time, is no error."""
    for id_ in ("s1", "s10"):
        await driver.update_session(record(id_))
        await driver.insert_events(id_, [event(index, id_) for index in range(1, 4)])
    for _ in range(2):
        await driver.delete_session("s1")
    await driver.delete_session("nothing")
    expect_equal(await driver.get_session("s1"), None, "the deleted record")
    expect_equal(await all_events(driver), [], "its events")
    expect_equal(await driver.last_events("s1", 5), (), "its last events")
    expect_equal(await driver.count_events("s1"), 0, "how many it has")
    expect_equal(await all_sessions(driver), [record("s10")], "the sessions that stay")
    expect_equal([head.id for head in await driver.session_heads()], ["s10"], "their heads")
    expect_equal(await driver.totals(), Totals(1, 3), "the totals")
    expect_equal(await driver.count_events("s10"), 3, "the other's events")


async def closing_twice_is_fine(driver: SessionStore) -> None:
    """A store is its own context manager; to close it again is no error."""
    async with driver as entered:
        await entered.update_session(record())
    await driver.aclose()


STORE_CONTRACT: tuple[StorePromise, ...] = (
    last_events_are_exact,
    session_heads_agree_with_the_list,
    appends_take_the_next_index,
    appending_a_known_id_gives_the_stored_event,
    appends_of_many_go_one_behind_the_other,
    bad_drafts_are_refused,
    nothing_is_appended_behind_the_largest_index,
    concurrent_appends_leave_no_gap,
    writes_at_once_fail_alone,
    insert_events_stores_many,
    events_are_counted,
    a_deleted_session_is_gone,
    closing_twice_is_fine,
)
"""What every SessionStore promises besides `conformance.DRIVER_CONTRACT`; a `DefaultStore` too."""
