"""Names, tags, read positions and the filter, as the user meets them, on CPython."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pytest

from pyapp import StoreChange, StoreFullError, UnknownLayoutError
from pyapp.drivers.base import SessionHead
from pyapp.drivers.notes import InMemoryNoteStore, SessionNote
from pyapp.inspector.incoming import from_page
from pyapp.inspector.messages import HeadsRead, RecordsChanged, Ticked
from pyapp.inspector.notes.effects import MarkSoon
from pyapp.inspector.notes.messages import Filtered, MarkDue, NotesLost
from pyapp.inspector.notes.values import split_tags
from pyapp.listeners import Listeners
from tests.unit.fake_page import FakePage
from tests.unit.recordings import Script
from tests.unit.test_inspector import in_loop, long_session, page_with, record


class CountingNotes(InMemoryNoteStore):
    """Writes down every read and every mark."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.marks: list[tuple[str, int]] = []

    async def get_notes(self, session_ids: Sequence[str]) -> Mapping[str, SessionNote]:
        self.asked += session_ids
        return await super().get_notes(session_ids)

    async def mark_read(self, session_id: str, event_index: int) -> None:
        self.marks.append((session_id, event_index))
        await super().mark_read(session_id, event_index)


async def renamed(page: FakePage, name: str, tags: str = "") -> None:
    page.say("rename")
    await page.settle()
    page.say("renamed", values={"name": name, "tags": tags})
    await page.settle()


def title(page: FakePage) -> str:
    return str([message["title"] for message in page.sent if message["type"] == "patch"][-1])


@in_loop
async def test_a_session_gets_a_name_and_tags_and_keeps_them() -> None:
    page = await page_with(long_session(5))
    await page.start("#/sessions/long")
    page.say("rename")
    await page.settle()
    assert 'placeholder="Count"' in page.html("rename")
    assert 'aria-labelledby="rename-title"' in page.html("rename")
    page.say("renamed", values={"name": "  Parser <b>\n ", "tags": "Bug, #parser ,, bug"})
    await page.settle()
    assert page.html("rename") == ""
    assert "<h1>Parser &lt;b&gt;</h1>" in page.html("heading")
    assert "#Bug #parser" in page.text("heading")
    assert "Parser &lt;b&gt; " in re.sub(r"<[^>]+>", " ", page.html("sessions-list"))
    assert "#Bug #parser" in page.text("sessions-list")
    assert title(page) == "Parser <b> · sessions"
    again = FakePage(page.store)
    again.notes = page.notes
    await again.start()
    assert "Parser <b>" in again.text("sessions-list").replace("&lt;", "<").replace("&gt;", ">")
    await again.go("#/sessions/long")
    again.say("rename")
    await again.settle()
    assert 'value="Bug, parser"' in again.html("rename")
    again.say("renamed", values={"name": "", "tags": ""})
    await again.settle()
    assert "<h1>Count</h1>" in again.html("heading")
    assert "#Bug" not in again.text("sessions-list")
    again.say("visible", value=False)
    await again.settle()
    assert (await page.notes.all_notes())["long"] == SessionNote("long", read_to=5)


@in_loop
async def test_the_dialog_refuses_too_much_and_can_be_given_up() -> None:
    page = await page_with(long_session(5))
    await page.start()
    page.say("rename")  # no session is open
    await page.settle()
    assert page.html("rename") == ""
    await page.go("#/sessions/long")
    await renamed(page, "n" * 201, "a")
    assert "The name has 201 characters; 200 is the most." in page.text("rename")
    assert f'value="{"n" * 201}"' in page.html("rename")
    page.say("renamed", values={"name": "", "tags": ",".join("abcdefghijklmnopqrstu")})
    await page.settle()
    assert "These are 21 tags; 20 is the most." in page.text("rename")
    page.say("renamed", values={"name": "", "tags": "t" * 41})
    await page.settle()
    assert "40 is the most" in page.text("rename")
    page.say("rename-cancel")
    await page.settle()
    assert page.html("rename") == ""
    assert not (await page.notes.all_notes()).get("long", SessionNote("")).name
    page.say("rename")
    await page.go("#/")
    assert page.html("rename") == ""
    for wrong in ({}, {"values": 7}, {"values": {"name": 1, "tags": "x"}}):
        assert from_page({"name": "renamed", **wrong}) is None


@pytest.mark.parametrize(
    ("text", "tags"),
    [("", ()), (" , ", ()), ("a,A, a b ,#c,##d", ("a", "a b", "c", "d")), ("\ud800x", ("�x",))],
)
def test_tags_are_split_at_commas(text: str, tags: tuple[str, ...]) -> None:
    assert split_tags(text) == tags


@in_loop
async def test_a_name_that_cannot_be_stored_is_taken_back() -> None:
    class Full(InMemoryNoteStore):
        async def describe(self, session_id: str, name: str, tags: Sequence[str]) -> None:
            raise StoreFullError("the disk is full")

    page = await page_with(long_session(5))
    page.notes = Full()
    await page.start("#/sessions/long")
    await renamed(page, "New")
    assert "The name was not kept" in page.text("alert")
    assert "the disk is full" in page.text("alert")
    assert "<h1>Count</h1>" in page.html("heading")


