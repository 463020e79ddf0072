"""What of a recording is new to a store: whole sessions, and the rest of those that have grown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..archive import Recording
from ..drivers.base import Key, SessionStore
from ..drivers.comparing import compare_pages
from ..drivers.paging import event_pages
from ..types import SessionEvent, SessionRecord

PAGE = 500
"""Events that are compared, and stored, at once."""

Line = tuple[Key, str]
"""An event of the file: its key, and its row as JSON text."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A session of which the store has the beginning: its record now, and the rows of the events behind it."""

    record: SessionRecord
    lines: Sequence[Line]


@dataclass(slots=True)
class Merge:
    """What is to be done with a recording. `known` counts the sessions that are stored already, with all that the file
    has of them; `conflicts` says of each that is stored with other content what is different."""

    new: Recording
    grown: list[Grown] = field(default_factory=list)
    known: int = 0
    conflicts: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """The store has all of it."""
        return not self.new.sessions and not self.grown


async def merge(store: SessionStore, recording: Recording, tell: Callable[[int], None]) -> Merge:
    """Compare what the store has of a recording, which changes nothing; `tell` hears how many events were looked at."""
    stored = {record.id: found for record in recording.sessions if (found := await store.get_session(record.id))}
    if not stored:
        return Merge(recording)
    lines, new_rows = await _parted(recording, stored, tell)
    records = tuple(record for record in recording.sessions if record.id not in stored)
    merge = Merge(Recording(records, new_rows, sum(map(len, new_rows))))
    for record in recording.sessions:
        if record.id in stored:
            await _compare(merge, store, stored[record.id], record, sorted(lines[record.id]))
    return merge


async def go_on(store: SessionStore, grown: Grown, tell: Callable[[int], None]) -> None:
    """Store what is new of a session: its events in their order, then its record. Raises as `insert_events` does."""
    async for events in _events(grown.lines):
        await store.insert_events(grown.record.id, events)
        tell(len(events))
        await asyncio.sleep(0)  # a store in memory never waits, and then nobody could cancel
    await store.update_session(grown.record)


async def _parted(
    recording: Recording, stored: Mapping[str, SessionRecord], tell: Callable[[int], None]
) -> tuple[dict[str, list[Line]], Sequence[Sequence[str]]]:
    """The events of the sessions that are stored, by session, and the rows of the others, in chunks."""
    lines: dict[str, list[Line]] = {id_: [] for id_ in stored}
    others: list[Sequence[str]] = []
    done = 0
    for chunk in recording.event_rows:
        rest = []
        for text in chunk:
            row = json.loads(text)
            if row["sessionId"] in lines:
                lines[row["sessionId"]].append(((row["eventIndex"], row["id"]), text))
            else:
                rest.append(text)
        if rest:
            others.append(rest)
        done += len(chunk)
        tell(done)
        await asyncio.sleep(0)
    return lines, others


async def _compare(
    merge: Merge, store: SessionStore, stored: SessionRecord, record: SessionRecord, lines: Sequence[Line]
) -> None:
    if (stored.agent, stored.created_at) != (record.agent, record.created_at):
        merge.conflicts[record.id] = "another session has this id"
        return
    found = await compare_pages(_events(lines), event_pages(store, record.id, limit=PAGE))
    if found.differs_at is not None:
        merge.conflicts[record.id] = f"event {found.differs_at:,} is another"
    elif found.longer != "source":
        merge.known += 1
    elif found.same == 0 and stored != record:
        merge.conflicts[record.id] = "its record is another"
    else:
        merge.grown.append(Grown(record, lines[found.same :]))


async def _events(lines: Sequence[Line]) -> AsyncIterator[Sequence[SessionEvent]]:
    for start in range(0, len(lines), PAGE):
        yield [SessionEvent.from_row(json.loads(text)) for _, text in lines[start : start + PAGE]]
