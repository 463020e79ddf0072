"""The Rivet driver: an insert behind few events and behind more, and a page among many events against one among few.

An actor saves its whole state at each write, so that an insert costs more the more is stored: seconds behind a million,
which is not measured here. Reading has the state in memory.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from pyapp import RivetSessionPersistDriver, SessionEvent, SessionRecord
from pyapp.drivers.base import cursor_after
from tests.stores.rivet_server import RivetServer

SIZES = {"fewest": 1_000, "few": 10_000, "many": 1_000_000}

INSERTS, PAGES = 5, 20

_IMPORTED_AT_ONCE = 2_000


def rivet_samples(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of one insert and of one page, each the mean of some."""
    data = folder / "rivet"
    data.mkdir()
    server = RivetServer(data)
    server.start()
    try:
        return asyncio.run(_samples(server.endpoint, repeats))
    finally:
        server.kill()


async def _samples(endpoint: str, repeats: int) -> dict[str, list[float]]:
    names = ("insert_few", "insert_fewest", "page_many", "page_few")
    samples: dict[str, list[float]] = {f"rivet_{name}": [] for name in names}
    async with AsyncExitStack() as stack:
        drivers = {
            name: await stack.enter_async_context(RivetSessionPersistDriver(endpoint, key=name)) for name in SIZES
        }
        await _fill(drivers, "fewest", "few")
        for number, turn in _turns(repeats):
            for name in ("few", "fewest")[::turn]:
                samples[f"rivet_insert_{name}"].append(await _inserts(drivers[name], SIZES[name] + number * INSERTS))
        await _fill(drivers, "many")  # only now: Rivet would collect the garbage of all these at each insert
        await drivers["few"].totals()  # it may have fallen asleep meanwhile
        chance = random.Random(1)
        for _, turn in _turns(repeats):
            for name in ("many", "few")[::turn]:
                samples[f"rivet_page_{name}"].append(await _pages(drivers[name], SIZES[name], chance))
    return samples


def _turns(repeats: int) -> Iterator[tuple[int, int]]:
    """The number of each round, and whether its sides come in order (1) or the other way round (-1)."""
    return ((number, 1 if number % 2 else -1) for number in range(repeats))


async def _fill(drivers: dict[str, RivetSessionPersistDriver], *names: str) -> None:
    for name in names:
        await drivers[name].add_sessions([SessionRecord("s1", "mock", "a", "c", 1)], _rows(SIZES[name]))


async def _inserts(driver: RivetSessionPersistDriver, stored: int) -> float:
    started = time.perf_counter()
    for n in range(stored + 1, stored + INSERTS + 1):
        await driver.insert_event("s1", _event(n))
    return (time.perf_counter() - started) * 1000 / INSERTS


async def _pages(driver: RivetSessionPersistDriver, size: int, chance: random.Random) -> float:
    started = time.perf_counter()
    for _ in range(PAGES):
        place = cursor_after("events", (chance.randrange(size - 100), "~"))
        assert len((await driver.list_events("s1", cursor=place)).items) == 100
    return (time.perf_counter() - started) * 1000 / PAGES


def _rows(size: int) -> Iterator[list[str]]:
    for first in range(1, size + 1, _IMPORTED_AT_ONCE):
        numbers = range(first, min(size + 1, first + _IMPORTED_AT_ONCE))
        yield [json.dumps(_event(n).to_row()) for n in numbers]


def _event(n: int) -> SessionEvent:
    update = {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "some words of the agent " * 4},
    }
    payload = {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "agent-1", "update": update}}
    return SessionEvent(f"sdk-mock-4f9d0c2be7a14a6c8d31:{n}", n, "s1", 1_000 + n, "sdk-mock/1", "agent", payload)
