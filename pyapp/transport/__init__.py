"""How a server is reached: one small Protocol for requests, and one for sockets.

`fetch.py` and `browser_sockets.py` in the browser, `http.py` (httpx) and `sockets.py` (websockets) on CPython;
`pyapp/sdk/memory.py` for tests without a network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ..errors import ServerError

LARGEST_BODY = 64 << 20
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `body` is JSON text, or None."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is read as it comes."""

    status: int
    content_type: str
    pieces: AsyncIterator[bytes]


class Transport(Protocol):
    """Carries requests. A task that is cancelled aborts its request."""

    def open(self, request: Request) -> AbstractAsyncContextManager[Stream]:
        """The answer as it comes; leaving the context aborts it. Entering, and reading pieces, raises
        ServerUnreachableError."""
        ...

    async def aclose(self) -> None:
        """Let go of connections that are kept open."""
        ...


class Socket(Protocol):
    """An open WebSocket of texts. Its methods raise ServerUnreachableError when it broke or was closed."""

    async def send(self, text: str) -> None:
        """Send a text."""
        ...

    async def receive(self) -> str:
        """The next text."""
        ...


class Sockets(Protocol):
    """Opens WebSockets."""

    def open(self, url: str, protocols: Sequence[str]) -> AbstractAsyncContextManager[Socket]:
        """A socket to a ws: or wss: address; leaving the context closes it. Raises ServerUnreachableError."""
        ...


async def send(transport: Transport, request: Request) -> Response:
    """The whole answer, whatever its status. Raises ServerUnreachableError when none came, and ServerError when it is
    larger than `LARGEST_BODY`."""
    async with transport.open(request) as stream:
        body = bytearray()
        async for piece in stream.pieces:
            body += piece
            if len(body) > LARGEST_BODY:
                raise ServerError(f"the answer has more than {LARGEST_BODY:,} bytes", stream.status)
        return Response(stream.status, bytes(body))
