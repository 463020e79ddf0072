"""The Postgres driver on a real server: the whole contract, schemas, upstream's rows, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable
from dataclasses import replace
from enum import Enum
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from pyapp import (
    EventConflictError,
    EventDraft,
    InvalidRecordError,
    ObservableStore,
    PostgresSessionPersistDriver,
    SessionEvent,
    SessionRecord,
    StoreError,
    StoreUnavailableError,
    Totals,
    json_text,
)
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, StorePromise
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record

from .postgres_server import PostgresServer

PROMISES: Any = [*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: StorePromise, postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await promise(driver)

    asyncio.run(work())


def test_it_is_an_observable_store(postgres: PostgresServer) -> None:
    assert isinstance(PostgresSessionPersistDriver(postgres.address()), ObservableStore)


def test_it_connects_at_the_first_call_only(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            assert tables(postgres, schema) == []
            await driver.get_session("s1")
        assert tables(postgres, schema) == ["events", "pyapp_extra", "sessions"]

    asyncio.run(work())


@pytest.mark.parametrize(
    "schema", ['Say "hi"', "100%s", "ÄÖ 🦀", "a.b", "x'; DROP SCHEMA public; --", "n" * 63, "$1"], ids=ascii
)
def test_any_schema_name(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.update_session(record(extra={"more": None}))
            await driver.append_events("s1", [EventDraft("agent", {"n": n}, "c", n) for n in range(3)])
            assert await driver.last_events("s1", 5) == (await driver.list_events("s1")).items
            await driver.add_sessions([record("s2")], [])
            await driver.delete_session("s1")
            assert [one.id for one in await all_sessions(driver)] == ["s2"]
        assert "sessions" in tables(postgres, schema)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("schema", "reason"), [("n" * 64, "64 bytes"), ("ä" * 32, "64 bytes"), ("", "name"), ("a\0", "0000")]
)
def test_what_no_schema_is_called(schema: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PostgresSessionPersistDriver("", schema)


def test_the_tables_are_upstreams(postgres: PostgresServer, schema: str) -> None:
    fill(postgres, schema, [])
    with postgres_connection(postgres) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name <> 'pyapp_extra' ORDER BY table_name DESC, ordinal_position",
            (schema,),
        ).fetchall()
        indexes = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = %s", (schema,)).fetchall()
    assert columns == [
        ("sessions", "id", "text", "NO"),
        ("sessions", "agent", "text", "NO"),
        ("sessions", "agent_session_id", "text", "NO"),
        ("sessions", "last_connection_id", "text", "NO"),
        ("sessions", "created_at", "bigint", "NO"),
        ("sessions", "destroyed_at", "bigint", "YES"),
        ("sessions", "sandbox_id", "text", "YES"),
        ("sessions", "session_init_json", "jsonb", "YES"),
        ("sessions", "config_options_json", "jsonb", "YES"),
        ("sessions", "modes_json", "jsonb", "YES"),
        ("events", "id", "text", "NO"),
        ("events", "event_index", "bigint", "NO"),
        ("events", "session_id", "text", "NO"),
        ("events", "created_at", "bigint", "NO"),
        ("events", "connection_id", "text", "NO"),
        ("events", "sender", "text", "NO"),
        ("events", "payload_json", "jsonb", "NO"),
    ]
    assert any("idx_events_session_order" in text and "(session_id, event_index, id)" in text for (text,) in indexes)
    assert [text for (text,) in indexes if "UNIQUE" in text and "_pkey" not in text] == []


def test_rows_beside_end_with_what_they_belong_to(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            odd = event(1, text="a\0b")
            await driver.update_session(record(extra={"more": 1}))
            await driver.insert_events("s1", [odd, event(2)])
            assert beside(postgres, schema) == [("event", "s1-e1"), ("session", "s1")]
            await driver.update_session(record())
            assert beside(postgres, schema) == [("event", "s1-e1")]
            await driver.delete_session("s1")
            assert beside(postgres, schema) == []

    asyncio.run(work())


def test_events_with_one_index_are_listed_by_their_ids(postgres: PostgresServer, schema: str) -> None:
    """Upstream's writers may have stored them; every order of texts that a database may have gives the same."""
    ids = ["B", "a", "C", "é", "Z", "b", "🦀", "-"]
    fill(postgres, schema, [(id_, 1 + number // 4, {}) for number, id_ in enumerate(ids)])
    wanted = [*sorted(ids[:4]), *sorted(ids[4:])]

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            for limit in (1, 2, 3, 20):
                assert [one.id for one in await all_events(driver, "s1", limit)] == wanted
            assert [one.id for one in await driver.last_events("s1", 3, before=(2, "b"))] == ["é", "-", "Z"]
            with pytest.raises(EventConflictError):
                await driver.insert_event("s1", event(2))
            assert (await driver.append_event("s1", EventDraft("agent", {}, "c", 1))).event_index == 3

    asyncio.run(work())


def test_rows_of_others_that_are_no_records(postgres: PostgresServer, schema: str) -> None:
    fill(postgres, schema, [("fine", 1, {}), ("odd", -3, {}), ("list", 9, [])])

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            with pytest.raises(InvalidRecordError, match="'odd' is not one: eventIndex must be a whole number"):
                await driver.list_events("s1")
            with pytest.raises(InvalidRecordError, match="'list' is not one: payload must be an object"):
                await driver.last_events("s1", 1)
            assert [one.id for one in await driver.last_events("s1", 1, before=(9, ""))] == ["fine"]

    asyncio.run(work())


def test_an_import_brings_any_text(postgres: PostgresServer, schema: str) -> None:
    """What COPY or JSON write with a backslash, and what looks like the beginning of a payload."""
    odd = [
        "a\tb\nc\rd\\e\bf\fg\vh",
        "\\N",
        "\\.",
        '","payload":{"x":1}}',
        "\\\\u0041",
        "a\0b",
        "\ud83d",
        "\u2028",
        "}}",
        "",
    ]
    given = [
        SessionEvent(
            f"{number}{text}".replace("\ud83d", "?"), number, "s1", 1, text, "agent", {"text": text, text: [text]}
        )
        for number, text in enumerate(odd, 1)
    ]
    given.append(SessionEvent("more", 90, "s1", 1, "c", "client", {}, {"payload:": {",payload": [{"payload": 2}]}}))
    given.append(SessionEvent("none", 91, "s1", 1, "c", "client", {}))
    first = [json.dumps(one.to_row()) for one in given]
    last = {"payload": {"last": False}, **event(99).to_row()}

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            shortest = [json_text.dump(replace(one, id=f"{one.id}*", session_id="s2").to_row()) for one in given]
            known = record("s1", extra={"odd": odd}, sandbox_id=odd[0])
            await driver.add_sessions([known, record("s2")], [first, shortest, [json.dumps(last)]])
            assert await all_events(driver, "s1") == [*given, event(99)]
            assert await all_events(driver, "s2") == [replace(one, id=f"{one.id}*", session_id="s2") for one in given]
            assert await driver.get_session("s1") == known

    asyncio.run(work())


def test_members_of_enumerations_and_whole_floats(postgres: PostgresServer, schema: str) -> None:
    class Name(str, Enum):  # noqa: UP042
        MOCK = "mock"
        CLIENT = "client"

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.update_session(SessionRecord("s1", Name.MOCK, "a", "c", 1.0))  # type: ignore[arg-type]
            await driver.insert_event("s1", SessionEvent("e1", 1, "s1", 2.0, "c", Name.CLIENT, {}))  # type: ignore[arg-type]
            await driver.append_event("s1", EventDraft(Name.CLIENT, {}, "c", 2, "e2"))  # type: ignore[arg-type]
            assert await driver.get_session("s1") == SessionRecord("s1", "mock", "a", "c", 1)
            assert [(one.sender, one.created_at) for one in await all_events(driver)] == [("client", 2)] * 2

    asyncio.run(work())


def test_places_beyond_all_numbers(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.insert_event("s1", event(1))
            assert await driver.last_events("s1", 5, before=(2**70, "")) == (event(1),)
            assert await driver.last_events("s1", 5, before=(-(2**70), "")) == ()

    asyncio.run(work())


def test_upstream_rewrites_a_row(postgres: PostgresServer, schema: str) -> None:
    """What its columns say then is what is read, not what is kept beside."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            await driver.insert_event("s1", event(1, text="a\0b"))
            with postgres_connection(postgres) as connection:
                update = sql.SQL("UPDATE {} SET payload_json = '{{\"now\": 1}}'").format(
                    sql.Identifier(schema, "events")
                )
                connection.execute(update)
            assert [one.payload for one in await all_events(driver)] == [{"now": 1}]

    asyncio.run(work())


def make_older_layout(server: PostgresServer, schema: str) -> None:
    """Tables of upstream's first versions: sessions without three columns, numbered events without an index."""
    with postgres_connection(server) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA {0}; CREATE TABLE {0}.sessions (id TEXT PRIMARY KEY, agent TEXT NOT NULL, "
                "agent_session_id TEXT NOT NULL, last_connection_id TEXT NOT NULL, created_at BIGINT NOT NULL, "
                "destroyed_at BIGINT, session_init_json JSONB); "
                "CREATE TABLE {0}.events (id BIGINT PRIMARY KEY, session_id TEXT NOT NULL, created_at BIGINT NOT NULL, "
                "connection_id TEXT NOT NULL, sender TEXT NOT NULL, payload_json JSONB NOT NULL); "
                "INSERT INTO {0}.sessions VALUES ('s1', 'mock', 'a', 'c', 5, NULL, '{{\"cwd\": \"/\"}}'); "
                "INSERT INTO {0}.events SELECT n, 's1', 10 - n, 'c', 'agent', '{{}}' FROM generate_series(1, 3) AS n"
            ).format(sql.Identifier(schema))
        )


def test_an_older_layout_is_brought_up_to_date(postgres: PostgresServer, schema: str) -> None:
    make_older_layout(postgres, schema)

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            assert [(one.event_index, one.id) for one in await all_events(driver)] == [(1, "3"), (2, "2"), (3, "1")]
            known = record("s1", modes={"a": 1}, config_options=[1], sandbox_id="box")
            assert [one.session_init for one in await all_sessions(driver)] == [{"cwd": "/"}]
            await driver.update_session(known)
            assert await driver.get_session("s1") == known

    asyncio.run(work())


def test_bringing_up_to_date_takes_as_long_as_it_takes(postgres: PostgresServer, schema: str) -> None:
    """As with millions of events: here each of its statements is slow."""
    make_older_layout(postgres, schema)
    name = sql.Identifier(f"slow_{schema}")
    with postgres_connection(postgres) as connection:
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION {0}() RETURNS event_trigger LANGUAGE plpgsql AS "
                "$$BEGIN IF current_query() LIKE {1} THEN PERFORM pg_sleep(0.3); END IF; END$$; "
                "CREATE EVENT TRIGGER {0} ON ddl_command_start EXECUTE FUNCTION {0}()"
            ).format(name, f'%"{schema}"%')
        )

        async def work() -> None:
            async with PostgresSessionPersistDriver(postgres.address(), schema, timeout=0.2) as driver:
                assert (await driver.totals()) == Totals(1, 3)

        try:
            asyncio.run(work())
        finally:
            connection.execute(sql.SQL("DROP EVENT TRIGGER {0}; DROP FUNCTION {0}").format(name))


def test_bringing_up_to_date_does_not_wait_for_others_for_ever(postgres: PostgresServer, schema: str) -> None:
    make_older_layout(postgres, schema)

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, timeout=0.2) as driver:
            with postgres_connection(postgres) as blocker:
                blocker.execute("BEGIN")
                blocker.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, "events")))
                async with asyncio.timeout(5):
                    with pytest.raises(StoreUnavailableError, match="lock timeout; try again later"):
                        await driver.totals()
                blocker.execute("ROLLBACK")
            assert (await driver.totals()) == Totals(1, 3)

    asyncio.run(work())


