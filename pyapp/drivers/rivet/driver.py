"""Sessions in the state of a Rivet actor, which tells all who are connected what is written.

`examples/rivet/` has the actor and a Rivet for one machine. An actor saves its whole state at each write, so one is for
the sessions of a workspace, some ten thousand events. A million can be read as fast, but each write takes seconds then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ...errors import StoreUnavailableError
from ...transport import Sockets, Transport
from ...transport.usual import usual_sockets, usual_transport
from ...types import EventDraft, ListPage, SessionEvent, SessionRecord
from ..base import SessionHead, SessionStore, StoreChange, Totals
from ..defaults import DefaultStore
from ..gathering import Gathering
from ..paging import event_pages
from .actions import AllActions, FiveActions
from .actor import NoActionError, RivetActor
from .live import INTERVAL, News, RivetNews, gather
from .rows import check_keys, checked

if TYPE_CHECKING:
    from typing import Self

NEEDED = ("The Rivet driver", "rivet")
"""Who needs what, where a library is missing."""


class RivetSessionPersistDriver:
    """A SessionStore in the Rivet actor with this name and key, which is made at the first call if there is none.

    `endpoint` is the address of Rivet (`http://127.0.0.1:6420`). Many clients may use one actor: each event gets an
    index of its own, and all hear of changes. Once it was reached, a call that gets no answer is repeated for 15 s, but
    for `add_sessions`: events have ids, so none is stored twice. An actor with upstream's five actions alone is used as
    `with_defaults` uses a driver. `token` is for a Rivet that asks for one. `transport` and `sockets` are other ways to
    Rivet than the usual ones: httpx and websockets, from the extra `[rivet]`, on CPython, the browser's own in a page.

    Raises ValueError for an endpoint that is none, ImportError where the extra is missing.
    """

    def __init__(
        self,
        endpoint: str,
        actor: str = "sessions",
        key: str = "default",
        *,
        namespace: str = "default",
        token: str | None = None,
        transport: Transport | None = None,
        sockets: Sockets | None = None,
    ) -> None:
        self._actor = RivetActor(transport or usual_transport(*NEEDED), endpoint, actor, key, namespace, token)
        self._news = RivetNews(self._actor, sockets or usual_sockets(*NEEDED))
        self._closed = False
        self._chosen: SessionStore | None = None
        self._writing = asyncio.Lock()
        """Writes go one after the other, so that they are done in the order of the calls."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the connections; further calls raise StoreUnavailableError."""
        if not self._closed:
            self._closed = True
            await self._news.aclose()
            await self._actor.aclose()

    async def exists(self) -> bool:
        """Whether there is such an actor; none is made. Raises StoreUnavailableError, StoreError."""
        return await self._actor.exists()

    # what others write

    def on_change(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes by any client; the returned function ends it.

        It hears that everything may have changed when the connection was made, at first and after it broke.
        """
        gathering = Gathering(listener, INTERVAL)
        stop = self._news.listen(lambda news: gather(gathering, news))

        def end() -> None:
            stop()
            gathering.forget_timer()  # what was heard just now is told no more

        return end

    async def subscribe(self, session_id: str, after: int = 0) -> AsyncGenerator[SessionEvent, None]:
        """The events of a session as they are stored, by whomever, each once and in order, without an end.

        Those stored already come first, from behind the index `after` on. A broken connection is opened again, and
        reading goes on behind the last event. Raises as reading does, so StoreUnavailableError when nothing answers
        for 15 s.
        """
        last = after
        news: asyncio.Queue[News] = asyncio.Queue()
        stop = self._news.listen(news.put_nowait)
        news.put_nowait(StoreChange(everything=True))  # what came since the last index was read
        try:
            while True:
                match await news.get():
                    case SessionEvent() as event if event.session_id != session_id or event.event_index <= last:
                        continue
                    case SessionEvent() as event if event.event_index == last + 1:
                        last = event.event_index
                        yield event
                    case StoreChange(ids, everything) if session_id not in ids and not everything:
                        continue
                    case _:  # something was missed, or may have been
                        async for event in self._events_after(session_id, last):
                            last = event.event_index
                            yield event
        finally:
            stop()

    async def _events_after(self, session_id: str, index: int) -> AsyncIterator[SessionEvent]:
        async for events in event_pages(self, session_id, after=(index + 1, "")):
            for event in events:
                if event.event_index > index:  # an actor that does not know our cursor begins at the first
                    yield event

    # a store by all of the actor's actions, or by five and defaults

    async def _store(self) -> SessionStore:
        """What the actor can be asked for. It is looked up once, by an action that only ours have."""
        if self._closed:
            raise StoreUnavailableError("this driver was closed; make another one")
        if self._chosen is None:
            everything = AllActions(self._actor)
            try:
                await everything.totals()
            except NoActionError:
                chosen: SessionStore = DefaultStore(FiveActions(self._actor))
            else:
                chosen = everything
            self._chosen = self._chosen or chosen  # of several that asked at once the first one counts
        return self._chosen

    async def get_session(self, session_id: str) -> SessionRecord | None:
        """The record under this id, or None."""
        return await (await self._store()).get_session(session_id)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of all sessions, ordered by (created_at, id). Raises InvalidCursorError, ValueError."""
        return await (await self._store()).list_sessions(cursor=cursor, limit=limit)

    async def session_heads(self) -> Sequence[SessionHead]:
        """Of every session what a list needs to order it, in the order of list_sessions."""
        return await (await self._store()).session_heads()

    async def update_session(self, record: SessionRecord) -> None:
        """Store a record, in place of the one with the same id. Raises InvalidRecordError."""
        check_keys(record.id)
        async with self._writing:
            await (await self._store()).update_session(record)

    async def delete_session(self, session_id: str) -> None:
        """Delete a session's record and its events."""
        async with self._writing:
            await (await self._store()).delete_session(session_id)

    async def totals(self) -> Totals:
        """How much is stored in all."""
        return await (await self._store()).totals()

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, ordered by (event_index, id). Raises InvalidCursorError, ValueError."""
        return await (await self._store()).list_events(session_id, cursor=cursor, limit=limit)

    async def last_events(
        self, session_id: str, n: int, *, before: tuple[int, str] | None = None
    ) -> tuple[SessionEvent, ...]:
        """The last `n` events, oldest first; with `before`, the last whose (event_index, id) is smaller."""
        return await (await self._store()).last_events(session_id, n, before=before)

    async def count_events(self, session_id: str) -> int:
        """How many events of this session are stored."""
        return await (await self._store()).count_events(session_id)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        """Store one event. Raises EventConflictError and InvalidRecordError."""
        check_keys(session_id, event.id)
        async with self._writing:
            await (await self._store()).insert_event(session_id, event)

    async def insert_events(self, session_id: str, events: Sequence[SessionEvent]) -> None:
        """Store some events: all, or none. Raises EventConflictError and InvalidRecordError."""
        check_keys(session_id, *(event.id for event in events))
        async with self._writing:
            await (await self._store()).insert_events(session_id, events)

    async def append_event(self, session_id: str, draft: EventDraft) -> SessionEvent:
        """Store an event behind the last one. Raises EventConflictError and InvalidRecordError."""
        check_keys(session_id, draft.id)
        async with self._writing:
            return await (await self._store()).append_event(session_id, draft)

    async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
        """Store events behind the last one: all, or none. Raises EventConflictError and InvalidRecordError."""
        check_keys(session_id, *(draft.id for draft in drafts))
        async with self._writing:
            return await (await self._store()).append_events(session_id, drafts)

    async def add_sessions(
        self,
        records: Sequence[SessionRecord],
        event_rows: Iterable[Sequence[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Add whole sessions that are not stored yet: all of them, or nothing (see SessionStore)."""
        check_keys(*(record.id for record in records))
        await (await self._store()).add_sessions(records, checked(event_rows), progress)
