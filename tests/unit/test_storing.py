"""The page and its store: other databases, room on the disk, what was lost, deletion, export, other tabs in the way."""

from __future__ import annotations

from typing import Any

from pyapp import EventDraft, InMemorySessionPersistDriver, SessionStore, UnknownLayoutError
from pyapp.archive import check_recording
from pyapp.listeners import Listeners
from tests.unit.fake_page import FakeFile, FakePage
from tests.unit.test_inspector import in_loop, long_session, page_with


def downloaded(page: FakePage) -> tuple[str, str]:
    """Name and text of the last export, as the page puts it together."""
    pieces: list[dict[str, Any]] = [dict(one) for one in page.sent if one["type"] == "download"]
    first = max(place for place, piece in enumerate(pieces) if piece.get("first"))
    assert pieces[-1].get("last")
    return pieces[-1]["name"], "".join(piece["text"] for piece in pieces[first:])


async def save(page: FakePage, **choices: str) -> None:
    """Export as the dialog offers it, or otherwise."""
    page.say("export")
    await page.settle()
    scope = "this" if page.runner.model.session else "all"
    page.say("export-save", values={"scope": scope, "format": "jsonl", "secrets": "mask", **choices})
    await page.settle()


def kinds(page: FakePage) -> list[str]:
    return [message["type"] for message in page.sent]


@in_loop
async def test_an_exported_session_comes_back_equal() -> None:
    page = await page_with(long_session(1_500))
    await page.start("#/sessions/long")
    await save(page)
    name, text = downloaded(page)
    assert name == "Count.jsonl"
    assert "Exported 1,500 events." in page.text("status")
    recording = check_recording([text])
    assert recording.sessions[0] == await page.store.get_session("long")
    other = FakePage()
    await other.start()
    other.runner.import_files([FakeFile(name, text.encode())])
    await other.settle()
    assert (await other.store.list_events("long", limit=2000)).items == (
        await page.store.list_events("long", limit=2000)
    ).items


@in_loop
async def test_a_large_export_goes_in_pieces() -> None:
    script = long_session(3)
    for _ in range(30):
        script.says("x" * 100_000)
    page = await page_with(script)
    await page.start("#/sessions/long")
    await save(page)
    pieces = [one for one in page.sent if one["type"] == "download"]
    assert len(pieces) == 3
    assert check_recording([downloaded(page)[1]]).event_count == 33


@in_loop
async def test_a_session_is_deleted_once_the_user_was_asked() -> None:
    page = await page_with(long_session(12), long_session(3, "other"))
    await page.start("#/sessions/long")
    assert page.text("dialog") == ""
    page.say("delete")
    await page.settle()
    assert "“Count” and its 12 events will be gone" in page.text("dialog")
    page.say("close")
    await page.settle()
    assert page.text("dialog") == ""
    assert await page.store.count_events("long") == 12
    page.say("delete")
    page.say("delete", arg="confirmed")
    await page.settle()
    assert page.text("dialog") == ""
    assert "Deleted 1 session, 12 events." in page.text("status")
    assert (page.hash, page.root["data-view"]) == ("#/", "start")
    assert page.text("sessions-head") == "Sessions 1 Export"
    assert (await page.store.get_session("long"), await page.store.count_events("long")) == (None, 0)


@in_loop
async def test_the_browser_is_asked_to_keep_what_is_stored_first() -> None:
    page = FakePage()
    await page.start()
    assert "persist" not in kinds(page)
    page.say("demo")
    await page.settle()
    assert kinds(page).count("persist") == 1
    page.say("storage", usage=42_000_000, quota=60_000_000_000, kept=False)
    await page.settle()
    assert page.text("sessions-foot") == "42 MB of 60 GB may be cleared Keep"
    line = '{"type":"session","id":"new","agent":"a","agentSessionId":"a","lastConnectionId":"c","createdAt":1}'
    page.runner.import_files([FakeFile("more.jsonl", line.encode())])
    await page.settle()
    assert kinds(page).count("persist") == 1
    page.say("keep")
    await page.settle()
    assert kinds(page).count("persist") == 2
    page.say("storage", usage=42_000_000, quota=60_000_000_000, kept=True)
    await page.settle()
    assert page.text("sessions-foot") == "42 MB of 60 GB kept"


@in_loop
async def test_a_browser_that_says_nothing_of_its_storage() -> None:
    page = FakePage()
    await page.start()
    page.say("storage")
    page.say("storage", usage=None, quota="60", kept="yes")
    await page.settle()
    assert page.text("sessions-foot") == ""


