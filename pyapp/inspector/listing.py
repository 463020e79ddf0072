"""The session list laid out: newest first, under a heading for each day, with the place of every row.

Laid out once for each reading of the store; what is visible is then found by binary search, so a
list of any length costs what the window shows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ..drivers.base import SessionHead
from .dates import DAY, Zone, day_label

SESSION_HEIGHT = 50
"""CSS pixels of a session's row."""

HEADING_HEIGHT = 30
"""CSS pixels of a day's heading."""

OVERSCAN = 8
"""Rows that are in the page above and below the visible ones."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """A session, or the heading of a day (then `head` is None). `top` in CSS pixels; `number` from 1."""

    top: int
    head: SessionHead | None
    heading: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """All rows, in the order of the page. Compared as an object: what is laid out once stays as it is."""

    rows: tuple[ListRow, ...]
    sessions: tuple[SessionHead, ...]
    height: int

    def visible(self, top: int, height: int) -> Sequence[ListRow]:
        """The rows to have in the page when these pixels are shown."""
        first = bisect_right(self.rows, top, key=lambda row: row.top) - 1 - OVERSCAN
        last = bisect_left(self.rows, top + height, key=lambda row: row.top) + OVERSCAN
        return self.rows[max(0, first) : last]

    def top_of(self, session_id: str) -> int | None:
        """Where a session's row is, in CSS pixels."""
        return next((row.top for row in self.rows if row.head and row.head.id == session_id), None)

    def neighbour(self, session_id: str | None, by: int) -> str | None:
        """The id of the session `by` rows further down the list; the first one when none is open."""
        ids = [head.id for head in self.sessions]
        if not ids:
            return None
        if session_id not in ids:
            return ids[0]
        at = ids.index(session_id) + by
        return ids[at] if 0 <= at < len(ids) else None


def lay_out(heads: Sequence[SessionHead], now: int, zone: Zone) -> Listing:
    """The listing of heads that come oldest first; `now` in ms since the epoch."""
    rows: list[ListRow] = []
    top, label = 0, ""
    day: int | None = None
    sessions = tuple(reversed(heads))
    for number, head in enumerate(sessions, 1):
        number_of_day = zone.local(head.created_at) // DAY
        if number_of_day != day:  # words for a date cost more than all the rest of a row
            before, label = label, day_label(head.created_at, now, zone)
            day = number_of_day
            if label != before:
                rows.append(ListRow(top, None, label))
                top += HEADING_HEIGHT
        rows.append(ListRow(top, head, number=number))
        top += SESSION_HEIGHT
    return Listing(tuple(rows), sessions, top)
