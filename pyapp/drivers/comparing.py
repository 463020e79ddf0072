"""Is a session the same in two places? Every event of both is read and compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..types import SessionEvent
from .base import Key, SessionPersistDriver
from .paging import event_pages

PAGE = 1_000
"""Events that are read at once, of either side."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How far two places agree on the events of a session.

    `same` events are equal, `last` is the key of the last of them. `longer` is the side that has more behind them, when
    the other one ends there; `differs_at` the index of the first event that is another, when neither does.
    """

    same: int
    last: Key | None
    longer: Literal["source", "target"] | None = None
    differs_at: int | None = None

    @property
    def is_equal(self) -> bool:
        """Both have the same events."""
        return self.longer is None and self.differs_at is None


async def compare_events(
    source: SessionPersistDriver,
    target: SessionPersistDriver,
    session_id: str,
    progress: Callable[[int], None] = lambda _events: None,
) -> Compared:
    """Read a session from both stores, side by side; `progress` is told how many more events were found equal."""
    ours, theirs = (event_pages(store, session_id, limit=PAGE) for store in (source, target))
    return await compare_pages(ours, theirs, progress)


async def compare_pages(
    ours: AsyncIterator[Sequence[SessionEvent]],
    theirs: AsyncIterator[Sequence[SessionEvent]],
    progress: Callable[[int], None] = lambda _events: None,
) -> Compared:
    """The same of the source's and the target's events, given in pages, in their order, none of them empty."""
    left: Sequence[SessionEvent] = ()
    right: Sequence[SessionEvent] = ()
    same, last = 0, None
    while True:
        left, right = await asyncio.gather(_more(left, ours), _more(right, theirs))
        count = min(len(left), len(right))
        if count == 0:
            return Compared(same, last, "source" if left else "target" if right else None)
        if tuple(left[:count]) != tuple(right[:count]):  # a list and a tuple are never equal
            first = next(number for number in range(count) if left[number] != right[number])
            if first:
                last = left[first - 1].key
            return Compared(same + first, last, differs_at=left[first].event_index)
        same, last = same + count, left[count - 1].key
        left, right = left[count:], right[count:]
        progress(count)


async def _more(rest: Sequence[SessionEvent], pages: AsyncIterator[Sequence[SessionEvent]]) -> Sequence[SessionEvent]:
    """What is left of a page, or the next one; empty at the end."""
    if rest:
        return rest
    async for page in pages:
        return page
    return ()
