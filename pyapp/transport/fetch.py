"""The transport in the browser: `fetch` with a streamed body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .. import interop
from ..errors import ServerUnreachableError
from . import Request, Stream


class FetchTransport:
    """Requests by the browser, without cookies: what lets the page in is a header."""

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        """The answer as it comes. Raises ServerUnreachableError."""
        options = {
            "method": request.method,
            "headers": dict(request.headers),
            "credentials": "omit",
            "cache": "no-store",
            "redirect": "error",
            "referrerPolicy": "no-referrer",
        }
        if request.body is not None:
            options["body"] = request.body
        fetch = interop.Fetch(request.url, options)
        try:
            status, content_type = await fetch.answer()
            yield Stream(status, content_type, fetch.pieces())
        except interop.JsException as error:
            raise ServerUnreachableError(interop.error_text(error)) from None
        finally:
            fetch.abort()

    async def aclose(self) -> None:
        """Nothing is kept open."""
