"""The Postgres driver: inserts one after the other against bare psycopg with the same statements, and a page among many
events against one among few.

The server is a real one that waits for the disk at each commit, as it does by default. Ours checks each event and makes
its row; the bare side has its rows ready, and sends the two statements in a pipeline as ours does.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import psycopg

from pyapp import PostgresSessionPersistDriver, SessionEvent
from pyapp.drivers.base import cursor_after
from pyapp.drivers.postgres.layout import LISTENING, Schema
from pyapp.drivers.postgres.statements import LOCK, Statements
from tests.stores.postgres_server import PostgresServer

INSERTS, BLOCK = 1_000, 100
FEW, MANY = 10_000, 1_000_000
PAGES = 20

_FILL = """INSERT INTO {events} SELECT 'sdk-mock-4f9d0c2be7a14a6c8d31:' || n, n, 's1', 1000 + n, 'sdk-mock/1', 'agent',
  %s::jsonb FROM generate_series(1, %s) AS n"""


def postgres_samples(repeats: int) -> dict[str, list[float]]:
    """Milliseconds: one insert of either side (the mean of 1,000), and one page (the mean of 20 at random places)."""
    with PostgresServer(durable=True) as server:
        return asyncio.run(_inserts(server, repeats)) | asyncio.run(_pages(server, repeats))


def _payload() -> dict[str, Any]:
    update = {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "some words of the agent " * 4},
    }
    return {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "agent-1", "update": update}}


async def _inserts(server: PostgresServer, repeats: int) -> dict[str, list[float]]:
    """Blocks of 100 by turns, since what a commit costs changes from one second to the next."""
    schema = Schema("inserts")
    samples: dict[str, list[float]] = {"postgres_insert_ours": [], "postgres_insert_bare": []}
    async with (
        PostgresSessionPersistDriver(server.address(), schema.name) as driver,
        await psycopg.AsyncConnection.connect(
            server.address(), autocommit=True, cursor_factory=psycopg.AsyncRawCursor
        ) as connection,
    ):
        await driver.totals()  # the tables are there
        statements = Statements(schema, beside=True)

        async def ours(events: list[SessionEvent]) -> None:
            for event in events:
                await driver.insert_event(event.session_id, event)

        async def bare(events: list[SessionEvent]) -> None:
            session_id = events[0].session_id
            word, bucket = json.dumps([session_id]), str(schema.bucket(session_id))
            lock = (str(schema.lock), str(LISTENING), schema.channel, word, bucket)
            for row in [_row(event) for event in events]:
                async with connection.pipeline():
                    await connection.execute(LOCK, lock)
                    cursor = await connection.execute(statements.insert, row)
                assert cursor.rowcount == 1

        for number in range(repeats + 1):
            took = {"ours": 0.0, "bare": 0.0}
            for block in range(INSERTS // BLOCK):
                for name, side in [("ours", ours), ("bare", bare)][:: 1 if (number + block) % 2 else -1]:
                    first = block * BLOCK + 1
                    session_id = f"{name}-{number}"
                    numbers = range(first, first + BLOCK)
                    events = [
                        SessionEvent(f"{session_id}:{n}", n, session_id, 1_000 + n, "sdk-mock/1", "agent", _payload())
                        for n in numbers
                    ]
                    started = time.perf_counter()
                    await side(events)
                    took[name] += time.perf_counter() - started
            if number:  # the first round warms up
                for name, seconds in took.items():
                    samples[f"postgres_insert_{name}"].append(seconds * 1000 / INSERTS)
    return samples


def _row(event: SessionEvent) -> tuple[str, ...]:
    index, created_at, payload = str(event.event_index), str(event.created_at), json.dumps(event.payload)
    return event.id, index, event.session_id, created_at, event.connection_id, event.sender, payload


async def _pages(server: PostgresServer, repeats: int) -> dict[str, list[float]]:
    """A page of 100 at random places, by turns from either schema."""
    sizes = {"postgres_page_few": FEW, "postgres_page_many": MANY}
    samples: dict[str, list[float]] = {name: [] for name in sizes}
    drivers = {name: PostgresSessionPersistDriver(server.address(), name) for name in sizes}
    for name, size in sizes.items():
        await drivers[name].totals()
        with psycopg.connect(server.address(), autocommit=True) as connection:
            fill = psycopg.sql.SQL(_FILL).format(events=psycopg.sql.Identifier(name, "events"))
            connection.execute(fill, (json.dumps(_payload()), size))
            connection.execute("VACUUM ANALYZE")
    chance = random.Random(1)
    for number in range(repeats + 1):
        for name, size in list(sizes.items())[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            for _ in range(PAGES):
                place = cursor_after("events", (chance.randrange(size - 100), "~"))
                page = await drivers[name].list_events("s1", cursor=place)
                assert len(page.items) == 100
            if number:  # the first round warms up
                samples[name].append((time.perf_counter() - started) * 1000 / PAGES)
    for driver in drivers.values():
        await driver.aclose()
    return samples
