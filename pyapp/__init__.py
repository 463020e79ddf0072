"""Keep, list and replay coding-agent sessions, on CPython and in the browser.

The public names, and nothing else: importing this needs only the standard library and no browser. What stands under
`_LATER` is imported when it is asked for, since not everybody who imports this needs a database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .acp.messages import PermissionOption, PermissionRequest
from .drivers.base import ObservableStore, SessionPersistDriver, SessionStore, StoreChange, Totals
from .drivers.defaults import with_defaults
from .drivers.indexeddb import IndexedDBSessionPersistDriver
from .drivers.memory import InMemorySessionPersistDriver
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

if TYPE_CHECKING:
    from .drivers.postgres import PostgresSessionPersistDriver
    from .drivers.rivet import RivetSessionPersistDriver
    from .drivers.sqlite import SQLiteSessionPersistDriver

__version__ = "0.1.0"

_LATER = {
    "PostgresSessionPersistDriver": "drivers.postgres",
    "RivetSessionPersistDriver": "drivers.rivet",
    "SQLiteSessionPersistDriver": "drivers.sqlite",
}
"""Names, and the modules that have them."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


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
    "RivetSessionPersistDriver",
    "SQLiteSessionPersistDriver",
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
