"""Long work that the user waits for, one job at a time, and the search for secrets beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from ..drivers.base import SessionStore
from ..errors import PyappError
from ..inspector.dates import plural
from ..inspector.effects import CancelJob, DeleteSession, JobEffect, LoadDemo
from ..inspector.files.effects import Export, FetchSource, SearchSecrets, StopSearch
from ..inspector.files.messages import SearchFailed
from ..inspector.messages import Failed, JobEnded, JobMoved, Send
from ..inspector.model import Alert, Job
from . import importing
from .world import SourceFile, World

Work = Callable[[SessionStore], Coroutine[Any, Any, JobEnded]]


class JobKeeper:
    """Owns the job and the search that run. A job tells how far it came, and when cancelled has changed nothing."""

    def __init__(
        self,
        world: World,
        send: Send,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        opened_store: Callable[[], Awaitable[SessionStore]],
        end_live: Callable[[str], Awaitable[None]],
    ) -> None:
        self._world = world
        self._send = send
        self._start = start
        self._opened_store = opened_store
        self._end_live = end_live
        self._job: asyncio.Task[None] | None = None
        self._search: asyncio.Task[None] | None = None

    def carry_out(self, effect: JobEffect) -> None:
        """Begin it, or end what runs."""
        match effect:
            case LoadDemo():
                self._begin(lambda store: importing.load_demo(store, self._world.fetch, self._send))
            case FetchSource(source):
                self._begin(lambda store: importing.import_source(store, source, self._send, self._world))
            case Export():
                self._begin(lambda store: self._export(store, effect))
            case DeleteSession():
                self._begin(lambda store: self._delete(store, effect))
            case CancelJob():
                if self._job:
                    self._job.cancel()
            case SearchSecrets():
                self._stop_search()
                self._search = self._start(self._search_secrets(effect))
            case StopSearch():
                self._stop_search()

    def import_files(self, files: Sequence[SourceFile]) -> None:
        """Begin to import files that the user brought."""
        self._begin(lambda store: importing.import_files(store, files, self._send, self._world))

    def _begin(self, work: Work) -> None:
        if self._job and not self._job.done():
            self._send(Failed(Alert("One thing at a time", "Wait for the running import, or cancel it.")))
            return
        self._job = self._start(self._run(work))

    async def _run(self, work: Work) -> None:
        try:
            self._send(await work(await self._opened_store()))
        except asyncio.CancelledError:
            self._send(JobEnded("Cancelled; nothing was changed."))
        except (PyappError, OSError) as error:
            self._send(JobEnded(alert=Alert("That did not work", str(error))))

    async def _export(self, store: SessionStore, effect: Export) -> JobEnded:
        await self._world.install_rest()
        from .exports import export  # which the page's snapshot lacks, with all that knows secrets

        return await export(store, effect, self._send, self._world)

    async def _delete(self, store: SessionStore, effect: DeleteSession) -> JobEnded:
        self._send(JobMoved(Job("Deleting", "events")))
        await self._end_live(effect.session_id)
        await store.delete_session(effect.session_id)
        return JobEnded(f"Deleted 1 session, {plural(effect.events, 'event')}.", closed=effect.session_id, stored=True)

    async def _search_secrets(self, effect: SearchSecrets) -> None:
        try:
            await self._world.install_rest()
        except OSError as error:
            self._send(SearchFailed(effect.search, str(error)))
            return
        from .exports import search

        await search(await self._opened_store(), effect, self._send)

    def _stop_search(self) -> None:
        if self._search:
            self._search.cancel()
            self._search = None
