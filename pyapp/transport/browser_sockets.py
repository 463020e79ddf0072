"""WebSockets in the browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from .. import interop
from ..errors import ServerUnreachableError


class BrowserSocket:
    """A Socket around one of the browser's."""

    def __init__(self, socket: interop.WebSocket) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """Send a text. Raises ServerUnreachableError."""
        try:
            self._socket.send(text)
        except interop.JsException as error:
            raise ServerUnreachableError(interop.error_text(error)) from None

    async def receive(self) -> str:
        """The next text. Raises ServerUnreachableError."""
        text = await self._socket.next()
        if text is None:
            raise ServerUnreachableError("the connection was closed")
        return text


class BrowserSockets:
    """Opens WebSockets by the browser."""

    @asynccontextmanager
    async def open(self, url: str, protocols: Sequence[str]) -> AsyncIterator[BrowserSocket]:
        """A socket. Raises ServerUnreachableError."""
        try:
            socket = interop.WebSocket(url, protocols)
        except interop.JsException as error:
            raise ServerUnreachableError(interop.error_text(error)) from None
        try:
            if not await socket.opened():
                raise ServerUnreachableError("the connection could not be opened")
            yield BrowserSocket(socket)
        finally:
            socket.close()
