"""The Rivet driver: an insert, and a page of 100, in an actor with few events and in one with many.

An actor saves its whole state at each write, so that an insert costs more the more is stored. 10,000 events is what one
still holds well; the actor refuses nothing of more, but see docs/drivers.md.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

from pyapp import RivetSessionPersistDriver, SessionEvent, SessionRecord
from pyapp.drivers.base import cursor_after
from tests.stores.rivet_server import RivetServer

SIZES = {"few": 1_000, "many": 10_000}
INSERTS, PAGES = 5, 20


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
    samples: dict[str, list[float]] = {}
    chance = random.Random(1)
    for name, size in SIZES.items():
        inserts, pages = samples.setdefault(f"rivet_insert_{name}", []), samples.setdefault(f"rivet_page_{name}", [])
        async with RivetSessionPersistDriver(endpoint, key=name) as driver:
            rows = [json.dumps(_event(n).to_row()) for n in range(1, size + 1)]
            await driver.add_sessions([SessionRecord("s1", "mock", "a", "c", 1)], [rows])
            for number in range(repeats):
                started = time.perf_counter()
                for n in range(INSERTS):
                    await driver.insert_event("s1", _event(size + 1 + number * INSERTS + n))
                inserts.append((time.perf_counter() - started) * 1000 / INSERTS)
                started = time.perf_counter()
                for _ in range(PAGES):
                    place = cursor_after("events", (chance.randrange(size - 100), "~"))
                    assert len((await driver.list_events("s1", cursor=place)).items) == 100
                pages.append((time.perf_counter() - started) * 1000 / PAGES)
    return samples


def _event(n: int) -> SessionEvent:
    update = {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "some words of the agent " * 4},
    }
    payload = {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "agent-1", "update": update}}
    return SessionEvent(f"sdk-mock-4f9d0c2be7a14a6c8d31:{n}", n, "s1", 1_000 + n, "sdk-mock/1", "agent", payload)
