"""Connections to one Postgres database: opened when they are needed, lent one at a time, at most so many.

Not `psycopg_pool`: it connects in tasks of its own and tells the caller of a wrong password only that time is up. Here
who needs a connection opens it, and hears what is wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from ...errors import StoreError, StoreUnavailableError, UnknownLayoutError
from .errors import Place, is_crowded, is_lost, is_outdated, is_passing, told
from .patience import Patience

T = TypeVar("T")

# What psycopg logs of lost connections goes where the program sends its log; without that, not to its stderr: each is
# told as an error here, or the call goes well in the end.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """psycopg's, with two cursors that are used again and again: to make one takes longer than to fill in its
    values."""

    @cached_property
    def locker(self) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        """For the statement that takes the lock."""
        return self.cursor()

    @cached_property
    def writer(self) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        """For the statement that writes."""
        return self.cursor()


PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, *[1.0] * 10)
"""Seconds between the tries of a call whose connection was lost: a server that is restarted is back within these."""

IDLE = 60.0
"""Seconds after which a connection that nobody needed is closed, when another one is given back."""

_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "sandbox-agent-pyodide",
    # A server that went away without a word is noticed within a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 40_000,
}

_SETTINGS = """SELECT set_config(name, value, false) FROM (VALUES
  ('statement_timeout', $1), ('idle_in_transaction_session_timeout', $1),
  ('default_transaction_isolation', 'read committed')) AS setting(name, value)
UNION ALL SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"""
"""Whatever is the custom of the database: who waited for a lock sees what was committed meanwhile, and what was
acknowledged is on the disk."""


class Connections:
    """At most `most` connections; each call gets `timeout` seconds of one, and is tried again when the server was
    away."""

    def __init__(self, place: Place, schema: str, most: int, timeout: float) -> None:
        self.place = place
        self._schema = schema
        self._timeout = timeout
        self._patience = Patience(timeout * 1.1 + 0.1)  # the server cancels first, and the connection is kept
        self._most = most
        self._places = asyncio.Semaphore(most)
        self._idle: list[tuple[Connection, float]] = []
        self._was_open = False
        self._calls = 0
        self._no_calls: asyncio.Future[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def check_open(self) -> None:
        """Raises StoreUnavailableError once it is being closed."""
        if self._closing is not None:
            raise StoreUnavailableError("the store was closed; make a new one")

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around all that a caller of the store waits for: `close` waits for it, too. Raises StoreUnavailableError."""
        self.check_open()
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            if self._no_calls is not None and not self._calls:
                self._no_calls.set_result(None)

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, again: bool = True, limited: bool = True) -> T:
        """What `work` does with a connection, in autocommit. What it does is done again, unless `again` says no, when
        the connection was lost; so it must be such that doing it twice is harmless. `limited=False` takes as long as
        it takes.

        Raises PyappError, and what `work` raises.
        """
        pauses: Iterator[float] = iter(PAUSES if again else ())
        while True:
            try:
                return await self._once(work, limited)
            except psycopg.Error as error:
                said = str(error)
                is_there = self._was_open or not is_lost(error) or "starting up" in said or is_crowded(said)
                pause = next(pauses, None) if is_there and is_passing(error) else None
                if pause is None:
                    raise told(error, self.place, self._schema) from None
            except TimeoutError:
                if not limited:  # then it is not ours
                    raise
                raise StoreError(f"{self.place} did not answer within {self._timeout:g} s") from None
            await asyncio.sleep(pause)

    async def open(self) -> Connection:
        """A connection beyond the lent ones, whose owner closes it. Raises psycopg.Error, UnknownLayoutError."""
        connection = await Connection.connect(
            **(_DEFAULTS | self.place.parameters | {"client_encoding": "UTF8"}),
            autocommit=True,
            cursor_factory=psycopg.AsyncRawCursor,
        )
        try:
            encoding = connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                raise UnknownLayoutError(
                    f"the database of {self.place} is encoded as {encoding}, which cannot hold every text; "
                    "create one with ENCODING 'UTF8'"
                )
            milliseconds = str(max(1, round(self._timeout * 1000)))
            await connection.execute(_SETTINGS, (milliseconds,))
        except BaseException:
            await connection.close()
            raise
        self._was_open = True
        return connection

    async def close(self) -> None:
        """Close all of them after the running calls; further calls raise StoreUnavailableError."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._calls:
            self._no_calls = asyncio.get_running_loop().create_future()
            await self._no_calls
        await self._drop_idle()
        self._patience.close()

    async def _once(self, work: Callable[[Connection], Awaitable[T]], limited: bool) -> T:
        async with self._places:
            # Opening has a limit of its own, since several addresses may have to be tried.
            connection = self._idle.pop()[0] if self._idle else await self.open()
            try:
                result = await (self._patience.wait(work(connection)) if limited else work(connection))
            except BaseException as error:
                await self._take_back(connection, error)
                raise
            self._give_back(connection)
        while self._idle and self._idle[0][1] < asyncio.get_running_loop().time() - IDLE:
            await self._idle.pop(0)[0].close()
        return result

    async def _take_back(self, connection: Connection, error: BaseException) -> None:
        """After a failure: keep a connection only if it is as good as new."""
        sound = not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE
        if sound and not isinstance(error, (asyncio.CancelledError, TimeoutError)) and not is_outdated(error):
            self._give_back(connection)
            return
        await connection.close()
        if is_lost(error) or is_outdated(error):
            await self._drop_idle()  # they are of the same server

    def _give_back(self, connection: Connection) -> None:
        self._idle.append((connection, asyncio.get_running_loop().time()))

    async def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await connection.close()
