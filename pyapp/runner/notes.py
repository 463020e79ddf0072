"""Carries out what is wanted done about notes. Without a store for them the page goes on; it says so once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..drivers.base import StoreChange
from ..drivers.notes import NoteStore
from ..errors import PyappError
from ..inspector.notes.effects import (
    Focus,
    ForgetNote,
    MarkRead,
    MarkSoon,
    NoteEffect,
    ReadAllNotes,
    ReadNotes,
    SaveNote,
)
from ..inspector.notes.messages import (
    MarkDue,
    NoteMessage,
    NotesChanged,
    NotesLost,
    NotesRead,
    NotKept,
)
from .world import World


class NoteKeeper:
    """Owns the note stores, one for each database; the first word about one opens it."""

    def __init__(
        self,
        world: World,
        send: Callable[[NoteMessage], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._world = world
        self._send = send
        self._start = start
        self._stores: dict[str, NoteStore] = {}

    def carry_out(self, effect: NoteEffect) -> None:
        """Do it, or begin to."""
        match effect:
            case MarkSoon(after):
                asyncio.get_running_loop().call_later(after / 1000, lambda: self._send(MarkDue()))
            case Focus(id_):
                self._world.post({"type": "focus", "id": id_})
            case _:
                self._start(self._work(effect))

    async def _work(self, effect: ReadNotes | ReadAllNotes | SaveNote | MarkRead | ForgetNote) -> None:
        try:
            store = self._store(effect.database)
            match effect:
                case ReadNotes(database, session_ids):
                    self._send(NotesRead(database, session_ids, await store.get_notes(session_ids)))
                case ReadAllNotes(database):
                    self._send(NotesRead(database, (), await store.all_notes(), everything=True))
                case SaveNote(_, session_id, name, tags):
                    await store.describe(session_id, name, tags)
                case MarkRead(_, session_id, event_index):
                    await store.mark_read(session_id, event_index)
                case ForgetNote(_, session_id):
                    await store.forget(session_id)
        except PyappError as error:
            if isinstance(effect, SaveNote):
                self._send(NotKept(effect.database, effect.session_id, str(error)))
            else:
                self._send(NotesLost(str(error)))

    def _store(self, database: str) -> NoteStore:
        if database not in self._stores:
            store = self._stores[database] = self._world.open_notes(database)
            store.on_change(lambda change: self._hear(database, change))
        return self._stores[database]

    def _hear(self, database: str, change: StoreChange) -> None:
        self._send(NotesChanged(database, change.session_ids, change.everything))
