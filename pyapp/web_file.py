"""A file of the web that the page was asked to open, and why it cannot be had, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

from . import interop


class WebFile:
    """A file that is fetched: `begin` gets its head, `slices` its content, once.

    Redirections are not followed: they might lead to a host that nobody has agreed to. Another host gets no cookies,
    and does not hear which page asks.
    """

    def __init__(self, url: str, origin: str, *, is_foreign: bool) -> None:
        parts = urlsplit(url)
        self.name = unquote(parts.path.rpartition("/")[2])[:200] or parts.netloc
        self.size = 0
        self._host = parts.netloc
        self._origin = origin
        self._is_foreign = is_foreign
        self._fetch = interop.Fetch(
            url,
            {
                "mode": "cors" if is_foreign else "same-origin",
                "credentials": "omit" if is_foreign else "same-origin",
                "redirect": "manual",
                "referrerPolicy": "no-referrer",
            },
        )

    async def begin(self) -> None:
        """Wait for the head of the answer. Raises OSError with words for the user."""
        try:
            status, _ = await self._fetch.answer()
        except interop.JsException as error:
            raise OSError(self._why_not(error)) from None
        except BaseException:  # the user has cancelled it
            self._fetch.abort()
            raise
        if self._fetch.is_redirect:
            raise OSError(
                f"{self.name} was not fetched: {self._host} leads on to another address, which is not followed. "
                "Open that address instead, or download the file and drop it on this page."
            )
        if not 200 <= status < 300:
            self._fetch.abort()
            raise OSError(f"{self.name} was not fetched: {self._host} answered {status}. Is the address right?")
        self.size = self._fetch.length

    async def slices(self) -> AsyncIterator[bytes]:
        """The content as it comes. Raises OSError when it breaks off."""
        try:
            async for piece in self._fetch.pieces():
                yield piece
        except interop.JsException as error:
            raise OSError(
                f"{self.name} was not imported, and nothing was changed: fetching it broke off "
                f"({interop.error_text(error)}). Try again."
            ) from None
        finally:
            self._fetch.abort()

    def _why_not(self, error: interop.JsException) -> str:
        if not self._is_foreign:
            return f"{self.name} was not fetched: {interop.error_text(error)}"
        return (
            f"{self.name} was not fetched. Either {self._host} is out of reach, or it does not let this page read its "
            f"files (CORS): then its answer needs the header Access-Control-Allow-Origin: {self._origin}. "
            "Or download the file and drop it on this page."
        )
