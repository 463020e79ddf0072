"""A driver spoken to in JSON: what the TypeScript face, `globalThis.pyapp.openDriver()`, sends and gets.

Rows are upstream's camelCase; an absent session is JSON null.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from .drivers.base import SessionPersistDriver, SessionStore, check_limit, read_cursor
from .errors import InvalidRecordError, StoreUnavailableError
from .json_text import dump, parse
from .types import ListPage, SessionEvent, SessionRecord

OpenDriver = Callable[[Any, Any], Awaitable[SessionPersistDriver]]
"""Gives a driver for a database's name and a durability, None for the usual ones. Raises ValueError for an unknown
durability."""

_OPTIONS = ("databaseName", "durability")


@runtime_checkable
class Closable(Protocol):
    """A driver that holds something open."""

    async def aclose(self) -> None:
        """Let it go."""
        ...


class DriverCalls:
    """Drivers that were opened, by handle."""

    def __init__(self, open_driver: OpenDriver) -> None:
        self._open_driver = open_driver
        self._drivers: dict[int, SessionPersistDriver] = {}
        self._handles = itertools.count(1)

    async def call(self, text: str) -> str:
        """Carry out `{"method", "params"}`; the answer is JSON text. Raises what the driver raises."""
        request = parse(text)
        params = request.get("params") or {}
        return dump(await self._dispatch(request.get("method"), params))

    async def _dispatch(self, method: str, params: dict[str, Any]) -> Any:
        if method == "open":
            return await self._open(params.get("options"))
        handle = params.get("handle", 0)
        driver = self._drivers.get(handle)
        if driver is None:
            if method == "close":
                return None
            raise StoreUnavailableError("this driver was closed; open another with pyapp.openDriver()")
        match method:
            case "getSession" | "listSessions" | "listEvents":
                return await read(driver, method, params)
            case "updateSession":
                await driver.update_session(SessionRecord.from_row(params.get("record")))
                return None
            case "insertEvent":
                event = SessionEvent.from_row(params.get("event"))
                await driver.insert_event(_id(params, "sessionId"), event)
                return None
            case "close":
                del self._drivers[handle]
                if isinstance(driver, Closable):
                    await driver.aclose()
                return None
        raise _unknown(method)

    async def _open(self, options: Any) -> int:
        given = _options(options)
        handle = next(self._handles)
        self._drivers[handle] = await self._open_driver(given.get("databaseName"), given.get("durability"))
        return handle


async def read(driver: SessionPersistDriver, method: Any, params: dict[str, Any]) -> Any:
    """The answer of a driver's method that reads, as a JSON value. Raises InvalidRecordError for another method."""
    match method:
        case "getSession":
            record = await driver.get_session(_id(params, "id"))
            return record.to_row() if record else None
        case "listSessions":
            return _page(await driver.list_sessions(cursor=params.get("cursor"), limit=params.get("limit")))
        case "listEvents":
            session_id = _id(params, "sessionId")
            return _page(await driver.list_events(session_id, cursor=params.get("cursor"), limit=params.get("limit")))
    raise _unknown(method)


async def read_store(store: SessionStore, method: Any, params: dict[str, Any]) -> Any:
    """What `read` gives, and the answers of a store's further methods: what `pyapp.drivers.remote` asks for."""
    match method:
        case "lastEvents":
            before = params.get("before")
            place = None if before is None else read_cursor("events", f"events:{dump(before)}")
            events = await store.last_events(_id(params, "sessionId"), check_limit(params.get("limit")), before=place)
            return [event.to_row() for event in events]
        case "countEvents":
            return await store.count_events(_id(params, "sessionId"))
        case "sessionHeads":
            return [[head.id, head.agent, head.created_at, head.destroyed_at] for head in await store.session_heads()]
        case "totals":
            totals = await store.totals()
            return [totals.sessions, totals.events]
    return await read(store, method, params)


def _unknown(method: Any) -> InvalidRecordError:
    return InvalidRecordError(f"a driver has no method {str(method)[:80]!r}")


def _options(options: Any) -> dict[str, str]:
    """The options that were given. A misspelt one is refused: it would quietly open the usual database."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise TypeError(f"the options must be an object, not {dump(options)[:80]}")
    for name, value in options.items():
        if name not in _OPTIONS:
            raise TypeError(f"there is no option {name[:80]!r}; there are {' and '.join(_OPTIONS)}")
        if not isinstance(value, str) or not value:
            raise TypeError(f"{name} must be a text that is not empty, not {dump(value)[:80]}")
    return options


def _id(params: dict[str, Any], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str):
        raise InvalidRecordError(f"{name} must be text")
    return value


def _page(page: ListPage[SessionRecord] | ListPage[SessionEvent]) -> dict[str, Any]:
    answer: dict[str, Any] = {"items": [item.to_row() for item in page.items]}
    if page.next_cursor is not None:
        answer["nextCursor"] = page.next_cursor
    return answer
