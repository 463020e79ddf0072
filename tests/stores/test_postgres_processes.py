"""Many processes on one schema: they start at once, append at once, hear of each other, and outlive the server's
crash."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pyapp import (
    EventConflictError,
    EventDraft,
    PostgresSessionPersistDriver,
    StoreChange,
    StoreUnavailableError,
    Totals,
)
from pyapp.drivers.conformance.kit import all_events, event, record
from pyapp.drivers.conformance.whole import rows

from ..faults.amounts import FULL
from .postgres_server import PostgresServer

STARTS, APPENDS, RESTARTS = (10, 2_000, 10) if FULL else (10, 250, 2)
LIMIT = 60


def worker(server: PostgresServer, schema: str, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.stores.postgres_worker",
        server.address(),
        schema,
        *arguments,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    """What a worker said. It must end well."""
    said, complaint = process.communicate(timeout=LIMIT)
    assert (process.returncode, complaint) == (0, "")
    return said


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_ten_processes_start_at_once(postgres: PostgresServer, schema: str) -> None:
    processes = [worker(postgres, schema, "open") for _ in range(STARTS)]
    assert [ended(process) for process in processes] == ["1\n"] * STARTS


def test_one_makes_the_tables_and_the_others_wait(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            with psycopg.connect(postgres.address(), autocommit=True) as first:
                first.execute("SELECT pg_advisory_lock(%s, %s)", (driver._schema.lock, 1_025))
                task = asyncio.ensure_future(driver.totals())
                while not waits_for_a_lock(postgres):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                assert first.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() == (None,)
            assert (await task).events == 0

    asyncio.run(work())


def test_an_import_that_loses_its_server(durable_postgres: PostgresServer, schema: str) -> None:
    """It is not repeated, nothing of it is stored, and the store works on."""

    def chunks() -> Iterator[list[str]]:
        yield rows([event(1)])
        durable_postgres.restart("immediate")
        yield rows([event(2)])

    async def work() -> None:
        async with PostgresSessionPersistDriver(durable_postgres.address(), schema) as driver:
            with pytest.raises(StoreUnavailableError, match="look whether its sessions are stored"):
                await driver.add_sessions([record()], chunks())
            assert (await driver.totals(), await all_events(driver)) == (Totals(0, 0), [])
            await driver.add_sessions([record()], [rows([event(1)])])

    asyncio.run(work())


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_an_import_after_a_restart(durable_postgres: PostgresServer, schema: str, mode: str) -> None:
    """The connections that lay idle meanwhile are lost; it has not begun, so it loses nothing."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(durable_postgres.address(), schema) as driver:
            await asyncio.gather(*(driver.count_events(f"s{number}") for number in range(5)))
            await asyncio.to_thread(durable_postgres.restart, mode)
            await driver.add_sessions([record()], [rows([event(1)])])
            assert await driver.totals() == Totals(1, 1)

    asyncio.run(work())


def test_an_import_after_connections_lay_idle(postgres: PostgresServer, schema: str) -> None:
    address = f"{postgres.address()}?options=-c%20idle_session_timeout%3D100"
    with psycopg.connect(postgres.address()) as connection:
        if connection.info.server_version < 140_000:
            pytest.skip("only from version 14 on a server closes idle connections")

    async def work() -> None:
        async with PostgresSessionPersistDriver(address, schema) as driver:
            await asyncio.gather(*(driver.count_events(f"s{number}") for number in range(5)))
            await asyncio.sleep(0.3)
            await driver.add_sessions([record()], [rows([event(1)])])

    asyncio.run(work())


def test_tables_are_made_while_upstream_makes_them(postgres: PostgresServer, schema: str) -> None:
    """Upstream's driver takes no lock; whoever comes second goes on with what is there."""

    async def work() -> None:
        with psycopg.connect(postgres.address()) as rival:
            rival.execute(f"CREATE SCHEMA {schema}")
            async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
                task = asyncio.ensure_future(driver.insert_event("s1", event(1)))
                while not waits_for_a_lock(postgres):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                rival.commit()
                await task
                assert await all_events(driver) == [event(1)]

    asyncio.run(work())


