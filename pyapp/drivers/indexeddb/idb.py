"""IndexedDB from Python: open a database, run a transaction, know when it is done.

The rule of this file: Python resumes an `await` in a later task of the event loop, and IndexedDB
commits a transaction by itself once a task ends without a new request. So all requests of a transaction are
issued in one go, or inside the success callback of an earlier one; only then is its end awaited.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

from ...errors import StoreError, StoreFullError, StoreUnavailableError
from ...interop import Callbacks, JsException, JsValue, error_name, error_text, from_json, is_absent, scope, to_json
from .prompt import PromptFuture

Durability = Literal["relaxed", "strict", "default"]

OPEN_SECONDS = 10.0
"""How long opening may take before another tab is held to be in the way."""

WAIT_SECONDS = 1.0
"""How long opening may take before the user is told that something is in the way."""


class Aborted(Exception):
    """The transaction was rolled back. `name` is that of the DOM error, "" when the callback asked for it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


Ended = Callable[[Any, BaseException | None], None]
"""Told the result of a transaction, or why it was rolled back."""


class Transaction:
    """One transaction while it runs. Made by `begin`; its methods are for the `issue` function only."""

    __slots__ = ("_callbacks", "_connection", "_ended", "_fault", "_over", "native", "result")

    def __init__(self, connection: Connection, native: JsValue, ended: Ended) -> None:
        self.native = native
        self._connection = connection
        connection.running.add(self)
        self.result: Any = None
        self._callbacks = Callbacks()
        self._ended = ended
        self._fault: BaseException | None = None
        self._over = False
        # A failed request is not listened for: the abort that follows tells of the whole transaction.
        native.onabort = native.oncomplete = self._callbacks.lend(self._on_end)

    def store(self, name: str) -> JsValue:
        """An object store that this transaction covers."""
        return self.native.objectStore(name)

    def then(self, request: JsValue, on_success: Callable[[JsValue], object]) -> None:
        """Call `on_success` with the request's result; it may issue further requests."""

        def succeed(_event: JsValue) -> None:
            try:
                on_success(request.result)
            except BaseException as fault:
                self.abort(fault)

        request.onsuccess = self._callbacks.lend(succeed)

    def finish(self, request: JsValue, read: Callable[[JsValue], Any]) -> None:
        """Read the result of the last request of a read-only transaction, whose end need not be awaited."""

        def succeed(_event: JsValue) -> None:
            try:
                self.result = read(request.result)
            except BaseException as fault:
                self.abort(fault)
            else:
                self._end(None)

        request.onsuccess = self._callbacks.lend(succeed)

    def abort(self, fault: BaseException) -> None:
        """Roll everything back and let it end with `fault`."""
        self._fault = self._fault or fault
        self.native.abort()

    def lose(self) -> None:
        """The browser has closed the connection by force: whatever was not committed will not be.

        It should tell each transaction so by an `abort` event, and Chromium does not always.
        """
        self._end(Aborted("AbortError", "the browser closed the connection"))

    def _on_end(self, event: JsValue) -> None:
        fault = None if event.type == "complete" else self._fault or _reason(self.native)
        self._callbacks.release()
        self._end(fault)

    def _end(self, fault: BaseException | None) -> None:
        if not self._over:
            self._over = True
            self._connection.running.discard(self)
            self._ended(self.result, fault)


def begin(
    connection: Connection,
    stores: JsValue,
    mode: Literal["readonly", "readwrite"],
    issue: Callable[[Transaction], None],
    options: JsValue,
    ended: Ended,
) -> Transaction:
    """Begin a transaction and call `ended`, once, in the event that ends it.

    `stores` is a name or a JavaScript array of names, `options` a JavaScript object with the durability or None.
    A read is over when `finish` says so; a write when the transaction is `complete`, since a request's
    success comes before a full disk is noticed. `ended` gets what a callback raised, Aborted, or StoreFullError.
    Raises JsException when the connection is closed: then nothing was begun.
    """
    database = connection.native
    native = database.transaction(stores, mode) if options is None else database.transaction(stores, mode, options)
    transaction = Transaction(connection, native, ended)
    try:
        issue(transaction)
    except BaseException as fault:
        transaction.abort(fault)
    return transaction


async def run(
    connection: Connection,
    stores: JsValue,
    mode: Literal["readonly", "readwrite"],
    issue: Callable[[Transaction], None],
    options: JsValue = None,
) -> Any:
    """Run one transaction (see `begin`) and return its `result`.

    When the task is cancelled the transaction is rolled back; a write that is past that counts, and the call
    returns as if not cancelled.
    """
    over = PromptFuture()
    outcome: list[tuple[Any, BaseException | None]] = []

    def ended(result: Any, fault: BaseException | None) -> None:
        outcome.append((result, fault))
        over.settle(result, fault)

    transaction = begin(connection, stores, mode, issue, options, ended)
    try:
        return await over
    except asyncio.CancelledError:
        if not over.cancelled():  # it was the transaction that ended so
            raise
    over = PromptFuture()
    if outcome:
        over.settle(*outcome[0])
    else:
        try:
            transaction.abort(asyncio.CancelledError())
        except JsException:  # committed, or about to be
            if mode == "readonly":
                raise asyncio.CancelledError from None
    result = await over
    if mode == "readonly":
        raise asyncio.CancelledError
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return result


