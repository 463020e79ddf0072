"""A future that resumes who waits for it at once, in the event that brings the result.

An ordinary future does so in a later turn of the event loop. Under Pyodide a turn is a task of the browser of its own:
0.1 ms or more, as much as a read of the database takes itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


class PromptFuture(asyncio.Future[Any]):
    """For the event handlers of IndexedDB, which no task runs; within a task it does as any future."""

    def __init__(self) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._waiting: list[tuple[Callable[[Any], object], Context | None]] = []

    def resolve(self, result: Any) -> None:
        """Set the result, unless it was cancelled or is settled."""
        if not self.done():
            self.set_result(result)
            self._resume()

    def reject(self, error: BaseException) -> None:
        """Set the exception, unless it was cancelled or is settled."""
        if not self.done():
            self.set_exception(error)
            self._resume()

    def settle(self, result: Any, error: BaseException | None) -> None:
        """The result, or the exception if there is one."""
        if error is None:
            self.resolve(result)
        else:
            self.reject(error)

    def add_done_callback(self, fn: Callable[[Any], object], *, context: Context | None = None) -> None:
        """A task that awaits is such a callback too."""
        if self.done():
            super().add_done_callback(fn, context=context)
        else:
            self._waiting.append((fn, context))

    def remove_done_callback(self, fn: Callable[[Any], object], /) -> int:
        """How many were taken away."""
        before = len(self._waiting)
        self._waiting = [one for one in self._waiting if one[0] != fn]
        return before - len(self._waiting)

    def cancel(self, msg: Any | None = None) -> bool:
        """Whoever waits hears of it in the next turn, since it is a task that cancels."""
        if not super().cancel(msg):
            return False
        self._resume_soon()
        return True

    def _resume(self) -> None:
        if asyncio.current_task() is not None:  # a task cannot be entered within another
            self._resume_soon()
            return
        waiting, self._waiting = self._waiting, []
        for function, context in waiting:
            if context is None:
                function(self)
            else:
                context.run(function, self)

    def _resume_soon(self) -> None:
        waiting, self._waiting = self._waiting, []
        for function, context in waiting:
            self.get_loop().call_soon(function, self, context=context)
