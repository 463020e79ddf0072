"""Work that goes on by itself while who began it does the next thing; one piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Ahead:
    """At most one piece of work runs. Its error is raised where the next one is begun, or the end awaited."""

    def __init__(self) -> None:
        self._task: asyncio.Future[None] | None = None

    async def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin this, once the piece before is done."""
        await self.done()
        self._task = asyncio.ensure_future(work())

    async def done(self) -> None:
        """Wait until nothing runs."""
        if self._task is not None:
            await self._task
            self._task = None

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has ended; its error is nobody's any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # else asyncio would print it
            self._task = None
