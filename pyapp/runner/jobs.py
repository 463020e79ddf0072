"""Long work that the user waits for: it tells how far it came, and when cancelled has changed nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from ..archive import Recording, RecordingChecker, write_recording
from ..drivers.base import SessionStore
from ..errors import EventConflictError, InvalidFileError
from ..inspector.dates import plural
from ..inspector.effects import DeleteSession, ExportSession
from ..inspector.messages import JobEnded, JobMoved, Message
from ..inspector.model import Job
from .world import SourceFile

Send = Callable[[Message], None]
Post = Callable[[Mapping[str, Any]], None]

PIECE = 1 << 20
"""Characters of an export that go to the page at once."""
Fetch = Callable[[str], AsyncIterator[bytes]]


async def import_files(store: SessionStore, files: Sequence[SourceFile], send: Send) -> JobEnded:
    """Store the sessions of some recordings: all files are checked whole, then all are stored, or nothing is."""
    recordings = [await _checked(file.name, file.slices(), file.size, send) for file in files]
    whole = _together(recordings)
    try:
        await _store(store, whole, "Storing", send)
    except EventConflictError as error:
        name = await _conflicting(store, files, recordings)
        raise EventConflictError(f"{name} was not imported, and nothing was changed: {error}") from None
    opened = whole.sessions[0].id if len(whole.sessions) == 1 else None
    return JobEnded(f"Imported {_counted(whole)}.", open=opened, stored=True)


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
    return JobEnded(f"Loaded {_counted(whole)}.", stored=True)


async def export_session(store: SessionStore, effect: ExportSession, send: Send, post: Post) -> JobEnded:
    """Send a session to the page as a recording, piece by piece; the page saves it when it has the last one."""
    title = f"Exporting {effect.file_name}"
    send(JobMoved(Job(title, "events", 0, effect.events)))
    lines: list[str] = []
    size = written = 0
    is_first = True
    async for line in write_recording(store, [effect.session_id]):
        lines.append(line)
        size += len(line)
        written += 1
        if size >= PIECE:
            post({"type": "download", "name": effect.file_name, "text": "".join(lines), "first": is_first})
            send(JobMoved(Job(title, "events", min(written, effect.events), effect.events)))
            lines, size, is_first = [], 0, False
            await asyncio.sleep(0)
    post({"type": "download", "name": effect.file_name, "text": "".join(lines), "first": is_first, "last": True})
    return JobEnded(f"Exported {plural(max(0, written - 1), 'event')}.")


def deleting() -> JobMoved:
    """The word that a session is being deleted."""
    return JobMoved(Job("Deleting", "events"))


async def delete_session(store: SessionStore, effect: DeleteSession) -> JobEnded:
    """Delete a session with its events."""
    await store.delete_session(effect.session_id)
    return JobEnded(f"Deleted 1 session, {plural(effect.events, 'event')}.", closed=effect.session_id, stored=True)


async def _conflicting(store: SessionStore, files: Sequence[SourceFile], recordings: Sequence[Recording]) -> str:
    """The name of the file with a session that is stored already; all names where the conflict is another."""
    if len(files) > 1:
        for file, recording in zip(files, recordings, strict=True):
            for record in recording.sessions:
                if await store.get_session(record.id):
                    return file.name
    return ", ".join(file.name for file in files)


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
