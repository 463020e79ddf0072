"""Files that are not what they should be: each gives one clear line, and is as it was afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pyapp import (
    EventDraft,
    InvalidRecordError,
    PyappError,
    SessionEvent,
    SQLiteSessionPersistDriver,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    Totals,
    UnknownLayoutError,
)
from pyapp.drivers.conformance.kit import all_events, event, record
from pyapp.drivers.sqlite import errors as sqlite_errors

from .small_disk import small_disk

UPSTREAM = Path(__file__).with_name("upstream") / "upstream-0.4.db"


def said(path: Path, work: Callable[[SQLiteSessionPersistDriver], Awaitable[object]]) -> PyappError:
    """The error with which this fails, a second time too."""

    async def run() -> PyappError:
        async with SQLiteSessionPersistDriver(path) as driver:
            with pytest.raises(PyappError) as first:
                await work(driver)
            with pytest.raises(type(first.value)) as second:
                await work(driver)
            assert str(first.value) == str(second.value)
            return first.value

    error = asyncio.run(run())
    assert "\n" not in str(error)
    assert path.name in str(error)
    return error


async def list_all(driver: SQLiteSessionPersistDriver) -> None:
    await driver.list_sessions()


async def write(driver: SQLiteSessionPersistDriver) -> None:
    await driver.insert_event("s1", event(1))


WORK = pytest.mark.parametrize("work", [list_all, write])


def made(path: Path, *statements: str) -> Path:
    """A database of somebody's."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


@WORK
@pytest.mark.parametrize(
    "content", [b"no database, but long enough to be one\n" * 200, b"short", b"SQLite format 3\0" * 99]
)
def test_no_database(content: bytes, work: Callable[..., Awaitable[None]], tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    error = said(path, work)
    assert isinstance(error, StoreError)
    assert "left alone" in str(error)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["notes.txt"]


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["CREATE TABLE sessions (id INTEGER PRIMARY KEY, user TEXT)"], "'sessions' has no column 'agent'"),
        (["CREATE TABLE events (id TEXT PRIMARY KEY, event_index, name TEXT)"], "'events' has no column 'session_id'"),
        (["CREATE TABLE events (name TEXT)"], "'events' has no column 'id'"),
        (["CREATE VIEW sessions AS SELECT 1 AS id"], "'sessions' is not a table"),
        (["CREATE VIRTUAL TABLE events USING fts5(id)"], "'events' is not a table"),
        (["CREATE TABLE pyapp_extra (kind, id, extra_json, more)"], "newer version of this package"),
        (["PRAGMA user_version = 3"], "user_version is 3"),
        (
            [
                "CREATE TABLE sessions (id TEXT PRIMARY KEY, agent, agent_session_id, last_connection_id, created_at, "
                "destroyed_at, session_init_json, tenant TEXT NOT NULL)"
            ],
            "wants a column 'tenant', of a newer layout",
        ),
        (
            [
                "CREATE TABLE sessions (id TEXT, agent, agent_session_id, last_connection_id, created_at, "
                "destroyed_at, session_init_json)"
            ],
            "the key of its table 'sessions' is not 'id'",
        ),
    ],
)
@WORK
def test_a_foreign_or_newer_layout(
    statements: list[str], fault: str, work: Callable[..., Awaitable[None]], tmp_path: Path
) -> None:
    path = made(tmp_path / "other.db", "CREATE TABLE other (x)", *statements)
    before = path.read_bytes()
    error = said(path, work)
    assert isinstance(error, UnknownLayoutError)
    assert fault in str(error)
    assert "left alone" in str(error)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["other.db"]


