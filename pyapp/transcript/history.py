"""A value that changed over time, and what it was at any position.

The transcript never makes copies of itself: each thing in it keeps all its states, in order, and is asked
for the one at a position. So a seek costs a binary search for what is looked at, and nothing is folded
again; and since a state depends on earlier events alone, every way to a position shows the same.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """States in the order of the events that made them."""

    __slots__ = ("_ordinals", "_values")

    def __init__(self) -> None:
        self._ordinals = array("q")
        self._values: list[T] = []

    def __len__(self) -> int:
        return len(self._values)

    def append(self, ordinal: int, value: T) -> None:
        """The event `ordinal` made the value this; ordinals never go back."""
        self._ordinals.append(ordinal)
        self._values.append(value)

    def count_at(self, position: int) -> int:
        """How many states had been reached after `position` events."""
        return bisect_left(self._ordinals, position)

    def at(self, position: int) -> T | None:
        """The value after `position` events, None if there was none yet."""
        count = self.count_at(position)
        return self._values[count - 1] if count else None

    def __getitem__(self, number: int) -> T:
        """The state with this number, counted from 0."""
        return self._values[number]

    def first(self, count: int) -> list[T]:
        """The first `count` states, oldest first."""
        return self._values[:count]

    @property
    def last(self) -> T | None:
        """The newest value."""
        return self._values[-1] if self._values else None
