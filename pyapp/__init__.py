"""Keep, list and replay coding-agent sessions, on CPython and in the browser.

The public names, and nothing else: importing this needs only the standard library and no browser.
"""

from .drivers.base import ObservableStore, SessionPersistDriver, SessionStore, StoreChange, Totals
from .drivers.defaults import with_defaults
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
from .types import EventDraft, ListPage, SessionEvent, SessionRecord

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "EventConflictError",
    "EventDraft",
    "InMemorySessionPersistDriver",
    "IndexedDBSessionPersistDriver",
    "InvalidCursorError",
    "InvalidFileError",
    "InvalidRecordError",
    "ListPage",
    "ObservableStore",
    "PyappError",
    "SessionEvent",
    "SessionPersistDriver",
    "SessionRecord",
    "SessionStore",
    "StoreChange",
    "StoreError",
    "StoreFullError",
    "StoreUnavailableError",
    "Totals",
    "UnknownLayoutError",
    "UnknownSessionError",
    "__version__",
    "with_defaults",
]
