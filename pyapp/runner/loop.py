"""The loop: a message changes the model, effects are carried out, what changed goes to the page.

The page gets no new patch before it has shown the last one, so it is never flooded; what happens in
between is shown together. Reads of one kind do not pile up either: the newest wish is next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from ..drivers.base import ObservableStore, SessionStore, StoreChange
from ..errors import PyappError
from ..inspector import effects as fx
from ..inspector.incoming import MARK, from_page
from ..inspector.live.effects import LiveEffect
from ..inspector.messages import (
    DatabasesRead,
    DetailRead,
    EverythingChanged,
    Failed,
    HeadsRead,
    Message,
    NotShown,
    RecordsChanged,
    RowsRead,
    SessionRead,
    SourceReached,
    StatusRead,
    SummariesRead,
    TailRead,
    Ticked,
    TotalsRead,
    Waited,
)
from ..inspector.model import Alert, Model, OpenSession
from ..inspector.notes.effects import NoteEffect
from ..inspector.storing import ONLY_SHOWN
from ..inspector.update import cannot_open, cannot_read, not_found, update
from ..inspector.views.html import Page
from ..inspector.views.page import view
from ..json_text import dump
from . import reading
from .jobs import JobKeeper
from .live import LiveKeeper
from .notes import NoteKeeper
from .patches import Patches
from .world import SourceFile, World

FOLD_REPORT = 120.0
"""Milliseconds between two words on how far the background reading came."""

FOLLOW_PAUSE = 0.15
"""Seconds from one look at what others wrote to the next."""


class Runner:
    """Owns the model, the store and all tasks; everything else is told what to do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.model = Model(usual_database=world.usual_database, site=world.site, is_served=world.is_served)
        world.on_reach(lambda is_there, name: self.send(SourceReached(is_there, name)))
        world.on_wait(lambda waits: self.send(Waited(waits)))
        self._patches = Patches()
        self._painting = False
        self._dirty = False
        self._store: SessionStore | None = None
        self._opened: asyncio.Future[SessionStore] | None = None
        self._wishes: dict[str, Callable[[], Awaitable[None]]] = {}
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session_task: asyncio.Task[None] | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._notes = NoteKeeper(world, self.send, self._start)
        self._live = LiveKeeper(world, self.send, self._start, world.open_store)
        self._jobs = JobKeeper(world, self.send, self._start, self._opened_store, self._live.end)
        self._heard = StoreChange()
        self._stop_hearing: Callable[[], None] = lambda: None

    # what comes in

    def receive(self, sent: dict[str, Any]) -> None:
        """A message of the page."""
        if sent.get("name") == "painted":
            self._painting = False
            self._render()
        elif (message := from_page(sent)) is not None:
            self.send(message)

    def send(self, message: Message) -> None:
        """Something happened."""
        self.model, effects = update(self.model, message, self.world.clock())
        for effect in effects:
            self._carry_out(effect)
        self._render_soon()

    def import_files(self, files: Sequence[SourceFile]) -> None:
        """The user chose or dropped recordings."""
        if self.model.is_read_only:
            self.send(Failed(Alert("Nothing was imported", f"{ONLY_SHOWN}.")))
            return
        self._jobs.import_files(files)

    async def settled(self) -> None:
        """Wait until no task runs, for tests."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # what goes out

    def _render_soon(self) -> None:
        if not self._dirty:
            self._dirty = True
            asyncio.get_running_loop().call_soon(self._render)

    def _render(self) -> None:
        if self._painting or not self._dirty:
            return
        self._dirty = False
        patch = self._patches.changes(self._view())
        if patch is not None:
            self._painting = True
            self.world.post(patch)

    def _view(self) -> Page:
        """The page; a session that cannot be drawn is closed with its reason, so that the others stay in reach."""
        try:
            return view(self.model)
        except Exception as error:
            if self.model.session is None:
                raise
            self._close_session()
            reason = Alert("This session cannot be shown", f"{type(error).__name__}: {error}")
            self.model = replace(self.model, session=None, problem=reason)
            return view(self.model)

    # effects

    def _carry_out(self, effect: fx.Effect) -> None:
        match effect:
            case fx.ReadHeads(database):
                self._opened = self._opening(database)
                self._latest("heads", self._read_heads)
            case fx.ReadSummaries(session_ids):
                self._latest("summaries", lambda: self._read_summaries(session_ids))
            case fx.ReadSession():
                self._close_session()
                self._session_task = self._start(self._read_session(effect))
            case fx.CloseSession():
                self._close_session()
            case fx.ReadMore():
                if session := self._session():
                    self._hear(StoreChange(frozenset([session.record.id])))
            case fx.ReadTail(position):
                self._latest("tail", lambda: self._read_tail(position))
            case fx.ReadRows(first, count):
                self._latest("rows", lambda: self._read_rows(first, count))
            case fx.ReadDetail(ordinal):
                self._latest("detail", lambda: self._read_detail(ordinal))
            case fx.Tick(after):
                self._tick_after(after)
            case fx.ForgetStatus(status, after):
                asyncio.get_running_loop().call_later(after / 1000, lambda: self.send(StatusRead(status)))
            case fx.ShowAddress(route, replaces):
                self.world.post({"type": "hash", "value": route.hash(), "replace": replaces})
            case fx.Copy(text):
                self.world.post({"type": "copy", "text": text})
            case fx.AskToKeep():
                self.world.post({"type": "persist"})
            case fx.ReadStorage():
                self.world.post({"type": "storage"})
            case fx.Remember(database, mark):
                text = dump([mark.sessions, mark.events, mark.at])
                self.world.post({"type": "remember", "name": f"{MARK}{database}", "text": text})
            case fx.Release():
                self._start(self.world.release())
            case _ if isinstance(effect, fx.JobEffect):
                self._jobs.carry_out(effect)
            case _ if isinstance(effect, NoteEffect):
                self._notes.carry_out(effect)
            case _ if isinstance(effect, LiveEffect):
                self._live.carry_out(effect)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before it began, it would never be awaited
        return task

    async def _guarded(self, work: Awaitable[None]) -> None:
        """No failure passes in silence: what an effect raises is shown."""
        try:
            await work
        except PyappError as error:
            self.send(Failed(Alert("That did not work", str(error))))
        except Exception as error:
            self.send(Failed(Alert("Something failed inside this page", f"{type(error).__name__}: {error}")))
            raise

    def _latest(self, kind: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this now, or when what runs of this kind is done; a wish in between is forgotten."""
        self._wishes[kind] = work
        if kind not in self._busy:
            self._busy.add(kind)
            self._start(self._work_off(kind))

    async def _work_off(self, kind: str) -> None:
        try:
            while kind in self._wishes:
                await self._wishes.pop(kind)()
        finally:
            self._busy.discard(kind)

    def _tick_after(self, after: float) -> None:
        if self._tick:
            self._tick.cancel()
        self._tick = asyncio.get_running_loop().call_later(after / 1000, lambda: self.send(Ticked()))

    def _close_session(self) -> None:
        if self._session_task:
            self._session_task.cancel()
            self._session_task = None

    # reads

    async def _open(self, database: str) -> SessionStore:
        store = await self.world.open_store(database)
        if store is not self._store:
            self._stop_hearing()
            if isinstance(store, ObservableStore):
                self._stop_hearing = store.on_change(self._hear)
        self._store = store
        return store

    def _opening(self, database: str) -> asyncio.Task[SessionStore]:
        task = asyncio.ensure_future(self._open(database))
        # Who waits for it tells of a failure. Pyodide's loop logs it too where nobody is called back, and one that
        # comes at once is there before anybody waits.
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return task

    async def _opened_store(self) -> SessionStore:
        if self._opened is None:
            self._opened = self._opening(self.model.route.database)
        return await asyncio.shield(self._opened)

    async def _read_heads(self) -> None:
        try:
            store = await self._opened_store()
            heads = await store.session_heads()
        except PyappError as error:
            if self.model.listing is not None:
                raise  # they were to be read again: the list stays as it was
            self.send(HeadsRead(()))
            self.send(NotShown(cannot_open(error)))
            return
        self.send(HeadsRead(tuple(heads)))
        self._latest("totals", self._read_totals)

    async def _read_totals(self) -> None:
        database, store = self.model.route.database, await self._opened_store()
        totals = await store.totals()
        self.send(TotalsRead(database, totals.sessions, totals.events))
        self.send(DatabasesRead(tuple(await self.world.database_names())))

    async def _read_summaries(self, session_ids: tuple[str, ...]) -> None:
        store = await self._opened_store()
        self.send(SummariesRead(await reading.read_summaries(store, session_ids)))

    async def _read_session(self, effect: fx.ReadSession) -> None:
        try:
            store = await self._opened_store()
        except PyappError as error:
            self.send(NotShown(cannot_open(error)))
            return
        try:
            session = await reading.read_session(store, effect.session_id, effect.event)
        except PyappError as error:
            if (shown := self._session()) and shown.record.id == effect.session_id:
                raise  # it was to be read again: what is there of it stays
            self.send(NotShown(cannot_read(error)))  # the session before it must not stand under its address
            return
        if session is None:
            self.send(NotShown(not_found(effect.session_id)))
            return
        before = self.model.session
        if before:  # what the user chose for one session holds for the next
            session = replace(session, speed=before.speed, shorten=before.shorten)
        self.send(SessionRead(session))
        async for progress in reading.read_on(store, session, FOLD_REPORT, self.world.clock):
            self.send(progress)

    def _session(self) -> OpenSession | None:
        return self.model.session

    # what others write

    def _hear(self, change: StoreChange) -> None:
        """The store was changed: follow, soon, whatever else has changed by then."""
        ids = self._heard.session_ids | change.session_ids
        self._heard = StoreChange(ids, self._heard.everything or change.everything)
        self._latest("follow", self._follow)

    async def _follow(self) -> None:
        change, self._heard = self._heard, StoreChange()
        if change.everything:
            self.send(EverythingChanged())
        elif change.session_ids:
            store = await self._opened_store()
            self.send(RecordsChanged({id_: await store.get_session(id_) for id_ in sorted(change.session_ids)}))
            if (session := self._session()) and session.record.id in change.session_ids:
                await self._read_more(store, session)
        await asyncio.sleep(FOLLOW_PAUSE)

    async def _read_more(self, store: SessionStore, session: OpenSession) -> None:
        if session.total == 0:
            self._carry_out(fx.ReadSession(session.record.id, None))
            return
        if self._session_task and not self._session_task.done():
            await asyncio.wait([self._session_task])  # it may have passed the end already
        session = self._session() or session
        if session.complete and (grew := await reading.read_more(store, session)):
            self.send(grew)

    async def _read_tail(self, position: int) -> None:
        if session := self._session():
            tail = await reading.read_tail(await self._opened_store(), session, position)
            self.send(TailRead(session.record.id, tail))

    async def _read_rows(self, first: int, count: int) -> None:
        if session := self._session():
            rows = await reading.read_rows(await self._opened_store(), session, first, count)
            self.send(RowsRead(session.record.id, rows))

    async def _read_detail(self, ordinal: int) -> None:
        if session := self._session():
            detail = await reading.read_detail(await self._opened_store(), session, ordinal)
            if detail:
                self.send(DetailRead(session.record.id, detail))
