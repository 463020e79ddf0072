"""Recordings and databases brought into the store: files of the user, one that an address names, the demo.

Each tells how far it came, and when cancelled has changed nothing, or says what it has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from ..archive import Recording
from ..drivers.base import SessionStore
from ..errors import EventConflictError, InvalidFileError
from ..inspector.dates import plural
from ..inspector.files.values import Source
from ..inspector.messages import JobEnded, JobMoved, Send
from ..inspector.model import Alert, Job
from . import merging
from .checking import checked
from .kinds import LOG
from .merging import Merge
from .world import SourceFile, World

NAMED = 5
"""Sessions that are named when they are stored already."""

Fetch = Callable[[str], AsyncIterator[bytes]]


async def import_files(
    store: SessionStore, files: Sequence[SourceFile], send: Send, world: World, doing: str = "Checking"
) -> JobEnded:
    """Store what is new in recordings and databases: all files are checked whole, and compared with what is stored,
    before anything is written. Sessions that are stored already are skipped, those that have grown go on."""
    logs = {file.name: file for file in files if file.name.endswith(LOG)}
    files = [file for file in files if file.name not in logs]
    _refuse_lone_logs(logs, {file.name for file in files})
    try:
        recordings = [
            await checked(file, file.size, send, f"{doing} {file.name}", world=world, log=logs.get(f"{file.name}{LOG}"))
            for file in files
        ]
        merges = [
            await _merged(store, file.name, recording, send) for file, recording in zip(files, recordings, strict=True)
        ]
    except (InvalidFileError, EventConflictError) as error:
        raise type(error)(_with_others(str(error), len(files))) from None
    names = ", ".join(file.name for file in files)
    merge = _together(merges)
    ids = {record.id for recording in recordings for record in recording.sessions}
    opened = ids.pop() if len(ids) == 1 else None
    if merge.is_empty:
        words = f"All that {names} holds is already stored here: {plural(merge.known, 'session')}."
        return JobEnded(alert=Alert("Nothing was imported", words))
    try:
        if merge.new.sessions:
            await _store(store, merge.new, "Storing", send)
    except EventConflictError as error:
        raise EventConflictError(f"{names} was not imported, and nothing was changed: {error}") from None
    return await _go_on(store, merge, opened, send)


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
    whole = _joined(recordings)
    await _store(store, whole, "Storing the demo", send)
    return JobEnded(f"Loaded {_counted(Merge(whole))}.", stored=True)


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


def _with_others(words: str, files: int) -> str:
    """Why a file was refused, and what became of those that were chosen with it."""
    if files == 1:
        return words
    return f"{words.removesuffix('.')}. None of the {files} files was imported; choose them without this one."


async def _merged(store: SessionStore, name: str, recording: Recording, send: Send) -> Merge:
    """What of a file is new. Raises EventConflictError when sessions of it are stored with other content."""

    def tell(done: int) -> None:
        send(JobMoved(Job(f"Comparing {name}", "events", done, recording.event_count)))

    merge = await merging.merge(store, recording, tell)
    if merge.conflicts:
        some = ", ".join(f"“{id_[:80]}” ({why})" for id_, why in [*merge.conflicts.items()][:NAMED])
        more = f" and {len(merge.conflicts) - NAMED:,} more" if len(merge.conflicts) > NAMED else ""
        raise EventConflictError(
            f"{name} was not imported, and nothing was changed: {len(merge.conflicts):,} of its "
            f"{plural(len(recording.sessions), 'session')} are already stored here with other content: {some}{more}. "
            "Delete them here first, or bring a file without them."
        )
    return merge


async def _go_on(store: SessionStore, merge: Merge, opened: str | None, send: Send) -> JobEnded:
    """Store the rest of the sessions that have grown, one after the other; what was done of it stays."""
    total, done, stored = sum(len(grown.lines) for grown in merge.grown), 0, merge.new.event_count

    def tell(count: int) -> None:
        nonlocal done
        done += count
        send(JobMoved(Job("Storing what is new", "events", done, total)))

    try:
        for grown in merge.grown:
            await merging.go_on(store, grown, tell)
    except asyncio.CancelledError:
        words = f"Cancelled when {plural(stored + done, 'event')} were stored. Import the file again to go on."
        return JobEnded(words, open=opened, stored=True)
    return JobEnded(f"Imported {_counted(merge)}.", open=opened, stored=True)


def _together(merges: Sequence[Merge]) -> Merge:
    """Several files as one; a session that is in two of them is refused by the store."""
    return Merge(
        _joined([merge.new for merge in merges]),
        [grown for merge in merges for grown in merge.grown],
        sum(merge.known for merge in merges),
    )


def _joined(recordings: Sequence[Recording]) -> Recording:
    return Recording(
        tuple(record for recording in recordings for record in recording.sessions),
        [chunk for recording in recordings for chunk in recording.event_rows],
        sum(recording.event_count for recording in recordings),
    )


def _counted(merge: Merge) -> str:
    """1 session, 212 events; 2 sessions went on with 40 events; 600 sessions were there already"""
    parts = []
    if merge.new.sessions:
        parts.append(f"{plural(len(merge.new.sessions), 'session')}, {plural(merge.new.event_count, 'event')}")
    if merge.grown:
        events = sum(len(grown.lines) for grown in merge.grown)
        parts.append(f"{plural(len(merge.grown), 'session')} went on with {plural(events, 'event')}")
    if merge.known:
        parts.append(f"{plural(merge.known, 'session')} {'was' if merge.known == 1 else 'were'} there already")
    return "; ".join(parts)


async def _store(store: SessionStore, recording: Recording, title: str, send: Send) -> None:
    total = recording.event_count

    def tell(done: int) -> None:
        send(JobMoved(Job(title, "events", done, total)))

    tell(0)
    await store.add_sessions(recording.sessions, recording.event_rows, tell)
