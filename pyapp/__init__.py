"""Keep, list and replay coding-agent sessions, on CPython and in the browser.

The public names, and nothing else: importing this needs only the standard library and no browser.
"""

from .drivers.base import SessionPersistDriver, SessionStore
from .drivers.indexeddb import IndexedDBSessionPersistDriver
from .drivers.memory import InMemorySessionPersistDriver
from .errors import (
    Cancelled,
    EventConflictError,
    InvalidCursorError,
    InvalidFileError,
    InvalidRecordError,
    PyappError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
    UnknownSessionError,
)
from .types import ListPage, SessionEvent, SessionRecord

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "EventConflictError",
    "InMemorySessionPersistDriver",
    "IndexedDBSessionPersistDriver",
    "InvalidCursorError",
    "InvalidFileError",
    "InvalidRecordError",
    "ListPage",
    "PyappError",
    "SessionEvent",
    "SessionPersistDriver",
    "SessionRecord",
    "SessionStore",
    "StoreError",
    "StoreFullError",
    "StoreUnavailableError",
    "UnknownLayoutError",
    "UnknownSessionError",
    "__version__",
]