def test_texts_may_be_varchar(postgres: PostgresServer, schema: str) -> None:
    with postgres_connection(postgres) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA {0}; CREATE TABLE {0}.sessions (id VARCHAR(40) PRIMARY KEY, agent VARCHAR(40) NOT NULL, "
                "agent_session_id VARCHAR NOT NULL, last_connection_id VARCHAR NOT NULL, created_at BIGINT NOT NULL, "
                "destroyed_at BIGINT, sandbox_id VARCHAR, session_init_json JSONB, config_options_json JSONB, "
                "modes_json JSONB); "
                "CREATE TABLE {0}.events (id VARCHAR(40) PRIMARY KEY, event_index BIGINT NOT NULL, session_id VARCHAR "
                "NOT NULL, created_at BIGINT NOT NULL, connection_id VARCHAR NOT NULL, sender VARCHAR(9) NOT NULL, "
                "payload_json JSONB NOT NULL)"
            ).format(sql.Identifier(schema))
        )

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            for known in (record(extra={"more": 1}), record()):
                await driver.update_session(known)
                assert await driver.get_session("s1") == known
            for _ in range(2):
                await driver.insert_event("s1", event(1))
                await driver.insert_events("s1", [event(2), event(3)])
            with pytest.raises(EventConflictError):
                await driver.insert_event("s1", replace(event(3), id="other"))
            draft = EventDraft("agent", {}, "c", 1, "new")
            assert await driver.append_event("s1", draft) == await driver.append_event("s1", draft)
            await driver.add_sessions([record("s2")], [[json.dumps(event(1, "s2").to_row())]])
            with pytest.raises(EventConflictError):
                await driver.add_sessions([record("s3")], [[json.dumps(event(1, "s2").to_row())]])
            assert await driver.last_events("s1", 9) == tuple(await all_events(driver))
            assert (await driver.totals(), await driver.count_events("s1")) == (Totals(2, 5), 4)
            assert [one.id for one in await driver.session_heads()] == ["s1", "s2"]
            await driver.delete_session("s1")
            assert [one.id for one in await all_sessions(driver)] == ["s2"]

    asyncio.run(work())


