"""SQLite files that the user brings: their sessions, read by the driver and checked, as a recording to import."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, closing

from ..archive import BYTES_PER_CHUNK, MAX_FILE_BYTES, MAX_LINE_BYTES, ROWS_PER_CHUNK, Recording
from ..drivers.base import SessionStore, check_event, check_record
from ..drivers.paging import event_pages, session_pages
from ..errors import InvalidFileError, PyappError
from ..types import SessionEvent, SessionRecord
from .kinds import LOG, IncompleteFileError
from .world import SourceFile, World

NO_SESSIONS = "it holds no sessions"

Tell = Callable[[str, int, int], None]
"""Is told what is done (`bytes` or `events`), how much of it, and of how much."""


class DatabaseFile:
    """A file that arrives in pieces: `add` them all, then `read`. Used as a context manager; it is gone at the end."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        from tempfile import TemporaryDirectory  # which needs much that the page's start does not

        self._folder = TemporaryDirectory()
        self._path = f"{self._folder.name}/sessions.db"
        self._file = open(self._path, "wb")  # noqa: SIM115 - closed at the end of the context
        self._size = 0

    def __enter__(self) -> DatabaseFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()
        self._folder.cleanup()

    def add(self, piece: bytes) -> None:
        """The next bytes. Raises InvalidFileError when there are too many."""
        self._size += len(piece)
        if self._size > MAX_FILE_BYTES:
            raise InvalidFileError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB; copy some of its sessions")
        self._file.write(piece)

    async def add_log(self, log: SourceFile) -> None:
        """The file of changes beside the database."""
        if log.size > MAX_FILE_BYTES:
            raise InvalidFileError(f"{log.name} is larger than {MAX_FILE_BYTES >> 20} MiB")
        with open(f"{self._path}{LOG}", "wb") as file:  # noqa: ASYNC230 - a temporary file, in memory in the page
            async for piece in log.slices():
                file.write(piece)

    async def read(self, tell: Tell) -> Recording:
        """What it holds. Raises InvalidFileError with a reason; the file that the user chose is never touched."""
        self._file.close()
        _check_tables(self._path)
        try:
            async with AsyncExitStack() as stack:
                store = await stack.enter_async_context(await self._world.open_file(self._path))
                return await _read(store, tell)
        except InvalidFileError:
            raise
        except PyappError as error:
            kind = IncompleteFileError if _is_damage(error) else InvalidFileError
            raise kind(str(error).replace(self._path, self._name)) from None


def _check_tables(path: str) -> None:
    """Raises InvalidFileError where no sessions can be: the driver would make the tables that it does not find."""
    import sqlite3

    try:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")  # a log is read without shared memory then
            tables = {name for (name,) in database.execute("SELECT lower(name) FROM sqlite_master")}
    except sqlite3.Error:
        return  # the driver says what it is
    if not tables:
        raise IncompleteFileError(NO_SESSIONS)
    if "sessions" not in tables:
        raise InvalidFileError(
            "it has no table of sessions, so it is another program's database. Bring one in which sandbox-agent's "
            "SQLite driver keeps sessions, or a recording in JSON lines"
        )


def _is_damage(error: PyappError) -> bool:
    import sqlite3

    return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT


async def _read(store: SessionStore, tell: Tell) -> Recording:
    total = (await store.totals()).events
    reader = _Reader(total, tell)
    async for records in session_pages(store):
        for record in records:
            reader.take_session(record)
            async for events in event_pages(store, record.id):
                for event in events:
                    reader.take_event(record.id, event)
                reader.end_page()
    return reader.recording()


class _Reader:
    """Checks records and events as those of a recording are, and keeps the events as JSON texts."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._total = total
        self._tell = tell
        self._records: list[SessionRecord] = []
        self._chunks: list[list[str]] = [[]]
        self._size = 0
        self._count = 0
        self._last_index = 0

    def take_session(self, record: SessionRecord) -> None:
        check_record(record)
        self._records.append(record)
        self._last_index = 0

    def take_event(self, session_id: str, event: SessionEvent) -> None:
        if event.event_index == self._last_index:
            raise InvalidFileError(f"the session {session_id!r} has two events {event.event_index}")
        self._last_index = event.event_index
        text = check_event(session_id, event)
        if len(text) > MAX_LINE_BYTES:
            raise InvalidFileError(f"the event {event.id!r} is longer than {MAX_LINE_BYTES >> 20} MiB")
        if len(self._chunks[-1]) >= ROWS_PER_CHUNK or self._size >= BYTES_PER_CHUNK:
            self._chunks.append([])
            self._size = 0
        self._chunks[-1].append(text)
        self._size += len(text)
        self._count += 1

    def end_page(self) -> None:
        self._tell("events", self._count, self._total)

    def recording(self) -> Recording:
        if not self._records:
            raise IncompleteFileError(NO_SESSIONS)
        if self._count < self._total:
            raise InvalidFileError(f"{self._total - self._count:,} of its events belong to sessions that are not in it")
        return Recording(tuple(self._records), [chunk for chunk in self._chunks if chunk], self._count)
