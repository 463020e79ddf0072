"""One thing in a transcript: when it began, and what it was after any number of events.

`items.py` has the states; here is how an item keeps them.
"""

from __future__ import annotations

from typing import Literal

from ..types import SessionEvent
from .content import Block, Text
from .history import History
from .items import Said, State

MAX_SAID = 200_000
"""Characters that are kept of one message; what comes after is counted, and readable in its events."""


class Item:
    """One thing that a person reads: it began with event `ordinal`, at `created_at` (ms since the epoch)."""

    __slots__ = ("created_at", "event_index", "ordinal", "states", "turn")

    def __init__(self, ordinal: int, event: SessionEvent, turn: int) -> None:
        self.ordinal = ordinal
        self.event_index = event.event_index
        self.created_at = event.created_at
        self.turn = turn
        self.states: History[State] = History()

    def version_at(self, position: int) -> int:
        """Which of its states the item had after `position` events, counted from 1; it must have begun by then."""
        return self.states.count_at(position)

    def state(self, version: int) -> State:
        """The state with this number; the same number always gives the same state."""
        return self.states[version - 1]

    def at(self, position: int) -> State:
        """The state after `position` events."""
        return self.state(self.version_at(position))


class Speech(Item):
    """A text that came in parts: its history is of parts, and the state is what they make together."""

    __slots__ = ("_latest", "kept", "kind", "parts", "times")

    def __init__(
        self, ordinal: int, event: SessionEvent, turn: int, kind: Literal["prompt", "message", "thought"]
    ) -> None:
        super().__init__(ordinal, event, turn)
        self.kind = kind
        self.parts: History[Block] = History()
        self.times: list[int] = []
        self.kept = 0
        self._latest: tuple[int, Said] | None = None

    def add(self, ordinal: int, block: Block, created_at: int) -> None:
        """One more part; text beyond `MAX_SAID` characters is only counted."""
        if isinstance(block, Text):
            room = max(0, MAX_SAID - self.kept)
            if len(block.text) > room:
                block = Text(block.text[:room], block.omitted + len(block.text) - room)
            self.kept += len(block.text)
        self.parts.append(ordinal, block)
        self.times.append(created_at)

    def version_at(self, position: int) -> int:
        return self.parts.count_at(position)

    def state(self, version: int) -> Said:
        if self._latest is None or self._latest[0] != version:
            self._latest = version, self._join(version)
        return self._latest[1]

    def _join(self, count: int) -> Said:
        blocks: list[Block] = []
        texts: list[str] = []
        omitted = 0
        for part in self.parts.first(count):
            if isinstance(part, Text):
                texts.append(part.text)
                omitted += part.omitted
                continue
            if texts:
                blocks.append(Text("".join(texts)))
                texts = []
            blocks.append(part)
        if texts:
            blocks.append(Text("".join(texts)))
        return Said(self.kind, tuple(blocks), self.times[count - 1], omitted)