def test_tables_that_are_altered_while_they_are_open(postgres: PostgresServer, schema: str) -> None:
    """Statements that the server has prepared for the columns of before are of no use any more."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, max_connections=3) as driver:
            await driver.insert_event("s1", event(1))
            for _ in range(8):  # psycopg has a statement prepared that is used often
                await asyncio.gather(*(driver.list_events("s1") for _ in range(3)))
            with postgres_connection(postgres) as connection:
                alter = "ALTER TABLE {} ALTER COLUMN sender TYPE VARCHAR(20)"
                connection.execute(sql.SQL(alter).format(sql.Identifier(schema, "events")))
            for _ in range(4):
                assert await all_events(driver) == [event(1)]

    asyncio.run(work())


def test_what_a_source_raises_is_not_the_servers(postgres: PostgresServer, schema: str) -> None:
    def late(_added: int) -> None:
        raise TimeoutError("the source is late")

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema) as driver:
            with pytest.raises(TimeoutError, match="the source is late"):
                await driver.add_sessions([record("s1")], [[json.dumps(event(1).to_row())]], late)
            assert await driver.totals() == Totals(0, 0)

    asyncio.run(work())


def test_a_connection_is_not_kept_by_a_cancelled_task(postgres: PostgresServer, schema: str) -> None:
    """Neither is its query, nor its lock."""

    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, max_connections=1) as driver:
            await driver.insert_event("s1", event(1))
            with postgres_connection(postgres) as blocker:
                blocker.execute("BEGIN")
                blocker.execute(sql.SQL("LOCK {}").format(sql.Identifier(schema, "events")))
                for call in (driver.append_event("s1", EventDraft("agent", {}, "c", 1)), driver.list_events("s1")):
                    task = asyncio.ensure_future(call)
                    while not waiting(postgres, schema):  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    assert not waiting(postgres, schema)
                blocker.execute("ROLLBACK")
            assert await all_events(driver) == [event(1)]
            await driver.insert_event("s1", event(2))

    asyncio.run(work())


def test_a_call_is_given_up_after_its_time(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, timeout=0.2) as driver:
            await driver.insert_event("s1", event(1))
            with postgres_connection(postgres) as blocker:
                blocker.execute("BEGIN")
                blocker.execute(sql.SQL("LOCK {}").format(sql.Identifier(schema, "events")))
                with pytest.raises(StoreError, match="did not answer"):
                    await driver.insert_event("s1", event(2))
                blocker.execute("ROLLBACK")
            await driver.insert_event("s1", event(3))
            assert await all_events(driver) == [event(1), event(3)]

    asyncio.run(work())


def test_no_more_connections_than_allowed(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        async with PostgresSessionPersistDriver(postgres.address(), schema, max_connections=3) as driver:
            await asyncio.gather(*(driver.insert_event(f"s{n}", event(1, f"s{n}")) for n in range(40)))
            assert 1 <= connections(postgres, schema) <= 3

    asyncio.run(work())


def test_closing_waits_for_running_calls(postgres: PostgresServer, schema: str) -> None:
    """For those too that wait for the tables, for the calls before them, and for a connection."""

    async def work() -> None:
        driver = PostgresSessionPersistDriver(postgres.address(), schema, max_connections=2)
        async with driver:
            running: list[asyncio.Future[Any]] = []
            for number in (1, 2, 3):
                calls = [driver.insert_event(id_, event(number, id_)) for id_ in ("s1", "s2", "s3")]
                running += map(asyncio.ensure_future, calls)
            running += [
                asyncio.ensure_future(driver.add_sessions([record("s4")], [])),
                asyncio.ensure_future(driver.totals()),
            ]
            await asyncio.sleep(0)
        assert all(call.done() for call in running)
        await asyncio.gather(*running)
        await driver.aclose()
        late: list[Awaitable[Any]] = [driver.get_session("s1"), driver.exists(), driver.insert_event("s1", event(9))]
        late += [driver.add_sessions([record("s9")], []), driver.totals(), driver.delete_session("s1")]
        for call in late:
            with pytest.raises(StoreUnavailableError, match="closed"):
                await call
        with pytest.raises(StoreUnavailableError, match="closed"):
            driver.on_change(print)
        async with PostgresSessionPersistDriver(postgres.address(), schema) as again:
            assert await again.totals() == Totals(1, 9)

    asyncio.run(work())


def test_closing_goes_on_when_whoever_waits_for_it_is_cancelled(postgres: PostgresServer, schema: str) -> None:
    async def work() -> None:
        driver = PostgresSessionPersistDriver(postgres.address(), schema)
        await asyncio.gather(*(driver.get_session("s1") for _ in range(3)))
        with postgres_connection(postgres) as blocker:
            blocker.execute("BEGIN")
            blocker.execute(sql.SQL("LOCK {}").format(sql.Identifier(schema, "events")))
            running = asyncio.ensure_future(driver.insert_event("s1", event(1)))
            while not waiting(postgres, schema):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(driver.aclose(), 0.05)
            assert not running.done()
            blocker.execute("ROLLBACK")
        await driver.aclose()
        await running
        async with asyncio.timeout(5):
            while connections(postgres, schema):  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    asyncio.run(work())


def test_without_psycopg() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None; import pyapp\n"
        "try: pyapp.PostgresSessionPersistDriver('postgresql://nowhere/x')\n"
        "except pyapp.StoreUnavailableError as lack: print(lack)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("The 'postgres' driver needs: pip install 'sandbox-agent-pyodide[postgres]'")


def postgres_connection(server: PostgresServer) -> psycopg.Connection[tuple[Any, ...]]:
    """As anybody else would connect."""
    return psycopg.connect(server.address(), autocommit=True)


def tables(server: PostgresServer, schema: str) -> list[str]:
    with postgres_connection(server) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,))
        return [name for (name,) in rows]


def beside(server: PostgresServer, schema: str) -> list[tuple[Any, ...]]:
    with postgres_connection(server) as connection:
        ask = sql.SQL("SELECT kind, id FROM {} ORDER BY 1, 2").format(sql.Identifier(schema, "pyapp_extra"))
        return connection.execute(ask).fetchall()


def waiting(server: PostgresServer, schema: str) -> bool:
    """Whether a statement for this schema waits for a lock."""
    with postgres_connection(server) as connection:
        ask = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
        row = connection.execute(ask, (f'%"{schema}"%',)).fetchone()
        return bool(row and row[0])


def connections(server: PostgresServer, schema: str) -> int:
    """How many there are whose last statement was for this schema."""
    with postgres_connection(server) as connection:
        ask = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
        row = connection.execute(ask, (f'%"{schema}"%',)).fetchone()
        return int(row[0]) if row else 0


def fill(server: PostgresServer, schema: str, rows: list[tuple[str, int, Any]]) -> None:
    """Make the tables, and put events of the session s1 into them as another program might."""

    async def make() -> None:
        async with PostgresSessionPersistDriver(server.address(), schema) as driver:
            await driver.totals()

    asyncio.run(make())
    with postgres_connection(server) as connection:
        put = sql.SQL("INSERT INTO {} VALUES (%s, %s, 's1', 1, 'c', 'agent', %s)").format(
            sql.Identifier(schema, "events")
        )
        for id_, index, payload in rows:
            connection.execute(put, (id_, index, Jsonb(payload)))
