"""Files that meet what is stored already: what is equal is skipped, what has grown goes on, the rest is refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from pyapp import SessionEvent, SessionRecord
from pyapp.drivers.conformance.kit import all_events
from pyapp.runner import merging
from tests.unit.fake_page import FakeFile, FakePage
from tests.unit.recordings import Script
from tests.unit.test_inspector import in_loop, long_session, page_with, record

CREATED = 1_795_399_000_000
"""When `page_with` says that its first session was created."""


def file_of(*sessions: tuple[SessionRecord, list[SessionEvent]], name: str = "given.jsonl") -> FakeFile:
    lines = [{"type": "session", **known.to_row()} for known, _ in sessions]
    lines += [{"type": "event", **event.to_row()} for _, events in sessions for event in reversed(events)]
    return FakeFile(name, "".join(json.dumps(line) + "\n" for line in lines).encode())


async def bring(page: FakePage, *files: FakeFile) -> None:
    page.runner.import_files(files)
    await page.settle()


async def stored(page: FakePage, session_id: str) -> list[SessionEvent]:
    return await all_events(page.store, session_id, 1_000)


@in_loop
async def test_a_file_is_brought_once_more() -> None:
    script = long_session(40)
    page = await page_with(script)
    await page.start()
    await bring(page, file_of((record("long"), script.events)))
    assert "Nothing was imported" in page.text("alert")
    assert "All that given.jsonl holds is already stored here: 1 session." in page.text("alert")
    await bring(page, file_of((record("long"), script.events[:7])))
    assert "Nothing was imported" in page.text("alert"), "the store has more of it"
    assert await stored(page, "long") == script.events


@in_loop
async def test_a_session_that_has_grown_goes_on() -> None:
    """In a file with one that is new and one that is known; 1,300 events are more than a page of them."""
    script, known, new = long_session(1_400), long_session(5, "known"), long_session(6, "new")
    short = Script("long")
    short.events = script.events[:100]
    page = await page_with(short, known)
    await page.start("#/sessions/long")
    grown = replace(record("long"), last_connection_id="later", destroyed_at=CREATED + 5)
    given = [(grown, script.events), (record("known", CREATED + 1), known.events), (record("new"), new.events)]
    await bring(page, file_of(*given))
    said = "Imported 1 session, 6 events; 1 session went on with 1,300 events; 1 session was there already."
    assert said in page.text("status")
    assert await stored(page, "long") == script.events
    assert await page.store.get_session("long") == grown
    assert await stored(page, "new") == new.events
    assert "1,400" in page.text("events-head")


@pytest.mark.parametrize("at", [0, 3, 9])
@in_loop
async def test_a_session_with_another_event_is_refused_with_the_whole_file(at: int) -> None:
    script = long_session(10)
    page = await page_with(script)
    await page.start()
    events = [*script.events, *long_session(30).events[10:]]
    events[at] = replace(events[at], created_at=events[at].created_at + 1)
    await bring(page, file_of((record("long"), events), (record("new"), [])))
    assert f"1 of its 2 sessions are already stored here with other content: “long” (event {at + 1} is another)." in (
        page.text("alert")
    )
    assert await stored(page, "long") == script.events
    assert await page.store.get_session("new") is None


@pytest.mark.parametrize("other", [{"agent": "codex"}, {"created_at": CREATED + 1}, {"agent_session_id": "b"}])
@in_loop
async def test_another_session_under_the_id_is_refused(other: dict[str, Any]) -> None:
    """The record says so, or, where nothing is stored but it, that it is another one."""
    page = FakePage()
    await page.store.update_session(record("long"))
    await page.start()
    await bring(page, file_of((replace(record("long"), **other), long_session(9).events)))
    assert "already stored here with other content: “long” (" in page.text("alert")
    assert await page.store.get_session("long") == record("long")
    assert await stored(page, "long") == []


@in_loop
async def test_a_session_whose_record_alone_is_stored_gets_its_events() -> None:
    page = FakePage()
    await page.store.update_session(record("long"))
    await page.start()
    await bring(page, file_of((record("long"), long_session(9).events)))
    assert "Imported 1 session went on with 9 events." in page.text("status")
    assert await stored(page, "long") == long_session(9).events


@in_loop
async def test_going_on_is_cancelled_and_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "PAGE", 10)
    script, short = long_session(300), Script("long")
    short.events = script.events[:20]
    page = await page_with(short)
    await page.start()
    page.runner.import_files([file_of((record("long"), script.events))])
    while page.runner.model.job is None or page.runner.model.job.title != "Storing what is new":
        assert not page.text("status").startswith("Imported")
        assert page.text("alert") == ""
        await asyncio.sleep(0)
    page.say("cancel")
    await page.settle()
    assert "Cancelled when" in page.text("status")
    assert "Import the file again to go on." in page.text("status")
    left = await stored(page, "long")
    assert left == script.events[: len(left)]
    assert 20 <= len(left) < 300
    await bring(page, file_of((record("long"), script.events)))
    assert f"1 session went on with {300 - len(left)} events." in page.text("status")
    assert await stored(page, "long") == script.events


@in_loop
async def test_one_of_several_files_is_wrong() -> None:
    page = FakePage()
    await page.start()
    good = file_of((record("good"), long_session(3, "good").events), name="good.jsonl")
    await bring(page, good, FakeFile("bad.jsonl", b'{"type":"session"}\n'))
    assert "bad.jsonl was not imported, and nothing was changed: line 1:" in page.text("alert")
    assert "None of the 2 files was imported; choose them without this one." in page.text("alert")
    assert await page.store.get_session("good") is None
