"""Files of upstream's SQLite driver, in its three layouts, and what upstream finds in files of ours.

The files in upstream/ were written by upstream's driver with better-sqlite3: its present layout, that of version 0.2,
and one as its first versions had it (numbers as ids, no index), which upstream brings up to date as this driver does.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pyapp import EventDraft, SessionEvent, SessionRecord, SQLiteSessionPersistDriver
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record

UPSTREAM = Path(__file__).with_name("upstream")
LAYOUT = {
    "sessions": "id agent agent_session_id last_connection_id created_at destroyed_at sandbox_id session_init_json "
    "config_options_json modes_json",
    "events": "id event_index session_id created_at connection_id sender payload_json",
}


@pytest.fixture
def copied(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return Path(shutil.copy(UPSTREAM / f"upstream-{request.param}.db", tmp_path / "sessions.db"))


def columns(path: Path, table: str) -> list[str]:
    connection = sqlite3.connect(path)
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    return names


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    """What upstream reads."""
    names = LAYOUT[table].replace(" ", ", ")
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT {names} FROM {table} ORDER BY created_at, id").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("copied", ["0.4", "0.2"], indirect=True)
def test_sessions_of_upstream_are_read(copied: Path) -> None:
    async def read() -> tuple[list[SessionRecord], list[SessionEvent], list[SessionEvent]]:
        async with SQLiteSessionPersistDriver(copied) as driver:
            other = await all_events(driver, "sdk-2 é🦀")
            return await all_sessions(driver), await all_events(driver, "sdk-1"), other

    is_old = len(columns(copied, "sessions")) == 7
    sessions, events, others = asyncio.run(read())
    assert [one.id for one in sessions] == ["empty", "sdk-1", "sdk-2 é🦀"]
    assert (sessions[0].created_at, sessions[0].session_init) == (0, {})
    full = sessions[1]
    assert (full.agent, full.agent_session_id, full.last_connection_id) == ("claude", "agent-1", "conn-1")
    assert (full.created_at, full.destroyed_at) == (1_700_000_000_000, 1_700_000_009_000)
    assert full.session_init == {"cwd": "/work", "mcpServers": []}
    if is_old:
        assert (full.sandbox_id, full.config_options, full.modes) == (None, None, None)
    else:
        assert full.sandbox_id == "local/abc"
        assert full.config_options == [{"id": "model", "currentValue": "a"}]
        assert full.modes == {"currentModeId": "plan", "availableModes": []}
        assert sessions[2].extra == {"modes": None}  # upstream stores null there
    assert [one.event_index for one in events] == [1, 2, 3]
    assert events[0].payload["params"]["prompt"][0]["text"] == 'Hello\0 \ud83d "é🦀'
    assert events[1].payload["params"] == {"n": 1e21, "m": 2**53, "f": 0.1, "z": 5e-324, "k": None}
    assert (events[0].sender, events[2].sender) == ("client", "agent")
    assert [one.payload["id"] for one in others] == [2]


@pytest.mark.parametrize("copied", ["0.1"], indirect=True)
def test_events_of_the_first_layout_get_their_index(copied: Path) -> None:
    async def read() -> list[SessionEvent]:
        async with SQLiteSessionPersistDriver(copied) as driver:
            assert (await driver.append_event("sdk-1", EventDraft("agent", {"n": 11}, "c", 99))).event_index == 4
            return await all_events(driver, "sdk-1")

    # what upstream makes of the same file
    expected = [("8", 1, 10), ("10", 2, 10), ("7", 3, 30)]
    assert [(one.id, one.event_index, one.created_at) for one in asyncio.run(read())[:3]] == expected


@pytest.mark.parametrize("copied", ["0.1", "0.2", "0.4"], indirect=True)
def test_what_is_only_read_is_not_changed_unless_it_could_not_be_read(
    copied: Path, request: pytest.FixtureRequest
) -> None:
    before = copied.read_bytes()

    async def work() -> int:
        async with SQLiteSessionPersistDriver(copied, read_only=True) as driver:
            assert await driver.exists()
            found = await driver.totals()
            assert len((await driver.list_sessions()).items) == found.sessions
            return found.events

    assert asyncio.run(work()) > 0
    is_first = "0.1" in request.node.name
    assert (copied.read_bytes() != before) == is_first


@pytest.mark.parametrize("copied", ["0.1", "0.2", "0.4"], indirect=True)
def test_upstream_finds_its_layout_and_what_was_written_here(copied: Path) -> None:
    given = record("ours", 5, destroyed_at=9, sandbox_id="box", session_init={"cwd": "/"}, modes={"a": "é"})

    async def write() -> None:
        async with SQLiteSessionPersistDriver(copied) as driver:
            await driver.update_session(given)
            await driver.insert_event("ours", event(1, "ours"))

    asyncio.run(write())
    for table, names in LAYOUT.items():
        assert set(columns(copied, table)) == set(names.split())
    connection = sqlite3.connect(copied)
    assert "idx_events_session_order" in {row[1] for row in connection.execute("PRAGMA index_list(events)")}
    connection.close()
    assert ("ours", "mock", "agent-ours", "connection-1", 5, 9, "box", '{"cwd":"/"}', None, '{"a":"é"}') in rows(
        copied, "sessions"
    )
    payload = json.dumps(event(1).payload, separators=(",", ":"))
    assert ("ours-e1", 1, "ours", 1_001, "connection-1", "agent", payload) in rows(copied, "events")
    assert not copied.with_name("sessions.db-wal").exists()


@pytest.mark.parametrize("copied", ["0.4"], indirect=True)
def test_both_work_on_the_file_at_once_and_unknown_fields_stay(copied: Path) -> None:
    given = record("ours", extra={"serverId": "sdk-9", "historyPending": True, "destroyedAt": None})

    async def work() -> None:
        upstream = sqlite3.connect(copied, isolation_level=None)
        async with SQLiteSessionPersistDriver(copied) as driver:
            await driver.update_session(given)
            stored = await driver.append_event("ours", EventDraft("agent", {"n": 1}, "c", 1, "e", {"trace": 7}))
            assert stored.event_index == 1
            # upstream writes whole rows, of the columns that it knows
            upstream.execute("UPDATE sessions SET agent = 'codex', destroyed_at = 77 WHERE id = 'ours'")
            upstream.execute("UPDATE events SET payload_json = '{\"n\":2}' WHERE id = 'e'")
            upstream.execute("INSERT INTO events VALUES ('up', 8.0, 'ours', 2.0, 'c', 'client', '{}')")
            read = await driver.get_session("ours")
            assert read is not None
            assert (read.agent, read.destroyed_at) == ("codex", 77)
            assert read.extra == {"serverId": "sdk-9", "historyPending": True}
            first, second = await all_events(driver, "ours")
            assert (first.payload, first.extra, second.event_index) == ({"n": 2}, {"trace": 7}, 8)
            assert (await driver.append_event("ours", EventDraft("agent", {}, "c", 3))).event_index == 9
        upstream.close()

    asyncio.run(work())


def test_rows_beside_go_with_their_session(tmp_path: Path) -> None:
    async def work() -> None:
        async with SQLiteSessionPersistDriver(tmp_path / "s.db") as driver:
            await driver.update_session(record(extra={"a": 1}))
            await driver.append_event("s1", EventDraft("agent", {}, "c", 1, "e", {"b": 2}))
            await driver.update_session(record("s2", extra={"a": 1}))
            await driver.update_session(record("s2"))
            await driver.delete_session("s1")

    asyncio.run(work())
    connection = sqlite3.connect(tmp_path / "s.db")
    assert connection.execute("SELECT count(*) FROM pyapp_extra").fetchone() == (0,)
    connection.close()
