"""The database behind the driver: opened at the first call, and again when the browser took it away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Literal

from ..errors import StoreUnavailableError
from ..interop import JsException, JsValue, error_name, from_json
from .idb import Aborted, Connection, Durability, Transaction, durability_options, run, store_error
from .indexeddb_layout import open_layout


class SessionDatabase:
    """A database of upstream's layout that is there when it is needed, until `close`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._options: dict[str, JsValue] = {}

    def close(self) -> None:
        """Close after the running transactions; a later `run` raises StoreUnavailableError."""
        self._closed = True
        if self._connection is not None:
            self._forget(self._connection)

    async def run(
        self,
        stores: str | list[str],
        mode: Literal["readonly", "readwrite"],
        issue: Callable[[Transaction], None],
        durability: Durability | None = None,
        *,
        repeatable: bool = True,
    ) -> Any:
        """Run a transaction (see `idb.run`); when the connection was lost open a new one and try once more.

        With `repeatable=False` a transaction that was under way when the connection broke is not begun again.
        Raises UnknownLayoutError, StoreUnavailableError and what `idb.run` raises, but no JsException.
        """
        names = stores if isinstance(stores, str) else from_json(json.dumps(stores))
        options = None if durability is None else self._options_for(durability)
        for retry in (True, False):
            connection = self._connection or await self._open()
            try:
                return await run(connection.native, names, mode, issue, options)
            except JsException as error:  # no transaction was begun
                if error_name(error) != "InvalidStateError" or not retry:
                    raise store_error(error) from None
            except Aborted as error:  # "AbortError": the browser closed the connection under a running one
                if error.name != "AbortError" or not retry or not repeatable:
                    raise
            self._forget(connection)
        raise AssertionError("the second try returns or raises")

    def _options_for(self, durability: Durability) -> JsValue:
        if durability not in self._options:
            self._options[durability] = durability_options(durability)
        return self._options[durability]

    async def _open(self) -> Connection:
        async with self._opening:
            if self._connection is not None:
                return self._connection
            if not self._closed:
                connection = await open_layout(self.name, self._lost)
                if not self._closed:
                    self._connection = connection
                    return connection
                connection.close()
        raise StoreUnavailableError(f"the driver of the database {self.name!r} was closed; make a new one")

    def _lost(self) -> None:
        self._connection = None

    def _forget(self, connection: Connection) -> None:
        connection.close()
        if self._connection is connection:
            self._connection = None
