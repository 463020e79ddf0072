"""Long work that the user waits for: it tells how far it came, and when cancelled has changed nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence

from ..archive import Recording, RecordingChecker
from ..drivers.base import SessionStore
from ..errors import InvalidFileError
from ..inspector.dates import plural
from ..inspector.messages import JobEnded, JobMoved, Message
from ..inspector.model import Job
from .world import SourceFile

Send = Callable[[Message], None]
Fetch = Callable[[str], AsyncIterator[bytes]]


async def import_files(store: SessionStore, files: Sequence[SourceFile], send: Send) -> JobEnded:
    """Store the sessions of some recordings: all files are checked whole, then all are stored, or nothing is."""
    recordings = [await _checked(file.name, file.slices(), file.size, send) for file in files]
    whole = _together(recordings)
    await _store(store, whole, "Storing", send)
    opened = whole.sessions[0].id if len(whole.sessions) == 1 else None
    return JobEnded(f"Imported {_counted(whole)}.", open=opened)


async def load_demo(store: SessionStore, fetch: Fetch, send: Send) -> JobEnded:
    """Fetch the demo recordings of this site and store them."""
    listed = json.loads(b"".join([piece async for piece in fetch("demo/index.json")]))
    total = sum(entry["bytes"] for entry in listed)
    done = 0
    recordings = []
    for entry in listed:
        pieces = fetch(f"demo/{entry['name']}")
        recordings.append(await _checked(entry["name"], pieces, total, send, done, "Loading the demo"))
        done += entry["bytes"]
    whole = _together(recordings)
    await _store(store, whole, "Storing the demo", send)
    return JobEnded(f"Loaded {_counted(whole)}.")


def _together(recordings: Sequence[Recording]) -> Recording:
    """Several recordings as one; a session that is in two of them is refused by the store."""
    return Recording(
        tuple(record for recording in recordings for record in recording.sessions),
        [chunk for recording in recordings for chunk in recording.event_rows],
        sum(recording.event_count for recording in recordings),
    )


def _counted(recording: Recording) -> str:
    return f"{plural(len(recording.sessions), 'session')}, {plural(recording.event_count, 'event')}"


async def _checked(
    name: str, pieces: AsyncIterator[bytes], total: int, send: Send, done: int = 0, title: str = ""
) -> Recording:
    checker = RecordingChecker()
    title = title or f"Checking {name}"
    send(JobMoved(Job(title, "bytes", done, total)))
    try:
        async for piece in pieces:
            checker.feed(piece)
            done += len(piece)
            send(JobMoved(Job(title, "bytes", min(done, total), total)))
            await asyncio.sleep(0)
        return checker.finish()
    except InvalidFileError as error:
        raise InvalidFileError(f"{name} was not imported, and nothing was changed: {error}") from None


async def _store(store: SessionStore, recording: Recording, title: str, send: Send) -> None:
    total = recording.event_count

    def tell(done: int) -> None:
        send(JobMoved(Job(title, "events", done, total)))

    tell(0)
    await store.add_sessions(recording.sessions, recording.event_rows, tell)
