"""IndexedDB from Python: open a database, run a transaction, know when it is done.

The rule of this file: Python resumes an `await` in a later task of the event loop, and IndexedDB
commits a transaction by itself once a task ends without a new request. So all requests of a transaction are
issued in one go, or inside the success callback of an earlier one; only then is its end awaited.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Literal

from ..errors import StoreError, StoreFullError, StoreUnavailableError
from ..interop import Callbacks, JsException, JsValue, error_name, error_text, from_json, is_absent, scope, to_json

Durability = Literal["relaxed", "strict", "default"]

OPEN_SECONDS = 10.0
"""How long opening may take before another tab is held to be in the way."""


class Aborted(Exception):
    """The transaction was rolled back. `name` is that of the DOM error, "" when the callback asked for it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Transaction:
    """One transaction while it runs. Made by `run`; its methods are for the `issue` function only."""

    def __init__(self, native: JsValue, callbacks: Callbacks, ended: asyncio.Future[None]) -> None:
        self.native = native
        self.result: Any = None
        self._callbacks = callbacks
        self._ended = ended
        self._fault: BaseException | None = None
        self._over = False
        self._task = asyncio.current_task()

    def store(self, name: str) -> JsValue:
        """An object store that this transaction covers."""
        return self.native.objectStore(name)

    def then(self, request: JsValue, on_success: Callable[[JsValue], object]) -> None:
        """Call `on_success` with the request's result; it may issue further requests."""

        def succeed(event: JsValue) -> None:
            try:
                on_success(event.target.result)
            except BaseException as fault:
                self.abort(fault)

        request.onsuccess = self._callbacks.lend(succeed)

    def finish(self, request: JsValue, read: Callable[[JsValue], Any]) -> None:
        """Read the result of the last request of a read-only transaction, whose end need not be awaited."""

        def succeed(event: JsValue) -> None:
            try:
                self.result = read(event.target.result)
            except BaseException as fault:
                self.abort(fault)
            else:
                self.end(None)

        request.onsuccess = self._callbacks.lend(succeed)

    def abort(self, fault: BaseException) -> None:
        """Roll everything back and let `run` raise `fault`."""
        self._fault = self._fault or fault
        self.native.abort()

    @property
    def cancelled(self) -> bool:
        """Whether the task that runs this transaction is being cancelled."""
        return self._task is not None and self._task.cancelling() > 0

    def wait_again(self) -> asyncio.Future[None]:
        """A future of the end for a task whose cancellation has cancelled the first one."""
        if self._ended.cancelled():
            self._ended = asyncio.get_running_loop().create_future()
            if self._over:
                self._tell()
        return self._ended

    def end(self, error: BaseException | None) -> None:
        """The transaction is over: done when `error` is None."""
        if not self._over:
            self._over, self._fault = True, self._fault or error
            self._tell()

    def _tell(self) -> None:
        if self._ended.done():
            return
        if self._fault is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(self._fault)


async def run(
    database: JsValue,
    stores: JsValue,
    mode: Literal["readonly", "readwrite"],
    issue: Callable[[Transaction], None],
    options: JsValue = None,
) -> Any:
    """Run one transaction and return its `result`.

    `stores` is a name or a JavaScript array of names, `options` a JavaScript object with the durability.
    A read is done when `finish` says so; a write when the transaction is `complete`, since a
    request's success comes before a full disk is noticed. Raises what a callback raised, Aborted,
    StoreFullError, and JsException when the connection is closed. When the task is cancelled the
    transaction is rolled back; a write that is past that counts, and the call returns as if not cancelled.
    """
    native = database.transaction(stores, mode) if options is None else database.transaction(stores, mode, options)
    callbacks = Callbacks()
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    transaction = Transaction(native, callbacks, ended)

    def on_end(event: JsValue) -> None:
        # A failed request is not listened for: the abort that follows tells of the whole transaction.
        transaction.end(None if event.type == "complete" else _reason(native))
        callbacks.release()

    handler = callbacks.lend(on_end)
    native.onabort = native.oncomplete = handler
    try:
        issue(transaction)
    except BaseException as fault:
        transaction.abort(fault)
    try:
        await ended  # not shielded: that would cost a further turn of the event loop for each call
    except asyncio.CancelledError:
        await _cancel(transaction, mode)
    return transaction.result


