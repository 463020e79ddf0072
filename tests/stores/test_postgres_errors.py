"""What goes wrong with a server is one clear line that says what to do, and shows no password."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import signal
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pyapp import (
    EventDraft,
    InvalidRecordError,
    PostgresSessionPersistDriver,
    PyappError,
    SessionEvent,
    SessionRecord,
    StoreChange,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
)
from pyapp.drivers.conformance.kit import all_events, event, record
from pyapp.drivers.postgres import connections as postgres_connections
from pyapp.drivers.postgres.errors import Place, told

from . import postgres_server
from .conftest import a_server
from .postgres_server import INSTALL, NoPostgresError, PostgresServer
from .small_disk import small_disk

PASSWORD = PostgresServer.GUESTS_PASSWORD


@pytest.fixture(scope="module")
def guest(postgres: PostgresServer) -> Iterator[str]:
    """The address of the server for one who has a password, and no rights."""
    with admin(postgres) as connection:
        connection.execute(sql.SQL("CREATE ROLE guest LOGIN PASSWORD {}").format(PASSWORD))
    yield f"host=127.0.0.1 port={postgres.port} dbname=postgres user=guest password='{PASSWORD}'"
    with admin(postgres) as connection:
        connection.execute("DROP OWNED BY guest")
        connection.execute("DROP ROLE guest")


def admin(server: PostgresServer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.address(), autocommit=True)


def refused(
    address: str, schema: str, call: Callable[[PostgresSessionPersistDriver], Awaitable[object]], kind: type[PyappError]
) -> str:
    """The one line that the call is refused with."""

    async def work() -> str:
        async with PostgresSessionPersistDriver(address, schema) as driver:
            with pytest.raises(PyappError) as caught:
                await call(driver)
            assert type(caught.value) is kind
            said = str(caught.value)
            assert "\n" not in said
            whole = "".join(traceback.format_exception(caught.value))
            assert PASSWORD not in said + whole + repr(driver)
            return said

    return asyncio.run(work())


def totals(driver: PostgresSessionPersistDriver) -> Awaitable[object]:
    return driver.totals()


def update(driver: PostgresSessionPersistDriver) -> Awaitable[object]:
    return driver.update_session(record())


def test_nobody_answers(schema: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening: taken by nobody else
        address = (
            f"postgresql://me:{PASSWORD.replace(' ', '%20').replace('/', '%2F')}@127.0.0.1:{probe.getsockname()[1]}/x"
        )
        said = refused(address, schema, totals, StoreUnavailableError)
    assert "Does the server run" in said
    assert said.count("?") == 1  # libpq asks much the same
    assert "postgresql://me@127.0.0.1" in said


def test_a_wrong_password(guest: str, schema: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = guest.replace("s3cr3t", "wr0ng")
    said = refused(wrong, schema, totals, StoreUnavailableError)
    assert "password authentication failed" in said
    assert "Is it the right user and password?" in said
    assert "wr0ng" not in said + caplog.text


def test_a_server_that_takes_no_more_connections(
    guest: str, postgres: PostgresServer, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then one waits for a while until there is room."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(guest, schema) as driver:
            with psycopg.connect(guest):
                look = asyncio.ensure_future(driver.exists())
                await asyncio.sleep(0.2)
                assert not look.done()
            assert not await look

    with admin(postgres) as connection:
        connection.execute("ALTER ROLE guest CONNECTION LIMIT 1")
        try:
            asyncio.run(work())
            monkeypatch.setattr(postgres_connections, "PAUSES", (0.01,))
            with psycopg.connect(guest):
                said = refused(guest, schema, totals, StoreUnavailableError)
        finally:
            connection.execute("ALTER ROLE guest CONNECTION LIMIT -1")
    assert "too many connections" in said
    assert said.endswith("Close other connections, or let the server take more (max_connections)")


def test_an_unknown_database(postgres: PostgresServer, schema: str) -> None:
    said = refused(postgres.address("nothing"), schema, totals, StoreUnavailableError)
    assert '"nothing" does not exist' in said
    assert "createdb" in said


@pytest.mark.parametrize(
    "wrong",
    ["postgresql://me:s3cr3t pass/word@host:port/x", "host=127.0.0.1 s3cr3t pass/word", "what=1 password=s3cr3t"],
)
def test_what_is_no_connection_string(wrong: str) -> None:
    with pytest.raises(ValueError, match="the connection string cannot be read") as caught:
        PostgresSessionPersistDriver(wrong)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("postgresql://127.0.0.1/x?nonsense=1", "Postgres knows no parameter 'nonsense'$"),
        ("postgresql://me:a/b?s3cr3t=1@127.0.0.1/x", "Postgres knows no such parameter.*percent-encoded"),
        ("host=127.0.0.1 password=a s3cr3t=b", "Postgres knows no such parameter.*in quotes"),
        ("postgresql://127.0.0.1:99999/x", "a port is a number from 1 to 65535$"),
        ("postgresql://127.0.0.1:0/x", "a port is a number from 1 to 65535$"),
        ("host=a,b port=1,70000", "a port is a number from 1 to 65535$"),
        ("postgresql://me:s3cr3t/word@127.0.0.1/x", "percent-encoded"),
    ],
)
def test_what_is_wrong_in_a_connection_string_is_said(wrong: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        PostgresSessionPersistDriver(wrong)
    assert "s3cr3t" not in str(caught.value)


def test_ports_of_several_servers_may_be_left_out() -> None:
    assert ":1,/x" in repr(PostgresSessionPersistDriver("postgresql://a:1,b/x"))


def test_a_wrong_port_of_the_environment(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "99999")
    said = refused("postgresql://127.0.0.1/x", schema, totals, StoreUnavailableError)
    assert said.endswith("A port is a number from 1 to 65535")


def test_a_password_is_shown_nowhere(guest: str, schema: str) -> None:
    driver = PostgresSessionPersistDriver(guest, schema)
    assert PASSWORD not in repr(driver) + str(driver) + repr(vars(driver))
    assert "guest@127.0.0.1" in repr(driver)


def test_no_rights(guest: str, postgres: PostgresServer, schema: str) -> None:
    said = refused(guest, schema, totals, StoreError)
    assert "no right" in said
    assert "GRANT" in said
    make(postgres, schema)
    said = refused(guest, schema, totals, StoreError)
    assert "GRANT" in said
    with admin(postgres) as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO guest").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO guest").format(sql.Identifier(schema)))

    async def read() -> int:
        async with PostgresSessionPersistDriver(guest, schema) as driver:
            return (await driver.totals()).sessions

    assert asyncio.run(read()) == 1
    assert "GRANT" in refused(guest, schema, update, StoreError)


def test_rights_without_those_of_the_owner(guest: str, postgres: PostgresServer, schema: str) -> None:
    """They are enough, even where the index is missing, which only the owner can make."""
    make(postgres, schema)
    name = sql.Identifier(schema)
    with admin(postgres) as connection:
        connection.execute(sql.SQL("DROP INDEX {}.idx_events_session_order").format(name))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO guest").format(name))
        every = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO guest"
        connection.execute(sql.SQL(every).format(name))

    async def write() -> list[SessionEvent]:
        async with PostgresSessionPersistDriver(guest, schema) as driver:
            await driver.update_session(record())
            await driver.append_event("s1", EventDraft("agent", {}, "c", 1))
            await driver.add_sessions([record("s2")], [])
            await driver.delete_session("s2")
            return await all_events(driver)

    assert [one.event_index for one in asyncio.run(write())] == [1, 2]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("sessions (id TEXT PRIMARY KEY, agent INTEGER)", "column agent is integer, not text"),
        ("events (id TEXT PRIMARY KEY, event_index BIGINT, name TEXT)", "no column session_id"),
        ("sessions AS SELECT 1 AS id", "column id is integer, not text"),
        ("pyapp_extra (kind TEXT, id TEXT, version BIGINT)", "no column extra_json"),
    ],
)
def test_somebody_elses_tables(postgres: PostgresServer, schema: str, table: str, reason: str) -> None:
    with admin(postgres) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.{table}")
        before = connection.execute("SELECT count(*) FROM information_schema.columns").fetchone()
        for call in (totals, update):
            said = refused(postgres.address(), schema, call, UnknownLayoutError)
            assert reason in said
            assert "left alone" in said
        assert connection.execute("SELECT count(*) FROM information_schema.columns").fetchone() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "ALTER TABLE {0}.events ADD more TEXT NOT NULL DEFAULT ''; ALTER TABLE {0}.events ALTER more DROP DEFAULT",
            "column more must be filled",
        ),
        ("ALTER TABLE {0}.sessions DROP CONSTRAINT sessions_pkey", "column id is no primary key"),
        ("ALTER TABLE {0}.sessions RENAME TO old; CREATE VIEW {0}.sessions AS SELECT * FROM {0}.old", "is not a table"),
    ],
)
def test_tables_that_were_changed(postgres: PostgresServer, schema: str, change: str, reason: str) -> None:
    make(postgres, schema)
    with admin(postgres) as connection:
        connection.execute(change.format(schema))
    assert reason in refused(postgres.address(), schema, totals, UnknownLayoutError)


def test_tables_that_go_away(postgres: PostgresServer, schema: str) -> None:
    """One call fails, and says so; the next finds things as they are then."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.insert_event("s1", event(1))
            with admin(postgres) as connection:
                connection.execute(f"DROP SCHEMA {schema} CASCADE")
            with pytest.raises(UnknownLayoutError, match="not those of before"):
                await driver.insert_event("s1", event(2))
            await driver.insert_event("s1", event(3))
            assert await all_events(driver) == [event(3)]

    asyncio.run(work())


