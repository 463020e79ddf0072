"""What the promises are written with: values to store, readers of whole listings, refusals that say why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from ...types import SessionEvent, SessionRecord
from ..base import SessionPersistDriver

T = TypeVar("T")

DriverPromise = Callable[[SessionPersistDriver], Awaitable[None]]
"""One promise of the contract: raises ContractBroken when a fresh, empty driver does not keep it."""


class ContractBroken(AssertionError):
    """A driver does not do what every driver promises."""


def expect_equal(got: T, expected: T, what: str) -> None:
    """Raises ContractBroken, showing both, unless they are equal."""
    if got != expected:
        raise ContractBroken(f"{what}: expected {_shown(expected)}, got {_shown(got)}")


async def expect_refused(attempt: Awaitable[Any], error: type[Exception], what: str) -> Exception:
    """The error that an attempt raises. Raises ContractBroken when it succeeds, or fails otherwise."""
    try:
        await attempt
    except error as refusal:
        if not str(refusal):
            raise ContractBroken(f"{what}: refused with a {error.__name__} that says nothing") from None
        return refusal
    except Exception as other:
        raise ContractBroken(f"{what}: expected a {error.__name__}, got {other!r}") from other
    raise ContractBroken(f"{what}: expected a {error.__name__}, but nothing was refused")


def record(id_: str = "s1", created_at: int = 1_000, **more: Any) -> SessionRecord:
    """A session record for a test."""
    return SessionRecord(id_, "mock", f"agent-{id_}", "connection-1", created_at, **more)


def event(index: int, session_id: str = "s1", id_: str | None = None, **payload: Any) -> SessionEvent:
    """An event for a test; its id is that of session and index unless given."""
    message = {"jsonrpc": "2.0", "method": "session/update", "params": payload or {"n": index}}
    name = id_ or f"{session_id}-e{index}"
    return SessionEvent(name, index, session_id, 1_000 + index, "connection-1", "agent", message)


async def all_events(driver: SessionPersistDriver, session_id: str = "s1", limit: int = 3) -> list[SessionEvent]:
    """All events of a session, page by page."""
    page = await driver.list_events(session_id, limit=limit)
    events = list(page.items)
    while page.next_cursor is not None:
        page = await driver.list_events(session_id, cursor=page.next_cursor, limit=limit)
        events += page.items
    return events


async def all_sessions(driver: SessionPersistDriver, limit: int = 3) -> list[SessionRecord]:
    """All sessions, page by page."""
    page = await driver.list_sessions(limit=limit)
    sessions = list(page.items)
    while page.next_cursor is not None:
        page = await driver.list_sessions(cursor=page.next_cursor, limit=limit)
        sessions += page.items
    return sessions


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, Iterable) and not isinstance(value, (str, dict)) else value)
    return text if len(text) <= 2_000 else f"{text[:2_000]}…"
