"""Changes gathered for a moment and told as one, so that a flood of writes costs a few words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .base import StoreChange


class Gathering:
    """Tells `tell` what changed, `pause` seconds after the first word of it."""

    def __init__(self, tell: Callable[[StoreChange], object], pause: float) -> None:
        self._tell = tell
        self._pause = pause
        self._ids: set[str] = set()
        self._everything = False
        self._timer: asyncio.TimerHandle | None = None

    def touch(self, session_ids: Iterable[str]) -> None:
        """These sessions have changed."""
        self._ids.update(session_ids)
        self._wait()

    def add(self, change: StoreChange) -> None:
        """The same for a change that somebody else told of."""
        self._everything |= change.everything
        self.touch(change.session_ids)

    def flush(self) -> None:
        """Tell now what there is to tell, if anything."""
        self.forget_timer()
        if self._everything or self._ids:
            change = StoreChange(everything=True) if self._everything else StoreChange(frozenset(self._ids))
            self._ids, self._everything = set(), False
            self._tell(change)

    def forget_timer(self) -> None:
        """Tell nothing by itself any more, until more changes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._timer is None and (self._everything or self._ids):
            self._timer = asyncio.get_running_loop().call_later(self._pause, self.flush)
