"""What a copy has to do with each session, found by comparing before anything is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from ...drivers.base import Key, SessionStore
from ...drivers.comparing import compare_events
from ...drivers.paging import session_pages
from ...errors import UnknownSessionError
from ...types import SessionRecord
from .progress import Progress


@dataclass(frozen=True, slots=True)
class Step:
    """A session that has to be copied: all of it, or from behind the key `after` on, as the target has its beginning.

    `events` are to be copied; with `is_new` the target has nothing of it. `has_record` is False when the target has
    another record, or events alone, as a store without transactions leaves them when a copy breaks off.
    """

    record: SessionRecord
    events: int
    is_new: bool = False
    after: Key | None = None
    has_record: bool = False


@dataclass(slots=True)
class Plan:
    """What is to be done. `equal` counts the sessions that the target has already, `conflicts` says for each session
    that it has with other content what is different; those are left as they are."""

    steps: list[Step] = field(default_factory=list)
    equal: int = 0
    conflicts: dict[str, str] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """How many events have to be copied."""
        return sum(step.events for step in self.steps)


async def make_plan(
    source: SessionStore, target: SessionStore, session_ids: Sequence[str], progress: Progress, *, updates: bool = False
) -> Plan:
    """The plan for these sessions, all of the source if there are none. Raises UnknownSessionError.

    With `updates` a session goes on that has another record in the target, and gets that of the source.
    """
    plan = Plan()
    progress.begin("Comparing", None)
    async for record in _records(source, session_ids):
        await _add(plan, source, target, record, progress, updates=updates)
    return plan


async def _add(
    plan: Plan, source: SessionStore, target: SessionStore, record: SessionRecord, progress: Progress, *, updates: bool
) -> None:
    stored = await target.get_session(record.id)
    if stored is not None and stored != record and not updates:
        plan.conflicts[record.id] = "its record is another in the target"
        return
    events = await source.count_events(record.id)
    if stored is None and not await target.count_events(record.id):
        plan.steps.append(Step(record, events, is_new=True))
        return
    found = await compare_events(source, target, record.id, progress.moved)
    if found.differs_at is not None:
        plan.conflicts[record.id] = f"event {found.differs_at} is another in the target"
    elif found.longer == "target":
        plan.conflicts[record.id] = "the target has more events of it, all of the source's among them"
    elif found.is_equal and stored == record:
        plan.equal += 1
    else:
        rest = max(0, events - found.same)
        plan.steps.append(Step(record, rest, after=found.last, has_record=stored == record))


async def _records(source: SessionStore, session_ids: Sequence[str]) -> AsyncIterator[SessionRecord]:
    if not session_ids:
        async for page in session_pages(source):
            for record in page:
                yield record
    for session_id in dict.fromkeys(session_ids):
        found = await source.get_session(session_id)
        if found is None:
            raise UnknownSessionError(session_id)
        yield found