def test_a_database_that_is_not_in_utf8(postgres: PostgresServer, schema: str) -> None:
    with admin(postgres) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    said = refused(postgres.address("latin"), schema, totals, UnknownLayoutError)
    assert "LATIN1" in said


def test_a_server_that_only_reads(postgres: PostgresServer, schema: str) -> None:
    """As a standby does. What is there can be read, even where upstream alone has written."""
    make(postgres, schema)
    address = postgres.address() + "?options=-c%20default_transaction_read_only%3Don"

    async def read() -> list[object]:
        async with PostgresSessionPersistDriver(address, schema) as driver:
            return [await driver.get_session("s1"), *(await driver.list_events("s1")).items]

    assert asyncio.run(read()) == [record(), event(1)]
    calls = [
        update,
        lambda driver: driver.append_event("s1", EventDraft("agent", {}, "c", 1)),
        lambda driver: driver.add_sessions([record("s2")], []),
        lambda driver: driver.delete_session("s1"),
    ]
    for call in calls:
        said = refused(address, schema, call, StoreError)
        assert "read-only" in said
    assert "read-only" in refused(address, f"{schema}_new", totals, StoreError)
    with admin(postgres) as connection:
        connection.execute(f"DROP TABLE {schema}.pyapp_extra")
    assert asyncio.run(read()) == [record(), event(1)]
    assert "read-only" in refused(address, schema, update, StoreError)


