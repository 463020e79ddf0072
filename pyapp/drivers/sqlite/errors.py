"""What SQLite's errors mean for who uses a store, and what to do about them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import (
    InvalidRecordError,
    PyappError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
)

BUSY_SECONDS = 10.0
"""How long another process may hold the file before a call gives up."""


@contextmanager
def translated(name: str) -> Iterator[None]:
    """What SQLite raises within comes out as an error of ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error, name) from error


def store_error(error: sqlite3.Error, name: str) -> PyappError:
    """The error of ours. SQLite's codes: https://sqlite.org/rescode.html"""
    match code_of(error):
        case sqlite3.SQLITE_FULL:
            return _full(name)
        case sqlite3.SQLITE_IOERR if error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHMSIZE:
            return _full(name)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailableError(
                f"{name} was in use by others for over {BUSY_SECONDS:g} seconds; nothing was written. Try again"
            )
        case sqlite3.SQLITE_READONLY if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            return StoreUnavailableError(
                f"{name} was left in the middle of a change, which has to be undone before it can be read; open it "
                "once as a user who may write to it and its folder"
            )
        case sqlite3.SQLITE_READONLY:
            return read_only(name)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StoreUnavailableError(f"{name} cannot be opened: {why_not(name)}")
        case sqlite3.SQLITE_NOTADB:
            return UnknownLayoutError(f"{name} is not a SQLite database; it was left alone")
        case sqlite3.SQLITE_CORRUPT:
            return StoreError(
                f"{name} is damaged ({error}); it was left alone. Copy what can be read: sqlite3 {name} .recover"
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return InvalidRecordError(f"a constraint or a trigger of {name} refuses it: {error}; nothing was written")
        case sqlite3.SQLITE_TOOBIG:
            return InvalidRecordError("larger than SQLite keeps in one row; nothing was written")
        case _ if isinstance(error, sqlite3.DataError):
            return InvalidRecordError(f"SQLite keeps no such value: {error}")
        case _:
            return StoreError(f"{name}: {error}")


def code_of(error: sqlite3.Error) -> int:
    """The primary code of an error, 0 for one that is Python's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def read_only(name: str) -> StoreUnavailableError:
    """What a write to a file is told that can only be read."""
    return StoreUnavailableError(f"{name} can only be read here; nothing was written. Make it and its folder writable")


def why_not(path: str) -> str:
    """Why a file cannot be opened, in words."""
    if "\0" in path:
        return "no file has such a name"
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        return "it is a folder"
    if not os.path.isdir(folder):
        return "its folder does not exist; make it first"
    if not os.path.exists(path) and os.access(folder, os.W_OK):
        return "there is no such file"
    if not os.access(path if os.path.exists(path) else folder, os.R_OK):
        return "it may not be read by this user"
    if not os.access(folder, os.W_OK):
        return "its folder may not be written to by this user"
    return "the system does not say why"


def _full(name: str) -> StoreFullError:
    return StoreFullError(f"there is no room for {name} to grow; what was stored before is whole")
