"""WebSockets on CPython, by the library `websockets`, from the extra `[rivet]`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from ..errors import ServerUnreachableError
from . import LARGEST_BODY


class LibrarySocket:
    """A Socket around a connection of the library."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        """Send a text. Raises ServerUnreachableError."""
        try:
            await self._connection.send(text)
        except (WebSocketException, OSError) as error:
            raise _unreachable(error) from error

    async def receive(self) -> str:
        """The next text; bytes are taken as UTF-8. Raises ServerUnreachableError."""
        try:
            data = await self._connection.recv()
        except (WebSocketException, OSError) as error:
            raise _unreachable(error) from error
        return data if isinstance(data, str) else data.decode(errors="replace")


class LibrarySockets:
    """Opens WebSockets by the library. It asks the other side every 20 s whether it is there."""

    @asynccontextmanager
    async def open(self, url: str, protocols: Sequence[str]) -> AsyncIterator[LibrarySocket]:
        """A socket. Raises ServerUnreachableError."""
        connection = connect(
            url, subprotocols=[Subprotocol(one) for one in protocols], max_size=LARGEST_BODY, proxy=None
        )
        try:
            opened = await connection
        except (WebSocketException, OSError, TimeoutError, ValueError) as error:
            raise _unreachable(error) from error
        try:
            yield LibrarySocket(opened)
        finally:
            await opened.close()


def _unreachable(error: Exception) -> ServerUnreachableError:
    return ServerUnreachableError(str(error) or type(error).__name__)
