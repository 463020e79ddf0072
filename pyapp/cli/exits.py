"""Which failure ends in which exit code, and in which words. docs/command-line.md has the same table."""

from __future__ import annotations

import errno

from ..errors import (
    EventConflictError,
    InvalidFileError,
    InvalidRecordError,
    PyappError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
    UnknownSessionError,
)

OK = 0
REFUSED = 1
"""It was carried out, and found something: a promise broken, a session with other content, a difference."""
USAGE = 2
"""The command line says what cannot be: an unknown command, option or kind of address."""
UNAVAILABLE = 3
"""A source or target cannot be reached: no such file, a refused connection, a missing extra."""
UNREADABLE = 4
"""It is there, and is not what it should be: a corrupt file, a foreign schema, a newer layout."""
FULL = 5
"""The disk is full."""
UNKNOWN_SESSION = 6
"""No session has that id."""
BUG = 70
"""A fault of this program."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it: 128 + SIGINT."""
HUNG_UP = 129
"""The terminal is gone: 128 + SIGHUP."""
BROKEN_PIPE = 141
"""Whoever read the output has left: 128 + SIGPIPE."""
TERMINATED = 143
"""The process was told to end: 128 + SIGTERM."""


class UsageError(PyappError, ValueError):
    """The command line asks for what cannot be done."""


class Refused(PyappError):
    """The command was not carried out, since that would have harmed what is there."""


_CODES: tuple[tuple[type[Exception], int], ...] = (
    (UsageError, USAGE),
    (Refused, REFUSED),
    (UnknownSessionError, UNKNOWN_SESSION),
    (EventConflictError, REFUSED),
    (StoreFullError, FULL),
    (UnknownLayoutError, UNREADABLE),
    (StoreUnavailableError, UNAVAILABLE),
    (InvalidFileError, UNREADABLE),
    (InvalidRecordError, UNREADABLE),
    (StoreError, UNREADABLE),
    (PyappError, UNAVAILABLE),
)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def failure(error: BaseException) -> tuple[str, int]:
    """The words for an error and its exit code."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return str(error), code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", FULL if error.errno in NO_ROOM else UNAVAILABLE
    return (
        f"something failed inside of this program: {type(error).__name__}: {error} "
        "(--traceback before the command shows where)",
        BUG,
    )