@in_loop
async def test_what_was_lost_behind_our_back_is_said_until_it_is_read() -> None:
    page = await page_with(long_session(5, "a"), long_session(7, "b"))
    await page.start()
    assert page.remembered == {"mark:": "[2,12,1795400000000]"}
    emptied = FakePage()
    emptied.remembered = dict(page.remembered)
    await emptied.start()
    assert "Some of what was stored here is gone" in emptied.text("alert")
    assert "2 sessions with 12 events; now it holds 0 sessions with 0 events" in emptied.text("alert")
    assert emptied.remembered == page.remembered
    emptied.say("demo")  # what comes now hides nothing of it
    await emptied.settle()
    assert emptied.remembered == page.remembered
    emptied.say("dismiss")
    await emptied.settle()
    assert emptied.remembered == {"mark:": "[6,3154,1795400000000]"}


@in_loop
async def test_events_that_are_lost_are_noticed_and_deleted_sessions_are_not_lost() -> None:
    page = await page_with(long_session(5, "a"), long_session(7, "b"))
    page.remembered = {"mark:": "[2,13,1795300000000]", "mark:other": "[9,9,9]", "x": "y"}
    await page.start("#/sessions/a")
    assert "held 2 sessions with 13 events" in page.text("alert")
    assert "On 2026-11-21" in page.text("alert")
    page.say("dismiss")
    page.say("delete")
    page.say("delete", arg="confirmed")
    await page.settle()
    assert page.remembered["mark:"] == "[1,7,1795400000000]"
    again = FakePage(page.store)
    again.remembered = dict(page.remembered)
    await again.start()
    assert again.text("alert") == ""


@in_loop
async def test_marks_that_cannot_be_read_are_forgotten() -> None:
    for text in ("", "[1,2]", "{}", '["a",1,1]', "[-1,2,3]", "[" * 5_000, "[1e400,1,1]", "null"):
        page = await page_with(long_session(5))
        page.remembered = {"mark:": text}
        await page.start()
        assert page.text("alert") == ""
        assert page.remembered["mark:"] == "[1,5,1795400000000]"


@in_loop
async def test_another_database_can_be_chosen_and_one_of_another_layout_is_refused() -> None:
    class Page(FakePage):
        async def open_store(self, database: str) -> SessionStore:
            if database == "foreign":
                raise UnknownLayoutError("the database 'foreign' has version 9, not 2; it was left alone")
            return await super().open_store(database)

    page = Page()
    await page.start()
    assert "<select" not in page.html("bar")
    page.names = ("usual", "sandbox-agent-inspector", "foreign")
    page.say("visible", value=True)
    await page.settle()
    assert 'aria-label="Database"' in page.html("bar")
    page.say("database", value="sandbox-agent-inspector")
    await page.settle()
    assert page.hash == "#/?db=sandbox-agent-inspector"
    page.say("database", value="foreign")
    await page.settle()
    assert "left alone" in page.text("stage")
    assert "Show the usual database" in page.text("stage")
    page.say("database", value="nothing")
    await page.settle()
    assert page.hash == "#/?db=foreign"
    page.say("database", value="usual")
    await page.settle()
    assert (page.hash, page.root["data-view"]) == ("#/", "empty")


@in_loop
async def test_a_wait_for_another_tab_is_said_while_it_lasts() -> None:
    page = FakePage()
    await page.start()
    page.tell_waiting(True)
    await page.settle()
    assert "Waiting for another tab" in page.text("status")
    page.tell_waiting(False)
    await page.settle()
    assert page.text("status") == ""


@in_loop
async def test_a_page_that_is_put_aside_lets_go() -> None:
    page = FakePage()
    await page.start()
    page.say("aside")
    await page.settle()
    assert page.released == 1


@in_loop
async def test_a_page_that_comes_back_shows_what_was_written_past_it() -> None:
    """Upstream's own code, for one, tells nobody."""
    page = await page_with(long_session(5))
    await page.start("#/sessions/long")
    store = page.store
    assert isinstance(store, InMemorySessionPersistDriver)
    listeners, store._listeners = store._listeners, Listeners()
    await store.append_event("long", EventDraft("agent", {"method": "x"}, "c", 1))
    store._listeners = listeners
    await page.settle()
    assert 'aria-valuemax="5"' in page.html("slider")
    page.say("visible", value=True)
    await page.settle()
    assert 'aria-valuemax="6"' in page.html("slider")