@in_loop
async def test_the_list_is_filtered_by_name_title_tag_agent_and_id() -> None:
    page = await page_with(long_session(3, "one"), Script("two"), Script("thrée"))
    await page.notes.describe("two", "Grüne Äpfel", ("Obst", "rot"))
    await page.start()
    found = {}
    for query in ("ÄPFEL", "obst", "count", "MOCK", "RÉE", "count one", "two rot", "one rot", "  ", ""):
        page.say("filter", value=query)
        await page.settle()
        found[query] = set(re.findall(r'href="#/sessions/([^"]*)"', page.html("sessions-list")))
    every = {"one", "two", "thr%C3%A9e"}
    assert found == {
        "ÄPFEL": {"two"},
        "obst": {"two"},
        "count": {"one"},
        "MOCK": every,
        "RÉE": {"thr%C3%A9e"},
        "count one": {"one"},
        "two rot": {"two"},
        "one rot": set(),
        "  ": every,
        "": every,
    }
    page.say("filter", value="nowhere")
    await page.settle()
    assert "No session matches." in page.text("sessions-list")
    assert "Sessions 0 of 3" in page.text("sessions-head")
    page.say("key", key="/")
    await page.settle()
    assert {"type": "focus", "id": "filter"} in page.sent
    assert page.root["data-sheet"] == "sessions", "the page sends it only where the field is out of sight"


@in_loop
async def test_the_filter_holds_while_the_list_changes_and_j_goes_through_what_it_finds() -> None:
    page = await page_with(long_session(3, "apple"), long_session(3, "pear"), long_session(3, "apple-2"))
    await page.start()
    page.say("filter", value="apple")
    await page.settle()
    await page.store.update_session(record("apple-3", 1_795_399_900_000))
    await page.settle()
    assert "Sessions 3 of 4" in page.text("sessions-head")
    opened = []
    for _ in range(3):
        page.say("key", key="j")
        await page.settle()
        opened.append(page.hash)
    assert opened == ["#/sessions/apple-3", "#/sessions/apple-2", "#/sessions/apple"]
    page.say("filter", value="")
    await page.settle()
    assert "Sessions 4" in page.text("sessions-head")


@in_loop
async def test_names_out_of_view_are_found_and_reading_costs_what_is_in_view() -> None:
    page = FakePage()
    notes = page.notes = CountingNotes()
    for number in range(300):
        await page.store.update_session(record(f"s{number:03}", 1_795_000_000_000 + number))
    await notes.describe("s003", "Hidden far below", ())
    await page.start()
    assert 0 < len(notes.asked) < 40
    assert len(set(notes.asked)) == len(notes.asked)
    page.say("filter", value="far below")
    await page.settle()
    assert re.findall(r'href="([^"]*)"', page.html("sessions-list")) == ["#/sessions/s003"]


@in_loop
async def test_filtering_20000_sessions_takes_little_time() -> None:
    agents = ("codex", "claude", "opencode")
    heads = [SessionHead(f"id-{number:06}", agents[number % 3], 1_700_000_000_000 + number) for number in range(20_000)]
    page = FakePage()
    await page.start()
    page.runner.send(HeadsRead(tuple(heads)))
    slowest = 0.0
    for query in ("c", "co", "cod", "codex 0123"):
        began = time.perf_counter()
        page.runner.send(Filtered(query))
        slowest = max(slowest, time.perf_counter() - began)
    await page.settle()
    assert "Sessions 39 of 20,000" in page.text("sessions-head")
    assert slowest < 1  # some 0.05 s; a busy machine has its moments


@in_loop
async def test_what_is_new_since_reading_is_counted_and_marked_and_can_be_gone_to() -> None:
    script = long_session(100)
    page = await page_with(script)
    await page.start("#/sessions/long?event=40")
    await page.go("#/")
    assert (await page.notes.all_notes())["long"].read_to == 40
    assert "60 new" in page.text("sessions-list")
    await page.go("#/sessions/long")
    assert 'value="100"' in page.html("slider")  # at its end, as ever
    assert "60 new" in page.text("heading")
    assert "Go to where you left off" in page.text("heading")
    assert 'class="left"' in page.html("past")
    page.say("left-off")
    await page.settle()
    assert 'value="40"' in page.html("slider")
    assert page.hash == "#/sessions/long?event=40"
    page.say("key", key="End")
    page.say("key", key="l")
    await page.settle()
    assert 'value="40"' in page.html("slider")
    await page.go("#/")
    assert "new" not in page.text("sessions-list")
    await page.go("#/sessions/long")
    assert "Go to where" not in page.text("heading")
    assert 'class="left"' not in page.html("past")


