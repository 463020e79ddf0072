"""Sessions in and out as files: recordings in JSON lines.

Each line is one JSON object: `{"type":"session", …}` with the fields of a SessionRecord, or
`{"type":"event", …}` with those of a SessionEvent, in any order. Nothing of a file is trusted, and nothing is
stored before the whole of it was checked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from . import json_text
from .drivers.base import SessionPersistDriver, check_ids
from .drivers.paging import event_pages
from .errors import InvalidFileError, InvalidRecordError, UnknownSessionError
from .types import Row, SessionEvent, SessionRecord

MAX_FILE_BYTES = 512 << 20
"""The largest file that is taken: it is held in memory until it is stored."""

MAX_LINE_BYTES = 64 << 20
"""The longest line that is taken."""

ROWS_PER_CHUNK = 500
BYTES_PER_CHUNK = 4 << 20
EVENTS_PER_PAGE = 500

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Recording:
    """A checked file, ready for `SessionStore.add_sessions`.

    `event_rows` are chunks of rows, each row a JSON text, `event_count` how many rows they hold together.
    """

    sessions: tuple[SessionRecord, ...]
    event_rows: Sequence[Sequence[str]]
    event_count: int


class LineChecker:
    """Checks a recording that is fed in slices; `keep_session` and `keep_event` are told what was found.

    `feed` and `end` raise InvalidFileError with the line and a reason. Blank lines, a byte order mark and CRLF
    are tolerated. After an error the checker is of no further use.
    """

    def __init__(self) -> None:
        self._line = 0
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._sessions: dict[str, SessionRecord] = {}
        self._event_ids: set[str] = set()
        self._indexes: dict[str, set[int]] = {}
        self._first_line: dict[str, int] = {}
        self.line_start = 0
        """Where in the file the line begins that is being checked, in bytes."""
        self.line_size = 0
        """Its length in bytes, without its end."""

    def keep_session(self, record: SessionRecord) -> None:
        """A line held this session."""

    def keep_event(self, event: SessionEvent, text: str) -> None:
        """A line held this event, whose row is this JSON text."""

    def feed(self, data: bytes | str) -> None:
        """Check the next slice of the file; it may end anywhere, even within a character if it is bytes."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        first, *others = data.split(b"\n")
        self._keep(first)
        for part in others:
            self._end_line()
            self._keep(part)

    def end(self) -> None:
        """Check what can be told at the end alone."""
        self._end_line()
        if not self._sessions and not self._event_ids:
            raise InvalidFileError("the file is empty")
        orphans = [line for id_, line in self._first_line.items() if id_ not in self._sessions]
        if orphans:
            raise InvalidFileError("the event belongs to a session that is not in the file", min(orphans))

    def _keep(self, part: bytes) -> None:
        self._pending.append(part)
        self._pending_size += len(part)
        if self._pending_size > MAX_LINE_BYTES:
            raise InvalidFileError(f"longer than {MAX_LINE_BYTES >> 20} MiB", self._line + 1)

    def _end_line(self) -> None:
        line = b"".join(self._pending)
        whole = self.line_size = self._pending_size
        self._pending, self._pending_size = [], 0
        self._line += 1
        if self._line == 1:
            line = line.removeprefix(_BOM)
        try:
            if line.strip():
                self._take(line.decode())
        except UnicodeDecodeError as error:
            raise InvalidFileError(f"not UTF-8: {error.reason}", self._line) from None
        except (InvalidRecordError, ValueError) as error:
            raise InvalidFileError(str(error), self._line) from None
        self.line_start += whole + 1

    def _take(self, line: str) -> None:
        row = json_text.parse(line)
        if not isinstance(row, dict):
            raise ValueError("not a JSON object")
        match row.pop("type", None):
            case "session":
                self._take_session(row)
            case "event":
                self._take_event(row)
            case None:
                raise ValueError("the type is missing; it must be 'session' or 'event'")
            case other:
                raise ValueError(f"the type must be 'session' or 'event', not {str(other)[:40]!r}")

    def _take_session(self, row: Row) -> None:
        record = SessionRecord.from_row(row)
        check_ids("session record", record.id)
        json_text.check_parsed(row, json_text.dump(row))
        if record.id in self._sessions:
            raise ValueError(f"the session {record.id!r} is in the file twice")
        self._sessions[record.id] = record
        self.keep_session(record)

    def _take_event(self, row: Row) -> None:
        event = SessionEvent.from_row(row)
        check_ids("event", event.id, event.session_id)
        text = json_text.dump(row)
        json_text.check_parsed(row, text)
        if event.id in self._event_ids:
            raise ValueError(f"an event with the id {event.id!r} is in the file twice")
        indexes = self._indexes.setdefault(event.session_id, set())
        if event.event_index in indexes:
            raise ValueError(f"the session {event.session_id!r} has two events {event.event_index}")
        self._event_ids.add(event.id)
        indexes.add(event.event_index)
        self._first_line.setdefault(event.session_id, self._line)
        self.keep_event(event, text)


class RecordingChecker(LineChecker):
    """Takes a file slice by slice, of any size; `finish` gives the recording. Raises as LineChecker does."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0
        self._chunks: list[Sequence[str]] = []
        self._rows: list[str] = []
        self._rows_size = 0

    def feed(self, data: bytes | str) -> None:
        """Check the next slice of the file, which is held in memory."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        self._size += len(data)
        if self._size > MAX_FILE_BYTES:
            raise InvalidFileError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB; split it by session")
        super().feed(data)

    def finish(self) -> Recording:
        """The recording, once all slices were fed."""
        self.end()
        self._end_chunk()
        return Recording(tuple(self._sessions.values()), self._chunks, len(self._event_ids))

    def keep_event(self, event: SessionEvent, text: str) -> None:
        """Put the row into a chunk."""
        self._rows.append(text)
        self._rows_size += len(text)
        if len(self._rows) >= ROWS_PER_CHUNK or self._rows_size >= BYTES_PER_CHUNK:
            self._end_chunk()

    def _end_chunk(self) -> None:
        if self._rows:
            self._chunks.append(self._rows)
        self._rows, self._rows_size = [], 0


def check_recording(slices: Iterable[bytes | str]) -> Recording:
    """The recording of a file that is at hand in slices. Raises InvalidFileError."""
    checker = RecordingChecker()
    for data in slices:
        checker.feed(data)
    return checker.finish()


async def read_rows(
    driver: SessionPersistDriver, session_ids: Iterable[str]
) -> AsyncIterator[tuple[Literal["session", "event"], Row]]:
    """What an export holds, row by row: of every session the record, then its events in order.

    Events are read page by page. Raises UnknownSessionError.
    """
    for session_id in session_ids:
        record = await driver.get_session(session_id)
        if record is None:
            raise UnknownSessionError(session_id)
        yield "session", record.to_row()
        async for events in event_pages(driver, session_id, limit=EVENTS_PER_PAGE):
            for event in events:
                yield "event", event.to_row()


async def write_recording(driver: SessionPersistDriver, session_ids: Iterable[str]) -> AsyncIterator[str]:
    """The lines of a recording of these sessions, each with its line end. Raises UnknownSessionError."""
    async for kind, row in read_rows(driver, session_ids):
        yield line_of(kind, row)


def line_of(kind: Literal["session", "event"], row: Row) -> str:
    """The line of a recording that a row makes, with its end."""
    return json_text.dump({"type": kind} | row | {"type": kind}) + "\n"
