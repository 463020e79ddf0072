"""Factories of drivers, of every form that `conformance` and addresses such as `python:MODULE:NAME` take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pyapp import InMemorySessionPersistDriver, SessionEvent, SessionPersistDriver, SessionRecord

from ..unit.test_drivers import FiveMethods, Overwriting

store = InMemorySessionPersistDriver
five = FiveMethods
overwriting = Overwriting

opened: list[str] = []


async def coroutine() -> SessionPersistDriver:
    return FiveMethods()


@asynccontextmanager
async def async_manager() -> AsyncIterator[SessionPersistDriver]:
    opened.append("async")
    yield FiveMethods()
    opened.append("closed")


@contextmanager
def manager() -> Iterator[SessionPersistDriver]:
    opened.append("sync")
    yield FiveMethods()
    opened.append("closed")


shared = InMemorySessionPersistDriver()


def same() -> SessionPersistDriver:
    return shared


def empty() -> None:
    shared.__init__()  # type: ignore[misc]


class Hanging(InMemorySessionPersistDriver):
    """It never answers when it is given an event 100."""

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        if event.event_index == 100:
            await asyncio.Event().wait()
        await super().insert_event(session_id, event)


class Telling(InMemorySessionPersistDriver):
    """It fails with words that a terminal would obey."""

    async def update_session(self, record: SessionRecord) -> None:
        raise RuntimeError("\x1b[2Jgone")


async def endless() -> SessionPersistDriver:
    await asyncio.Event().wait()
    raise AssertionError


def leaving() -> SessionPersistDriver:
    raise SystemExit(9)


def failing_reset() -> None:
    raise ValueError("no key")


class NotEntered(InMemorySessionPersistDriver):
    """It cannot be begun."""

    async def __aenter__(self) -> Any:
        raise OSError("no disk")


class NotLeft(InMemorySessionPersistDriver):
    """It cannot be closed."""

    async def __aexit__(self, *_exception: object) -> None:
        raise OSError("no disk")


class NotListing(InMemorySessionPersistDriver):
    """It forgets to give a page."""

    async def list_sessions(self, **_options: Any) -> Any:
        return None


class Failing(InMemorySessionPersistDriver):
    """It has an error in its code."""

    async def list_sessions(self, **_options: Any) -> Any:
        return [][1]

    async def count_events(self, session_id: str) -> int:
        return int([][1])


class Unwilling(InMemorySessionPersistDriver):
    """It raises what ends a program, and a TimeoutError of its own."""

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        raise asyncio.CancelledError

    async def update_session(self, record: SessionRecord) -> None:
        raise TimeoutError("no answer")

    async def session_heads(self) -> Any:
        raise SystemExit(9)


class Silent(InMemorySessionPersistDriver):
    """It never says what it holds."""

    async def list_sessions(self, **_options: Any) -> Any:
        await asyncio.Event().wait()
