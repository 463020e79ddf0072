"""The one exception tree.

    PyappError
    ├── InvalidRecordError      a record or an event that is not what its layout says
    ├── InvalidCursorError      a cursor that no list of this kind has given out
    ├── UnknownSessionError     an id under which nothing is stored
    ├── EventConflictError      a write that would overwrite a stored event
    ├── InvalidFileError        a file that is not a recording; knows the line
    ├── Cancelled               the user stopped a long job; nothing was changed
    └── StoreError              the store could not do what was asked
        ├── StoreUnavailableError   it cannot be opened here, or was closed
        ├── UnknownLayoutError      it holds a layout that is not ours to touch
        └── StoreFullError          the disk or the quota is full

Every message says what happened and, where there is something to do, what.
"""

from __future__ import annotations


class PyappError(Exception):
    """The base of every error that this package raises on purpose."""


class InvalidRecordError(PyappError, ValueError):
    """A record or an event that cannot be stored as it is; nothing was written."""


class InvalidCursorError(PyappError, ValueError):
    """A cursor that no listing of this kind has given out."""


class UnknownSessionError(PyappError, LookupError):
    """No session is stored under this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"no session is stored under the id {session_id!r}")
        self.session_id = session_id


class EventConflictError(PyappError):
    """An event that would take the place of another one; nothing was overwritten."""

    @classmethod
    def index_taken(cls, session_id: str, event_index: int) -> EventConflictError:
        """The index is in use by another event of the session.

        The first line is upstream's: its TypeScript client looks for exactly these words, takes
        a new index and tries again.
        """
        return cls(
            "UNIQUE constraint failed: events.session_id, events.event_index "
            f"(session {session_id!r} already has an event {event_index})"
        )

    @classmethod
    def id_taken(cls, event_id: str) -> EventConflictError:
        """Another event, with other content, is stored under this id."""
        return cls(f"an event with the id {event_id!r} and other content is already stored; it was kept")

    @classmethod
    def brought_twice(cls) -> EventConflictError:
        """An import brought two sessions, or two events, with the same id."""
        return cls("two sessions or two events of this import have the same id; nothing was added")

    @classmethod
    def session_taken(cls, session_id: str) -> EventConflictError:
        """An import brought a session whose id is in use."""
        return cls(f"a session with the id {session_id!r} is already stored; it was kept as it is")


class InvalidFileError(PyappError, ValueError):
    """A file that is not a recording of sessions. `line` counts from 1, or is None for the whole file."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class Cancelled(PyappError):
    """The user stopped a long job; what it had begun was taken back."""


class StoreError(PyappError):
    """The store could not do what was asked of it."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened here, or was closed."""


class UnknownLayoutError(StoreError):
    """The database holds a layout, or a version, that this driver does not know; it was left alone."""


class StoreFullError(StoreError):
    """The disk or the browser's quota is full; what was stored before is whole and readable."""
