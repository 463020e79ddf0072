"""The tables of one schema in use: found or made at the first call, and found again when somebody took them away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg

from ...errors import UnknownLayoutError
from .connections import Connection, Connections
from .errors import told
from .layout import MADE_MEANWHILE, NOT_ALLOWED, Found, Schema, find_layout, make_layout
from .statements import Statements

T = TypeVar("T")

Work = Callable[[Connection, Statements], Awaitable[T]]


class Tables:
    """Runs what is to be done with the tables, once they are there."""

    def __init__(self, connections: Connections, schema: Schema) -> None:
        self._connections = connections
        self._schema = schema
        self._known: Statements | None = None
        self._looking = asyncio.Lock()
        self.call = connections.call
        """Around all of a call, whatever it waits for."""

    async def exist(self) -> bool:
        """Whether any of them is there; nothing is made. Raises PyappError."""
        with self.call():
            found = await self._connections.run(lambda connection: find_layout(connection, self._schema))
        return found.is_there

    async def rows(self, choose: Callable[[Statements], str], *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement that changes nothing. Raises PyappError."""

        async def work(connection: Connection, known: Statements) -> list[tuple[Any, ...]]:
            return await (await connection.execute(choose(known), values)).fetchall()

        with self.call():
            return await self.run(work, writes=False)

    async def run(self, work: Work[T], *, writes: bool = True, again: bool = True, limited: bool = True) -> T:
        """As `Connections.run`, with the statements for the tables. Raises PyappError, and what `work` raises."""
        known = self._known
        if known is None or (writes and not known.has_beside):
            known = await self._look(writes)
        try:
            return await self._connections.run(lambda connection: work(connection, known), again=again, limited=limited)
        except UnknownLayoutError:
            self._known = None  # look again the next time
            raise

    async def _look(self, writes: bool) -> Statements:
        async with self._looking:
            if self._known is None or (writes and not self._known.has_beside):
                found = await self._connections.run(lambda connection: find_layout(connection, self._schema))
                has_beside = True
                if found.steps:
                    has_beside = await self._connections.run(
                        lambda connection: self._make(connection, found, writes), limited=False
                    )
                self._known = Statements(self._schema, beside=has_beside)
            return self._known

    async def _make(self, connection: Connection, found: Found, writes: bool) -> bool:
        """Make what is missing. Whether there is the table beside then."""
        for tries_left in (2, 1, 0):
            try:
                await make_layout(connection, self._schema)
                break
            except MADE_MEANWHILE:
                if not tries_left:
                    raise
            except psycopg.errors.LockNotAvailable as busy:  # waited for long enough
                raise told(busy, self._connections.place, self._schema.name) from None
            except NOT_ALLOWED:
                # Upstream's tables on a standby, or for a user who may only read: that is what they can do. And who may
                # write does so without the index, which is slow in long sessions.
                if not found.is_readable or (writes and not found.has_beside):
                    raise
                return found.has_beside
        return True
