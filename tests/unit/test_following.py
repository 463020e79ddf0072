"""The page follows what is written while it is open: by another tab, a script, or itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pyapp import EventDraft, InMemorySessionPersistDriver, StoreChange
from pyapp.listeners import Listeners
from tests.unit.fake_page import FakePage
from tests.unit.recordings import Script
from tests.unit.test_inspector import in_loop, long_session, page_with, record


def says(text: str) -> EventDraft:
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    message = {"jsonrpc": "2.0", "method": "session/update", "params": {"update": update}}
    return EventDraft("agent", message, "c1", 1_800_000_000_000)


@in_loop
async def test_the_open_session_grows_and_who_is_at_its_end_stays_there() -> None:
    page = await page_with(long_session(30))
    await page.start("#/sessions/long")
    await asyncio.gather(*(page.store.append_event("long", says(f"new{number} ")) for number in range(5)))
    await page.settle()
    assert "new4" in page.text("log")
    assert 'aria-valuenow="35"' in page.html("slider")
    assert 'aria-valuemax="35"' in page.html("slider")
    assert "35" in page.text("sessions-list")
    assert page.hash == "#/sessions/long"


@in_loop
async def test_who_looks_at_another_place_stays_there() -> None:
    page = await page_with(long_session(30))
    await page.start("#/sessions/long?event=7")
    await page.store.append_event("long", says("new"))
    await page.settle()
    assert 'aria-valuenow="7"' in page.html("slider")
    assert 'aria-valuemax="31"' in page.html("slider")
    page.say("key", key="End", shift=False)
    await page.settle()
    assert 'aria-valuenow="31"' in page.html("slider")
    assert "new" in page.text("log")


@in_loop
async def test_growing_reads_what_is_new_alone() -> None:
    class Counting(InMemorySessionPersistDriver):
        asked: list[str | None]

        async def list_events(self, session_id, *, cursor=None, limit=None):  # type: ignore[no-untyped-def]
            self.asked.append(cursor)
            return await super().list_events(session_id, cursor=cursor, limit=limit)

    store = Counting(max_events_per_session=10_000)
    store.asked = []
    for event in long_session(2_000).events:
        await store.insert_event("long", event)
    await store.update_session(record("long"))
    page = FakePage(store)
    await page.start("#/sessions/long")
    store.asked.clear()
    await store.append_event("long", says("new"))
    await page.settle()
    from_start = [cursor for cursor in store.asked if cursor is None]
    assert len(from_start) == 1  # for the title in the list
    assert len(store.asked) <= 4


@in_loop
async def test_an_empty_session_that_is_open_begins() -> None:
    page = await page_with(Script("empty"))
    await page.start("#/sessions/empty")
    await page.store.append_event("empty", says("first words"))
    await page.settle()
    assert "first words" in page.text("log")
    await page.store.append_event("empty", says(" and more"))
    await page.settle()
    assert "first words and more" in page.text("log")
    assert 'aria-valuenow="2"' in page.html("slider")


@in_loop
async def test_events_that_come_while_the_session_is_being_read() -> None:
    page = await page_with(long_session(3_000))
    page.hash = "#/sessions/long"
    page.say("route", hash=page.hash, now=1_795_400_000_000, zone=[[0, 0]])
    for number in range(20):
        await asyncio.sleep(0)
        await page.store.append_event("long", says(f"late{number} "))
    await page.settle()
    assert 'aria-valuemax="3020"' in page.html("slider")
    assert "late19" in page.text("log")


@in_loop
async def test_the_list_follows_new_ended_and_deleted_sessions() -> None:
    page = await page_with(long_session(3, "a"), long_session(3, "b"))
    await page.start()
    await page.store.update_session(record("c", 1_795_399_500_000))
    await page.store.append_event("c", says("x"))
    await page.settle()
    assert page.text("sessions-head") == "Sessions 3 Export"
    await page.store.update_session(replace(record("c", 1_795_399_500_000), destroyed_at=1_795_399_600_000))
    await page.settle()
    assert "ended" in page.text("sessions-list")
    await page.store.delete_session("a")
    await page.settle()
    assert page.text("sessions-head") == "Sessions 2 Export"


@in_loop
async def test_the_open_session_is_deleted_elsewhere() -> None:
    page = await page_with(long_session(3, "a"), long_session(3, "b"))
    await page.start("#/sessions/a")
    await page.store.delete_session("a")
    await page.settle()
    assert page.root["data-view"] == "problem"
    assert "This session was deleted" in page.text("stage")
    await page.go("#/sessions/b")
    assert page.root["data-view"] == "session"


@in_loop
async def test_when_everything_changed_all_is_read_again() -> None:
    page = await page_with(long_session(9, "a"))
    await page.start("#/sessions/a?event=4")
    store = page.store
    assert isinstance(store, InMemorySessionPersistDriver)
    store._listeners.tell(StoreChange(everything=True))
    await page.settle()
    assert 'aria-valuenow="4"' in page.html("slider")
    await store.delete_session("a")
    store._listeners.tell(StoreChange(everything=True))
    await page.settle()
    assert page.root["data-view"] == "problem"
    assert page.text("sessions-head") == "Sessions 0"


@in_loop
async def test_a_session_that_vanishes_while_it_is_being_opened_is_not_shown() -> None:
    """The site's data are cleared in the moment between the reading of the record and that of the events."""

    class Vanishing(InMemorySessionPersistDriver):
        async def list_events(self, session_id, *, cursor=None, limit=None):  # type: ignore[no-untyped-def]
            if session_id in self._records and page.hash == "#/sessions/a":
                listeners, self._listeners = self._listeners, Listeners()
                await self.delete_session(session_id)
                self._listeners = listeners
                self._listeners.tell(StoreChange(everything=True))
                await asyncio.sleep(0)
            return await super().list_events(session_id, cursor=cursor, limit=limit)

    store = Vanishing()
    page = FakePage(store)
    await page.start()
    await store.update_session(record("a"))
    await page.settle()
    await page.go("#/sessions/a")
    assert page.root["data-view"] == "problem"
    assert "This session is not stored here" in page.text("stage")


@in_loop
async def test_replay_that_runs_is_not_moved() -> None:
    page = await page_with(long_session(30))
    await page.start("#/sessions/long?event=29")
    page.say("play")
    await page.store.append_event("long", says("new"))
    await page.settle()
    assert 'aria-valuenow="29"' in page.html("slider")
