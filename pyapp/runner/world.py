"""What surrounds the page: a store, a clock, a place to send patches to, files of the site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from ..drivers.base import SessionStore
from ..drivers.notes import NoteStore
from ..transport import Transport


class World(Protocol):
    """In the browser `pyapp.worker` gives it; a test gives its own."""

    @property
    def usual_database(self) -> str:
        """The name of the store that is opened for "" ."""
        ...

    async def open_store(self, database: str) -> SessionStore:
        """The store with this name, "" for the usual one. Raises StoreError with words for the user."""
        ...

    def open_notes(self, database: str) -> NoteStore:
        """The notes about the sessions of that store."""
        ...

    async def database_names(self) -> Sequence[str]:
        """The names of all stores that are here, also of those that may hold something else than sessions."""
        ...

    def on_wait(self, listener: Callable[[bool], None]) -> None:
        """Tell when a store waits for another tab, and when it need not any more."""
        ...

    @property
    def is_served(self) -> bool:
        """Whether the usual store is that of another program, which is only shown here."""
        ...

    def on_reach(self, listener: Callable[[bool, str], None]) -> None:
        """Tell when that program answers, and how it calls its store, and when it does so no more."""
        ...

    async def release(self) -> None:
        """Let go of what the stores hold open, until the next call."""
        ...

    @property
    def origin(self) -> str:
        """Where the page comes from, as servers are told of it: `https://host`."""
        ...

    @property
    def site(self) -> str:
        """The address of the page's folder, with a slash at its end."""
        ...

    async def install_rest(self) -> None:
        """Make modules importable that most pages never need: they are not there at the start. Raises OSError."""
        ...

    async def open_file(self, path: str) -> SessionStore:
        """The store in a SQLite file, which is made when there is none. Whoever asked for it closes it.

        `install_rest` must have been called.
        """
        ...

    async def fetch_source(self, url: str, *, is_foreign: bool) -> SourceFile:
        """A file of this site or, without cookies, of another; its head is there when this returns.

        Raises OSError with words for the user when it cannot be had.
        """
        ...

    def transport(self) -> Transport:
        """What carries requests to servers of agents; whoever asked for it closes it."""
        ...

    def post(self, message: Mapping[str, Any], data: bytes | None = None) -> None:
        """Send JSON to the page, and bytes with it."""
        ...

    def clock(self) -> float:
        """Milliseconds of a clock that never goes back."""
        ...

    def fetch(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of a file of the site, as they come. Raises OSError when it cannot be had."""
        ...


class SourceFile(Protocol):
    """A file that the user chose, or that is being fetched: then it can be read once."""

    @property
    def name(self) -> str:
        """Its name, without a folder."""
        ...

    @property
    def size(self) -> int:
        """Its length in bytes, 0 when it is not known."""
        ...

    def slices(self) -> AsyncIterator[bytes]:
        """Its content, in pieces of any length."""
        ...
