"""The page that shows the sessions of the program that serves it: it only reads, and says so."""

from __future__ import annotations

import asyncio

import pytest

from pyapp import StoreUnavailableError
from pyapp.drivers import remote
from pyapp.drivers.remote import RemoteStore
from pyapp.inspector.messages import EverythingChanged
from tests.unit.fake_page import FakeFile, FakePage
from tests.unit.recordings import DEMO
from tests.unit.test_inspector import in_loop, long_session, record

NAME = "opencode-2-permissions.jsonl"


class ServedPage(FakePage):
    is_served = True


async def served(at: str = "#/") -> ServedPage:
    page = ServedPage()
    await page.store.update_session(record("long"))
    await page.store.insert_events("long", long_session(3).events)
    await page.start(at)
    return page


@in_loop
async def test_nothing_is_offered_that_would_be_refused() -> None:
    page = await served("#/sessions/long")
    everything = " ".join(page.text(region) for region in page.regions)
    for word in ("Delete", "Rename", "Import", "Connect", "Resume"):
        assert word not in everything
    assert "Export" in page.text("heading")
    assert "Read only" in page.text("bar")
    assert page.text("sessions-foot") == "Sessions of another program"
    assert page.root["data-read-only"] == "true"
    await page.go("#/")
    assert "drop" not in page.text("stage")


@in_loop
async def test_an_empty_one_does_not_offer_the_demo() -> None:
    page = ServedPage()
    await page.start()
    assert "No sessions yet" in page.text("stage")
    assert "demo" not in page.text("stage")


@in_loop
async def test_files_are_refused_before_they_are_read_or_fetched() -> None:
    page = await served()
    page.runner.import_files([FakeFile(NAME, (DEMO / NAME).read_bytes())])
    await page.settle()
    assert "Nothing was imported These sessions belong to the program" in page.text("alert")
    await page.go(f"#/?src=demo/{NAME}")
    assert "was not fetched These sessions belong to the program" in page.text("alert")
    await page.go(f"#/?src=https://other.test/{NAME}")
    assert (page.fetched, page.text("source"), page.hash) == ([], "", "#/")
    assert (await page.store.totals()).sessions == 1


@in_loop
async def test_other_databases_of_the_browser_are_its_own() -> None:
    page = await served("#/?db=other")
    assert "Import" in page.text("bar")
    assert page.root.get("data-read-only") is None


@in_loop
async def test_a_program_that_is_gone_is_said_to_be() -> None:
    page = await served("#/sessions/long")
    page.tell_reached(False, "")
    await page.settle()
    assert "does not answer" in page.text("alert")
    assert "start the program again" in page.text("alert")
    assert "No answer" in page.text("bar")
    assert page.text("sessions-foot") == "That program does not answer"
    assert "Count" in page.text("log")
    page.tell_reached(True, "")
    await page.settle()
    assert (page.text("alert"), "Read only" in page.text("bar")) == ("", True)


@in_loop
async def test_the_page_is_called_after_its_store() -> None:
    page = await served("#/sessions/long")
    page.tell_reached(True, "/home/me/sessions.db")
    await page.settle()
    assert page.title == "Count · /home/me/sessions.db"
    assert page.text("sessions-foot") == "Sessions of /home/me/sessions.db"
    page.tell_reached(False, "")
    page.tell_reached(True, "")
    await page.go("#/")
    assert page.title == "/home/me/sessions.db"


@in_loop
async def test_the_name_of_a_store_is_shown_as_text_and_not_at_length() -> None:
    page = await served()
    page.tell_reached(True, "/\u202e" + "x" * 10_000 + "/a folder/<b>&.db")
    await page.settle()
    assert page.title == "…" + ("x" * 10_000 + "/a folder/<b>&.db")[-39:]
    assert "&lt;b&gt;&amp;.db" in page.regions["sessions-foot"]
    assert "\u202e" not in page.regions["sessions-foot"]
    assert len(page.regions["sessions-foot"]) < 1_000
    await page.go("#/?db=other")
    assert page.title == "sessions"


async def gone(*_anything: object) -> None:
    raise StoreUnavailableError("The program that served this page has ended. Start it again.")


@in_loop
async def test_a_session_that_cannot_be_read_does_not_leave_the_one_before_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = await served("#/sessions/long")
    await page.store.update_session(record("next"))
    monkeypatch.setattr(page.store, "get_session", gone)
    await page.go("#/sessions/next")
    assert "This session cannot be read The program that served this page has ended." in page.text("stage")
    assert page.root["data-view"] == "problem"


@in_loop
async def test_what_cannot_be_read_again_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    page = await served("#/sessions/long")
    for name in ("get_session", "session_heads", "list_events"):
        monkeypatch.setattr(page.store, name, gone)
    page.runner.send(EverythingChanged())
    page.say("visible", value=True)
    await page.settle()
    assert page.root["data-view"] == "session"
    assert "Count" in page.text("log")
    assert "Sessions 1" in page.text("sessions-head")
    assert "has ended" in page.text("alert")


@in_loop
async def test_the_store_tells_when_the_other_side_goes_and_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRY_SECONDS", 0.0)
    answers: list[dict[str, object] | None]
    answers = [
        {"number": 1, "name": "x.db", "sessions": [], "everything": False},
        None,
        None,
        {"number": 1, "name": 7},
        None,
    ]
    told: list[tuple[bool, str]] = []
    done = asyncio.Event()

    async def call(_method: str, _params: object) -> object:
        if not answers:
            done.set()
            await asyncio.Event().wait()
        answer = answers.pop(0)
        if answer is None:
            raise StoreUnavailableError("gone")
        return {"sessions": [], "everything": False, **answer}

    async with RemoteStore(call, lambda *reached: told.append(reached)) as store:
        store.on_change(lambda _change: None)
        await done.wait()
    assert told == [(True, "x.db"), (False, ""), (True, ""), (False, "")]


@in_loop
async def test_what_cannot_be_opened_is_not_called_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    page = ServedPage()
    monkeypatch.setattr(page.store, "session_heads", gone)
    await page.start()
    assert "cannot be opened" in page.text("stage")
    assert page.text("bar") == "sessions Sessions"
