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
from ..inspector.files.effects import Export, FetchSource, SearchSecrets, StopSearch
from ..inspector.files.messages import SearchFailed
from ..inspector.incoming import MARK, from_page
from ..inspector.live.effects import LiveEffect
from ..inspector.messages import (
    DatabasesRead,
    DetailRead,
    EverythingChanged,
    Failed,
    HeadsRead,
    JobEnded,
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
from . import jobs, reading
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
        self._job: asyncio.Task[None] | None = None
        self._search: asyncio.Task[None] | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._notes = NoteKeeper(world, self.send, self._start)
        self._live = LiveKeeper(world, self.send, self._start, world.open_store)
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
        self._start_job(lambda store: jobs.import_files(store, files, self.send, self.world))

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
            case fx.LoadDemo():
                self._start_job(lambda store: jobs.load_demo(store, self.world.fetch, self.send))
            case fx.CancelJob():
                if self._job:
                    self._job.cancel()
            case fx.ShowAddress(route, replaces):
                self.world.post({"type": "hash", "value": route.hash(), "replace": replaces})
            case fx.Copy(text):
                self.world.post({"type": "copy", "text": text})
            case Export():
                self._start_job(lambda store: self._export(store, effect))
            case FetchSource(source):
                self._start_job(lambda store: jobs.import_source(store, source, self.send, self.world))
            case SearchSecrets():
                self._stop_search()
                self._search = self._start(self._search_secrets(effect))
            case StopSearch():
                self._stop_search()
            case fx.DeleteSession():
                self._start_job(lambda store: self._delete(store, effect))
            case fx.AskToKeep():
                self.world.post({"type": "persist"})
            case fx.ReadStorage():
                self.world.post({"type": "storage"})
            case fx.Remember(database, mark):
                text = dump([mark.sessions, mark.events, mark.at])
                self.world.post({"type": "remember", "name": f"{MARK}{database}", "text": text})
            case fx.Release():
                self._start(self.world.release())
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

    def _stop_search(self) -> None:
        if self._search:
            self._search.cancel()
            self._search = None

    async def _search_secrets(self, effect: SearchSecrets) -> None:
        try:
            await self.world.install_rest()
        except OSError as error:
            self.send(SearchFailed(effect.search, str(error)))
            return
        from .exports import search

        await search(await self._opened_store(), effect, self.send)

    async def _export(self, store: SessionStore, effect: Export) -> JobEnded:
        await self.world.install_rest()
        from .exports import export

        return await export(store, effect, self.send, self.world)

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

    # long work

    def _start_job(self, work: Callable[[SessionStore], Coroutine[Any, Any, JobEnded]]) -> None:
        if self._job and not self._job.done():
            self.send(Failed(Alert("One thing at a time", "Wait for the running import, or cancel it.")))
            return
        self._job = self._start(self._run_job(work))

    async def _delete(self, store: SessionStore, effect: fx.DeleteSession) -> JobEnded:
        self.send(jobs.deleting())
        await self._live.end(effect.session_id)
        return await jobs.delete_session(store, effect)

    async def _run_job(self, work: Callable[[SessionStore], Coroutine[Any, Any, JobEnded]]) -> None:
        try:
            self.send(await work(await self._opened_store()))
        except asyncio.CancelledError:
            self.send(JobEnded("Cancelled; nothing was changed."))
        except (PyappError, OSError) as error:
            self.send(JobEnded(alert=Alert("That did not work", str(error))))
