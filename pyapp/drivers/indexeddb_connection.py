"""A database that is there when it is needed: opened at the first call, and again when the browser took it away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Literal

from ..errors import StoreUnavailableError
from ..interop import JsException, JsValue, error_name, from_json
from .idb import Aborted, Connection, Durability, Transaction, durability_options, run, store_error

Opener = Callable[[Callable[[], None]], Awaitable[Connection]]
"""Opens a connection; what it is given is to be called once the browser has taken the connection away."""


class Database:
    """A database of one layout, until `close`."""

    def __init__(self, name: str, opener: Opener) -> None:
        self.name = name
        self.connection: Connection | None = None
        """What is open now, if anything is."""
        self.on_lost: Callable[[], None] = lambda: None
        """Called when the browser has taken the connection away."""
        self._opener = opener
        self._opening = asyncio.Lock()
        self._closed = False

    def close(self) -> None:
        """Close after the running transactions; a later call raises StoreUnavailableError."""
        self._closed = True
        self.release()

    def release(self) -> None:
        """Let go of the connection, after the running transactions; the next call opens another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def check_open(self) -> None:
        """Raises StoreUnavailableError after `close`."""
        if self._closed:
            raise StoreUnavailableError(f"the driver of the database {self.name!r} was closed; make a new one")

    async def connect(self) -> Connection:
        """The open connection, or a new one. Raises what opening raises, and StoreUnavailableError."""
        async with self._opening:
            if self.connection is None:
                self.check_open()
                connection = await self._opener(self._lost)
                if self._closed:
                    connection.close()
                self.check_open()
                self.connection = connection
            return self.connection

    async def run(
        self,
        stores: str | tuple[str, ...],
        mode: Literal["readonly", "readwrite"],
        issue: Callable[[Transaction], None],
        durability: Durability | None = None,
        *,
        repeatable: bool = True,
    ) -> Any:
        """Run a transaction (see `idb.run`); when the connection was lost open a new one and try once more.

        With `repeatable=False` a transaction that was under way when the connection broke is not begun again.
        Raises UnknownLayoutError, StoreUnavailableError, what a callback raised, and Aborted for a
        ConstraintError alone.
        """
        for retry in (True, False):
            connection = self.connection or await self.connect()
            try:
                return await run(connection, stores_array(stores), mode, issue, durability_options(durability))
            except JsException as error:  # no transaction was begun
                if not is_lost(error) or not retry:
                    raise store_error(error) from None
            except Aborted as error:
                if error.name == "ConstraintError":
                    raise
                if not is_lost(error) or not retry or not repeatable:
                    raise store_error(error) from None
            self.lose(connection)
        raise AssertionError("the second try returns or raises")

    def lose(self, connection: Connection) -> None:
        """A transaction has found that the browser took this connection away, before its `close` event came."""
        if self.connection is connection:
            self._lost()
        connection.abandon()

    def _lost(self) -> None:
        self.connection = None
        self.on_lost()


def is_lost(error: BaseException) -> bool:
    """Whether a new connection may help: this one was closed, before a transaction began or under a running one."""
    if isinstance(error, Aborted):
        return error.name in ("AbortError", "UnknownError")  # the latter from Chromium, as it clears a site's data
    return isinstance(error, JsException) and error_name(error) == "InvalidStateError"


@cache
def stores_array(stores: str | tuple[str, ...]) -> JsValue:
    """What `database.transaction` takes: one name, or a JavaScript array of names."""
    return stores if isinstance(stores, str) else from_json(json.dumps(stores))
