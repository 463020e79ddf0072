"""The writing of a copy, in pieces that the target stores whole, and the reading again of what was written."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...drivers.base import EventTaker, SessionStore
from ...drivers.paging import event_pages
from ...errors import EventConflictError
from ...json_text import dump
from ...types import SessionEvent, SessionRecord
from .comparing import compare_events
from .plan import Step
from .progress import Progress

PAGE = 1_000
"""Events that are read at once."""

BATCH_EVENTS, BATCH_CHARACTERS = 5_000, 8 << 20
"""What one write of whole sessions holds at most, but for a session that is larger alone."""

LARGEST_EVENTS, LARGEST_CHARACTERS = 50_000, 32 << 20
"""A session that is larger is begun with so much of it, and gets the rest by `insert_events`."""

SAMPLED = 16
"""Of so many events the size of one is looked at, to know what all of them take."""

INSERTED_AT_ONCE = 2_000
"""Events of one `insert_events`."""


Pages = Sequence[Sequence[SessionEvent]]


@dataclass(slots=True)
class Batch:
    """Sessions that are written together, each with its events as they were read, page by page."""

    records: list[SessionRecord] = field(default_factory=list)
    pages: list[Pages] = field(default_factory=list)
    events: int = 0
    characters: int = 0

    def add(self, record: SessionRecord, pages: Pages) -> None:
        """One more session."""
        self.records.append(record)
        self.pages.append(pages)
        self.events += sum(map(len, pages))
        self.characters += sum(map(_characters, pages))

    @property
    def is_full(self) -> bool:
        """It should be written now."""
        return self.events >= BATCH_EVENTS or self.characters >= BATCH_CHARACTERS


class Writing:
    """Carries out the steps of a plan. `refused` says of each session that the target did not take why not."""

    def __init__(self, source: SessionStore, target: SessionStore, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._batch = Batch()
        self._written: asyncio.Task[None] | None = None
        self.refused: dict[str, str] = {}

    async def carry_out(self, steps: Sequence[Step]) -> None:
        """Copy; while one piece is written the next one is read. When it fails or is cancelled, what was begun of the
        current piece is taken back by the target; what was written before stays."""
        try:
            for step in steps:
                if step.is_new:
                    await self._copy_whole(step)
                else:
                    await self._go_on(step)
            await self._write(self._take_batch())
            await self._last_written()
        finally:
            if self._written is not None and not self._written.done():
                self._written.cancel()
                await asyncio.wait([self._written])

    async def _copy_whole(self, step: Step) -> None:
        record = step.record
        read: list[Sequence[SessionEvent]] = []
        events = characters = 0
        pages = event_pages(self._source, record.id, limit=PAGE)
        async for page in pages:
            read.append(page)
            events += len(page)
            characters += _characters(page)
            if events >= LARGEST_EVENTS or characters >= LARGEST_CHARACTERS:
                await self._write(self._take_batch())
                begun = Batch()
                begun.add(record, read)
                await self._write(begun)
                await self._last_written()
                if record.id not in self.refused:
                    await self._insert(record.id, pages)
                return
        self._batch.add(record, read)
        if self._batch.is_full:
            await self._write(self._take_batch())

    async def _go_on(self, step: Step) -> None:
        """The target has the beginning of a session."""
        await self._last_written()
        await self._insert(step.record.id, event_pages(self._source, step.record.id, after=step.after, limit=PAGE))
        if not step.has_record and step.record.id not in self.refused:
            await self._target.update_session(step.record)

    async def _insert(self, session_id: str, pages: AsyncIterator[Sequence[SessionEvent]]) -> None:
        waiting: list[SessionEvent] = []
        async for page in pages:
            waiting += page
            while len(waiting) >= INSERTED_AT_ONCE:
                if not await self._insert_events(session_id, waiting[:INSERTED_AT_ONCE]):
                    return
                del waiting[:INSERTED_AT_ONCE]
        if waiting:
            await self._insert_events(session_id, waiting)

    async def _insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> bool:
        try:
            await self._target.insert_events(session_id, events)
        except EventConflictError as error:
            self.refused[session_id] = str(error)
            return False
        self._progress.moved(len(events))
        return True

    # whole sessions

    def _take_batch(self) -> Batch:
        batch, self._batch = self._batch, Batch()
        return batch

    async def _write(self, batch: Batch) -> None:
        """Write it, once the one before is written; who calls may read on meanwhile."""
        await self._last_written()
        if batch.records:
            self._written = asyncio.create_task(self._add_sessions(batch))

    async def _last_written(self) -> None:
        if self._written is not None:
            await self._written
            self._written = None

    async def _add_sessions(self, batch: Batch) -> None:
        pages = [page for some in batch.pages for page in some]
        try:
            if isinstance(self._target, EventTaker):
                await self._target.add_read_sessions(batch.records, pages, self._counter())
            else:
                rows = [[dump(event.to_row()) for event in page] for page in pages]
                await self._target.add_sessions(batch.records, rows, self._counter())
        except EventConflictError as error:
            if len(batch.records) == 1:
                self.refused[batch.records[0].id] = str(error)
                return
            self._progress.moved(-self._counted)
            for record, some in zip(batch.records, batch.pages, strict=True):  # which one is it?
                alone = Batch()
                alone.add(record, some)
                await self._add_sessions(alone)

    def _counter(self) -> Callable[[int], None]:
        self._counted = 0

        def count(done: int) -> None:
            self._progress.moved(done - self._counted)
            self._counted = done

        return count


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Rows are made and dropped by the thousand, and none is in a cycle: to walk through them all the time, looking for
    cycles, takes as long as reading them."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def verify(source: SessionStore, target: SessionStore, steps: Sequence[Step], progress: Progress) -> list[str]:
    """Read what was copied from both stores again. Gives for each session that is not the same what is different.

    A source that was written to meanwhile has more than was copied; that is no difference, but the next copy's work.
    """
    differences = []
    for step in steps:
        record = await target.get_session(step.record.id)
        if record != step.record:
            differences.append(f"{step.record.id!r}: its record came out otherwise")
            continue
        found = await compare_events(source, target, step.record.id, progress.moved)
        if found.differs_at is not None:
            differences.append(f"{step.record.id!r}: event {found.differs_at} came out otherwise")
        elif found.longer == "target":
            differences.append(f"{step.record.id!r}: the target has more events than the source")
        elif found.same < step.there + step.events:
            missing = step.there + step.events - found.same
            differences.append(f"{step.record.id!r}: {missing:,} of its events are missing in the target")
    return differences


def _characters(page: Sequence[SessionEvent]) -> int:
    """About how many characters the events of a page take as JSON."""
    return sum(len(dump(event.payload)) for event in page[::SAMPLED]) * SAMPLED
