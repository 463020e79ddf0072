"""Our side of the comparison, run under Pyodide in the same worker; each function gives milliseconds.

What it takes is JSON text, or a JavaScript Blob; that is read before the clock starts, as JavaScript has its rows too.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from pyapp import IndexedDBSessionPersistDriver, SessionEvent
from pyapp.archive import RecordingChecker
from pyapp.drivers.base import cursor_after
from pyapp.interop import file_slices

drivers: dict[str, IndexedDBSessionPersistDriver] = {}


def driver(name: str) -> IndexedDBSessionPersistDriver:
    if name not in drivers:
        drivers[name] = IndexedDBSessionPersistDriver(name)
    return drivers[name]


def events_of(texts: str) -> list[SessionEvent]:
    return [SessionEvent.from_row(json.loads(text)) for text in json.loads(texts)]


async def insert_each(name: str, texts: str) -> float:
    """One after the other, each awaited."""
    store, events = driver(name), events_of(texts)
    started = time.perf_counter()
    for event in events:
        await store.insert_event(event.session_id, event)
    return since(started)


async def insert_together(name: str, texts: str) -> float:
    """Each by a task of its own, awaited together."""
    store, events = driver(name), events_of(texts)
    started = time.perf_counter()
    await asyncio.gather(*(store.insert_event(event.session_id, event) for event in events))
    return since(started)


async def insert_many(name: str, texts: str) -> float:
    """By one call."""
    store, events = driver(name), events_of(texts)
    started = time.perf_counter()
    await store.insert_events(events[0].session_id, events)
    return since(started)


async def pages(name: str, places: str) -> float:
    """Pages of 100 events behind (session id, event index)."""
    store = driver(name)
    cursors = [(session_id, cursor_after("events", (after, "\uffff"))) for session_id, after in json.loads(places)]
    started = time.perf_counter()
    for session_id, cursor in cursors:
        page = await store.list_events(session_id, cursor=cursor, limit=100)
        assert len(page.items) == 100
    return since(started)


async def last(name: str, session_id: str, times: int) -> float:
    """The last 50 events, so many times."""
    store = driver(name)
    started = time.perf_counter()
    for _ in range(times):
        assert len(await store.last_events(session_id, 50)) == 50
    return since(started)


async def import_file(name: str, file: Any) -> float:
    """Check a recording and store it, as the page does."""
    started = time.perf_counter()
    checker = RecordingChecker()
    async for piece in file_slices(file):
        checker.feed(piece)
    recording = checker.finish()
    await driver(name).add_sessions(recording.sessions, recording.event_rows)
    took = since(started)
    assert await driver(name).count_events(recording.sessions[0].id) == recording.event_count
    return took


def since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
