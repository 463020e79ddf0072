"""One SQLite database: opened at the first call, one connection that writes, one that reads, and what each runs on.

A file gets a connection and a thread for either, so that reads wait for no write. A database in memory is its one
connection, and so is every file where there are no threads. Then the reads stand in the writer's queue.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ...errors import StoreUnavailableError, UnknownLayoutError
from .errors import BUSY_SECONDS, code_of, read_only, translated, why_not
from .lanes import HAS_THREADS, open_lane
from .layout import Found, Statements, look

MEMORY = ":memory:"

_LACKS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""What SQLite says where a file that it needs beside a WAL file can be neither read nor made: IOERR on a full disk."""

T = TypeVar("T")


class Database:
    """The file, or the memory, called `name`. What is not said to run on a lane runs anywhere."""

    def __init__(self, name: str, *, only_reads: bool = False) -> None:
        self.name = name
        self._only_reads = only_reads
        self.statements = Statements()
        self.writing = open_lane("pyapp-sqlite-write")
        self.reading = open_lane("pyapp-sqlite-read")
        self.has_reader = name != MEMORY and HAS_THREADS
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self.first_version = 0
        """The `version` that the connection which writes has seen when it was opened."""
        self._is_read_only = False
        self._mode = "rwc"
        self._is_closing = False

    @property
    def is_open(self) -> bool:
        """Whether the layout is known to be there."""
        return self._writer is not None

    def check_open(self) -> None:
        """Raises StoreUnavailableError once it is being closed."""
        if self._is_closing:
            raise StoreUnavailableError(f"the store {self.name} was closed; open another one")

    def refuse_calls(self) -> None:
        """From now on `check_open` raises."""
        self._is_closing = True

    # on the writing lane

    def writer(self) -> sqlite3.Connection:
        """The connection that writes, opened now if it was not. Raises StoreUnavailableError, UnknownLayoutError and
        StoreError."""
        if self._writer is None:
            with translated(self.name):
                connection = self._open()
                self.first_version = version(connection)
                self._writer = connection
        self._check_file()
        return self._writer

    def open(self) -> None:
        """Open the file if it is not open yet. Raises as `writer` does."""
        self.writer()

    def has_sessions(self) -> bool:
        """Whether a file is there and has upstream's tables; nothing is made. Raises as `writer` does."""
        if self._writer is not None:
            self._check_file()
            return True
        if not os.path.isfile(self.name):
            return False
        with translated(self.name):
            connection, found = self._look()
            connection.close()
        return found.is_readable or found.is_old

    def check_writable(self) -> None:
        """Raises StoreUnavailableError when the file was opened for reading alone."""
        if self._is_read_only:
            raise read_only(self.name)

    def close_writer(self) -> None:
        """Let go of the file; the last one who does so takes the WAL file away."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # on the reading lane, if there is one, and once it is open

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads. Raises as `writer` does."""
        with translated(self.name):
            self._check_file()
            if self._reader is None:
                self._reader = self._connect(self._mode.removesuffix("c"))
            return work(self._reader)

    def close_reader(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # opening

    def _open(self) -> sqlite3.Connection:
        if self.name == MEMORY:
            connection = self._connect(self._mode)
            _complete(connection, self.name)
            return connection
        if os.path.isdir(self.name) or "\0" in self.name:
            raise StoreUnavailableError(f"{self.name!r} cannot be opened: {why_not(self.name)}")
        connection, found = self._look()
        try:
            if not self._is_read_only:
                if HAS_THREADS:
                    _use_wal(connection)
                else:
                    _leave_wal(connection)
                if found.steps:
                    _complete(connection, self.name)
            elif found.is_old:
                raise StoreUnavailableError(
                    f"{self.name} is of upstream's first layout, which is brought up to date before it can be read; "
                    "make it and its folder writable, or open a copy"
                )
            elif not found.is_readable:
                raise UnknownLayoutError(f"{self.name} holds no sessions, and is only read here; it was left alone")
            else:
                self.statements = Statements(found)
            about = os.stat(self.name)
        except BaseException:
            connection.close()
            raise
        self._identity = about.st_dev, about.st_ino
        return connection

    def _look(self) -> tuple[sqlite3.Connection, Found]:
        """A connection, and what is in the file; nothing was changed yet."""
        place = os.path.realpath(self.name)  # SQLite puts its files beside the file, not beside a link to it
        can_be_written = os.access(place, os.W_OK) and os.access(os.path.dirname(place), os.W_OK)
        self._is_read_only = self._only_reads or (os.path.exists(self.name) and not can_be_written)
        # Who may write also takes away what SQLite puts beside the file while it is open.
        self._mode = "rwc" if not self._is_read_only else "rw" if can_be_written else "ro"
        try:
            connection, found = self._connect_and_look()
        except sqlite3.OperationalError as error:
            # A WAL file needs another one beside it, unless nobody writes; then all of it is in the file itself.
            if not self._is_read_only or code_of(error) not in _LACKS or _is_half(place):
                raise
            self._mode = "ro&immutable=1"
            connection, found = self._connect_and_look()
        if found.is_old and self._mode == "rw":  # it has to be brought up to date before anything can be read
            connection.close()
            self._is_read_only = False
            return self._connect_and_look()
        return connection, found

    def _connect_and_look(self) -> tuple[sqlite3.Connection, Found]:
        connection = self._connect(self._mode)
        try:
            return connection, look(connection, self.name)
        except BaseException:
            connection.close()
            raise

    def _connect(self, mode: str) -> sqlite3.Connection:
        target = MEMORY if self.name == MEMORY else f"{Path(self.name).as_uri()}?mode={mode}"
        connection = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None, uri=self.name != MEMORY)
        # Functions that a hostile file's schema calls are not run.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA query_only = {self._is_read_only:d}")
        if not HAS_THREADS:  # a WAL file is opened without shared memory then (see _leave_wal)
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        return connection

    def _check_file(self) -> None:
        """A file that was deleted can be written on, and all is lost in the end. Raises StoreUnavailableError."""
        if self._identity is None:
            return
        try:
            about = os.stat(self.name)
        except OSError:
            about = None
        if about is None or (about.st_dev, about.st_ino) != self._identity:
            raise StoreUnavailableError(
                f"{self.name} was deleted, moved or replaced while it was open; nothing was written. Open it again"
            )