def test_who_listens_to_a_standby_looks_again_and_again(
    postgres: PostgresServer, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby answers so to LISTEN; to start one here would take seconds."""

    async def work() -> None:
        heard: asyncio.Queue[StoreChange] = asyncio.Queue()
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.totals()
            monkeypatch.setattr(driver._connections, "open", refuse)
            driver.on_change(heard.put_nowait)
            async with asyncio.timeout(5):
                assert [await heard.get() for _ in range(3)] == [StoreChange(everything=True)] * 3

    async def refuse() -> None:
        raise psycopg.errors.ReadOnlySqlTransaction("cannot execute LISTEN during recovery")

    monkeypatch.setattr("pyapp.drivers.postgres.changes.PAUSES", (0.06,))
    asyncio.run(work())


def test_a_full_disk(postgres: PostgresServer, schema: str) -> None:
    """The events are on a disk of their own, which is filled; what was stored stays whole."""
    make(postgres, schema)
    disk = postgres.folder / schema
    with small_disk(disk, 2), admin(postgres) as connection:
        postgres.give_to_server(disk)
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(name, str(disk)))
        connection.execute(sql.SQL("ALTER TABLE {}.events SET TABLESPACE {}").format(name, name))
        try:
            stored = asyncio.run(_filled(postgres.address(), schema))
            assert stored > 10
            for call in (
                lambda driver: driver.insert_event("s1", _large(stored + 1)),
                lambda driver: driver.append_events("s1", [EventDraft("agent", _large(1).payload, "c", 1)]),
                lambda driver: driver.add_sessions([record("s2")], [[json.dumps(_large(1, "s2").to_row())]]),
            ):
                said = refused(postgres.address(), schema, call, StoreFullError)
                assert "No space left" in said
                assert "make room" in said
            assert asyncio.run(_content(postgres.address(), schema)) == (stored, None)
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(name))
            connection.execute(sql.SQL("DROP TABLESPACE {}").format(name))


def _large(index: int, session_id: str = "s1") -> SessionEvent:
    """An event of some 200 kB, of which nothing can be saved by compressing it."""
    return event(index, session_id, text=secrets.token_hex(100_000))


async def _filled(address: str, schema: str) -> int:
    """Store events until there is no room; how many there are then."""
    async with PostgresSessionPersistDriver(address, schema) as driver:
        for index in count(2):
            try:
                await driver.insert_event("s1", event(index, text=secrets.token_hex(20_000)))
            except StoreFullError:
                return index - 1
    raise AssertionError


async def _content(address: str, schema: str) -> tuple[int, SessionRecord | None]:
    """How many events s1 has, each of which is read, and the record of s2."""
    async with PostgresSessionPersistDriver(address, schema) as driver:
        events = await all_events(driver, limit=100)
        assert [one.event_index for one in events] == list(range(1, len(events) + 1))
        return len(events), await driver.get_session("s2")


def test_an_id_that_no_index_holds(postgres: PostgresServer, schema: str) -> None:
    make(postgres, schema)
    long = secrets.token_hex(6_000)
    said = refused(postgres.address(), schema, lambda driver: driver.update_session(record(long)), InvalidRecordError)
    assert "too long" in said
    assert len(said) < 500


def test_a_pooler_that_mixes_connections(postgres: PostgresServer, schema: str) -> None:
    """What a client has prepared is then another's, or not there: what to do is said, and nothing is repeated."""
    make(postgres, schema)

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, max_connections=1) as driver:
            for _ in range(8):  # psycopg has a statement prepared that is used often
                await driver.get_session("s1")
            await driver._connections.run(lambda one: one.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"))
            with pytest.raises(StoreError, match="does not exist; let it keep one for each"):
                await driver.get_session("s1")

    asyncio.run(work())
    taken = psycopg.errors.DuplicatePreparedStatement('prepared statement "_pg3_0" already exists')
    assert "pool_mode = session" in str(told(taken, Place(postgres.address()), schema))


def test_a_value_that_no_column_holds() -> None:
    """What a server says to a string of 270 MB; to make one here would take a gigabyte."""
    said = psycopg.errors.ProgramLimitExceeded("string too long to represent as jsonb string")
    error = told(said, Place("postgresql://127.0.0.1"), "public")
    assert type(error) is InvalidRecordError
    assert "larger than Postgres keeps in one value" in str(error)
    assert "an id" not in str(error)


def test_a_server_that_goes_away_for_good(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are tried again for a while, then give up; what hangs is given up too."""

    async def work() -> None:
        with PostgresServer() as server:
            async with PostgresSessionPersistDriver(server.address(), schema, timeout=0.3) as driver:
                await driver.insert_event("s1", event(1))
                server.signal(signal.SIGSTOP)
                # psycopg asks the server to cancel, and gives that up after five seconds; the test does not wait so
                # long.
                asyncio.get_running_loop().call_later(1, server.signal, signal.SIGCONT)
                with pytest.raises(StoreError, match="did not answer within"):
                    await driver.count_events("s1")
                assert await driver.count_events("s1") == 1
                await asyncio.to_thread(server.stop, "immediate")
                with pytest.raises(StoreUnavailableError, match="no connection to"):
                    await driver.count_events("s1")

    monkeypatch.setattr(postgres_connections, "PAUSES", (0.01, 0.02))
    asyncio.run(work())


def test_the_pauses_outlast_a_restart() -> None:
    assert 5 < sum(postgres_connections.PAUSES) < 15


def make(server: PostgresServer, schema: str) -> None:
    """Tables with a session and an event."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(server.address(), schema) as driver:
            await driver.update_session(record())
            await driver.insert_event("s1", event(1))

    asyncio.run(work())


def test_in_ci_there_must_be_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the tests are skipped, with a word on what to install."""

    def none() -> Path:
        raise NoPostgresError(f"no PostgreSQL server here: {INSTALL}")

    monkeypatch.setattr(postgres_server, "find_programs", none)
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="CI has to have one"):
        a_server(durable=False)
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        a_server(durable=False)
