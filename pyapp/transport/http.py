"""The transport on CPython: httpx, from the extra `[http]`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLError

import httpx

from ..errors import ServerUnreachableError
from . import Request, Stream

TIMEOUT = httpx.Timeout(10.0, read=None)
"""Seconds to connect and to write. A turn may take hours, and a stream may be silent as long: reading has no limit."""


class HttpTransport:
    """Requests by httpx. `client` is one of yours, with proxies or certificates; it is not closed then."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._own = client is None
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT, limits=limits)

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        """The answer as it comes. Raises ServerUnreachableError."""
        try:
            async with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body
            ) as response:
                yield Stream(response.status_code, response.headers.get("content-type", ""), _pieces(response))
        except (httpx.TransportError, httpx.InvalidURL, SSLError) as error:
            raise _unreachable(error) from error

    async def aclose(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._own:
            await self._client.aclose()


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.TransportError as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> ServerUnreachableError:
    return ServerUnreachableError(str(error) or type(error).__name__)