async def _cancel(transaction: Transaction, mode: str) -> None:
    """Roll back and raise CancelledError, unless a write has already been committed."""
    ended = transaction.wait_again()
    try:
        transaction.abort(asyncio.CancelledError())
    except JsException:  # committed, or about to be
        if mode == "readonly":
            raise asyncio.CancelledError from None
        await ended
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
    else:
        await ended


def _reason(native: JsValue) -> BaseException:
    error = native.error
    if error_name(error) == "QuotaExceededError":
        return StoreFullError("the browser's storage for this site is full; delete sessions or free disk space")
    if is_absent(error):
        return Aborted("", "the transaction was rolled back")
    return Aborted(error_name(error), error_text(error))


async def open_database(
    name: str, version: int, upgrade: Callable[[JsValue, int], None], on_lost: Callable[[], None]
) -> Connection:
    """Open a database. `upgrade(database, old_version)` may refuse the upgrade by raising.

    `on_lost` is called once the connection is gone: another tab wants to upgrade or delete the
    database, or the site's data were cleared. Raises what `upgrade` raised, Aborted with the DOM
    error's name, and StoreUnavailableError where there is no IndexedDB or when another tab is in the
    way for `OPEN_SECONDS`.
    """
    try:
        factory = scope().indexedDB
        request = factory.open(name, version)
    except (AttributeError, JsException) as error:
        raise StoreUnavailableError(f"this browser gives no IndexedDB here: {error_text(error)}") from None
    callbacks = Callbacks()
    opened: asyncio.Future[JsValue] = asyncio.get_running_loop().create_future()
    refusal: list[BaseException] = []

    def on_event(event: JsValue) -> None:
        if event.type == "upgradeneeded":
            try:
                if opened.done():
                    raise asyncio.CancelledError
                upgrade(request.result, int(event.oldVersion))
            except BaseException as fault:
                refusal.append(fault)
                request.transaction.abort()
            return
        if event.type == "success":
            if opened.done():
                request.result.close()
            else:
                opened.set_result(request.result)
        elif not opened.done():
            error = request.error
            opened.set_exception(
                refusal[0] if refusal else Aborted(error_name(error), f"opening {name!r}: {error_text(error)}")
            )
        callbacks.release()

    handler = callbacks.lend(on_event)
    request.onupgradeneeded = request.onsuccess = request.onerror = handler
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            return Connection(await opened, on_lost)
    except TimeoutError:
        raise StoreUnavailableError(
            f"the database {name!r} is held by another tab; close the site's other tabs and try again"
        ) from None


class Connection:
    """An open database that steps aside when another tab wants to upgrade or delete it."""

    def __init__(self, native: JsValue, on_lost: Callable[[], None]) -> None:
        self.native = native
        self._on_lost = on_lost
        self._callbacks = Callbacks()
        handler = self._callbacks.lend(self._step_aside)
        native.onversionchange = native.onclose = handler

    def close(self) -> None:
        """Close after the running transactions."""
        native, self.native = self.native, None
        if native is None:
            return
        native.onversionchange = native.onclose = None
        native.close()
        # not within the callback that may have brought us here
        asyncio.get_running_loop().call_soon(self._callbacks.release)

    def _step_aside(self, _event: JsValue) -> None:
        self.close()
        self._on_lost()


def durability_options(durability: Durability) -> JsValue:
    """The options object of `database.transaction`."""
    return from_json(f'{{"durability":"{durability}"}}')


def store_error(error: BaseException) -> BaseException:
    """The package's error for one of IndexedDB's."""
    if isinstance(error, StoreError):
        return error
    name = error.name if isinstance(error, Aborted) else error_name(error)
    if name == "QuotaExceededError":
        return StoreFullError("the browser's storage for this site is full; delete sessions or free disk space")
    return StoreError(f"IndexedDB: {error if isinstance(error, Aborted) else error_text(error)}")


async def database_names() -> list[str]:
    """The names of all databases of this origin (https://w3c.github.io/IndexedDB/#dom-idbfactory-databases)."""
    found: list[dict[str, str]] = json.loads(to_json(await scope().indexedDB.databases()))
    return [database["name"] for database in found]
