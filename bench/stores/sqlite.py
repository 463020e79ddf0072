"""The SQLite driver: many inserts at once against bare `sqlite3`, and a page among many events against one among few.

Both sides get the same events and keep them as durably: WAL, synchronous FULL. The bare side checks nothing: it writes
rows in transactions of 64. Ours checks each event, looks whether its index is taken, and has a task for each.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sqlite3
import time
from pathlib import Path

from pyapp import SessionEvent, SQLiteSessionPersistDriver
from pyapp.drivers.base import cursor_after

INSERTS = 10_000
AT_ONCE = 64
FEW, MANY = 10_000, 1_000_000
PAGES = 20

_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
_FILL = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO events SELECT 'sdk-mock-4f9d0c2be7a14a6c8d31:' || n, n, 's1', 1000 + n, 'sdk-mock/1', 'agent', ? FROM number
"""


def sqlite_samples(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Milliseconds: 10,000 inserts of either side, and one page (the mean of 20 at random places)."""
    samples: dict[str, list[float]] = {
        f"sqlite_{name}": [] for name in ("inserts_ours", "inserts_bare", "page_many", "page_few")
    }
    for number in range(repeats):
        sides = [("inserts_ours", _ours), ("inserts_bare", _bare)]
        for name, side in sides[:: 1 if number % 2 else -1]:
            path = folder / f"{name}-{number}.db"
            samples[f"sqlite_{name}"].append(side(path, _events()))
            path.unlink()
            gc.unfreeze()
    for name, took in asyncio.run(_pages(folder, repeats)).items():
        samples[f"sqlite_{name}"] = took
    return samples


def _events() -> list[SessionEvent]:
    name, client = "sdk-mock-4f9d0c2be7a14a6c8d31", "sdk-mock-4f9d0c2be7a14a6c8d31/1"
    numbers = range(1, INSERTS + 1)
    return [SessionEvent(f"{name}:{n}", n, "s1", 1_000 + n, client, "agent", _payload()) for n in numbers]


def _payload() -> dict[str, object]:
    update = {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "some words of the agent " * 4},
    }
    return {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "agent-1", "update": update}}


def _ours(path: Path, events: list[SessionEvent]) -> float:
    async def insert() -> float:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.totals()  # opened
            gc.freeze()  # what was made before is not looked through again while the time is taken
            started = time.perf_counter()
            await asyncio.gather(*(driver.insert_event("s1", event) for event in events))
            return (time.perf_counter() - started) * 1000

    return asyncio.run(insert())


def _bare(path: Path, events: list[SessionEvent]) -> float:
    asyncio.run(_made(path))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    gc.freeze()
    started = time.perf_counter()
    for first in range(0, INSERTS, AT_ONCE):
        connection.execute("BEGIN")
        for event in events[first : first + AT_ONCE]:
            payload = json.dumps(event.payload)
            index, connected = event.event_index, event.connection_id
            row = (event.id, index, event.session_id, event.created_at, connected, event.sender, payload)
            connection.execute(_INSERT, row)
        connection.execute("COMMIT")
    took = (time.perf_counter() - started) * 1000
    connection.close()
    return took


async def _made(path: Path) -> None:
    async with SQLiteSessionPersistDriver(path) as driver:
        await driver.totals()


async def _pages(folder: Path, repeats: int) -> dict[str, list[float]]:
    """A page of 100 at places that are read for the first time, by turns from either file."""
    sizes = {"page_few": FEW, "page_many": MANY}
    for name, size in sizes.items():
        await _made(folder / f"{name}.db")
        connection = sqlite3.connect(folder / f"{name}.db")
        connection.execute(_FILL, (size, json.dumps(_payload())))
        connection.commit()
        connection.close()
    samples: dict[str, list[float]] = {name: [] for name in sizes}
    chance = random.Random(1)
    for number in range(repeats + 1):
        for name, size in list(sizes.items())[:: 1 if number % 2 else -1]:
            async with SQLiteSessionPersistDriver(folder / f"{name}.db") as driver:
                await driver.list_events("s1", limit=1)
                started = time.perf_counter()
                for _ in range(PAGES):
                    place = cursor_after("events", (chance.randrange(size - 100), "~"))
                    page = await driver.list_events("s1", cursor=place)
                    assert len(page.items) == 100
                if number:  # the first round warms up
                    samples[name].append((time.perf_counter() - started) * 1000 / PAGES)
    return samples
