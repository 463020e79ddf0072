"""The one exception tree.

    PyappError
    ├── InvalidRecordError      a record or an event that is not what its layout says
    ├── InvalidCursorError      a cursor that no list of this kind has given out
    ├── UnknownSessionError     an id under which nothing is stored
    ├── EventConflictError      a write that would overwrite a stored event
    ├── InvalidFileError        a file that is not a recording; knows the line
    ├── Cancelled               the user stopped a long job; nothing was changed
    ├── StoreError              the store could not do what was asked
    │   ├── StoreUnavailableError   it cannot be opened here, or was closed
    │   ├── UnknownLayoutError      it holds a layout that is not ours to touch
    │   └── StoreFullError          the disk or the quota is full
    ├── ServerError             the agent server could not do what was asked, or answers what it must not
    │   ├── ServerUnreachableError  nothing answers there, or not to this page
    │   ├── ServerRefusedError      it wants another token
    │   └── AgentGoneError          the agent's process is there no more
    ├── AgentError              the agent answered a request with an error
    ├── PromptInterruptedError  a turn was cut off, and is not repeated
    ├── AlreadyAnsweredError    a permission request that has its answer
    └── UnsupportedValueError   a mode, model or option that the agent does not offer

Every message says what happened and, where there is something to do, what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def sentences(first: str, second: str) -> str:
    """What happened, and what to do about it; the first may end in a mark of its own."""
    return f"{first}{'' if first.endswith(('.', '?', '!')) else '.'} {second[:1].upper()}{second[1:]}"


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


class ServerError(PyappError):
    """The agent server could not do what was asked. `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ServerUnreachableError(ServerError):
    """No answer came: nothing listens there, the network is down, or the browser kept the page from asking."""


class ServerRefusedError(ServerError):
    """The server wants a token, or another one (401, 403)."""


class AgentGoneError(ServerError):
    """The server knows this agent process no more: it ended, or the server was started anew."""


class AgentError(PyappError):
    """The agent's answer to a request was a JSON-RPC error; `code` and `data` are as it gave them."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"the agent refused {method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.data = data


class PromptInterruptedError(PyappError):
    """A turn was cut off before its answer came. It was not repeated, since the agent may have run it."""


class AlreadyAnsweredError(PyappError):
    """Another client, or this one before, has answered this permission request; or nobody waits for it any more."""


class UnsupportedValueError(PyappError, ValueError):
    """A value that the agent does not offer; nothing was sent. `allowed` are those that it does."""

    def __init__(self, what: str, value: str, allowed: Sequence[str]) -> None:
        offers = ", ".join(allowed) if allowed else "none"
        super().__init__(f"the agent offers no {what} {value!r}; it offers: {offers}")
        self.value = value
        self.allowed = tuple(allowed)
