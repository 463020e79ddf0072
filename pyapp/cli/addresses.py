"""What the user writes for a store, and the store: `sqlite:PATH`, `postgresql://…`, `rivet:…`, `….jsonl`, `python:…`.

Each driver is imported when an address asks for it, so that nobody needs what another kind of store needs.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from ..drivers.base import Findable, SessionPersistDriver, SessionStore
from ..drivers.defaults import with_defaults
from ..errors import PyappError, StoreError, StoreUnavailableError
from .exits import UsageError

Kind = Literal["sqlite", "postgres", "rivet", "jsonl", "python"]

ADDRESSES = "sqlite:PATH, postgresql://…, rivet:ENDPOINT, python:MODULE:FACTORY, or a file in .db, .sqlite or .jsonl"

RIVET_OPTIONS = ("actor", "key", "namespace", "token")

FILES: frozenset[Kind] = frozenset({"sqlite", "jsonl"})
"""Kinds of stores that are one file."""

_SUFFIXES: dict[str, Kind] = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".jsonl": "jsonl"}
_SCHEMES: dict[str, Kind] = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "postgres": "postgres",
    "rivet": "rivet",
    "jsonl": "jsonl",
    "python": "python",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where sessions are. `rest` is what the kind makes of it: a path, a URL, the name of a factory.

    As text it has no password: it is what messages show.
    """

    kind: Kind
    rest: str

    def __str__(self) -> str:
        if self.kind in ("postgres", "rivet"):
            text = without_passwords(self.rest)
            return text if self.kind == "postgres" else f"rivet:{text}"
        return f"python:{self.rest}" if self.kind == "python" else self.rest

    @property
    def absolute(self) -> Address:
        """The same place as it is called from every folder, links followed."""
        if self.kind not in FILES:
            return self
        return Address(self.kind, os.path.realpath(self.rest))  # Path.resolve() fails where links lead in a circle

    @property
    def path(self) -> Path:
        """The file of a `sqlite` or `jsonl` address."""
        return Path(self.rest)


def read_address(text: str) -> Address:
    """The address that a text is. Raises UsageError for an unknown scheme or ending."""
    scheme, colon, rest = text.partition(":")
    if colon and len(scheme) > 1 and scheme.isalnum():  # one letter is a drive of Windows
        kind = _SCHEMES.get(scheme.lower())
        if kind is None:
            raise UsageError(f"{scheme[:40]!r} is no kind of store that is known here; write {ADDRESSES}")
        if not rest:
            raise UsageError(f"{text!r} says no place; write {ADDRESSES}")
        if kind == "postgres":
            return Address(kind, text)
        return Address(kind, rest)
    suffix = Path(text).suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"{without_passwords(text)[:200]!r} does not tell what it is; write {ADDRESSES}")
    return Address(_SUFFIXES[suffix], text)


@asynccontextmanager
async def open_source(address: Address) -> AsyncIterator[SessionStore]:
    """The store at an address, to be read. Nothing is made: raises StoreUnavailableError where there is nothing."""
    if address.kind in ("sqlite", "jsonl") and not address.path.is_file():
        raise StoreUnavailableError(f"{address} is {_what_instead(address.path)}; nothing was made")
    if address.kind == "jsonl":
        from .jsonlines import open_recording

        async with with_defaults(await open_recording(address.path)) as store:
            yield store
        return
    async with open_store(address, only_read=True) as store:
        # A SQLite file without sessions says so itself, as what it is: there, and something else.
        if address.kind != "sqlite" and isinstance(store, Findable) and not await store.exists():
            raise StoreUnavailableError(f"there are no sessions at {address}, nor a place for them; nothing was made")
        yield store


def check_target_file(address: Address) -> None:
    """Raises StoreUnavailableError for a path at which no file can be written."""
    path = address.path
    if path.exists():
        if not path.is_file():
            raise StoreUnavailableError(f"{address} is {_what_instead(path)}; nothing was written")
        if not os.access(path, os.W_OK):
            raise StoreUnavailableError(f"{address} can only be read by this user; nothing was written")
    elif not path.parent.is_dir():
        raise StoreUnavailableError(f"{address} cannot be written: its folder does not exist; make it first")


@asynccontextmanager
async def open_store(address: Address, *, only_read: bool = False) -> AsyncIterator[SessionStore]:
    """The store at an address of any kind but `jsonl`; it is made if there is none, but no file that is only read.

    Raises StoreUnavailableError when it cannot be reached, or its driver needs an extra that is not installed.
    """
    async with AsyncExitStack() as stack:
        if address.kind == "python":
            factory = load(address.rest, "a factory of drivers")
            driver = await enter(stack, factory)
            with _blaming(address, {type(driver).__module__, factory.__module__}):
                yield with_defaults(driver)
            return
        try:
            driver = _make(address, only_read=only_read)
        except ImportError as error:
            raise StoreUnavailableError(str(error)) from None
        except UsageError:
            raise
        except ValueError as error:  # a schema's name, a connection string that cannot be
            raise UsageError(f"{address}: {error}") from None
        yield await stack.enter_async_context(with_defaults(driver))


@contextmanager
def _blaming(address: Address, modules: set[str]) -> Iterator[None]:
    """What comes out of a driver of the user's own, whose code is in these modules, is no fault of this program.

    Raises StoreError instead. Errors of this package's kinds and of the system say by themselves what is wrong.
    """
    try:
        yield
    except (PyappError, OSError):
        raise
    except (Exception, SystemExit) as error:
        place = _place_within(error, {name for name in modules if name.partition(".")[0] != "pyapp"})
        if place is None:
            raise
        raise StoreError(
            f"the driver {address} failed: {type(error).__name__}: {error} ({place}); the command conformance tells "
            "what a driver promises"
        ) from error


