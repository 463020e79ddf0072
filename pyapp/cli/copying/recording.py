"""A recording (JSON lines) that is written to: beside the file, in its `.part`, which takes its place once it is whole.

The part's name says of which state of the target it is a copy, and by which command: source and chosen sessions. So the
same command finds it again after an interruption and goes on behind its last whole line, and no other command takes it
for its own. Once the target is not any more what it was, by another command or another program, nobody can go on with
the part: whoever opens or writes the target next removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO, FileIO
from operator import attrgetter
from pathlib import Path

from ...archive import line_of
from ...drivers.base import check_event, check_record
from ...errors import EventConflictError, InvalidFileError, StoreFullError, StoreUnavailableError
from ...types import SessionEvent, SessionRecord
from ..exits import NO_ROOM
from ..jsonlines import Index, Place, RecordingDriver, read_index
from .files import copy_lines, drop_torn_line, is_at, is_locked, locked, opened, state, sync_folder

LONGEST_NAME = 200
"""Bytes of a file's name that stand in its part's name, which has 32 more; file systems take 255."""


class RecordingTarget(RecordingDriver):
    """The sessions of a file and of its part, and what is added. `identity` is what the same command says again.

    It is empty until `load`. Nothing is made before the first write. With `only_looked_at` no part is, nor is one used.
    """

    def __init__(self, path: Path, identity: str, *, only_looked_at: bool = False) -> None:
        self.path = path = Path(os.path.realpath(path))  # a link stays one, what it leads to is replaced
        super().__init__(BytesIO(), str(path), Index())
        self._state = state(path)
        self._beginning = f".{_short(path.name)}."
        self.part = path.with_name(f"{self._beginning}{_digest(self._state)}-{_digest(identity)}.part")
        self._only_looked_at = only_looked_at
        self._writer: FileIO | None = None
        self._end = 0

    async def load(self) -> None:
        """Read the part, if the same command was interrupted, else the file.

        Raises InvalidFileError when the file is there and is no recording, StoreUnavailableError when another copy
        writes the part.
        """
        if not self._only_looked_at:
            self._remove_useless()
            if self.part.exists():
                self._writer = self._open_part()
                drop_torn_line(self.part)
                try:
                    await self._load(self.part)
                except InvalidFileError:
                    self.discard()  # a part that is damaged is of no use: begin again
                else:
                    return
        await self._load(self.path)

    async def begin_again(self, session_ids: Iterable[str]) -> bool:
        """Throw away the part and read the file, if the part has anything of these sessions that the file has not."""
        if not self.is_begun or not any(map(self._is_of_part, session_ids)):
            return False
        self.discard()
        await self._load(self.path)
        return True

    def _is_of_part(self, session_id: str) -> bool:
        """Whether any line of a session stands in the part alone, which begins with all that is in the file."""
        end = self.path.stat().st_size if self.path.exists() else 0
        starts = [start for _, start, _ in self._places.get(session_id, [])]
        return max([self._starts.get(session_id, 0), *starts]) >= end

    @property
    def is_begun(self) -> bool:
        """There is a part, of this run or of one that was interrupted."""
        return self._writer is not None

    async def _load(self, path: Path) -> None:
        self._file.close()
        file = opened(path)
        self._file = file or BytesIO()
        index = await read_index(file, str(path)) if file else Index()
        super().__init__(self._file, str(self.path), index)
        self._event_ids = {id_ for places in self._places.values() for (_, id_), _, _ in places}
        self._updates: dict[int, SessionRecord] = {}
        """The records that take the place of others, by where the lines of those begin."""

    async def aclose(self) -> None:
        """Close the files; the part stays."""
        await super().aclose()
        self._close_writer()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions behind what is there: of each the record, then its events in their order."""
        events: dict[str, list[SessionEvent]] = {record.id: [] for record in records}
        for text in (text for rows in event_rows for text in rows):
            event = SessionEvent.from_row(json.loads(text))
            events[event.session_id].append(event)
        for record in records:
            if record.id in self._records:
                raise EventConflictError.session_taken(record.id)
        self._check_new([event for some in events.values() for event in some])
        with self._writing() as lines:
            for record in records:
                self._keep(record, self._end + lines.tell())
                lines.write(_line(record))
                self._add_events(lines, record.id, events[record.id])
        if progress is not None:
            progress(sum(map(len, events.values())))

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Add events of a session that is there already."""
        for event in events:
            check_event(session_id, event)
        self._check_new(events)
        with self._writing() as lines:
            self._add_events(lines, session_id, events)

    async def update_session(self, record: SessionRecord) -> None:
        """This record takes the place of the one with its id, which is there already, when the file is kept."""
        check_record(record)
        with self._writing():
            pass  # there is something to be kept
        start = self._starts[record.id]
        self._order.remove(self._records[record.id].key)
        self._keep(record, start)
        self._updates[start] = record

    async def keep(self) -> None:
        """The part takes the file's place.

        Raises StoreUnavailableError when another program has written the file, or removed the part.
        """
        if self._writer is None:
            return
        if not is_at(self._writer, self.part):
            raise StoreUnavailableError(
                f"{self.part} was removed while it was written; {self.path} is left as it is; run the command again"
            )
        if state(self.path) != self._state:
            self.discard()
            raise StoreUnavailableError(
                f"{self.path} was changed meanwhile and is left as it is; run the command again"
            )
        whole = self._updated_part() if self._updates else self.part
        await self.aclose()
        whole.replace(self.path)
        sync_folder(self.path.parent)
        self._remove_useless()

    def discard(self) -> None:
        """Throw the part away."""
        self._file.close()
        self._close_writer()
        self.part.unlink(missing_ok=True)

    def _updated_part(self) -> Path:
        """A file with all of the part, and with the records that take the place of others."""
        made = self.part.with_suffix(".new")
        with self._saying_what_is_full():
            copy_lines(self.part, made, {start: _line(record) for start, record in self._updates.items()})
        return made

    def _remove_useless(self) -> None:
        """Remove what interrupted copies have left, of other states of the file than this one; not what is written."""
        useful = f"{self._beginning}{_digest(state(self.path))}-"
        left = re.compile(re.escape(self._beginning) + r"[0-9a-f]{12}-[0-9a-f]{12}\.(part|new)")
        with suppress(OSError):  # where it cannot be removed it does no harm
            for path in self.path.parent.iterdir():
                if left.fullmatch(path.name) and not path.name.startswith(useful) and not is_locked(path):
                    path.unlink(missing_ok=True)

    def _check_new(self, events: Sequence[SessionEvent]) -> None:
        ids = {event.id for event in events}
        if len(ids) < len(events):
            raise EventConflictError.brought_twice()
        for taken in ids & self._event_ids:
            raise EventConflictError.id_taken(taken)
        keys = {(event.session_id, event.event_index) for event in events}
        if len(keys) < len(events):
            raise EventConflictError("two events have the same index; a recording cannot hold both")
        for event in events:
            if self._has_index(event.session_id, event.event_index):
                raise EventConflictError.index_taken(event.session_id, event.event_index)

    def _add_events(self, lines: BytesIO, session_id: str, events: Sequence[SessionEvent]) -> None:
        at = self._end + lines.tell()
        places: list[Place] = []
        for event in sorted(events, key=attrgetter("key")):
            line = line_of("event", event.to_row()).encode()
            lines.write(line)
            places.append((event.key, at, len(line) - 1))
            self._event_ids.add(event.id)
            at += len(line)
        self._keep_places(session_id, places)

    @contextmanager
    def _writing(self) -> Iterator[BytesIO]:
        """Takes lines; they are on the disk afterwards, behind what is there."""
        lines = BytesIO()
        with self._saying_what_is_full():
            if self._writer is None:
                self._writer = self._begin_part()
            self._end = self._writer.seek(0, os.SEEK_END)
            yield lines
            rest = lines.getbuffer()
            while rest:
                rest = rest[self._writer.write(rest) :]
            os.fsync(self._writer.fileno())

    @contextmanager
    def _saying_what_is_full(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StoreFullError(
                    f"there is no room for {self.path}; it was left as it was. What was copied is in {self.part}: "
                    "make room and run the command again, or delete it"
                ) from None
            raise

    def _begin_part(self) -> FileIO:
        if self.path.exists():
            made = self.part.with_suffix(".new")  # a copy that broke off is no part
            copy_lines(self.path, made, {})
            made.replace(self.part)
        writer = self._open_part()
        self._file.close()
        self._file = self.part.open("rb")  # where what is written can be read again
        return writer

    def _open_part(self) -> FileIO:
        writer = self.part.open("ab", buffering=0)
        if locked(writer) and is_at(writer, self.part):
            return writer
        writer.close()
        raise StoreUnavailableError(f"another copy is writing {self.path}; wait for its end")


def _line(record: SessionRecord) -> bytes:
    return line_of("session", record.to_row()).encode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _short(name: str) -> str:
    """The name, or its beginning and its digest where a part of it would have a longer name than files may have."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    beginning = os.fsencode(name)[: LONGEST_NAME - 20].decode(errors="ignore")
    return f"{beginning}~{_digest(name)}"
