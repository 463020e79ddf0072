"""The composition root in the browser: the worker's Python, with the real store, clock, files and page.

web/worker.ts calls `start` once Pyodide runs and this package is installed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from . import interop, json_text
from .drivers.base import SessionPersistDriver, SessionStore
from .drivers.indexeddb import IndexedDBSessionPersistDriver
from .drivers.indexeddb.idb import Durability, database_names
from .drivers.indexeddb.notes import NOTES_DATABASE, IndexedDBNoteStore
from .drivers.notes import NoteStore
from .drivers.remote import RemoteStore
from .errors import ServerUnreachableError, StoreError, StoreUnavailableError
from .remote import DriverCalls
from .rest import install_rest
from .runner.loop import Runner
from .runner.world import SourceFile
from .transport import Request, Transport, send
from .transport.fetch import FetchTransport
from .web_file import WebFile

DEFAULT_DATABASE = "sandbox-agent-session-store"


SERVED = "served:"
"""How the `source` of a page begins that shows the sessions of the program that serves it."""


class BrowserWorld:
    """What the runner needs, in a web worker. `base` is the address of the site's folder."""

    usual_database = DEFAULT_DATABASE

    def __init__(self, post: interop.JsValue, base: str, source: str = "") -> None:
        self._post = post
        self._base = base
        self._source = source
        self._shown: RemoteStore | None = None
        self._stores: dict[str, IndexedDBSessionPersistDriver] = {}
        self._notes: dict[str, IndexedDBNoteStore] = {}
        self._waiting = 0
        self._tell_waiting: Callable[[bool], None] = lambda _waits: None
        self._tell_reached: Callable[[bool, str], None] = lambda _is_there, _name: None

    async def open_store(self, database: str) -> SessionStore:
        """A driver for each database; another name than the usual one must be there already."""
        if self._source and not database:
            return self._open_source()
        name = database or DEFAULT_DATABASE
        if name not in self._stores:
            if name != DEFAULT_DATABASE and name not in await database_names():
                raise StoreUnavailableError(
                    f"There is no database “{name[:200]}” in this browser. Leave db= out of the address "
                    "to see the usual one."
                )
            self._stores[name] = IndexedDBSessionPersistDriver(name, on_wait=self._wait)
        return self._stores[name]

    def _open_source(self) -> SessionStore:
        """The sessions of the program that serves this page (`python -m pyapp inspect`), whose token came with it."""
        token = self._source.removeprefix(SERVED)
        if not token:
            raise StoreUnavailableError(
                "The key to these sessions was in the address that the command printed, and is gone with a reload. "
                "Open that address again."
            )
        if self._shown is None:
            self._shown = RemoteStore(partial(_call, self._base, token), lambda *told: self._tell_reached(*told))
        return self._shown

    def open_notes(self, database: str) -> NoteStore:
        name = database or DEFAULT_DATABASE
        if name not in self._notes:
            self._notes[name] = IndexedDBNoteStore(name, self._wait)
        return self._notes[name]

    async def database_names(self) -> Sequence[str]:
        return [name for name in await database_names() if name != NOTES_DATABASE]

    def on_wait(self, listener: Callable[[bool], None]) -> None:
        self._tell_waiting = listener

    @property
    def is_served(self) -> bool:
        return bool(self._source)

    def on_reach(self, listener: Callable[[bool, str], None]) -> None:
        self._tell_reached = listener

    def _wait(self, waits: bool) -> None:
        """One of the databases waits, or has done waiting; several may at once."""
        self._waiting += 1 if waits else -1
        self._tell_waiting(self._waiting > 0)

    async def release(self) -> None:
        for store in self._stores.values():
            await store.release()
        for notes in self._notes.values():
            await notes.release()

    @property
    def origin(self) -> str:
        parts = urlsplit(self._base)
        return f"{parts.scheme}://{parts.netloc}"

    def transport(self) -> Transport:
        return FetchTransport()

    @property
    def site(self) -> str:
        return self._base

    async def install_rest(self) -> None:
        await install_rest(self.fetch)

    async def open_file(self, path: str) -> SessionStore:
        from .drivers.sqlite import SQLiteSessionPersistDriver

        return SQLiteSessionPersistDriver(path)

    async def fetch_source(self, url: str, *, is_foreign: bool) -> SourceFile:
        file = WebFile(url, self.origin, is_foreign=is_foreign)
        await file.begin()
        return file

    def post(self, message: Mapping[str, Any], data: bytes | None = None) -> None:
        if data is None:
            self._post(json.dumps(message))
        else:
            self._post(json.dumps(message), interop.to_bytes_of_js(data))

    def clock(self) -> float:
        return time.monotonic() * 1000

    def fetch(self, path: str) -> AsyncIterator[bytes]:
        return interop.fetch_bytes(self._base + path)


class BrowserFile:
    """A JavaScript `File`."""

    def __init__(self, file: interop.JsValue) -> None:
        self._file = file
        self.name: str = file.name
        self.size: int = int(file.size)

    def slices(self) -> AsyncIterator[bytes]:
        return interop.file_slices(self._file)


class App:
    """What web/worker.ts talks to."""

    def __init__(self, post: interop.JsValue, base: str, source: str = "") -> None:
        self._runner = Runner(BrowserWorld(post, base, source))
        self._calls = DriverCalls(_open_driver)

    def dispatch(self, text: str) -> None:
        """One message of the page, as JSON."""
        self._runner.receive(json.loads(text))

    def take_files(self, action: str, files: interop.JsValue) -> None:
        """Files that the user chose or dropped."""
        if action == "import":
            self._runner.import_files([BrowserFile(file) for file in files])

    async def call(self, text: str) -> str:
        """One call of the TypeScript face of a driver."""
        return await self._calls.call(text)


async def _open_driver(database: str | None, durability: Durability | None) -> SessionPersistDriver:
    return IndexedDBSessionPersistDriver(database or DEFAULT_DATABASE, durability or "relaxed")


async def _call(base: str, token: str, method: str, params: dict[str, Any]) -> Any:
    """Ask the program that serves this page. Raises StoreUnavailableError when it is not there any more."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"method": method, "params": params})
    try:
        answer = await send(FetchTransport(), Request("POST", f"{base}source", headers, body))
    except ServerUnreachableError:
        raise StoreUnavailableError(
            "The program that served this page has ended. Start it again and open the address that it prints."
        ) from None
    if answer.status in (401, 403):
        raise StoreUnavailableError("The key in the address is not this program's. Open the address that it printed.")
    try:
        value = json_text.parse_stored(answer.body.decode())
    except ValueError:
        raise StoreError(f"The program that served this page answers with HTTP {answer.status}.") from None
    if answer.status != 200:
        raise StoreError(str(value.get("error", "")) if isinstance(value, dict) else "")
    return value


async def start(post: interop.JsValue, base: str, source: str = "") -> App:
    """Run the page; `post` takes JSON text for it, `base` is the address of the site's folder.

    `source` is "" for a page that shows what is stored in the browser, SERVED and a token for one that is served with
    the sessions of a store.
    """
    random.seed()  # every page that starts from the snapshot would have the same numbers
    return App(post, base, source)
