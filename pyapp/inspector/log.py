"""One session as far as it was read: its transcript and its time axis, which only ever grow.

The model refers to a log and says how much of it it sees; since what was folded never changes,
sharing it between one model and the next is as good as copying it.
"""

from __future__ import annotations

from ..transcript.describe import describe
from ..transcript.fold import Transcript
from ..transcript.timeline import Timeline
from ..types import SessionEvent


class SessionLog:
    """The events of one session, folded from the first one on."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.timeline = Timeline()

    def __len__(self) -> int:
        return self.transcript.count

    def append(self, event: SessionEvent) -> None:
        """Fold the next event."""
        line = describe(event)
        self.transcript.append(event)
        self.timeline.append(event.event_index, event.created_at, line.kind, mark=line.mark)