def _reason(native: JsValue) -> BaseException:
    error = native.error
    if error_name(error) == "QuotaExceededError":
        return StoreFullError("the browser's storage for this site is full; delete sessions or free disk space")
    if is_absent(error):
        return Aborted("", "the transaction was rolled back")
    return Aborted(error_name(error), error_text(error))


Waiting = Callable[[bool], None]
"""Told True when a call has to wait for another tab, and False once it need not any more."""


async def open_database(
    name: str,
    version: int,
    upgrade: Callable[[JsValue, int, JsValue], None],
    on_lost: Callable[[], None],
    on_wait: Waiting | None = None,
) -> Connection:
    """Open a database. `upgrade(database, old_version, transaction)` may refuse the upgrade by raising.

    `on_lost` is called once the connection is gone: another tab wants to upgrade or delete the
    database, or the site's data were cleared. `on_wait` is told of an opening that takes over `WAIT_SECONDS`.
    Raises what `upgrade` raised, Aborted with the DOM error's name, and StoreUnavailableError where there is
    no IndexedDB or when another tab is in the way for `OPEN_SECONDS`.
    """
    try:
        factory = scope().indexedDB
        request = factory.open(name, version)
    except (AttributeError, JsException) as error:
        raise StoreUnavailableError(f"this browser gives no IndexedDB here: {error_text(error)}") from None
    callbacks = Callbacks()
    opened = PromptFuture()
    refusal: list[BaseException] = []

    def on_event(event: JsValue) -> None:
        if event.type == "upgradeneeded":
            try:
                if opened.done():
                    raise asyncio.CancelledError
                upgrade(request.result, int(event.oldVersion), request.transaction)
            except BaseException as fault:
                refusal.append(fault)
                request.transaction.abort()
            return
        callbacks.release()
        if event.type == "success":
            if opened.done():
                request.result.close()
            else:
                opened.resolve(Connection(request.result, on_lost))
        else:
            error = request.error
            opened.reject(
                refusal[0] if refusal else Aborted(error_name(error), f"opening {name!r}: {error_text(error)}")
            )

    handler = callbacks.lend(on_event)
    request.onupgradeneeded = request.onsuccess = request.onerror = handler
    with _told_of_waiting(on_wait):
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                connection: Connection = await opened
        except TimeoutError:
            raise StoreUnavailableError(
                f"the database {name!r} is held by another tab; close the site's other tabs and try again"
            ) from None
    return connection


@contextmanager
def _told_of_waiting(on_wait: Waiting | None) -> Iterator[None]:
    """The `blocked` event tells of one cause alone: a connection that stays open. Time tells of all."""
    if on_wait is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(WAIT_SECONDS, on_wait, True)
    started = asyncio.get_running_loop().time()
    try:
        yield
    finally:
        timer.cancel()
        if asyncio.get_running_loop().time() - started >= WAIT_SECONDS:
            on_wait(False)


class Connection:
    """An open database that steps aside when another tab wants to upgrade or delete it."""

    def __init__(self, native: JsValue, on_lost: Callable[[], None]) -> None:
        self.native = native
        self.running: set[Transaction] = set()
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

    def _step_aside(self, event: JsValue) -> None:
        was_forced = event.type == "close"
        self.close()
        self._on_lost()
        if was_forced:
            self.abandon()

    def abandon(self) -> None:
        """Close, since the browser has; the transactions that run end now, as not all are told of it."""
        self.close()
        for transaction in list(self.running):
            transaction.lose()


@cache
def durability_options(durability: Durability | None) -> JsValue:
    """The options object of `database.transaction`, None for no wish."""
    return None if durability is None else from_json(f'{{"durability":"{durability}"}}')


def store_error(error: BaseException) -> BaseException:
    """The package's error for one of IndexedDB's; any other error as it is."""
    if not isinstance(error, (Aborted, JsException)):
        return error
    name = error.name if isinstance(error, Aborted) else error_name(error)
    if name == "QuotaExceededError":
        return StoreFullError("the browser's storage for this site is full; delete sessions or free disk space")
    return StoreError(f"IndexedDB: {error if isinstance(error, Aborted) else error_text(error)}")


async def database_names() -> list[str]:
    """The names of all databases of this origin (https://w3c.github.io/IndexedDB/#dom-idbfactory-databases)."""
    found: list[dict[str, str]] = json.loads(to_json(await scope().indexedDB.databases()))
    return [database["name"] for database in found]
