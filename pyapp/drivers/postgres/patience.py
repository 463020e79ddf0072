"""A time limit for each of many short calls, at the price of a dictionary's entry.

`asyncio.timeout` sets a timer for each block and takes it away again, 13 µs; a row is written in 300. Here one timer
looks after all calls that run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Call:
    deadline: float
    cancelling: int
    overdue: bool = False


class Patience:
    """Waits at most `seconds` for each of its calls."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._calls: dict[asyncio.Task[object], _Call] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, work: Awaitable[T]) -> T:
        """What `work` gives. Raises TimeoutError, once `work` was cancelled. A task waits for one at a time."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task that could be cancelled")
        call = self._calls[task] = _Call(loop.time() + self.seconds, task.cancelling())
        if self._timer is None:
            self._timer = loop.call_at(call.deadline, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if call.overdue and task.uncancel() <= call.cancelling:  # else somebody else cancelled it, too
                raise TimeoutError from None
            raise
        finally:
            del self._calls[task]

    def close(self) -> None:
        """Set no timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, call in self._calls.items():
            if not call.overdue and call.deadline <= loop.time():
                call.overdue = True
                task.cancel()
        if waiting := [call.deadline for call in self._calls.values() if not call.overdue]:
            self._timer = loop.call_at(min(waiting), self._look)
