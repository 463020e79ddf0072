"""Kinds of files that the user may bring, told apart by how they begin."""

from __future__ import annotations

from ..errors import InvalidFileError

LOG = "-wal"
"""The ending of the file in which changes lie that are not in the database itself yet."""

LOOKED_AT = 19
"""Bytes at a file's beginning that tell what is asked here."""

DATABASES = (".db", ".sqlite", ".sqlite3")

NEEDS_LOG = "If a program has it open, what is missing is in {name} beside it: choose or drop both together."


class IncompleteFileError(InvalidFileError):
    """A database without something that may be in the log beside it."""


def is_database(head: bytes) -> bool:
    """Whether a file begins as every SQLite file does (https://sqlite.org/fileformat.html)."""
    return head.startswith(b"SQLite format 3\x00")


def has_log(head: bytes) -> bool:
    """Whether a database's changes go to a log first, so that some may be there alone (the same page, 1.3.3)."""
    return head[18:19] == b"\x02"


def why(name: str, head: bytes, error: InvalidFileError) -> str:
    """The reason; a file of another kind is told what it is not, instead of line 1 of it alone."""
    if error.line is None:
        return str(error)
    if name.lower().endswith(DATABASES):
        return "it is neither a SQLite database nor a recording in JSON lines"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return "it is a web page, or XML. Where a site shows a file in a page, take the address of the file itself."
    return f"{error}. A recording has one JSON object a line." if error.line == 1 else str(error)
