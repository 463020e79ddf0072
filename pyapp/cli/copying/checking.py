"""Does a store have what was written to it? It is read again, and compared with what is still in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...drivers.base import Key, ReadEvent, SessionPersistDriver, cursor_after
from ...types import SessionEvent


async def difference(
    store: SessionPersistDriver,
    session_id: str,
    pages: Sequence[Sequence[ReadEvent]],
    after: Key | None = None,
    *,
    are_last: bool = True,
) -> str | None:
    """What is different about these events of a session in the store, in words; None where they are the same.

    `pages` hold one event or more each, the first of which comes behind the key `after`. With `are_last` the store must
    have nothing behind them.
    """
    cursor = None if after is None else cursor_after("events", after)
    rest = sum(map(len, pages))
    may_have_more = True
    for page in pages:
        given = tuple([read.event for read in page])
        stored = await store.list_events(session_id, cursor=cursor, limit=len(given))
        if stored.items != given:
            return _first_difference(given, stored.items, rest)
        rest -= len(given)
        may_have_more = stored.next_cursor is not None
        cursor = cursor_after("events", given[-1].key)
    if are_last and may_have_more and (await store.list_events(session_id, cursor=cursor, limit=1)).items:
        return "the target has more events than the source"
    return None


def _first_difference(given: Sequence[SessionEvent], stored: Sequence[SessionEvent], rest: int) -> str:
    for mine, theirs in zip(given, stored, strict=False):
        if mine != theirs:
            return f"event {mine.event_index} came out otherwise"
    return f"{rest - len(stored):,} of its events are missing in the target"
