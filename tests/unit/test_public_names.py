"""The public names, and that importing them costs nothing but the standard library."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

import pyapp

PUBLIC = {
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
}


def test_the_public_names() -> None:
    assert set(pyapp.__all__) == PUBLIC
    assert all(hasattr(pyapp, name) for name in PUBLIC)


def test_importing_loads_no_database() -> None:
    loaded = "print('sqlite3' in sys.modules)"
    code = f"import sys, pyapp; {loaded}; pyapp.SQLiteSessionPersistDriver; {loaded}"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["False", "True"]


def test_importing_needs_the_standard_library_only() -> None:
    code = "import json, sys, pyapp, pyapp.interop, pyapp.archive; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    rooms = {name.partition(".")[0] for name in json.loads(process.stdout)}
    assert rooms - set(sys.stdlib_module_names) <= {"pyapp", "__main__"}


def test_the_driver_says_where_it_works() -> None:
    with pytest.raises(pyapp.PyappError, match="Pyodide"):
        asyncio.run(pyapp.IndexedDBSessionPersistDriver().get_session("s1"))
