"""The promises about session records and their list."""

from __future__ import annotations

from ..base import SessionPersistDriver
from .kit import (
    DriverPromise,
    all_events,
    all_sessions,
    event,
    expect_equal,
    record,
)


async def session_fields_round_trip(driver: SessionPersistDriver) -> None:
    """Every field of a record comes back, with those that nobody knows and those that are null."""
    full = record(
        destroyed_at=2_000,
        sandbox_id="box",
        session_init={"cwd": "/w", "mcpServers": [{"name": "a", "env": []}]},
        config_options=[{"id": "model", "currentValue": None}, {"id": "temperature", "currentValue": 0.1}],
        modes={"currentModeId": "plan", "availableModes": []},
        extra={"serverId": "sdk-1", "note": None, "nested": {"deep": [1, [2, {"x": True}]]}},
    )
    nulls = record("s2", extra={"destroyedAt": None, "modes": None})
    for given in (full, nulls, record("s3")):
        await driver.update_session(given)
        expect_equal(await driver.get_session(given.id), given, "the record read again")
    expect_equal(await all_sessions(driver), [full, nulls, record("s3")], "the list")


async def update_session_replaces(driver: SessionPersistDriver) -> None:
    """A second record with the same id takes the place of the first, whole."""
    await driver.update_session(record(sandbox_id="box", extra={"a": 1}))
    changed = record(created_at=5, destroyed_at=9)
    await driver.update_session(changed)
    expect_equal(await driver.get_session("s1"), changed, "the record read again")
    expect_equal(await all_sessions(driver), [changed], "the list")


async def update_session_keeps_events(driver: SessionPersistDriver) -> None:
    """Writing a record leaves the session's events alone."""
    await driver.update_session(record())
    await driver.insert_event("s1", event(1))
    await driver.update_session(record(destroyed_at=2))
    expect_equal(await all_events(driver), [event(1)], "the events")


async def sessions_are_ordered(driver: SessionPersistDriver) -> None:
    """By created_at, then by id, whatever the order of writing."""
    given = [record("b", 2), record("a", 2), record("z", 1), record("c", 10), record("B", 2)]
    for one in given:
        await driver.update_session(one)
    listed = [one.id for one in await all_sessions(driver, limit=2)]
    expect_equal(listed, ["z", "B", "a", "b", "c"], "the order of sessions")


async def session_pages_survive_inserts(driver: SessionPersistDriver) -> None:
    """A session written between two pages, before or after the cursor, repeats and skips nothing."""
    for number in range(6):
        await driver.update_session(record(f"s{number}", 10 + number))
    first = await driver.list_sessions(limit=3)
    await driver.update_session(record("early", 1))
    await driver.update_session(record("late", 14))
    second = await driver.list_sessions(limit=10, cursor=first.next_cursor)
    listed = [one.id for one in (*first.items, *second.items)]
    expect_equal(listed, ["s0", "s1", "s2", "s3", "late", "s4", "s5"], "both pages")
    expect_equal(second.next_cursor, None, "the last page's cursor")


async def unknown_ids_are_empty(driver: SessionPersistDriver) -> None:
    """An id under which nothing is stored gives None, or an empty page; so do strange ids."""
    await driver.update_session(record())
    for id_ in ("nothing", "", "\0", "\ud800", "s1 ", "S1", "__proto__"):
        expect_equal(await driver.get_session(id_), None, f"the record {id_!r}")
        page = await driver.list_events(id_)
        expect_equal((page.items, page.next_cursor), ((), None), f"the events of {id_!r}")


SESSIONS: tuple[DriverPromise, ...] = (
    session_fields_round_trip,
    update_session_replaces,
    update_session_keeps_events,
    sessions_are_ordered,
    session_pages_survive_inserts,
    unknown_ids_are_empty,
)
