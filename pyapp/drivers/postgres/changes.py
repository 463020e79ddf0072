"""Word of changes between all drivers of one schema, in this process and in others: LISTEN and NOTIFY.

Each transaction announces its session as it commits, but only while somebody listens. Who listens has a connection for
that alone and holds a lock by which writers know; when the connection is lost everything may have changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable

import psycopg

from ...errors import PyappError
from ...listeners import Listeners
from ..base import StoreChange
from ..gathering import Gathering
from .connections import Connections
from .layout import LISTENING, Schema

GATHER = 0.05
"""Seconds for which changes are gathered before they are told."""

PAUSES = (0.1, 0.5, 2.0, 5.0)
"""Seconds before a lost connection is opened again; the last is for all further tries. On a standby they lie between
two words that everything may have changed."""

MOST_NAMED = 200
"""Sessions that are named in one word; if more of them changed it is everything."""

MOST_BYTES = 7_000
"""Of one word; Postgres takes just under 8,000."""


class Changes:
    """What the drivers of one schema are told. The connection is there while somebody listens."""

    def __init__(self, connections: Connections, schema: Schema) -> None:
        self._connections = connections
        self._schema = schema
        self._listeners: Listeners[StoreChange] = Listeners()
        self._gathering = Gathering(self._listeners.tell, GATHER)
        self._task: asyncio.Task[None] | None = None

    def listen(self, listener: Callable[[StoreChange], None]) -> Callable[[], None]:
        """Call `listener` after changes; the returned function ends it. Must be called where an event loop runs."""
        remove = self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._hear())

        def end() -> None:
            remove()
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

        return end

    async def close(self) -> None:
        """Tell nobody any more."""
        self._gathering.forget_timer()
        if (task := self._task) is not None:
            self._task = None
            task.cancel()
            await asyncio.wait([task])

    async def _hear(self) -> None:
        tries = 0
        while True:
            try:
                connection = await self._connections.open()
                try:
                    await connection.execute(f"LISTEN {self._schema.channel}")
                    # Waits for the writers who found that nobody listens; all later ones find the lock.
                    await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", (self._schema.lock, LISTENING))
                    tries = 0
                    self._gathering.add(StoreChange(everything=True))  # what was written before is told to nobody else
                    async for notice in connection.notifies():
                        self._gathering.add(read_word(notice.payload))
                finally:
                    await connection.close()
            except (psycopg.Error, PyappError) as error:
                if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):  # a standby, where nobody can listen
                    self._gathering.add(StoreChange(everything=True))
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1


def word_of(session_ids: Iterable[str]) -> str:
    """What is announced when these have changed."""
    ids = list(session_ids)
    if len(ids) <= MOST_NAMED:
        word = json.dumps(ids)
        if len(word) <= MOST_BYTES:
            return word
    return "*"


def read_word(word: str) -> StoreChange:
    """What another driver announced; whatever cannot be read means that anything may have changed."""
    try:
        ids = json.loads(word) if word.startswith('["') else None
    except (ValueError, RecursionError):
        ids = None
    if isinstance(ids, list) and all(isinstance(id_, str) for id_ in ids):
        return StoreChange(frozenset(ids))
    return StoreChange(everything=True)
