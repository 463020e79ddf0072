"""The one door to the browser: every word that Python and JavaScript exchange passes here.

Nothing else imports `js` or `pyodide`. Importing this module works on CPython; calling its functions
needs Pyodide. JSON text is what crosses for anything nested, and no JavaScript object is held before the
first call, since a memory snapshot may be taken after the import.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import StoreUnavailableError

if TYPE_CHECKING:

    class JsException(Exception):
        """What JavaScript throws; on CPython nothing ever raises it."""
else:
    try:
        from pyodide.ffi import JsException
    except ImportError:  # CPython

        class JsException(Exception):
            pass


JsValue = Any
"""A proxy of a JavaScript object. It stays inside the module that asked for it."""


@cache
def scope() -> JsValue:
    """The global object of the page or worker (`globalThis`). Raises StoreUnavailableError on CPython."""
    try:
        import js
    except ImportError:
        raise StoreUnavailableError("this works in a browser only, under Pyodide") from None
    return js


@cache
def _parse() -> Callable[[str], JsValue]:
    return scope().JSON.parse  # type: ignore[no-any-return]


@cache
def _stringify() -> Callable[..., str]:
    return scope().JSON.stringify  # type: ignore[no-any-return]


@cache
def _apply() -> Callable[[JsValue, JsValue, JsValue], JsValue]:
    return scope().Reflect.apply  # type: ignore[no-any-return]


@cache
def _create_proxy() -> Callable[[Callable[..., object]], JsValue]:
    from pyodide.ffi import create_proxy

    return create_proxy  # type: ignore[no-any-return]


def from_json(text: str) -> JsValue:
    """The JavaScript value of a JSON text. Lone surrogates survive as escapes in the text."""
    return _parse()(text)


def to_json(value: JsValue, fields: JsValue | None = None) -> str:
    """The JSON text of a JavaScript value; `fields`, a JavaScript array of names, leaves out all others."""
    return _stringify()(value) if fields is None else _stringify()(value, fields)


def is_absent(value: JsValue) -> bool:
    """Whether a JavaScript value is `undefined` or `null`, neither of which need arrive as None."""
    return value is None or type(value).__name__ == "JsNull"


def error_name(error: JsValue) -> str:
    """The name of a JavaScript error (`"QuotaExceededError"`), "" when there is none."""
    name = getattr(error, "name", None)
    return name if isinstance(name, str) else ""


def error_text(error: JsValue) -> str:
    """Name and message of a JavaScript error, for a person to read."""
    message = getattr(error, "message", None)
    return f"{error_name(error) or 'Error'}: {message}" if isinstance(message, str) else str(error)


class _Lent:
    """A function that JavaScript can call as long as the page lives; which Python function that is, changes.

    To make one and to destroy it takes 20 µs, twice or more for each transaction: so they are kept.
    """

    __slots__ = ("function", "proxy")

    def __init__(self) -> None:
        self.function: Callable[[JsValue], object] | None = None
        self.proxy = _create_proxy()(self._call)

    def _call(self, event: JsValue) -> object:
        return None if self.function is None else self.function(event)


_idle: list[_Lent] = []
_MOST_IDLE = 64


class Callbacks:
    """Event handlers lent to JavaScript. The owner calls `release` when no event reaches them any more."""

    def __init__(self) -> None:
        self._lent: list[_Lent] = []

    def lend(self, function: Callable[[JsValue], object]) -> JsValue:
        """A JavaScript function that calls `function` with an event, until `release`."""
        lent = _idle.pop() if _idle else _Lent()
        lent.function = function
        self._lent.append(lent)
        return lent.proxy

    def release(self) -> None:
        """Give the functions back; JavaScript must not call them after this."""
        for lent in self._lent:
            lent.function = None
            if len(_idle) < _MOST_IDLE:
                _idle.append(lent)
            else:
                lent.proxy.destroy()
        self._lent.clear()


def apply(function: JsValue, owner: JsValue, arguments: str) -> JsValue:
    """Call a method with arguments that are given as JSON, an array: one crossing for all of them."""
    return _apply()(function, owner, _parse()(arguments))


def each(function: JsValue, owner: JsValue) -> JsValue:
    """A JavaScript function for `array.map`: calls `owner`'s method once for each element, an array of arguments.

    `store.add` itself cannot be given to `map`, which passes the place as a second argument.
    """
    return scope().Reflect.apply.bind(None, function, owner)


def post(text: str) -> None:
    """Post a text from this worker to its page."""
    scope().postMessage(text)


def to_bytes_of_js(data: bytes) -> JsValue:
    """A copy of some bytes, as a Uint8Array."""
    from pyodide.ffi import to_js

    return to_js(data)


async def file_slices(file: JsValue, size: int = 1 << 20) -> AsyncIterator[bytes]:
    """The bytes of a `File` or `Blob`, `size` at a time, so that no file need fit in memory twice."""
    for start in range(0, int(file.size), size):
        buffer = await file.slice(start, start + size).arrayBuffer()
        yield buffer.to_bytes()


class Fetch:
    """One request by the browser's `fetch`, with a body that is read as it comes. Its methods raise JsException."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._controller = scope().AbortController.new()
        js_options = from_json(json.dumps(options))
        js_options.signal = self._controller.signal
        self._promise = scope().fetch(url, js_options)
        self._response: JsValue = None

    async def answer(self) -> tuple[int, str]:
        """Status and content type, once the head of the answer is there."""
        self._response = await self._promise
        content_type = self._response.headers.get("content-type")
        return int(self._response.status), content_type if isinstance(content_type, str) else ""

    @property
    def is_redirect(self) -> bool:
        """Whether the answer leads elsewhere, where the options say `redirect: "manual"`."""
        return bool(self._response.type == "opaqueredirect")

    @property
    def length(self) -> int:
        """How long the body is, as the head says; 0 when it does not, or the body is compressed on its way."""
        length = self._response.headers.get("content-length")
        packed = not is_absent(self._response.headers.get("content-encoding"))
        is_number = isinstance(length, str) and length.isascii() and length.isdigit() and len(length) < 16
        return int(length) if is_number and not packed else 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body."""
        if is_absent(self._response.body):
            return
        reader = self._response.body.getReader()
        while not (piece := await reader.read()).done:
            yield piece.value.to_bytes()

    def abort(self) -> None:
        """Nobody waits for the rest; after the end of the answer this does nothing."""
        self._controller.abort()


class WebSocket:
    """One of the browser's WebSockets, whose texts wait until they are asked for. Making one raises JsException."""

    def __init__(self, url: str, protocols: Sequence[str]) -> None:
        self._opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._callbacks = Callbacks()
        self._socket = scope().WebSocket.new(url, from_json(json.dumps(list(protocols))))
        self._socket.onopen = self._callbacks.lend(lambda _event: self._end_opening(True))
        self._socket.onmessage = self._callbacks.lend(self._take)
        self._socket.onclose = self._callbacks.lend(lambda _event: self._end())

    async def opened(self) -> bool:
        """Whether it could be opened, once that is known."""
        return await self._opened

    def send(self, text: str) -> None:
        """Send a text. Raises JsException while it is not open."""
        self._socket.send(text)

    async def next(self) -> str | None:
        """The next text; None for ever once it is closed."""
        text = await self._texts.get()
        if text is None:
            self._texts.put_nowait(None)
        return text

    def close(self) -> None:
        """Close it, and hear nothing of it any more."""
        for name in ("onopen", "onmessage", "onclose"):
            setattr(self._socket, name, None)
        self._callbacks.release()
        self._socket.close()
        self._end()

    def _take(self, event: JsValue) -> None:
        if isinstance(event.data, str):
            self._texts.put_nowait(event.data)

    def _end(self) -> None:
        self._end_opening(False)
        self._texts.put_nowait(None)

    def _end_opening(self, success: bool) -> None:
        if not self._opened.done():
            self._opened.set_result(success)


async def fetch_bytes(url: str) -> AsyncIterator[bytes]:
    """The body of a URL as it comes. Raises OSError, with words for the user, when it cannot be had."""
    try:
        response = await scope().fetch(url)
    except JsException as error:
        raise OSError(f"could not load {url}: {error_text(error)}") from None
    if not response.ok:
        raise OSError(f"could not load {url}: the server answered {response.status}")
    reader = response.body.getReader()
    try:
        while not (piece := await reader.read()).done:
            yield piece.value.to_bytes()
    except JsException as error:
        raise OSError(f"loading {url} broke off: {error_text(error)}") from None
    finally:
        await reader.cancel()
