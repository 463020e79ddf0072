"""The built page with the sessions of a store in it, served to one browser on this machine.

What keeps others out: it listens on 127.0.0.1 alone, on a port that nobody knows before; who asks for sessions needs a
random token, in a header, which pages of other origins may not send; the Host has to be ours, so that no foreign name
that leads here gets in (DNS rebinding), and so has the Origin, where there is one. Nothing is logged.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as Abandoned
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

from ..drivers.base import ObservableStore, SessionStore, StoreChange
from ..errors import PyappError
from ..json_text import dump, parse
from ..remote import read_store

LARGEST_REQUEST = 1 << 20
"""Bytes of a request that are read."""

LARGEST_LIMIT = 1_000
"""Items of one page, so that no answer is huge."""

PATIENCE = 20.0
"""Seconds after which a question for changes is answered though there are none."""

MARK = b'<meta name="source" content="served">'
_BEFORE = b'<meta name="version"'

Answer = Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]


class Answers:
    """Answers what a page asks of a store, in the event loop that the store lives in; the page calls it by `name`."""

    def __init__(self, store: SessionStore, name: str = "") -> None:
        self._store = store
        self._name = name
        self._number = 0
        self._changed: dict[str, int] = {}
        self._all_changed = 0
        self._news = asyncio.Event()
        self._is_closed = False
        self._stop: Callable[[], None] = lambda: None
        if isinstance(store, ObservableStore):
            self._stop = store.on_change(self._hear)

    def close(self) -> None:
        """Listen no more. Who waits for changes is answered, and nobody waits from now on."""
        self._stop()
        self._is_closed = True
        self._news.set()

    async def __call__(self, method: str, params: dict[str, Any]) -> Any:
        """The answer to one question. Raises PyappError, and ValueError for what cannot be asked."""
        if method == "changes":
            return {"name": self._name, **await self._changes(params.get("since"))}
        limit = params.get("limit")
        if isinstance(limit, int) and limit > LARGEST_LIMIT:
            params = params | {"limit": LARGEST_LIMIT}
        return await read_store(self._store, method, params)

    def _hear(self, change: StoreChange) -> None:
        self._number += 1
        for session_id in change.session_ids:
            self._changed[session_id] = self._number
        if change.everything:
            self._all_changed = self._number
        self._news.set()
        self._news = asyncio.Event()

    async def _changes(self, since: Any) -> dict[str, Any]:
        """What has changed since a number that was given before; waits for it. None asks for the number alone."""
        if not isinstance(since, int) or since > self._number:
            return {"number": self._number, "sessions": [], "everything": since is not None}
        if since == self._number and not self._is_closed:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait()
            except TimeoutError:
                pass
        sessions = [session_id for session_id, number in self._changed.items() if number > since]
        return {"number": self._number, "sessions": sessions, "everything": self._all_changed > since}


class PageServer:
    """Serves the files of a built page, and answers at `source`. Raises OSError when no port is to be had."""

    def __init__(self, folder: Path, answer: Answer, loop: asyncio.AbstractEventLoop) -> None:
        self.token = secrets.token_urlsafe(32)
        server = self

        class Handler(_Handler):
            def __init__(self, *arguments: Any) -> None:
                self.page_server = server
                super().__init__(*arguments, directory=str(folder))

        self._http = _Server(("127.0.0.1", 0), Handler)
        self._answer = answer
        self._loop = loop
        self.host = f"127.0.0.1:{self._http.server_port}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def address(self) -> str:
        """Where a browser finds it; the token is behind the `#`, which browsers send to nobody."""
        return f"http://{self.host}/#token={self.token}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._http.shutdown()
        self._http.server_close()

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The store's answer, waited for in the thread of a request."""
        return asyncio.run_coroutine_threadsafe(self._answer(method, params), self._loop).result()


class _Server(ThreadingHTTPServer):
    """Lets go of a browser that closes its connection meanwhile, as one does whose page is reloaded."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    """One request."""

    page_server: PageServer
    timeout = 60
    # Not left to the machine's own table: a browser refuses modules and streamed wasm of another type.
    extensions_map = {  # noqa: RUF012 - so declared in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
        ".jsonl": "application/x-ndjson",
    }

    def do_GET(self) -> None:
        if self._is_ours():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._is_ours():
            super().do_HEAD()

    def do_POST(self) -> None:
        if not self._is_ours() or not self._is_let_in():
            return
        status, answer = self._answer()
        body = dump(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_head(self) -> Any:
        """The page itself gets the mark by which it knows that it is served."""
        if self.path.partition("?")[0] not in ("/", "/index.html"):
            return self._send_head_of_file()
        try:
            html = (Path(self.directory) / "index.html").read_bytes().replace(_BEFORE, MARK + _BEFORE, 1)
        except OSError:  # a build is replacing the page
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(html)))
        self.end_headers()
        return BytesIO(html)

    def _send_head_of_file(self) -> Any:
        try:
            return super().send_head()
        except ValueError:  # no file has such a name: it holds a zero byte, or half a character
            self.send_error(HTTPStatus.NOT_FOUND)
            return None

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Folders are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet."""

    def _is_ours(self) -> bool:
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host == self.page_server.host and origin in (None, f"http://{self.page_server.host}"):
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def _is_let_in(self) -> bool:
        given = self.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {self.page_server.token}".encode()):
            return True
        self.send_error(HTTPStatus.UNAUTHORIZED)
        return False

    def _answer(self) -> tuple[HTTPStatus, Any]:
        length = self.headers.get("Content-Length", "")
        # Few digits, since int() refuses thousands of them, and of ASCII, since it knows no ² that isdigit() takes.
        is_length = length.isascii() and length.isdigit() and len(length) < 10
        if self.path != "/source" or not is_length or int(length) > LARGEST_REQUEST:
            return HTTPStatus.BAD_REQUEST, {"error": "this is not asked for here"}
        try:
            asked = parse(self.rfile.read(int(length)).decode())
            method, params = asked["method"], asked["params"]
            if not isinstance(method, str) or not isinstance(params, dict):
                raise ValueError("a method's name and its parameters are asked for")
            return HTTPStatus.OK, self.page_server.ask(method, params)
        except (PyappError, ValueError, TypeError, KeyError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except (Abandoned, RuntimeError):  # the program ends meanwhile
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": "the program that serves these sessions ends"}
        except Exception as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"{type(error).__name__}: {error}"}