def _place_within(error: BaseException, modules: set[str]) -> str | None:
    """Where an error came from: the last line of these modules that it passed; None where it passed none."""
    place, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in modules:
            code = trace.tb_frame.f_code
            place = f"{code.co_filename}:{trace.tb_lineno}, in {code.co_name}"
        trace = trace.tb_next
    return place


def _make(address: Address, *, only_read: bool) -> SessionPersistDriver:
    driver: SessionPersistDriver
    match address.kind:
        case "postgres":
            connection, schema = read_postgres(address.rest)
            driver = _driver("postgres", "PostgresSessionPersistDriver")(connection_string=connection, schema=schema)
        case "rivet":
            endpoint, options = read_rivet(address.rest)
            driver = _driver("rivet", "RivetSessionPersistDriver")(endpoint=endpoint, **options)
        case _:
            driver = _driver("sqlite", "SQLiteSessionPersistDriver")(str(address.path), read_only=only_read)
    return driver


def read_postgres(url: str) -> tuple[str, str]:
    """The connection string of a URL, and its schema: `?schema=` is ours, libpq has none. Default `public`.

    What is not ours stays as it is written: libpq reads URLs in a manner of its own. Raises UsageError.
    """
    place, _, query = url.partition("?")
    fields = [field for field in query.split("&") if field]
    schemas = [unquote(field.removeprefix("schema=")) for field in fields if field.startswith("schema=")]
    if len(schemas) > 1:
        raise UsageError(f"{without_passwords(url)} names {len(schemas)} schemas; one is copied from or to at a time")
    rest = "&".join(field for field in fields if not field.startswith("schema="))
    return place + (f"?{rest}" if rest else ""), (schemas or ["public"])[0]


def read_rivet(text: str) -> tuple[str, dict[str, str]]:
    """The endpoint of `ENDPOINT?actor=NAME&key=KEY`, and the driver's options; what is not written is as usual there.

    Raises UsageError.
    """
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError(f"rivet: cannot read the endpoint: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError("rivet: needs an endpoint, as in rivet:http://127.0.0.1:6420?actor=sessions&key=mine")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in RIVET_OPTIONS:
            raise UsageError(f"rivet: has no option {name[:40]!r}; there are {', '.join(RIVET_OPTIONS)}")
    return urlunsplit(parts._replace(query="", fragment="")), options


def load(name: str, what: str) -> Callable[[], Any]:
    """The function `MODULE:NAME`, found from the current folder too. Raises UsageError."""
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise UsageError(f"{name[:200]!r} names no function; write {what} as module:name")
    if "" not in sys.path:
        sys.path.insert(0, "")
    value: Any = _module(module_name, name)
    for attribute in path.split("."):
        if not hasattr(value, attribute):
            raise UsageError(f"{name}: there is no {attribute!r} in {getattr(value, '__name__', value)}")
        value = getattr(value, attribute)
    if not callable(value):
        raise UsageError(f"{name} is no function, but {type(value).__name__}")
    return value  # type: ignore[no-any-return]


async def enter(stack: AsyncExitStack, factory: Callable[[], Any]) -> SessionPersistDriver:
    """A driver of a factory, which may be async and may give a context manager; `stack` ends what it began.

    Raises UsageError for what is no driver, or none that can be begun.
    """
    try:
        made = factory()
        if isinstance(made, Awaitable):
            made = await made
        if hasattr(made, "__aenter__"):
            made = await stack.enter_async_context(made)
        elif hasattr(made, "__enter__"):
            made = stack.enter_context(made)
        elif hasattr(made, "aclose"):
            stack.push_async_callback(made.aclose)
    except PyappError:
        raise
    except (Exception, SystemExit) as error:
        name = getattr(factory, "__qualname__", repr(factory))
        raise UsageError(f"the factory {name} failed: {type(error).__name__}: {error}") from error
    missing = [name for name in FIVE if not callable(getattr(made, name, None))]
    if missing:
        raise UsageError(f"the factory gave a {type(made).__name__}, which is no driver: it lacks {', '.join(missing)}")
    return made  # type: ignore[no-any-return]


FIVE = ("get_session", "list_sessions", "update_session", "list_events", "insert_event")
"""The methods of a driver."""


def _module(module_name: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(f"{name}: there is no module {error.name!r} here") from None
        raise UsageError(f"{name}: {module_name} needs the module {error.name!r}, which is not installed") from None
    except (Exception, SystemExit) as error:  # whatever the module's own code does
        raise UsageError(f"{name}: {module_name} cannot be loaded: {type(error).__name__}: {error}") from error


def _driver(module: str, name: str) -> Callable[..., Any]:
    """The class of a driver of ours. Raises StoreUnavailableError when what it needs is not installed."""
    try:
        return getattr(importlib.import_module(f"pyapp.drivers.{module}"), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise StoreUnavailableError(
            f"the {module!r} driver needs {error.name}: pip install 'sandbox-agent-pyodide[{module}]'"
        ) from None


def _what_instead(path: Path) -> str:
    return "a folder, no file" if path.is_dir() else "not there" if not path.exists() else "no plain file"


def without_passwords(text: str) -> str:
    """Text with stars in the place of passwords and tokens that stand in addresses, well written or not.

    A character that should have been encoded may be in a password, so it ends at the last @.
    """
    text = re.sub(r"(//[^:/@]*:).*@", r"\1***@", text, flags=re.DOTALL)
    end = "[^&]*" if "://" in text else r"'(?:[^'\\]|\\.)*'?|[^\s']*"
    return re.sub(rf"(\w*(?:pass|pwd|token|secret)\w*\s*=\s*)(?:{end})", r"\1***", text, flags=re.IGNORECASE)
