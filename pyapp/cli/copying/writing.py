"""The writing of a copy, in pieces that the target stores whole; each is read again and compared.

Three pieces are under way at a time: one is read, the one before it is written, and the one before that, which is
still in memory, is compared with what the target gives.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...drivers.base import EventTaker, Key, ReadEvent, SessionStore
from ...drivers.paging import read_event_pages
from ...errors import EventConflictError, InvalidRecordError
from ...json_text import dump
from ...types import SessionRecord
from .ahead import Ahead
from .checking import difference
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

NOT_TAKEN = (EventConflictError, InvalidRecordError)
"""What a target raises for a session that it does not take: its ids are in use there, or it cannot be kept there."""

INSERTED_AT_ONCE = 2_000
"""Events of one `insert_events`."""


Page = Sequence[ReadEvent]
Pages = Sequence[Page]


@dataclass(slots=True)
class Batch:
    """Sessions that are written together, each with its events as they were read, page by page; `are_whole` is False
    where more events follow."""

    records: list[SessionRecord] = field(default_factory=list)
    pages: list[Pages] = field(default_factory=list)
    events: int = 0
    characters: int = 0
    are_whole: bool = True

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
    """Carries out the steps of a plan. `wrong` says of each session that the target did not take, or has otherwise
    than the source, what is wrong."""

    def __init__(self, source: SessionStore, target: SessionStore, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._batch = Batch()
        self._written = Ahead()
        self._compared = Ahead()
        self.wrong: dict[str, str] = {}

    async def carry_out(self, steps: Sequence[Step]) -> None:
        """Copy and compare. When it fails or is cancelled, what was begun of the current piece is taken back by the
        target; what was written before stays."""
        try:
            for step in steps:
                if step.is_new:
                    await self._copy_whole(step)
                else:
                    await self._go_on(step)
            await self._write(self._take_batch())
            await self._written.done()
            await self._compared.done()
        finally:
            await self._written.stop()
            await self._compared.stop()

    async def _copy_whole(self, step: Step) -> None:
        record = step.record
        read: list[Page] = []
        events = characters = 0
        pages = read_event_pages(self._source, record.id, limit=PAGE)
        async for page in pages:
            read.append(page)
            events += len(page)
            characters += _characters(page)
            if events >= LARGEST_EVENTS or characters >= LARGEST_CHARACTERS:
                await self._write(self._take_batch())
                begun = Batch(are_whole=False)
                begun.add(record, read)
                await self._write(begun)
                await self._written.done()
                await self._insert(record.id, pages, page[-1].event.key)
                return
        self._batch.add(record, read)
        if self._batch.is_full:
            await self._write(self._take_batch())

    async def _go_on(self, step: Step) -> None:
        """The target has the beginning of a session."""
        id_ = step.record.id
        await self._written.done()
        await self._insert(id_, read_event_pages(self._source, id_, after=step.after, limit=PAGE), step.after)
        await self._compared.done()
        if not step.has_record and id_ not in self.wrong:
            await self._target.update_session(step.record)
            await self._compare_record(step.record)

    async def _insert(self, session_id: str, pages: AsyncIterator[Page], after: Key | None) -> None:
        """Add the events of these pages behind the key `after`."""
        waiting: list[ReadEvent] = []
        async for page in pages:
            waiting += page
            while len(waiting) > INSERTED_AT_ONCE:
                after = await self._insert_events(session_id, waiting[:INSERTED_AT_ONCE], after, are_last=False)
                del waiting[:INSERTED_AT_ONCE]
        if waiting:
            await self._insert_events(session_id, waiting, after, are_last=True)

    async def _insert_events(self, session_id: str, page: Page, after: Key | None, *, are_last: bool) -> Key:
        """Add these behind the key `after`, unless something is wrong with the session; gives the key of the last."""
        if session_id not in self.wrong:
            try:
                await self._target.insert_events(session_id, [read.event for read in page])
            except NOT_TAKEN as error:
                self.wrong[session_id] = str(error)
            else:
                self._progress.moved(len(page))
                await self._compared.begin(lambda: self._compare(session_id, [page], after, are_last=are_last))
        return page[-1].event.key

    # whole sessions

    def _take_batch(self) -> Batch:
        batch, self._batch = self._batch, Batch()
        return batch

    async def _write(self, batch: Batch) -> None:
        """Write it, once the one before is written; who calls may read on meanwhile."""
        if batch.records:
            await self._written.begin(lambda: self._add_sessions(batch))

    async def _add_sessions(self, batch: Batch) -> None:
        pages = [page for some in batch.pages for page in some]
        try:
            if isinstance(self._target, EventTaker):
                await self._target.add_read_sessions(batch.records, pages, self._counter())
            else:
                rows = [[dump(read.event.to_row()) for read in page] for page in pages]
                await self._target.add_sessions(batch.records, rows, self._counter())
        except NOT_TAKEN as error:
            if len(batch.records) == 1:
                await self._refused(batch, error)
                return
            self._progress.moved(-self._counted)
            for record, some in zip(batch.records, batch.pages, strict=True):  # which one is it?
                alone = Batch()
                alone.add(record, some)
                await self._add_sessions(alone)
        else:
            await self._compared.begin(lambda: self._compare_batch(batch))

    async def _refused(self, batch: Batch, error: Exception) -> None:
        """The target has the one session of this batch already: it is wrong, unless another copy has made the same."""
        (record,), (pages,) = batch.records, batch.pages
        is_there = await self._target.get_session(record.id) == record
        if is_there and await difference(self._target, record.id, pages, are_last=batch.are_whole) is None:
            self._progress.moved(batch.events)
        else:
            self.wrong[record.id] = str(error)

    def _counter(self) -> Callable[[int], None]:
        self._counted = 0

        def count(done: int) -> None:
            self._progress.moved(done - self._counted)
            self._counted = done

        return count

    # what was written, read again

    async def _compare_batch(self, batch: Batch) -> None:
        for record, pages in zip(batch.records, batch.pages, strict=True):
            await self._compare_record(record)
            await self._compare(record.id, pages, None, are_last=batch.are_whole)

    async def _compare_record(self, record: SessionRecord) -> None:
        if await self._target.get_session(record.id) != record:
            self.wrong.setdefault(record.id, "its record came out otherwise")

    async def _compare(self, session_id: str, pages: Pages, after: Key | None, *, are_last: bool) -> None:
        found = await difference(self._target, session_id, pages, after, are_last=are_last)
        if found is not None:
            self.wrong.setdefault(session_id, found)


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


def _characters(page: Page) -> int:
    """About how many characters the payloads of a page take as JSON."""
    return sum(len(dump(event.payload) if text is None else text) for event, text in page[::SAMPLED]) * SAMPLED