def test_a_database_with_other_tables_is_shared_as_upstream_shares_it(tmp_path: Path) -> None:
    path = made(tmp_path / "app.db", "CREATE TABLE mine (x)", "INSERT INTO mine VALUES (7)")

    async def work() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.insert_event("s1", event(1))

    asyncio.run(work())
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT x, (SELECT count(*) FROM events) FROM mine").fetchall() == [(7, 1)]
    connection.close()


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"

    async def fill() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.insert_events("s1", [event(index, text="x" * 300) for index in range(1, 400)])

    asyncio.run(fill())
    content = bytearray(path.read_bytes())
    pages = range(4096 * 5, len(content), 4096)
    for page in pages:
        content[page : page + 64] = b"\xff" * 64
    path.write_bytes(content)
    error = said(path, lambda driver: driver.list_events("s1", limit=400))
    assert type(error) is StoreError
    assert "is damaged" in str(error)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "it is a folder"), ("no/such.db", "its folder does not exist"), ("a\0b.db", "no file has such a name")],
)
@WORK
def test_no_such_place(name: str, reason: str, work: Callable[..., Awaitable[None]], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    async def run() -> None:
        async with SQLiteSessionPersistDriver(f"{tmp_path}/{name}") as driver:
            with pytest.raises(StoreUnavailableError, match=reason):
                await work(driver)

    asyncio.run(run())
    assert os.listdir(tmp_path) == ["folder"]


def test_names_are_names_and_no_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(name: str) -> None:
        async with SQLiteSessionPersistDriver(name) as driver:
            os.chdir("/")
            await driver.update_session(record())

    for name in ("a?mode=memory#x%41.db", "file:b.db", "é🦀 c.db"):
        monkeypatch.chdir(tmp_path)
        asyncio.run(work(name))
        assert (tmp_path / name).stat().st_size > 0
    with pytest.raises(ValueError, match="filename"):
        SQLiteSessionPersistDriver("")


AS_NOBODY = """
import asyncio, os, sys
from pyapp import PyappError, SQLiteSessionPersistDriver
from pyapp.drivers.conformance.kit import event

async def main(path):
    async with SQLiteSessionPersistDriver(path) as driver:
        writing = driver.insert_event("s1", event(1)), driver.add_sessions([], []), driver.delete_session("s1")
        for call in (driver.totals(), *writing):
            try:
                print(await call)
            except PyappError as error:
                print(f"{type(error).__name__}: {error}")

SQLiteSessionPersistDriver  # imported while everything can be read
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
asyncio.run(main(sys.argv[1]))
"""


def as_nobody(path: Path) -> list[str]:
    """What reading, and three ways of writing, say to a user who is not root."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", AS_NOBODY, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def open_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that everybody may enter, and nobody but its owner write to."""
    folder = tmp_path_factory.mktemp("open")
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid() and part != Path("/"):
            part.chmod(part.stat().st_mode | 0o055)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("old", [False, True])
def test_a_file_that_can_only_be_read(journal: str, old: bool, open_folder: Path) -> None:
    path = Path(shutil.copy(UPSTREAM.with_name("upstream-0.2.db") if old else UPSTREAM, open_folder / "kept.db"))
    made(path, f"PRAGMA journal_mode = {journal}")
    path.chmod(0o444)
    before = path.read_bytes()
    totals, *refusals = as_nobody(path)
    assert totals == str(Totals(3, 4))
    assert len(refusals) == 3
    for refusal in refusals:
        assert refusal.startswith("StoreUnavailableError: ")
        assert "can only be read here; nothing was written" in refusal
    assert path.read_bytes() == before


def test_a_file_that_may_not_even_be_read(open_folder: Path) -> None:
    path = Path(shutil.copy(UPSTREAM, open_folder / "secret.db"))
    path.chmod(0)
    for line in as_nobody(path):
        assert line.startswith("StoreUnavailableError: ")
        assert "may not be read by this user" in line


def test_a_file_of_the_first_layout_that_can_only_be_read(open_folder: Path) -> None:
    path = Path(shutil.copy(UPSTREAM.with_name("upstream-0.1.db"), open_folder / "first.db"))
    path.chmod(0o444)
    for line in as_nobody(path):
        assert line.startswith("StoreUnavailableError: ")
        assert "first.db is of upstream's first layout" in line


BROKEN_OFF = """
import os, sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 2")  # so that pages of the transaction go to the file before its end
connection.execute("BEGIN")
connection.executemany(
    "INSERT INTO events VALUES (?, ?, 's1', 1, 'c', 'agent', ?)",
    [(f"half-{number}", number, '{"text":"' + "x" * 500 + '"}') for number in range(10, 3_000)],
)
os._exit(0)
"""


def test_a_change_that_was_broken_off_is_not_read(open_folder: Path) -> None:
    path = Path(shutil.copy(UPSTREAM, open_folder / "half.db"))
    made(path, "PRAGMA journal_mode = delete")
    subprocess.run([sys.executable, "-c", BROKEN_OFF, str(path)], check=True, timeout=60)
    assert (open_folder / "half.db-journal").stat().st_size > 0
    before = path.read_bytes()
    for line in as_nobody(path):
        assert line.startswith("StoreUnavailableError: ")
        assert "in the middle of a change" in line
    assert path.read_bytes() == before

    async def owner() -> Totals:
        async with SQLiteSessionPersistDriver(path) as driver:
            return await driver.totals()

    assert asyncio.run(owner()) == Totals(3, 4)


LEFT_OPEN = """
import os, sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = wal")
connection.execute("DELETE FROM events")
os._exit(0)
"""


def test_a_link_leads_to_what_is_beside_the_file(open_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = Path(shutil.copy(UPSTREAM, open_folder / "kept.db"))
    subprocess.run([sys.executable, "-c", LEFT_OPEN, str(path)], check=True, timeout=60)
    (open_folder / "kept.db-shm").unlink()
    assert (open_folder / "kept.db-wal").stat().st_size > 0
    links = tmp_path_factory.mktemp("links")
    links.chmod(0o777)
    link = links / "link.db"
    link.symlink_to(path)
    for line in as_nobody(link):  # the events would still be there without the log
        assert line.startswith("StoreUnavailableError: ")
        assert "its folder may not be written to by this user" in line


def test_a_file_is_written_to_through_a_link_in_a_folder_that_is_only_read(
    open_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mine")
    folder.chmod(0o777)
    path = Path(shutil.copy(UPSTREAM, folder / "kept.db"))
    path.chmod(0o666)
    link = open_folder / "link.db"
    link.symlink_to(path)
    assert as_nobody(link) == [str(Totals(3, 4)), "None", "None", "None"]


def test_a_full_disk_keeps_what_was_there_and_takes_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "small.db"

    async def work() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.insert_events("s1", [event(index) for index in range(1, 20)])
            connection = driver._database._writer
            assert connection is not None
            # The pragma belongs to the connection, which is its thread's.
            await driver._database.writing.run(lambda: connection.execute("PRAGMA max_page_count = 60").fetchone())
            large = event(20, text="x" * 500_000)
            with pytest.raises(StoreFullError, match=r"no room for .*small\.db"):
                await driver.insert_event("s1", large)
            outcomes = await asyncio.gather(
                driver.insert_event("s1", event(21)),
                driver.insert_event("s1", large),
                driver.update_session(record()),
                driver.insert_event("s1", event(22)),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [type(None), StoreFullError, type(None), type(None)]
            with pytest.raises(StoreFullError):
                await driver.add_sessions([record("s2")], [[json.dumps(event(1, "s2", text="x" * 500_000).to_row())]])
            assert await driver.get_session("s2") is None
            assert [one.event_index for one in await all_events(driver, limit=30)] == [*range(1, 20), 21, 22]

    asyncio.run(work())


async def takes(driver: SQLiteSessionPersistDriver, one: SessionEvent) -> bool:
    try:
        await driver.insert_event("s1", one)
    except StoreFullError:
        return False
    return True


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"

    async def work() -> int:
        stored = 0
        async with SQLiteSessionPersistDriver(disk / "s.db") as driver:
            while await takes(driver, event(stored + 1, text="x" * 5_000)):
                stored += 1
            assert await driver.count_events("s1") == stored
        async with SQLiteSessionPersistDriver(disk / "s.db") as driver:
            assert await driver.count_events("s1") == stored
        return stored

    with small_disk(disk, 1):
        assert asyncio.run(work()) > 10


def test_sessions_on_a_full_disk_are_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk"

    async def work() -> None:
        async with SQLiteSessionPersistDriver(disk / "s.db") as driver:
            await driver.insert_event("s1", event(1))
        with suppress(OSError), (disk / "fill").open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass
        async with SQLiteSessionPersistDriver(disk / "s.db", read_only=True) as driver:
            assert await all_events(driver) == [event(1)]
            with pytest.raises(StoreUnavailableError, match="can only be read here"):
                await driver.insert_event("s1", event(2))

    with small_disk(disk, 1):
        asyncio.run(work())


def test_a_file_that_is_not_there_cannot_be_only_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with SQLiteSessionPersistDriver(tmp_path / "s.db", read_only=True) as driver:
            assert not await driver.exists()
            with pytest.raises(StoreUnavailableError, match="there is no such file"):
                await driver.list_sessions()

    asyncio.run(work())
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="nothing to be read"):
        SQLiteSessionPersistDriver(read_only=True)


@pytest.mark.parametrize("harm", ["deleted", "replaced"])
def test_a_file_that_is_taken_away(harm: str, tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def work() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.insert_event("s1", event(1))
            path.unlink()
            if harm == "replaced":
                shutil.copy(UPSTREAM, path)
            calls: list[Awaitable[object]] = [driver.insert_event("s1", event(2)), driver.list_events("s1")]
            calls += [driver.add_sessions([record()], []), driver.exists()]
            for call in calls:
                with pytest.raises(StoreUnavailableError, match="was deleted, moved or replaced"):
                    await call

    asyncio.run(work())
    if harm == "replaced":
        assert path.read_bytes() == UPSTREAM.read_bytes()
    else:
        assert not path.exists()


def test_a_file_that_others_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyapp.drivers.sqlite.database.BUSY_SECONDS", 0.2)
    monkeypatch.setattr(sqlite_errors, "BUSY_SECONDS", 0.2)

    async def work() -> None:
        async with SQLiteSessionPersistDriver(tmp_path / "s.db") as driver:
            await driver.insert_event("s1", event(1))
            other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match=r"in use by others for over 0\.2 seconds"):
                await driver.insert_event("s1", event(2))
            assert await driver.count_events("s1") == 1  # reads wait for nobody
            other.execute("ROLLBACK")
            other.close()
            await driver.insert_event("s1", event(2))
            assert await driver.count_events("s1") == 2

    asyncio.run(work())


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE events SET payload_json = '{' WHERE id = 's1-e2'", "event 's1-e2' is not one: payload: not JSON"),
        (
            "UPDATE events SET payload_json = 7 WHERE id = 's1-e2'",
            "event 's1-e2' is not one: payload must be an object",
        ),
        ("UPDATE events SET connection_id = CAST(x'ff' AS TEXT) WHERE id = 's1-e2'", "event 's1-e2' is not one: conn"),
        ("UPDATE events SET sender = 'x' WHERE id = 's1-e2'", "event 's1-e2' is not one: sender must be"),
        ("UPDATE events SET event_index = 'x' WHERE id = 's1-e2'", "event 's1-e2' is not one: eventIndex"),
        (f"UPDATE events SET payload_json = '{'[' * 100_000}' WHERE id = 's1-e2'", "nested more than 4,000 levels"),
        ("UPDATE sessions SET agent = x'00' WHERE id = 's2'", "session record 's2' is not one: agent must be text"),
        ("UPDATE sessions SET created_at = 1.5 WHERE id = 's2'", "session record 's2' is not one: createdAt"),
        ("INSERT INTO pyapp_extra VALUES ('session', 's2', '[')", "session record 's2' is not one: "),
    ],
)
def test_rows_of_others_that_are_none(statement: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def work() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.insert_events("s1", [event(1), event(2), event(3)])
            await driver.update_session(record("s2"))
            made(path, statement)
            of_sessions = "session record" in reason
            calls: list[Callable[[], Awaitable[object]]]
            calls = [driver.list_sessions, driver.session_heads] if of_sessions else [lambda: driver.list_events("s1")]
            for call in calls:
                with pytest.raises(InvalidRecordError, match=reason):
                    await call()
            # the others can still be read, and written
            assert (await driver.last_events("s1", 1, before=(2, "")))[0] == event(1)
            await driver.insert_event("s3", event(1, "s3"))
            if "event_index" in statement:
                with pytest.raises(InvalidRecordError, match="whose index is no whole number"):
                    await driver.append_event("s1", EventDraft("agent", {}, "c", 1))

    asyncio.run(work())


def test_what_a_trigger_of_the_file_refuses_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    trigger = "CREATE TRIGGER t BEFORE INSERT ON events WHEN new.event_index = 2 BEGIN SELECT RAISE(ABORT, 'odd'); END"

    async def work() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.update_session(record())
            made(path, trigger)
            calls = [driver.insert_event("s1", event(index)) for index in (1, 2, 3)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [type(None), InvalidRecordError, type(None)]
            assert f"a trigger of {path} refuses it: odd" in str(outcomes[1])
            assert [one.event_index for one in await all_events(driver)] == [1, 3]

    asyncio.run(work())


def test_a_hostile_schema_runs_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        async with SQLiteSessionPersistDriver(tmp_path / "s.db") as driver:
            await driver.insert_event("s1", event(1))

    asyncio.run(work())
    path = made(
        tmp_path / "s.db",
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT load_extension('/tmp/evil.so'); END",
    )
    error = said(path, lambda driver: driver.insert_event("s1", event(2)))
    assert "unsafe use of load_extension" in str(error)
