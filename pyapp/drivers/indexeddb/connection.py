"""A database that is there when it is needed: opened at the first call, and again when the browser took it away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ...errors import StoreUnavailableError, UnknownLayoutError
from ...interop import JsException, JsValue, error_name, from_json
from ..base import StoreChange
from .changes import Changes
from .idb import (
    OPEN_SECONDS,
    Aborted,
    Connection,
    Durability,
    Transaction,
    Waiting,
    durability_options,
    open_database,
    run,
    store_error,
)

MOST_TRIES = 3
"""How often a transaction is begun at most: while a site is being cleared one connection after another may be lost."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a database holds, how it is made, and what is said of one that is another."""

    version: int
    upgrade: Callable[[JsValue, int, JsValue], None]
    """Makes the layout, or brings an older one up to date: gets the database, its version and the transaction."""
    fault: Callable[[JsValue], str]
    """What an open database lacks of the layout, "" for nothing."""
    foreign: str
    """What is said of a database with a fault: `name` and `fault` are filled in."""
    newer: str
    """What is said of a newer version: `name` and `version`, this one, are filled in."""


class Database:
    """A database of one layout, until `close`. `channel` is where drivers of it tell each other of changes.

    `on_wait` is told of an opening that has to wait for another tab (see `idb.open_database`).
    """

    def __init__(self, name: str, layout: Layout, channel: str, on_wait: Waiting | None = None) -> None:
        self.name = name
        self.connection: Connection | None = None
        """What is open now, if anything is."""
        self.changes = Changes(channel)
        """What is told and heard of changes. When the browser takes the database away everything has changed."""
        self._layout = layout
        self._on_wait = on_wait
        self._opening = asyncio.Lock()
        self._closed = False

    def close(self) -> None:
        """Close after the running transactions; a later call raises StoreUnavailableError."""
        self._closed = True
        self.release()

    def release(self) -> None:
        """Let go of the connection, after the running transactions, and of the channel; the next call opens both."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.changes.release()

    def check_open(self) -> None:
        """Raises StoreUnavailableError after `close`."""
        if self._closed:
            raise StoreUnavailableError(f"the driver of the database {self.name!r} was closed; make a new one")

    async def connect(self) -> Connection:
        """The open connection, or a new one. Raises what opening raises, and StoreUnavailableError."""
        async with self._opening:
            if self.connection is None:
                self.check_open()
                connection = await self._open()
                if self._closed:
                    connection.close()
                self.check_open()
                self.connection = connection
                self.changes.resume()
            return self.connection

    async def _open(self) -> Connection:
        """Open; and again when the browser broke the opening off, as it does while it clears the site's data."""
        until = asyncio.get_running_loop().time() + OPEN_SECONDS
        while True:
            try:
                return await self._open_once()
            except (Aborted, JsException) as error:
                if isinstance(error, Aborted) and error.name == "VersionError":
                    raise UnknownLayoutError(
                        self._layout.newer.format(name=self.name, version=self._layout.version)
                    ) from None
                if not was_broken_off(error) or asyncio.get_running_loop().time() > until:
                    raise StoreUnavailableError(str(error)) from None

    async def _open_once(self) -> Connection:
        layout = self._layout
        connection = await open_database(self.name, layout.version, layout.upgrade, self._lost, self._on_wait)
        try:
            fault = layout.fault(connection.native)
        except BaseException:
            connection.close()
            raise
        if fault:
            connection.close()
            raise UnknownLayoutError(layout.foreign.format(name=self.name, fault=fault))
        return connection

    async def run(
        self,
        stores: str | tuple[str, ...],
        mode: Literal["readonly", "readwrite"],
        issue: Callable[[Transaction], None],
        durability: Durability | None = None,
        *,
        repeatable: bool = True,
    ) -> Any:
        """Run a transaction (see `idb.run`); when the connection was lost open a new one and try again.

        With `repeatable=False` a transaction that was under way when the connection broke is not begun again.
        Raises UnknownLayoutError, StoreUnavailableError, what a callback raised, and Aborted for a
        ConstraintError alone.
        """
        for tries_left in reversed(range(MOST_TRIES)):
            connection = self.connection or await self.connect()
            try:
                return await run(connection, stores_array(stores), mode, issue, durability_options(durability))
            except (Aborted, JsException) as error:
                if isinstance(error, Aborted) and error.name == "ConstraintError":
                    raise
                begun = isinstance(error, Aborted)
                if not is_lost(error) or not tries_left or (begun and not repeatable):
                    raise store_error(error) from None
            self.lose(connection)
        raise AssertionError("the last try returns or raises")

    def lose(self, connection: Connection) -> None:
        """A transaction has found that the browser took this connection away, before its `close` event came."""
        if self.connection is connection:
            self._lost()
        connection.abandon()

    def _lost(self) -> None:
        self.connection = None
        self.changes.tell(StoreChange(everything=True))


def is_lost(error: BaseException) -> bool:
    """Whether a new connection may help: this one was closed, before a transaction began or under a running one.

    Chromium, as it clears a site's data, ends transactions with UnknownError and InvalidStateError too.
    """
    return was_broken_off(error) or (isinstance(error, Aborted) and error.name == "UnknownError")


def was_broken_off(error: BaseException) -> bool:
    """Whether the browser ended this on the way, and may not the next time."""
    if isinstance(error, Aborted):
        return error.name in ("AbortError", "InvalidStateError")
    return isinstance(error, JsException) and error_name(error) == "InvalidStateError"


@cache
def stores_array(stores: str | tuple[str, ...]) -> JsValue:
    """What `database.transaction` takes: one name, or a JavaScript array of names."""
    return stores if isinstance(stores, str) else from_json(json.dumps(stores))
