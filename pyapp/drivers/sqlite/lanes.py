"""Where blocking work is done: in a thread of its own, or, where there are no threads (Pyodide), here and now."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Lane(Protocol):
    """Work is done one piece after the other, in the order in which it was handed over."""

    async def run(self, work: Callable[[], T]) -> T:
        """Do it and give its result. When whoever waits is cancelled, it is done to its end all the same."""
        ...

    def post(self, work: Callable[[], None]) -> None:
        """Do it soon; it must raise nothing."""
        ...

    def tell(self, loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: Any) -> None:
        """From within the work: call this on the event loop. A loop that was closed has nobody who waits."""
        ...

    def close(self) -> None:
        """End it, once nothing is left to do."""
        ...


class ThreadLane:
    """A thread, begun with the first work and ended by `close`."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.wrap_future(self._executor.submit(work)))

    def post(self, work: Callable[[], None]) -> None:
        self._executor.submit(work)

    def tell(self, loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: Any) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(callback, *arguments)

    def close(self) -> None:
        self._executor.shutdown()


class InlineLane:
    """No thread: the event loop waits meanwhile."""

    async def run(self, work: Callable[[], T]) -> T:
        try:
            await asyncio.sleep(0)  # others get their turn between two pieces of work
        except asyncio.CancelledError:
            with suppress(Exception):  # nobody is there to hear of it
                work()  # it may be what undoes something
            raise
        return work()

    def post(self, work: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(work)  # so that what is handed over in one go is done together

    def tell(self, loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: Any) -> None:
        callback(*arguments)

    def close(self) -> None:
        """There is nothing to end."""


HAS_THREADS = sys.platform != "emscripten"


def open_lane(name: str) -> Lane:
    """A lane of the kind that works here."""
    return ThreadLane(name) if HAS_THREADS else InlineLane()
