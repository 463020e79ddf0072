"""What is read of a stored session to go on with it: its end, back to the last prompt, never the whole of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..acp.messages import NEW_SESSION, PROMPT
from ..drivers.base import Key, SessionStore
from ..names import message_number, process_of
from ..types import SessionEvent

PAGE = 100
MOST = 2_000
"""Events that are read at most. A turn that is longer goes on all the same; what was asked before that is not known."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a session."""

    events: tuple[SessionEvent, ...]
    """From the last prompt on, oldest first."""
    last: Key
    """Where the last event stands, (0, "") when there is none."""

    def number(self, process: str) -> int:
        """The number of the last message of this process that is stored here, 0 where none was found."""
        numbers = (message_number(process, event.id) for event in reversed(self.events))
        return next((number for number in numbers if number is not None), 0)

    @property
    def process(self) -> str | None:
        """The process that the last event belongs to, as far as its connection tells."""
        return next((name for event in reversed(self.events) if (name := process_of(event.connection_id))), None)


async def read_tail(store: SessionStore, session_id: str) -> Tail:
    """The end of a session. Raises StoreError."""
    events: list[SessionEvent] = []
    before: Key | None = None
    while len(events) < MOST:
        page = await store.last_events(session_id, PAGE, before=before)
        for event in reversed(page):
            events.append(event)
            if event.sender == "client" and event.payload.get("method") in (PROMPT, NEW_SESSION):
                return _tail(events)
        if len(page) < PAGE:
            break
        before = page[0].key
    return _tail(events)


async def find_event(store: SessionStore, session_id: str, event_id: str) -> SessionEvent | None:
    """An event that was stored lately, by its id; None when it is not among the last `MOST`. Raises StoreError."""
    before: Key | None = None
    for _ in range(MOST // PAGE):
        page = await store.last_events(session_id, PAGE, before=before)
        for event in reversed(page):
            if event.id == event_id:
                return event
        if len(page) < PAGE:
            break
        before = page[0].key
    return None


def _tail(newest_first: list[SessionEvent]) -> Tail:
    events = tuple(reversed(newest_first))
    return Tail(events, events[-1].key if events else (0, ""))
