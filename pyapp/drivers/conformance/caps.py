"""The promises of the in-memory driver about its caps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..memory import InMemorySessionPersistDriver
from .kit import all_events, all_sessions, event, expect_equal, record
from .whole import rows

CapPromise = Callable[[Callable[[int, int], InMemorySessionPersistDriver]], Awaitable[None]]


async def oldest_events_go(make: Callable[[int, int], InMemorySessionPersistDriver]) -> None:
    """Beyond max_events_per_session the lowest indexes go, each session for itself."""
    driver = make(10, 3)
    for index in (5, 1, 4, 2, 3):
        await driver.insert_event("s1", event(index))
        await driver.insert_event("s2", event(index, "s2"))
    for session_id in ("s1", "s2"):
        kept = [one.event_index for one in await all_events(driver, session_id)]
        expect_equal(kept, [3, 4, 5], "the events kept")
    await driver.add_sessions([record("s3")], [rows([event(n, "s3") for n in range(1, 6)])])
    expect_equal([one.event_index for one in await all_events(driver, "s3")], [3, 4, 5], "the events kept")


async def oldest_sessions_go(make: Callable[[int, int], InMemorySessionPersistDriver]) -> None:
    """Beyond max_sessions the first by (created_at, id) go, with their events."""
    driver = make(2, 10)
    for id_, created_at in (("b", 2), ("c", 3), ("a", 2)):
        await driver.insert_event(id_, event(1, id_))
        await driver.update_session(record(id_, created_at))
    expect_equal([one.id for one in await all_sessions(driver)], ["b", "c"], "the sessions kept")
    expect_equal(await all_events(driver, "a"), [], "the events of the session that went")
    await driver.insert_event("z", event(1, "z", id_="a-e1"))
    await driver.add_sessions([record("d", 9), record("e", 1)], [])
    expect_equal([one.id for one in await all_sessions(driver)], ["c", "d"], "the sessions kept")
    await driver.update_session(record("c", 99))
    expect_equal([one.id for one in await all_sessions(driver)], ["d", "c"], "the sessions after an update")


MEMORY_CAPS: tuple[CapPromise, ...] = (oldest_events_go, oldest_sessions_go)
"""What the in-memory driver promises of its caps; each takes `make(max_sessions, max_events_per_session)`."""
