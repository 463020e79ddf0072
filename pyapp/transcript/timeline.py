"""The axis of time: when each event came, which kind it is, and how fast things went.

Replay runs on an axis in milliseconds on which a pause counts at most `LONGEST_PAUSE`, when
pauses are shortened, or fully, when they are not.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from .describe import Kind

LONGEST_PAUSE = 1000
"""Milliseconds that a shortened pause lasts in replay."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event worth jumping to."""

    ordinal: int
    kind: Kind


class Timeline:
    """Grows by one entry an event; every look-up is a binary search or an index."""

    def __init__(self) -> None:
        self._indexes = array("q")
        self._times = array("d")
        self._short_axis = array("d")
        self.marks: list[Mark] = []

    def __len__(self) -> int:
        return len(self._indexes)

    def append(self, event_index: int, created_at: int, kind: Kind, *, mark: bool) -> None:
        """The next event. A clock that went back counts as standing still."""
        before = self._times[-1] if self._times else created_at
        now = max(created_at, before)
        short = self._short_axis[-1] + min(now - before, LONGEST_PAUSE) if self._short_axis else 0.0
        if mark:
            self.marks.append(Mark(len(self._indexes), kind))
        self._indexes.append(event_index)
        self._times.append(now)
        self._short_axis.append(short)

    def event_index(self, ordinal: int) -> int:
        """The event index of the event at this place."""
        return self._indexes[ordinal]

    def ordinal_of(self, event_index: int) -> int:
        """The place of the first event whose index is at least this."""
        return bisect_left(self._indexes, event_index)

    def same_index_before(self, ordinal: int) -> int:
        """How many events before this one carry the same index: upstream's layout does not forbid it."""
        return ordinal - self.ordinal_of(self._indexes[ordinal])

    def elapsed(self, position: int) -> float:
        """Milliseconds from the first event to the last one played."""
        return self._times[position - 1] - self._times[0] if position else 0.0

    def moment(self, position: int, *, shorten: bool) -> float:
        """Where a position lies on the axis of replay, in milliseconds."""
        if not position or not len(self):
            return 0.0
        return self._short_axis[position - 1] if shorten else self.elapsed(position)

    def position_at(self, moment: float, *, shorten: bool) -> int:
        """How many events have been played at a moment of the axis of replay."""
        if not len(self):
            return 0
        if shorten:
            return bisect_right(self._short_axis, moment)
        return bisect_right(self._times, self._times[0] + moment)

    def mark_before(self, position: int) -> int | None:
        """The position that shows the last mark before the one shown now, or None."""
        at = bisect_left(self.marks, position - 1, key=lambda mark: mark.ordinal)
        return self.marks[at - 1].ordinal + 1 if at else None

    def mark_after(self, position: int) -> int | None:
        """The position that shows the next mark, or None."""
        at = bisect_left(self.marks, position, key=lambda mark: mark.ordinal)
        return self.marks[at].ordinal + 1 if at < len(self.marks) else None

    def pace(self, total: int, bars: int) -> Sequence[float]:
        """How fast events came, from 0 (a pause) to 1 (the fastest), in `bars` equal parts of `total` events.

        Costs what `bars` costs. Parts that are not read yet are 0.
        """
        if not total or not len(self):
            return [0.0] * bars
        rates = []
        for bar in range(bars):
            first, last = total * bar // bars, max(total * (bar + 1) // bars, total * bar // bars + 1)
            if last > len(self):
                rates.append(0.0)
                continue
            since = self._times[max(0, first - 1)]
            seconds = (self._times[last - 1] - since) / 1000
            rates.append((last - first) / (seconds + 0.05))
        fastest = max(rates) or 1.0
        return [(rate / fastest) ** 0.6 for rate in rates]
