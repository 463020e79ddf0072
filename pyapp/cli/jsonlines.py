"""A recording (JSON lines) as a store: read where each line lies, written beside the file until it is whole.

The file is checked once from end to end, line by line; what is kept of an event is its key and its place in the file.
So a recording of any size is listed like a database, and its lines may stand in any order.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from .. import json_text
from ..archive import LineChecker
from ..drivers.base import (
    Key,
    SessionHead,
    Totals,
    check_limit,
    cursor_after,
    read_cursor,
)
from ..errors import InvalidFileError, InvalidRecordError, StoreError
from ..types import ListPage, SessionEvent, SessionRecord

SLICE = 1 << 20
"""Bytes that are read and checked at once."""

Place = tuple[Key, int, int]
"""Where an event lies: its key, where its line begins, and how long that is, in bytes."""


class Index(LineChecker):
    """Checks a recording, and keeps where the lines of its sessions begin, and where each of its events lies."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, SessionRecord] = {}
        self.starts: dict[str, int] = {}
        self.places: dict[str, list[Place]] = {}

    def keep_session(self, record: SessionRecord) -> None:
        self.records[record.id] = record
        self.starts[record.id] = self.line_start

    def keep_event(self, event: SessionEvent, text: str) -> None:
        place = event.key, self.line_start, self.line_size
        self.places.setdefault(event.session_id, []).append(place)

    def order(self) -> None:
        """Put the events of each session in their order."""
        for places in self.places.values():
            places.sort()


class RecordingDriver:
    """The sessions of a recording that was indexed, to be read. Writing raises StoreError.

    `file` is open for reading. Raises InvalidFileError when its lines are not any more what they were.
    """

    def __init__(self, file: BinaryIO, name: str, index: Index) -> None:
        self._file = file
        self._name = name
        self._records = index.records
        self._starts = index.starts
        self._places = index.places
        self._order = sorted(record.key for record in index.records.values())

    async def aclose(self) -> None:
        """Close the file."""
        self._file.close()

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        return self._records.get(session_id)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id)."""
        after, most = read_cursor("sessions", cursor), check_limit(limit)
        start = 0 if after is None else bisect_right(self._order, after)
        keys = self._order[start : start + most]
        more = start + most < len(self._order)
        records = tuple(self._records[id_] for _, id_ in keys)
        return ListPage(records, cursor_after("sessions", keys[-1]) if more else None)

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id)."""
        after, most = read_cursor("events", cursor), check_limit(limit)
        places = self._places.get(session_id, [])
        start = 0 if after is None else bisect_right(places, after, key=itemgetter(0))
        some = places[start : start + most]
        more = start + most < len(places)
        return ListPage(self._read(some), cursor_after("events", some[-1][0]) if more else None)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first."""
        places = self._places.get(session_id, [])
        end = len(places) if before is None else bisect_left(places, before, key=itemgetter(0))
        return self._read(places[max(0, end - check_limit(n)) : end])

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are in the file."""
        return len(self._places.get(session_id, []))

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs."""
        return [SessionHead.of(self._records[id_]) for _, id_ in self._order]

    async def totals(self) -> Totals:
        """How much is in the file."""
        return Totals(len(self._records), sum(map(len, self._places.values())))

    async def update_session(self, record: SessionRecord) -> None:
        """A recording is not written to."""
        raise StoreError(f"{self._name} is a recording, and is only read")

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """A recording is not written to."""
        raise StoreError(f"{self._name} is a recording, and is only read")

    # what is added, for a recording that grows

    def _keep(self, record: SessionRecord, start: int) -> None:
        """A record, and where its line begins."""
        self._records[record.id] = record
        self._starts[record.id] = start
        insort(self._order, record.key)

    def _keep_places(self, session_id: str, places: Sequence[Place]) -> None:
        """More events of a session, in their order."""
        known = self._places.setdefault(session_id, [])
        is_behind = not known or not places or known[-1] < places[0]
        known += places
        if not is_behind:
            known.sort()

    def _has_index(self, session_id: str, event_index: int) -> bool:
        places = self._places.get(session_id, [])
        at = bisect_left(places, (event_index, ""), key=itemgetter(0))
        return at < len(places) and places[at][0][0] == event_index

    def _read(self, places: Sequence[Place]) -> tuple[SessionEvent, ...]:
        """The events at some places; those that follow one another in the file are read at once."""
        return tuple(event for run in _runs(places) for event in self._read_run(run))

    def _read_run(self, run: Sequence[Place]) -> Iterator[SessionEvent]:
        _, start, _ = run[0]
        _, last, size = run[-1]
        self._file.seek(start)
        data = self._file.read(last + size - start)
        for key, at, length in run:
            try:
                row = json_text.parse(data[at - start : at - start + length].decode("utf-8-sig"))
                row.pop("type")
                event = SessionEvent.from_row(row)
            except (ValueError, AttributeError, KeyError, InvalidRecordError):
                raise _changed(self._name) from None
            if event.key != key:
                raise _changed(self._name)
            yield event


async def open_recording(path: Path) -> RecordingDriver:
    """The recording at a path, checked whole. Raises InvalidFileError with the line, and OSError."""
    file = path.open("rb")
    try:
        return RecordingDriver(file, str(path), await read_index(file, str(path)))
    except BaseException:
        file.close()
        raise


async def read_index(file: BinaryIO, name: str) -> Index:
    """The index of an open recording. Raises InvalidFileError, which names it."""
    index = Index()
    try:
        while data := file.read(SLICE):
            index.feed(data)
            await asyncio.sleep(0)  # so that Ctrl-C ends it: a large file takes its time
        index.end()
    except InvalidFileError as error:
        raise InvalidFileError(f"{name}, {error}" if error.line else f"{name}: {error}") from None
    index.order()
    return index


def _runs(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    """The places in pieces that lie one behind the other in the file, of some MiB at most."""
    start = 0
    for number in range(1, len(places) + 1):
        if number < len(places):
            (_, before, size), (_, at, _) = places[number - 1], places[number]
            if 0 <= at - before - size <= 2 and at - places[start][1] < SLICE:
                continue
        yield places[start:number]
        start = number


def _changed(name: str) -> InvalidFileError:
    return InvalidFileError(f"{name} was changed while it was read; start again")
