"""Recordings and databases brought into the store: files of the user, one that an address names, the demo.

Each tells how far it came, and when cancelled has changed nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from ..archive import Recording
from ..drivers.base import SessionStore
from ..errors import EventConflictError, InvalidFileError
from ..inspector.dates import plural
from ..inspector.files.values import Source
from ..inspector.messages import JobEnded, JobMoved, Send
from ..inspector.model import Job
from .checking import checked
from .kinds import LOG
from .world import SourceFile, World

NAMED = 5
"""Sessions that are named when they are stored already."""

Fetch = Callable[[str], AsyncIterator[bytes]]


async def import_files(
    store: SessionStore, files: Sequence[SourceFile], send: Send, world: World, doing: str = "Checking"
) -> JobEnded:
    """Store the sessions of recordings and databases: all files are checked whole, then all are stored, or none."""
    logs = {file.name: file for file in files if file.name.endswith(LOG)}
    files = [file for file in files if file.name not in logs]
    _refuse_lone_logs(logs, {file.name for file in files})
    recordings = [
        await checked(file, file.size, send, f"{doing} {file.name}", world=world, log=logs.get(f"{file.name}{LOG}"))
        for file in files
    ]
    whole = _together(recordings)
    names = ", ".join(file.name for file in files)
    for file, recording in zip(files, recordings, strict=True):
        await _refuse_stored(store, file.name, recording)
    try:
        await _store(store, whole, "Storing", send)
    except EventConflictError as error:
        raise EventConflictError(f"{names} was not imported, and nothing was changed: {error}") from None
    opened = whole.sessions[0].id if len(whole.sessions) == 1 else None
    return JobEnded(f"Imported {_counted(whole)}.", open=opened, stored=True)


async def import_source(store: SessionStore, source: Source, send: Send, world: World) -> JobEnded:
    """Fetch the file that an address names, and store its sessions."""
    send(JobMoved(Job(f"Fetching from {source.host}", "bytes")))
    file = await world.fetch_source(source.url, is_foreign=source.is_foreign)
    return await import_files(store, [file], send, world, "Fetching")


async def load_demo(store: SessionStore, fetch: Fetch, send: Send) -> JobEnded:
    """Fetch the demo recordings of this site and store them."""
    listed = json.loads(b"".join([piece async for piece in fetch("demo/index.json")]))
    total = sum(entry["bytes"] for entry in listed)
    done = 0
    recordings = []
    for entry in listed:
        file = _SiteFile(entry["name"], entry["bytes"], fetch)
        recordings.append(await checked(file, total, send, "Loading the demo", done))
        done += entry["bytes"]
    whole = _together(recordings)
    await _store(store, whole, "Storing the demo", send)
    return JobEnded(f"Loaded {_counted(whole)}.", stored=True)


class _SiteFile:
    """A demo recording."""

    def __init__(self, name: str, size: int, fetch: Fetch) -> None:
        self.name = name
        self.size = size
        self._fetch = fetch

    def slices(self) -> AsyncIterator[bytes]:
        return self._fetch(f"demo/{self.name}")


def _refuse_lone_logs(logs: Collection[str], names: Collection[str]) -> None:
    """Raises InvalidFileError for a log without its database: what is in it would be missing without a word."""
    for name in logs:
        base = name.removesuffix(LOG)
        if base not in names:
            raise InvalidFileError(
                f"{name} was not imported, and nothing was changed: it is the log of a database. "
                f"Choose or drop {base} and it together."
            )


async def _refuse_stored(store: SessionStore, name: str, recording: Recording) -> None:
    """Raises EventConflictError, which names them, when sessions of a file are stored already."""
    stored = [record.id for record in recording.sessions if await store.get_session(record.id)]
    if not stored:
        return
    what = f"{name} was not imported, and nothing was changed:"
    if len(recording.sessions) == 1:
        taken = EventConflictError.session_taken(stored[0])
        raise EventConflictError(f"{what} {taken}. To import this one, delete that one first.")
    some = ", ".join(f"“{id_[:80]}”" for id_ in stored[:NAMED])
    more = f" and {len(stored) - NAMED:,} more" if len(stored) > NAMED else ""
    raise EventConflictError(
        f"{what} {len(stored):,} of its {len(recording.sessions):,} sessions are already stored here: {some}{more}. "
        "Delete them here first, or bring a file without them."
    )


def _together(recordings: Sequence[Recording]) -> Recording:
    """Several recordings as one; a session that is in two of them is refused by the store."""
    return Recording(
        tuple(record for recording in recordings for record in recording.sessions),
        [chunk for recording in recordings for chunk in recording.event_rows],
        sum(recording.event_count for recording in recordings),
    )


def _counted(recording: Recording) -> str:
    return f"{plural(len(recording.sessions), 'session')}, {plural(recording.event_count, 'event')}"


async def _store(store: SessionStore, recording: Recording, title: str, send: Send) -> None:
    total = recording.event_count

    def tell(done: int) -> None:
        send(JobMoved(Job(title, "events", done, total)))

    tell(0)
    await store.add_sessions(recording.sessions, recording.event_rows, tell)
