"""The in-memory driver keeps the contract, and the contract notices a driver that does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver, ListPage, SessionEvent, SessionPersistDriver, SessionStore
from pyapp.drivers.conformance import (
    DRIVER_CONTRACT,
    MEMORY_CAPS,
    STORE_CONTRACT,
    WHOLE_CONTRACT,
    CapPromise,
    ContractBroken,
    DriverPromise,
    StorePromise,
)
from pyapp.drivers.conformance.events import (
    event_reinsert_is_idempotent,
    last_page_has_no_cursor,
    taken_event_id_is_refused,
    taken_index_is_refused,
)
from pyapp.drivers.conformance.kit import all_events, event
from pyapp.drivers.conformance.values import later_changes_do_not_reach_the_store
from pyapp.drivers.defaults import with_defaults


@pytest.mark.parametrize("promise", DRIVER_CONTRACT, ids=lambda promise: promise.__name__)
def test_driver_promise(promise: DriverPromise) -> None:
    asyncio.run(promise(InMemorySessionPersistDriver()))  # type: ignore[arg-type]


@pytest.mark.parametrize("promise", [*STORE_CONTRACT, *WHOLE_CONTRACT], ids=lambda promise: promise.__name__)
def test_store_promise(promise: StorePromise) -> None:
    asyncio.run(promise(InMemorySessionPersistDriver()))  # type: ignore[arg-type]


class FiveMethods:
    """A driver of somebody's own, with what upstream asks for and nothing else."""

    def __init__(self) -> None:
        driver = InMemorySessionPersistDriver()
        self.get_session = driver.get_session
        self.list_sessions = driver.list_sessions
        self.update_session = driver.update_session
        self.list_events = driver.list_events
        self.insert_event = driver.insert_event


@pytest.mark.parametrize("promise", [*DRIVER_CONTRACT, *STORE_CONTRACT], ids=lambda promise: promise.__name__)
def test_promise_by_defaults(promise: StorePromise) -> None:
    asyncio.run(promise(with_defaults(FiveMethods())))  # type: ignore[arg-type]


@pytest.mark.parametrize("promise", MEMORY_CAPS, ids=lambda promise: promise.__name__)
def test_cap(promise: CapPromise) -> None:
    asyncio.run(promise(InMemorySessionPersistDriver))  # type: ignore[arg-type]


def test_it_is_a_store() -> None:
    driver = InMemorySessionPersistDriver()
    assert isinstance(driver, SessionPersistDriver)
    assert isinstance(driver, SessionStore)


@pytest.mark.parametrize("caps", [(0, 1), (1, 0), (-1, 5)])
def test_caps_below_one_are_refused(caps: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        InMemorySessionPersistDriver(*caps)


def test_upstreams_caps() -> None:
    async def run() -> list[SessionEvent]:
        driver = InMemorySessionPersistDriver()
        for index in range(1, 502):
            await driver.insert_event("s1", event(index))
        return await all_events(driver, limit=1000)

    assert [one.event_index for one in asyncio.run(run())] == list(range(2, 502))


class Overwriting(InMemorySessionPersistDriver):
    """Upstream's weakness: a known id is overwritten silently, and offsets are cursors."""

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        self.kept = [*(one for one in getattr(self, "kept", []) if one.id != event.id), event]

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        kept: list[Any] = [one for one in self.kept if one.session_id == session_id]
        start, end = int(cursor or 0), int(cursor or 0) + (limit or 100)
        return ListPage(tuple(kept[start:end]), str(end)) if start < len(kept) else ListPage(())


@pytest.mark.parametrize(
    "promise",
    [
        taken_index_is_refused,
        taken_event_id_is_refused,
        last_page_has_no_cursor,
        later_changes_do_not_reach_the_store,
    ],
)
def test_the_contract_notices(promise: DriverPromise) -> None:
    asyncio.run(event_reinsert_is_idempotent(InMemorySessionPersistDriver()))
    with pytest.raises(ContractBroken, match=r"\w"):
        asyncio.run(promise(Overwriting()))  # type: ignore[arg-type]
