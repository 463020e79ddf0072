"""A driver's life: what is heard of changes, cancelled calls, closing, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pyapp import EventDraft, SQLiteSessionPersistDriver, StoreChange, StoreUnavailableError, Totals
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record
from pyapp.drivers.conformance.whole import rows

WHERE = pytest.mark.parametrize("where", ["memory", "file"])


def opened(where: str, folder: Path) -> SQLiteSessionPersistDriver:
    return SQLiteSessionPersistDriver(":memory:" if where == "memory" else folder / "s.db")


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "sqlite" in thread.name]


class Heard:
    """What a listener was told, and a wait for something of it."""

    def __init__(self) -> None:
        self.changes: list[StoreChange] = []
        self._news = asyncio.Event()

    def __call__(self, change: StoreChange) -> None:
        self.changes.append(change)
        self._news.set()

    async def until(self, session_id: str | None) -> None:
        """Until this session, or, for None, everything may have changed."""
        async with asyncio.timeout(10):
            while not any(
                one.everything if session_id is None else session_id in one.session_ids for one in self.changes
            ):
                self._news.clear()
                await self._news.wait()


@WHERE
def test_listeners_hear_of_every_kind_of_change(where: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(where, tmp_path) as driver:
            heard = Heard()
            end = driver.on_change(heard)
            await driver.update_session(record("a"))
            await driver.insert_event("b", event(1, "b"))
            await driver.append_event("c", EventDraft("agent", {}, "c", 1))
            await driver.add_sessions([record("d")], [rows([event(1, "d")])])
            await driver.delete_session("e")
            for session_id in "abcde":
                await heard.until(session_id)
            assert not any(change.everything for change in heard.changes)
            end()
            end()
            told = len(heard.changes)
            await driver.update_session(record("f"))
            await asyncio.sleep(0.1)
            assert len(heard.changes) == told

    asyncio.run(work())


def test_listeners_hear_of_other_drivers_and_not_twice_of_their_own(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver, opened("file", tmp_path) as other:
            heard, again = Heard(), Heard()
            end = driver.on_change(heard)
            driver.on_change(again)
            await driver.update_session(record("mine"))
            await heard.until("mine")
            assert [change.everything for change in heard.changes] == [False]
            await other.update_session(record("theirs"))
            await heard.until(None)
            end()
            again.changes.clear()
            await other.update_session(record("more"))
            await again.until(None)

    asyncio.run(work())


def test_a_change_by_others_just_after_listening_began_is_heard(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.insert_event("s1", event(1))
            for _ in range(2):  # the second time, while nobody listened meanwhile
                heard = Heard()
                end = driver.on_change(heard)
                other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
                other.execute("UPDATE events SET created_at = created_at + 1")
                other.close()
                await heard.until(None)
                end()

    asyncio.run(work())


def test_the_last_change_is_told_on_closing(tmp_path: Path) -> None:
    async def work() -> list[StoreChange]:
        heard = Heard()
        async with opened("file", tmp_path) as driver:
            driver.on_change(heard)
            await driver.update_session(record("a"))
        return heard.changes

    assert asyncio.run(work()) == [StoreChange(frozenset({"a"}))]


@WHERE
def test_closing_waits_for_running_calls_and_ends_the_threads(where: str, tmp_path: Path) -> None:
    async def work() -> None:
        driver = opened(where, tmp_path)
        await driver.insert_event("s1", event(1))
        calls: list[Awaitable[Any]] = [driver.insert_event("s1", event(index)) for index in range(2, 500)]
        calls += [driver.list_events("s1"), driver.totals(), driver.delete_session("x")]
        calls += [driver.add_sessions([record("s2")], [rows([event(index, "s2")]) for index in range(1, 9)])]
        running = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        assert threads()
        await asyncio.gather(driver.aclose(), driver.aclose())
        assert all(call.done() for call in running)
        await asyncio.gather(*running)
        assert threads() == []
        await driver.aclose()
        late: list[Awaitable[Any]] = [
            driver.get_session("s1"),
            driver.insert_event("s1", event(900)),
            driver.delete_session("s1"),
        ]
        late += [driver.add_sessions([], []), driver.totals(), driver.update_session(record())]
        for call in late:
            with pytest.raises(StoreUnavailableError, match="was closed; open another"):
                await call
        with pytest.raises(StoreUnavailableError, match="was closed; open another"):
            driver.on_change(print)

    asyncio.run(work())
    if where == "file":

        async def look() -> None:
            async with opened(where, tmp_path) as driver:
                assert await driver.count_events("s1") == 499
                assert await driver.count_events("s2") == 8

        asyncio.run(look())
        assert {path.name for path in tmp_path.iterdir()} == {"s.db"}


def test_a_driver_that_was_never_used_leaves_nothing(tmp_path: Path) -> None:
    async def unused() -> None:
        async with opened("file", tmp_path):
            pass

    asyncio.run(unused())
    assert list(tmp_path.iterdir()) == []
    assert threads() == []


def test_one_driver_in_two_event_loops(tmp_path: Path) -> None:
    driver = opened("file", tmp_path)
    for index in (1, 2):
        asyncio.run(driver.insert_event("s1", event(index)))
    assert len(asyncio.run(all_events(driver))) == 2
    asyncio.run(driver.aclose())


@WHERE
def test_cancelled_calls_are_whole_or_not_made_and_harm_no_other(where: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(where, tmp_path) as driver:
            for round_ in range(20):
                first = round_ * 100
                tasks = [
                    asyncio.create_task(driver.insert_events("s1", [event(first + n), event(first + n + 1)]))
                    for n in range(1, 40, 2)
                ]
                for _ in range(round_ % 7):
                    await asyncio.sleep(0)
                cancelled = tasks[round_ % 3 :: 2]
                for task in cancelled:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                stored = {one.event_index for one in await all_events(driver, limit=5_000)}
                for n, task in zip(range(1, 40, 2), tasks, strict=True):
                    pair = {first + n, first + n + 1} & stored
                    assert len(pair) in ((2,) if not task.cancelled() else (0, 2))
            await driver.insert_event("s1", event(9_999))
            assert (await driver.last_events("s1", 1))[0] == event(9_999)

    asyncio.run(work())


@asynccontextmanager
async def import_under_way(driver: SQLiteSessionPersistDriver) -> AsyncIterator[asyncio.Task[None]]:
    """An import that goes on until its task is cancelled, and has stored a part."""
    reached = asyncio.Event()

    def chunks() -> Iterator[list[str]]:
        yield [json.dumps(event(1).to_row())]
        reached.set()
        while True:
            yield [json.dumps(event(next(numbers)).to_row())]

    numbers = count(2)
    task = asyncio.create_task(driver.add_sessions([record()], chunks()))
    await reached.wait()
    yield task
    await asyncio.gather(task, return_exceptions=True)


@WHERE
def test_others_wait_for_an_import_and_go_on_when_it_is_cancelled(where: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(where, tmp_path) as driver:
            async with import_under_way(driver) as task:
                task.cancel()
                await driver.insert_event("s2", event(1, "s2"))
                assert task.cancelled()
            assert await all_sessions(driver) == []
            assert await all_events(driver, "s1") == []
            first = asyncio.create_task(driver.add_sessions([record("a")], []))
            second = asyncio.create_task(driver.add_sessions([record("b")], []))
            await asyncio.sleep(0)
            second.cancel()
            await first
            await driver.update_session(record("c"))
            assert [one.id for one in await all_sessions(driver)] == ["a", "c"]

    asyncio.run(work())


@pytest.mark.parametrize("turns", range(4))
def test_an_import_that_is_cancelled_twice_is_undone_without_threads(
    turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("lanes", "database"):
        monkeypatch.setattr(f"pyapp.drivers.sqlite.{module}.HAS_THREADS", False)

    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            async with import_under_way(driver) as task:
                task.cancel()
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
            assert await driver.totals() == Totals(0, 0)
            await driver.update_session(record())

    asyncio.run(work())


def test_an_import_whose_file_was_moved_away_is_undone(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "s.db", tmp_path / "elsewhere.db"

    async def work() -> None:
        async with opened("file", tmp_path) as driver, opened("file", tmp_path) as other:
            await other.update_session(record())

            def brought() -> Iterator[list[str]]:
                yield rows([event(1, "s2")])
                path.rename(elsewhere)
                yield rows([event(2, "s2")])

            with pytest.raises(StoreUnavailableError, match="moved"):
                await driver.add_sessions([record("s2")], brought())
            elsewhere.rename(path)
            await other.insert_event("s1", event(1))  # nobody holds the file
            await driver.insert_event("s1", event(2))
            assert await driver.totals() == Totals(1, 2)

    asyncio.run(work())


@pytest.mark.parametrize("moment", ["before it is told", "before it goes on"])
def test_a_turn_that_nobody_takes_is_given_back(moment: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.totals()
            task = asyncio.create_task(driver.add_sessions([record()], []))
            for _ in range(3):  # the task asks for its turn, and the thread is told
                await asyncio.sleep(0)
            while driver._writer._waiting:  # the event loop stands still until the thread has given the turn
                time.sleep(0.001)  # noqa: ASYNC251
            time.sleep(0.01)  # noqa: ASYNC251
            if moment == "before it is told":
                task.cancel()
            else:
                asyncio.get_running_loop().call_soon(task.cancel)
            await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(5):
                await driver.insert_event("s1", event(1))
            assert await all_sessions(driver) == []

    asyncio.run(work())


def test_nobody_sees_half_an_import(tmp_path: Path) -> None:
    async def work(where: str) -> None:
        async with opened(where, tmp_path) as driver:
            seen = []

            async def look() -> None:
                seen.append(await driver.totals())

            looking: list[asyncio.Task[None]] = []
            chunks = [rows([event(index)]) for index in range(1, 20)]
            await driver.add_sessions([record()], chunks, lambda _: looking.append(asyncio.create_task(look())))
            await asyncio.gather(*looking)
            assert {(totals.sessions, totals.events) for totals in seen} <= {(0, 0), (1, 19)}

    for where in ("memory", "file"):
        asyncio.run(work(where))


def test_reads_do_not_wait_for_writes(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.insert_event("s1", event(1))
            async with standing_still(driver):
                write = asyncio.create_task(driver.insert_event("s1", event(2)))
                assert await driver.count_events("s1") == 1
                assert not write.done()
            await write
            assert await driver.count_events("s1") == 2

    asyncio.run(work())


def test_waiting_writes_share_a_transaction(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.totals()
            begun: list[str] = []
            connection = driver._database._writer
            assert connection is not None
            await driver._database.writing.run(
                lambda: connection.set_trace_callback(lambda sql: begun.append(sql) if "BEGIN" in sql else None)
            )
            await asyncio.gather(*(driver.insert_event("s1", event(index)) for index in range(1, 4_001)))
            assert len(begun) <= 8
            begun.clear()
            refused = [driver.insert_event("s1", event(1, id_="rival")), driver.insert_event("s1", event(4_001))]
            await asyncio.gather(*refused, return_exceptions=True)
            assert len(begun) <= 4
            assert await driver.count_events("s1") == 4_001

    asyncio.run(work())


@asynccontextmanager
async def standing_still(driver: SQLiteSessionPersistDriver) -> AsyncIterator[None]:
    """Nothing is written meanwhile: the thread that writes waits."""
    hold, held = threading.Event(), threading.Event()

    def stand_still() -> None:
        held.set()
        hold.wait(10)

    driver._database.writing.post(stand_still)
    await asyncio.to_thread(held.wait)
    try:
        yield
    finally:
        hold.set()


def test_a_write_that_is_cancelled_while_it_waits_is_not_made(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.insert_event("s1", event(1))
            async with standing_still(driver):
                tasks = [asyncio.create_task(driver.insert_event("s1", event(index))) for index in (2, 3, 4)]
                await asyncio.sleep(0)
                tasks[1].cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [type(None), asyncio.CancelledError, type(None)]
            assert [one.event_index for one in await all_events(driver)] == [1, 2, 4]

    asyncio.run(work())


def test_what_is_changed_while_a_write_waits_does_not_reach_it(tmp_path: Path) -> None:
    async def work() -> None:
        plain, more = event(1, items=[1]), replace(event(2, items=[1]), extra={"known": []})
        known = record(session_init={"cwd": "/"})
        async with opened("file", tmp_path) as driver:
            async with standing_still(driver):
                calls = [
                    driver.insert_event("s1", plain),
                    driver.insert_events("s1", [more]),
                    driver.update_session(known),
                ]
                tasks = [asyncio.create_task(call) for call in calls]
                await asyncio.sleep(0)
                plain.payload["params"]["items"].append(2)
                more.payload.clear()
                more.extra["known"].append(1)
                (known.session_init or {}).clear()
            await asyncio.gather(*tasks)
            expected = [event(1, items=[1]), replace(event(2, items=[1]), extra={"known": []})]
            assert await all_events(driver) == expected
            assert await driver.get_session("s1") == record(session_init={"cwd": "/"})

    asyncio.run(work())


def test_a_write_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    """A power cut cannot be had here; what SQLite needs for it is set."""

    async def work() -> None:
        async with opened("file", tmp_path) as driver:
            await driver.totals()
            connection = driver._database._writer
            assert connection is not None
            found = await driver._database.writing.run(
                lambda: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
            )
            assert found == [2, "wal"]

    asyncio.run(work())