@in_loop
async def test_a_session_that_was_never_opened_or_read_to_its_end_has_nothing_new() -> None:
    page = await page_with(long_session(5))
    await page.start()
    assert "new" not in page.text("sessions-list")
    await page.go("#/sessions/long")
    assert "left off" not in page.text("heading")
    await page.go("#/")
    assert "new" not in page.text("sessions-list")


@in_loop
async def test_replay_writes_a_mark_a_second_and_one_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # No second passes by itself, however slow the machine: the test says when one did.
    monkeypatch.setattr("pyapp.inspector.notes.update.MarkSoon", lambda: MarkSoon(after=3_600_000))
    script = long_session(500)
    page = await page_with(script)
    notes = page.notes = CountingNotes()
    await page.start("#/sessions/long?event=1")
    page.say("speed", arg="1")
    page.say("play")
    await page.settle()
    steps = 0
    while page.runner.model.session and page.runner.model.session.playing:
        page.now += 100
        steps += 1
        page.runner.send(Ticked())
        if steps % 10 == 0:  # a second went by
            page.runner.send(MarkDue())
        await page.settle()
    assert steps > 40
    assert len(notes.marks) == steps // 10
    page.say("visible", value=False)
    await page.settle()
    assert notes.marks[-1] == ("long", 500)
    assert notes.marks == sorted(notes.marks)
    page.say("seek", value="3")
    page.say("visible", value=True)
    page.runner.send(MarkDue())
    await page.go("#/")
    assert len(notes.marks) <= steps // 10 + 1  # nothing that was read before is written again


@in_loop
async def test_what_grows_in_a_hidden_page_is_not_read() -> None:
    script = long_session(20)
    page = await page_with(long_session(10))
    await page.start("#/sessions/long")
    page.say("visible", value=False)
    await page.settle()
    assert (await page.notes.all_notes())["long"].read_to == 10
    for event in script.events[10:]:
        await page.store.insert_event("long", event)
    page.runner._hear(StoreChange(frozenset({"long"})))
    await page.settle()
    assert 'value="20"' in page.html("slider")
    page.runner.send(MarkDue())
    await page.settle()
    assert (await page.notes.all_notes())["long"].read_to == 10
    page.say("visible", value=True)
    await page.settle()
    page.runner.send(MarkDue())
    await page.settle()
    assert (await page.notes.all_notes())["long"].read_to == 20
    assert "left off" not in page.text("heading")


@in_loop
async def test_what_another_tab_notes_is_shown() -> None:
    page = await page_with(long_session(5))
    await page.start()
    await page.notes.describe("long", "From elsewhere", ("tag",))
    await page.settle()
    assert "From elsewhere" in page.text("sessions-list")
    assert "#tag" in page.text("sessions-list")
    page.say("visible", value=False)
    notes = page.notes
    assert isinstance(notes, InMemoryNoteStore)
    notes._listeners = Listeners()  # put aside, a page hears nothing
    await notes.describe("long", "Written meanwhile", ())
    page.say("visible", value=True)
    await page.settle()
    assert "Written meanwhile" in page.text("sessions-list")


@pytest.mark.parametrize("by_another_tab", [False, True])
@in_loop
async def test_a_deleted_session_leaves_no_note(by_another_tab: bool) -> None:
    page = await page_with(long_session(5), long_session(5, "other"))
    await page.start("#/sessions/other")
    await page.go("#/sessions/long")
    await renamed(page, "Gone soon", "x")
    page.say("filter", value="soon")  # every note is known now
    await page.settle()
    if by_another_tab:
        await page.store.delete_session("long")
        page.runner.send(RecordsChanged({"long": None}))
    else:
        page.say("delete")
        page.say("delete", arg="confirmed")
    await page.settle()
    page.runner.send(MarkDue())
    await page.go("#/")
    assert list(await page.notes.all_notes()) == ["other"]


@in_loop
async def test_without_a_store_for_notes_the_page_goes_on_and_says_so_once() -> None:
    class Newer(InMemoryNoteStore):
        async def get_notes(self, session_ids: Sequence[str]) -> Mapping[str, SessionNote]:
            raise UnknownLayoutError("a newer version of this page has stored names here")

        async def all_notes(self) -> Mapping[str, SessionNote]:
            return await self.get_notes(())

    page = await page_with(long_session(5), long_session(5, "other"))
    page.notes = Newer()
    await page.start()
    assert "Names, tags and read positions are out of reach" in page.text("alert")
    assert "a newer version of this page" in page.text("alert")
    await page.go("#/sessions/other")
    assert "a newer version of this page" in page.text("alert")  # until it is read
    page.say("dismiss")
    page.runner.send(NotesLost("again"))
    await page.go("#/sessions/long")
    page.say("rename")
    page.say("filter", value="other")
    await page.settle()
    assert page.text("alert") == ""
    assert page.html("rename") == ""
    assert "Rename" not in page.text("heading")
    assert "Event 5" in page.text("detail")
    assert re.findall(r'href="([^"]*)"', page.html("sessions-list")) == ["#/sessions/other"]
