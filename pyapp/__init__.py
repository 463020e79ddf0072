"""Keep, list and replay coding-agent sessions, on CPython and in the browser.

The public names, and nothing else: importing this needs only the standard library and no browser.
"""

from .acp.messages import PermissionOption, PermissionRequest
from .drivers.base import ObservableStore, SessionPersistDriver, SessionStore, StoreChange, Totals
from .drivers.defaults import with_defaults
from .drivers.indexeddb import IndexedDBSessionPersistDriver
from .drivers.memory import InMemorySessionPersistDriver
from .drivers.postgres import PostgresSessionPersistDriver
from .errors import (
    AgentError,
    AgentGoneError,
    AlreadyAnsweredError,
    Cancelled,
    EventConflictError,
    InvalidCursorError,
    InvalidFileError,
    InvalidRecordError,
    PromptInterruptedError,
    PyappError,
    ServerError,
    ServerRefusedError,
    ServerUnreachableError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
    UnknownSessionError,
    UnsupportedValueError,
)
from .sdk.client import SandboxAgent
from .sdk.restore import RestorePreview
from .sdk.server import Exchange
from .sdk.session import Session
from .types import EventDraft, ListPage, SessionEvent, SessionRecord

__version__ = "0.1.0"

__all__ = [
    "AgentError",
    "AgentGoneError",
    "AlreadyAnsweredError",
    "Cancelled",
    "EventConflictError",
    "EventDraft",
    "Exchange",
    "InMemorySessionPersistDriver",
    "IndexedDBSessionPersistDriver",
    "InvalidCursorError",
    "InvalidFileError",
    "InvalidRecordError",
    "ListPage",
    "ObservableStore",
    "PermissionOption",
    "PermissionRequest",
    "PostgresSessionPersistDriver",
    "PromptInterruptedError",
    "PyappError",
    "RestorePreview",
    "SandboxAgent",
    "ServerError",
    "ServerRefusedError",
    "ServerUnreachableError",
    "Session",
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
    "UnsupportedValueError",
    "__version__",
    "with_defaults",
]
