"""Who wants to hear of something. A listener that fails keeps the others from nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Listeners(Generic[T]):
    """Functions that are told of values, in the order in which they were added."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Tell `listener` from now on; the returned function ends it, and does nothing a second time."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def tell(self, value: T) -> None:
        """Tell all who listen now. What one of them raises goes to the event loop's exception handler."""
        for listener in list(self._listeners):
            try:
                listener(value)
            except Exception as error:
                context = {"message": "a listener failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