def test_nothing_acknowledged_is_lost_when_the_server_crashes(
    durable_postgres: PostgresServer, schema: str, tmp_path: Path
) -> None:
    """Two processes append while the server is killed; every event is there once, under the index it was told."""
    ledgers = [tmp_path / "one", tmp_path / "two"]
    appending = [worker(durable_postgres, schema, "append", path.name, str(APPENDS), str(path)) for path in ledgers]

    def written_by_each() -> list[int]:
        return [path.read_text().count("\n") if path.exists() else 0 for path in ledgers]

    def written() -> int:
        return sum(written_by_each())

    # A server that was never reached is an error at once, and no matter of patience.
    wait_until(lambda: min(written_by_each()) > 0)
    for restart in range(RESTARTS):
        wait_until(lambda: written() >= 2 * APPENDS * (restart + 1) // (RESTARTS + 2))  # noqa: B023
        assert written() < 2 * APPENDS
        durable_postgres.restart("immediate")
    for process in appending:
        ended(process)

    acknowledged = {}
    for line in "".join(path.read_text() for path in ledgers).splitlines():
        id_, index = line.split()
        acknowledged[id_] = int(index)
    assert len(acknowledged) == 2 * APPENDS

    async def stored() -> dict[str, int]:
        async with PostgresSessionPersistDriver(durable_postgres.address(), schema) as driver:
            events = await all_events(driver, "shared", 1_000)
            assert [one.event_index for one in events] == list(range(1, 2 * APPENDS + 1))
            return {one.id: one.event_index for one in events}

    assert asyncio.run(stored()) == acknowledged


def test_reads_and_writes_go_on_after_a_restart(durable_postgres: PostgresServer, schema: str) -> None:
    """With connections that lie idle when the server goes: no call fails, and a second restart is no worse."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(durable_postgres.address(), schema) as driver:
            await asyncio.gather(*(driver.insert_event(f"s{n}", event(1, f"s{n}")) for n in range(5)))
            for mode in ("immediate", "fast"):
                await asyncio.to_thread(durable_postgres.restart, mode)
                assert await driver.count_events("s1") == 1
            down = asyncio.ensure_future(asyncio.to_thread(durable_postgres.restart))
            await asyncio.gather(
                driver.update_session(record()),
                driver.append_events("s1", [EventDraft("agent", {"n": n}, "c", n) for n in range(3)]),
                driver.insert_events("s2", [event(n, "s2") for n in (2, 3)]),
                driver.delete_session("s3"),
                down,
            )
            assert [await driver.count_events(f"s{n}") for n in range(5)] == [1, 4, 3, 0, 1]
            assert await driver.get_session("s1") == record()

    asyncio.run(work())


def test_processes_that_append_at_once_leave_no_gap(postgres: PostgresServer, schema: str, tmp_path: Path) -> None:
    names = ("a", "b", "c")
    appending = [worker(postgres, schema, "append", name, "60", str(tmp_path / name)) for name in names]
    for process in appending:
        ended(process)

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            events = await all_events(driver, "shared", 1_000)
            assert [one.event_index for one in events] == list(range(1, 181))
            assert {one.id for one in events} == {f"{name}-{number}" for name in names for number in range(60)}

    asyncio.run(work())


def test_one_index_for_two_processes(postgres: PostgresServer, schema: str) -> None:
    """Two drivers insert other events under the same indexes; each index goes to one, as does each id."""

    async def work() -> None:
        address = postgres.address()
        async with (
            PostgresSessionPersistDriver(address, schema) as one,
            PostgresSessionPersistDriver(address, schema) as two,
        ):
            await one.totals()
            for first in range(1, 101, 10):
                many = range(first, first + 10)
                calls = [one.insert_event("s1", event(n, id_=f"one-{n}")) for n in many]
                calls += [two.insert_event("s1", event(n, id_=f"two-{n}")) for n in many]
                calls += [
                    driver.insert_events(s, [event(n, s, id_=f"id-{n}") for n in many])
                    for driver, s in ((one, "s2"), (two, "s3"))
                ]
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
                assert sum(outcome is None for outcome in outcomes[:20]) == 10
                assert sum(outcome is None for outcome in outcomes[20:]) == 1
                assert {type(outcome).__name__ for outcome in outcomes} == {"NoneType", "EventConflictError"}
            assert [event.event_index for event in await all_events(one, "s1", 200)] == list(range(1, 101))

    asyncio.run(work())


def test_an_import_and_an_append_to_the_same_session(postgres: PostgresServer, schema: str) -> None:
    """The append that comes in the middle is stored, and the import is refused whole."""

    def chunks() -> Iterator[list[str]]:
        yield rows([event(1, "shared")])
        rival = worker(postgres, schema, "append", "rival", "1", os.devnull)
        ended(rival)

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            with pytest.raises(EventConflictError, match="'shared' is already stored"):
                await driver.add_sessions([record("shared")], chunks())
            assert [one.id for one in await all_events(driver, "shared")] == ["rival-0"]
            assert await driver.get_session("shared") is None

    asyncio.run(work())


def test_other_processes_are_heard(postgres: PostgresServer, schema: str) -> None:
    """First that all may have changed, then each session by its name; nobody is told what is another schema's."""
    listening = worker(postgres, schema, "listen")
    lines = listening.stdout
    assert lines is not None
    try:
        assert lines.readline() == "everything\n"

        async def work() -> None:
            async with PostgresSessionPersistDriver(postgres.address(), f"{schema}_other") as other:
                await other.update_session(record("nobody's"))
            async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
                await driver.append_event("one", EventDraft("agent", {}, "c", 1))
                heard: set[str] = set()
                while heard != {"one"}:
                    heard |= set((await asyncio.to_thread(lines.readline)).strip().split(","))
                await driver.update_session(record("two"))
                await driver.add_sessions([record(f"long-{'x' * 3_000}-{n}") for n in range(3)], [])
                while "everything" not in heard:
                    heard |= set((await asyncio.to_thread(lines.readline)).strip().split(","))
                assert heard <= {"one", "two", "everything"}

        asyncio.run(work())
    finally:
        listening.kill()
        listening.communicate()


def test_listening_goes_on_after_a_restart(durable_postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        heard: asyncio.Queue[StoreChange] = asyncio.Queue()
        async with PostgresSessionPersistDriver(durable_postgres.address(), schema) as driver:
            end = driver.on_change(heard.put_nowait)
            assert (await asyncio.wait_for(heard.get(), LIMIT)).everything
            await driver.update_session(record("one"))
            assert await asyncio.wait_for(heard.get(), LIMIT) == StoreChange(frozenset({"one"}))
            await asyncio.to_thread(durable_postgres.restart)
            assert (await asyncio.wait_for(heard.get(), LIMIT)).everything
            await driver.delete_session("two")
            assert await asyncio.wait_for(heard.get(), LIMIT) == StoreChange(frozenset({"two"}))
            end()
            end()

    asyncio.run(work())


def test_nothing_is_announced_while_nobody_listens(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.totals()
            channel = driver._schema.channel
            with psycopg.connect(postgres.address(), autocommit=True) as spy:
                spy.execute(f"LISTEN {channel}")  # without the lock that a driver takes
                await driver.update_session(record())
                assert list(spy.notifies(timeout=0)) == []
                end = driver.on_change(lambda _change: None)
                told: list[str] = []
                while not told:
                    await driver.update_session(record())
                    told = [notice.payload for notice in spy.notifies(timeout=0)]
                assert set(told) == {'["s1"]'}
                end()

    asyncio.run(work())


def waits_for_a_lock(server: PostgresServer) -> bool:
    with psycopg.connect(server.address(), autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
        return bool(row and row[0])
