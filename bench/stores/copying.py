"""`copy` of 100,000 events from SQLite to Postgres, against COPY of the same rows by psycopg.

Ours reads and checks the events, writes them, and reads them again from Postgres to compare; the other side has the
rows in memory already and writes them alone, into a table with the same indexes. Both wait for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import psycopg

from pyapp import SessionEvent, SessionRecord, SQLiteSessionPersistDriver
from pyapp.cli.addresses import open_source, open_store, read_address
from pyapp.cli.copying.plan import make_plan
from pyapp.cli.copying.progress import Lines
from pyapp.cli.copying.writing import Writing, collecting_seldom
from pyapp.drivers.base import ReadEvent
from tests.stores.postgres_server import PostgresServer

from ..recordings import event_rows, session_row

SESSIONS, EVENTS = 100, 1_000
_COLUMNS = "id, event_index, session_id, created_at, connection_id, sender, payload_json"


def copying_samples(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Milliseconds for one event: of `copy`, and of the bare COPY."""
    source = folder / "source.db"
    asyncio.run(_fill(source))
    samples: dict[str, list[float]] = {f"copy_{name}": [] for name in ("ours", "bare")}
    with PostgresServer(durable=True) as server:
        for number in range(repeats):
            schema = f"ours{number}"
            ours = asyncio.run(_ours(source, f"{server.address()}?schema={schema}"))
            took = ours, _bare(source, server.address(), schema)
            for sample, milliseconds in zip(samples.values(), took, strict=True):
                sample.append(milliseconds / (SESSIONS * EVENTS))
    source.unlink()
    return samples


async def _fill(path: Path) -> None:
    async with SQLiteSessionPersistDriver(path) as store:
        for number in range(SESSIONS):
            row = session_row(f"s{number}")
            del row["type"]
            events = [ReadEvent(SessionEvent.from_row(one)) for one in event_rows(f"s{number}", EVENTS)]
            await store.add_read_sessions([SessionRecord.from_row(row)], [events])


async def _ours(source_path: Path, target_address: str) -> float:
    """What `copy` does, without its start."""
    progress = Lines(lambda _line: None)
    async with (
        open_source(read_address(str(source_path))) as source,
        open_store(read_address(target_address)) as target,
    ):
        await target.totals()  # connected, and its tables made
        with collecting_seldom():
            began = time.perf_counter()
            plan = await make_plan(source, target, [], progress)
            writing = Writing(source, target, progress)
            await writing.carry_out(plan.steps)
            took = time.perf_counter() - began
        assert not writing.wrong
    return took * 1_000


def _bare(source_path: Path, address: str, like: str) -> float:
    with contextlib.closing(sqlite3.connect(source_path)) as source:
        rows = source.execute(f"SELECT {_COLUMNS} FROM events").fetchall()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {like}.bare (LIKE {like}.events INCLUDING ALL)")
        began = time.perf_counter()
        statement = f"COPY {like}.bare ({_COLUMNS}) FROM STDIN"
        with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        took = time.perf_counter() - began
        connection.execute(f"DROP SCHEMA {like} CASCADE")
    return took * 1_000