def _is_half(name: str) -> bool:
    """Whether there are changes that are not in the file itself yet, or some in it that have to be undone."""
    beside = (f"{name}-wal", f"{name}-journal")
    return any(os.path.exists(path) and os.path.getsize(path) > 0 for path in beside)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and the writer then do not wait for each other. Where the file system has no shared memory the journal
    stays as it is; so it does while others hold the file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if code_of(error) not in (
                sqlite3.SQLITE_BUSY,
                sqlite3.SQLITE_IOERR,
                sqlite3.SQLITE_CANTOPEN,
            ):
                raise


def _leave_wal(connection: sqlite3.Connection) -> None:
    """Back to a rollback journal: Emscripten's file systems imitate shared memory, or have none."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    connection.execute("PRAGMA locking_mode = NORMAL").fetchone()
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only with this the lock is let go of


def _complete(connection: sqlite3.Connection, name: str) -> None:
    """Make what is missing of the layout: all of it, or nothing. Of several processes one does."""
    with transaction(connection):
        for step in look(connection, name).steps:
            connection.execute(step)


def version(connection: sqlite3.Connection) -> int:
    """A number that is another one once anybody else has committed."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What is done within is done wholly, or, when it raises, not at all; nobody else can write beside it."""
    begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction that nobody else can write beside."""
    connection.execute("BEGIN IMMEDIATE")


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo it; after some errors, such as that of a full disk, SQLite has done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
