"""What surrounds the page: a store, a clock, a place to send patches to, files of the site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from ..drivers.base import SessionStore


class World(Protocol):
    """In the browser `pyapp.worker` gives it; a test gives its own."""

    async def open_store(self, database: str) -> SessionStore:
        """The store with this name, "" for the usual one. Raises StoreError with words for the user."""
        ...

    def post(self, message: Mapping[str, Any]) -> None:
        """Send JSON to the page."""
        ...

    def clock(self) -> float:
        """Milliseconds of a clock that never goes back."""
        ...

    def fetch(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of a file of the site, as they come. Raises OSError when it cannot be had."""
        ...


class SourceFile(Protocol):
    """A file that the user chose."""

    @property
    def name(self) -> str:
        """Its name, without a folder."""
        ...

    @property
    def size(self) -> int:
        """Its length in bytes."""
        ...

    def slices(self) -> AsyncIterator[bytes]:
        """Its content, in pieces of any length."""
        ...
