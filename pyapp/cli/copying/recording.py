"""A recording (JSON lines) that is written to: beside the file, in its `.part`, which takes its place once it is whole.

The part's name follows from the source, the chosen sessions and the target as it was. So the same command finds it
again after an interruption and goes on behind its last whole line, and no other command takes it for its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, FileIO
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from ...archive import line_of
from ...drivers.base import check_event
from ...errors import EventConflictError, InvalidFileError, StoreFullError, StoreUnavailableError
from ...types import SessionEvent, SessionRecord
from ..exits import NO_ROOM
from ..jsonlines import Index, Place, RecordingDriver, read_index

try:
    import fcntl
except ImportError:  # Windows: two copies at once into one file are then not kept apart
    fcntl = None  # type: ignore[assignment]


class RecordingTarget(RecordingDriver):
    """The sessions of a file and of its part, and what is added. `identity` is what the same command says again.

    Nothing is made before the first write. Raises InvalidFileError when the file is there and is no recording.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path = path.resolve()  # a link stays one, what it leads to is replaced
        self._state = _state(path)
        digest = hashlib.sha256(f"{identity}\0{self._state}".encode(errors="surrogatepass")).hexdigest()[:12]
        self.part = path.with_name(f".{path.name}.{digest}.part")
        self._writer: FileIO | None = None
        self._end = 0
        if self.is_begun:
            _drop_torn_line(self.part)
        file, index = self._begun_or_whole()
        super().__init__(file, str(path), index)
        self._event_ids = {id_ for places in index.places.values() for (_, id_), _, _ in places}

    @property
    def is_begun(self) -> bool:
        """There is a part, of this run or of one that was interrupted."""
        return self.part.exists()

    def _begun_or_whole(self) -> tuple[BinaryIO, Index]:
        if self.is_begun:
            try:
                return self._indexed(self.part)
            except InvalidFileError:
                self.discard()  # a part that is damaged is of no use: begin again
        return self._indexed(self.path)

    def _indexed(self, path: Path) -> tuple[BinaryIO, Index]:
        if not path.exists() or not path.stat().st_size:
            return open(os.devnull, "rb"), Index()
        file = path.open("rb")
        try:
            return file, read_index(file, str(path))
        except BaseException:
            file.close()
            raise

    async def aclose(self) -> None:
        """Close the files; the part stays."""
        await super().aclose()
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
                lines.write(line_of("session", record.to_row()).encode())
                self._keep(record)
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

    async def keep(self) -> None:
        """The part takes the file's place. Raises StoreUnavailableError when another program has written the file."""
        if not self.is_begun:
            return
        await self.aclose()
        if _state(self.path) != self._state:
            raise StoreUnavailableError(
                f"{self.path} was changed meanwhile and is left as it is; run the command again"
            )
        self.part.replace(self.path)
        _sync_folder(self.path.parent)

    def discard(self) -> None:
        """Throw the part away."""
        self.part.unlink(missing_ok=True)

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
        try:
            if self._writer is None:
                self._writer = self._open_part()
                self._end = self._writer.seek(0, os.SEEK_END)
            yield lines
            rest = lines.getbuffer()
            while rest:
                rest = rest[self._writer.write(rest) :]
            os.fsync(self._writer.fileno())
            self._end += lines.tell()
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StoreFullError(
                    f"there is no room for {self.path}; it was left as it was. What was copied is in {self.part}: "
                    "make room and run the command again, or delete it"
                ) from None
            raise

    def _open_part(self) -> FileIO:
        if not self.is_begun and self.path.exists():
            made = self.part.with_suffix(".new")  # a copy that broke off is no part
            shutil.copy(self.path, made)
            if made.stat().st_size and not _ends_line(made):
                with made.open("ab") as file:
                    file.write(b"\n")
            made.replace(self.part)
        writer = self.part.open("ab", buffering=0)
        self._file.close()
        self._file = self.part.open("rb")  # where what is written can be read again
        if fcntl is not None:
            try:
                fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                writer.close()
                raise StoreUnavailableError(f"another copy is writing {self.path}; wait for its end") from None
        return writer


def _state(path: Path) -> str:
    """What tells whether a file was changed."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "none"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _drop_torn_line(path: Path) -> None:
    """Cut off what stands behind the last line end: the line that was being written at the interruption."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65_536)
            file.seek(start)
            if (found := file.read(end - start).rfind(b"\n")) >= 0:
                end = start + found + 1
                break
            end = start
        file.truncate(end)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where a system knows of such a thing."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
