"""Word of what changed: by this driver from its own mouth, by anybody else from SQLite's counter of foreign commits.

`PRAGMA data_version` of a connection changes when another one has committed, in whatever process. It is asked for only
while somebody listens. It does not say what changed: then everything may have.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from ...errors import PyappError
from ...listeners import Listeners
from ..base import StoreChange
from ..gathering import Gathering
from .database import version

PAUSE = 0.04
"""Seconds for which changes are gathered, so that a flood of writes costs a few words."""

PERIOD = 0.1
"""Seconds between two looks at the counter."""


class Changes:
    """What one driver tells. `ask` reads from the connection that writes, whose own commits do not count; `at_first`
    gives the counter as it was when that connection was opened: nothing of this driver can have been read before."""

    def __init__(
        self, ask: Callable[[Callable[[sqlite3.Connection], int]], Awaitable[int]], at_first: Callable[[], int]
    ) -> None:
        self._ask = ask
        self._at_first = at_first
        self._seen: int | None = None
        self._listeners: Listeners[StoreChange] = Listeners()
        self._gathering = Gathering(self._listeners.tell, PAUSE)
        self._watcher: asyncio.Task[None] | None = None

    def listen(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes, from the running event loop on; the returned function ends it."""
        remove = self._listeners.add(listener)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

        def end() -> None:
            remove()
            if not self._listeners:
                self._stop()

        return end

    def touch(self, session_ids: Iterable[str | None]) -> None:
        """Sessions were changed here; say so soon."""
        if self._listeners:
            self._gathering.touch(id_ for id_ in session_ids if id_ is not None)

    async def close(self) -> None:
        """Say what is to be said, and look no more."""
        self._gathering.flush()
        watcher = self._watcher
        self._stop()
        if watcher is not None:
            with suppress(asyncio.CancelledError):
                await watcher

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def _watch(self) -> None:
        while True:
            with suppress(PyappError):  # whoever reads or writes hears of what is wrong with the file
                now = await self._ask(version)
                if now != (self._at_first() if self._seen is None else self._seen):
                    self._listeners.tell(StoreChange(everything=True))
                self._seen = now
            await asyncio.sleep(PERIOD)
