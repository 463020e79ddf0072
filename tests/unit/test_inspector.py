"""The page as its user meets it, run on CPython: list, open, seek, play, import."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver, SessionRecord, UnknownLayoutError
from pyapp.inspector.messages import Ticked
from pyapp.inspector.model import SPEEDS
from pyapp.inspector.views.events import coloured
from pyapp.inspector.views.exact import MAX_MARKED, exact, exact_json
from pyapp.inspector.views.html import elements_in
from tests.unit.fake_page import FakeFile, FakePage, forget_timers
from tests.unit.recordings import DEMO, Script, recorded_sessions

Test = Callable[..., Coroutine[Any, Any, None]]


def in_loop(test: Test) -> Callable[..., None]:
    async def whole(*args: Any, **kwargs: Any) -> None:
        await test(*args, **kwargs)
        forget_timers()

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(whole(*args, **kwargs))

    return run


def record(session_id: str, created_at: int = 1_795_399_000_000, **fields: Any) -> SessionRecord:
    return SessionRecord(session_id, "mock", "a", "c", created_at, **fields)


async def page_with(*scripts: Script) -> FakePage:
    page = FakePage()
    for number, script in enumerate(scripts):
        await page.store.update_session(record(script.session_id, 1_795_399_000_000 + number))
        for event in script.events:
            await page.store.insert_event(script.session_id, event)
    return page


def long_session(events: int, session_id: str = "long") -> Script:
    script = Script(session_id)
    script.prompt("Count")
    for number in range(2, events + 1):
        if number % 10 == 0:
            script.update("tool_call", toolCallId=f"t{number}", title=f"Tool {number}", status="completed")
        else:
            script.says(f"word{number} ")
    return script


@in_loop
async def test_a_word_of_success_can_be_put_away_at_once() -> None:
    page = await page_with(long_session(3))
    await page.start()
    for put_away in ({"name": "read", "arg": "Copied."}, {"name": "key", "key": "Escape"}):
        page.say("copied")
        await page.settle()
        assert page.text("status") == "Copied."
        page.say(**put_away)
        await page.settle()
        assert page.text("status") == ""


@in_loop
async def test_a_transcript_without_anything_says_why() -> None:
    quiet = Script("quiet")
    quiet.client("initialize", 1)
    page = await page_with(Script("empty"), quiet)
    await page.start("#/sessions/empty")
    assert page.text("log") == "This session has no events yet."
    await page.go("#/sessions/quiet")
    assert page.text("log") == "Nothing to show yet: 1 event so far."
    page.say("key", key="Home")
    await page.settle()
    assert page.text("log") == "Before the first event. Play, or move the slider."


@in_loop
async def test_what_is_called_by_marks_that_nobody_sees_is_shown_as_having_no_name() -> None:
    blank, later = Script("blank"), Script("later")
    blank.prompt("\u200b\u2060 \u3164\u2800")
    later.prompt("\ufeff\u202e\U000e0041")
    later.prompt("Count \u200b")
    page = await page_with(blank, later)
    await page.store.update_session(replace(record("blank"), agent="\u200b"))
    await page.start("#/sessions/blank")
    assert "<h1>Untitled session</h1>" in page.html("heading")
    assert page.text("heading").count("unknown agent") == 1
    assert "Untitled session unknown agent" in page.text("sessions-list")
    assert "Count \u200b" in page.text("sessions-list")
    page.say("rename")
    page.say("renamed", values={"name": "\u2063", "tags": "\u200b, seen"})
    await page.settle()
    assert "<h1>Untitled session</h1>" in page.html("heading")
    assert "#seen" in page.text("heading")


@in_loop
async def test_a_session_that_is_opened_before_it_is_listed_is_brought_in_sight() -> None:
    page = await page_with(*(long_session(2, f"s{number}") for number in range(60)))
    await page.start()
    page.say("scroll", list="sessions", top=2000, height=600)
    await page.settle()
    await page.store.update_session(record("s0", 1_795_399_000_000, destroyed_at=1))
    for _ in range(20):
        await asyncio.sleep(0)
    await page.store.update_session(record("new", 1_795_399_100_000))  # heard of only after a pause
    await page.store.insert_event("new", long_session(1, "new").events[0])
    await page.go("#/sessions/new")
    assert "session-1" in page.keys("sessions-list")
    assert page.attrs["sessions-scroll"]["data-scroll-top"] == "0"
    page.say("scroll", list="sessions", top=2000, height=600)
    await page.settle()
    await page.store.update_session(record("other", 1_795_399_200_000))
    await page.settle()
    assert "session-1" not in page.keys("sessions-list"), "others that come do not move the list"


@in_loop
async def test_the_sheet_of_sessions_opens_where_the_open_one_is() -> None:
    """In a narrow window the list was out of sight, where nothing can be scrolled."""
    page = await page_with(*(long_session(2, f"s{number}") for number in range(60)))
    await page.start("#/sessions/s10")
    page.say("scroll", list="sessions", top=0, height=0)
    await page.go("#/sessions/s50")
    key = page.attrs["sessions-scroll"]["data-scroll-key"]
    page.say("sheet", arg="sessions")
    await page.settle()
    assert page.attrs["sessions-scroll"]["data-scroll-key"] != key
    assert page.attrs["sessions-scroll"]["data-scroll-top"] == "280"
    assert page.root["data-sheet"] == "sessions"


@in_loop
async def test_a_working_directory_is_told_as_one() -> None:
    page = FakePage()
    await page.store.update_session(record("one", session_init={"cwd": "/", "mcpServers": []}))
    await page.start("#/sessions/one")
    assert "mock in / 2026-11-23" in page.text("heading")


@in_loop
async def test_a_name_of_any_length_is_cut() -> None:
    page = FakePage()
    await page.store.update_session(replace(record("one"), agent="A" * 100_000))
    await page.start("#/sessions/one")
    heading = page.html("heading")
    assert f'<span class="cut" title="{"A" * 300}">' in heading
    assert len(heading) + len(page.html("sessions-list")) < 3_000


@in_loop
async def test_an_empty_store_greets_and_offers_the_demo() -> None:
    page = FakePage()
    await page.start()
    assert page.root["data-ready"] == "true"
    assert page.root["data-view"] == "empty"
    assert "Load the demo sessions" in page.text("stage")


@in_loop
async def test_the_demo_is_loaded_with_progress_and_listed_newest_first() -> None:
    page = FakePage()
    await page.start()
    page.say("demo")
    await page.settle()
    assert "Loaded 6 sessions, 3,154 events." in page.text("status")
    progress = [message["regions"]["status"] for message in page.sent if "status" in message.get("regions", {})]
    assert any("KB of 1.8 MB" in text for text in progress)
    assert any("events" in text for text in progress)
    titles = re.findall(r'class="t">([^<]*)', page.html("sessions-list"))
    assert titles[0] == "Which Python version is this?"
    assert len(titles) == 6
    assert titles[-1].startswith("Give me an overview of this repository")


@in_loop
async def test_a_session_is_titled_by_its_first_prompt_not_by_replayed_history() -> None:
    script = Script("s")
    history = "Previous session history is replayed below as JSON-RPC envelopes. Use it"
    blocks = [{"type": "text", "text": history}, {"type": "text", "text": "Go <b>on</b>"}]
    script.client("session/prompt", 1, prompt=blocks)
    page = await page_with(script, Script("none"))
    await page.start()
    assert "Go &lt;b&gt;on&lt;/b&gt;" in page.html("sessions-list")
    assert "Untitled session" in page.text("sessions-list")


@in_loop
async def test_an_unknown_session_says_so() -> None:
    page = await page_with(Script("s"))
    await page.start("#/sessions/%3Cnope%3E")
    assert "This session is not stored here" in page.text("stage")
    assert "&lt;nope&gt;" in page.html("stage")


@in_loop
async def test_a_session_opens_at_its_end_and_an_event_link_at_the_event() -> None:
    page = await page_with(long_session(500))
    await page.start("#/sessions/long")
    assert 'value="500"' in page.html("slider")
    assert "word499" in page.text("log")
    await page.go("#/sessions/long?event=42")
    assert 'value="42"' in page.html("slider")
    assert "word42 " in page.text("log") + " "
    assert "word43" not in page.text("log")
    assert "Event 42" in page.text("detail")


@in_loop
async def test_a_session_without_events_opens() -> None:
    page = await page_with(Script("s"))
    await page.start("#/sessions/s")
    assert page.root["data-view"] == "session"
    assert 'max="0"' in page.html("slider")
    page.say("play")
    page.say("step", arg="1")
    await page.settle()
    assert 'value="0"' in page.html("slider")


class CountingStore(InMemorySessionPersistDriver):
    """Counts the events that were read before the page first showed the session."""

    def __init__(self) -> None:
        super().__init__(max_events_per_session=1_000_000)
        self.read = 0

    async def list_events(self, *args: Any, **kwargs: Any) -> Any:
        page = await super().list_events(*args, **kwargs)
        self.read += len(page.items)
        return page

    async def last_events(self, *args: Any, **kwargs: Any) -> Any:
        events = await super().last_events(*args, **kwargs)
        self.read += len(events)
        return events


@pytest.mark.parametrize("event", [None, 700])
@in_loop
async def test_a_long_session_is_shown_after_one_page(event: int | None) -> None:
    store = CountingStore()
    page = FakePage(store)
    script = long_session(2000)
    await store.update_session(record("long"))
    for item in script.events:
        await store.insert_event("long", item)
    await page.start()
    store.read = 0
    shown = asyncio.Event()
    post = page.post

    def watch(message: Any, data: bytes | None = None) -> None:
        post(message, data)
        if "log" in message.get("regions", {}) and message["regions"]["log"]:
            shown.set()

    page.post = watch  # type: ignore[method-assign]
    page.say("route", hash="#/sessions/long" + ("" if event is None else f"?event={event}"))
    await shown.wait()
    assert store.read <= 2 + 100 + 150 + 250 * 2  # both ends, a page, some rows, what began in the background
    assert "Event 700" in page.text("detail") if event else "Event 2000" in page.text("detail")
    await page.settle()
    assert "reading" not in page.html("events-head")


@pytest.mark.parametrize("name", sorted(recorded_sessions()))
@in_loop
async def test_playing_seeking_and_loading_alone_show_the_same(name: str) -> None:
    events = recorded_sessions()[name]
    page = FakePage()
    await page.store.update_session(record(name))
    for event in events:
        await page.store.insert_event(name, event)
    await page.start(f"#/sessions/{name}")
    step = max(1, len(events) // 25)
    positions = list(range(0, len(events) + 1, step))
    sought = {}
    for position in reversed(positions):
        page.say("seek", value=str(position))
        await page.settle()
        sought[position] = page.html("log")
    page.say("seek", value="0")
    page.say("play")
    page.say("speed", value=f"{SPEEDS[-1]:g}")
    await page.settle()
    played = {}
    while page.runner.model.session and page.runner.model.session.playing:
        page.now += 0.4
        page.runner.send(Ticked())
        await page.settle()
        session = page.runner.model.session
        played[session.playhead] = page.html("log")
    for position in played.keys() & sought.keys():
        assert played[position] == sought[position], position
    assert len(played.keys() & sought.keys()) >= 3

    for position in positions[:: max(1, len(positions) // 5)]:
        alone = FakePage()
        await alone.store.update_session(record(name))
        for event in events[:position]:
            await alone.store.insert_event(name, event)
        await alone.start(f"#/sessions/{name}")
        if position == 0:  # what has no events says so
            assert alone.text("log") == "This session has no events yet."
        else:
            assert alone.html("log") == sought[position], position


@in_loop
async def test_a_seek_folds_nothing_and_reads_a_page_of_rows_at_most() -> None:
    store = CountingStore()
    page = FakePage(store)
    await store.update_session(record("long"))
    for item in long_session(3000).events:
        await store.insert_event("long", item)
    await page.start("#/sessions/long")
    session = page.runner.model.session
    assert session
    folded, store.read = session.log.transcript.count, 0
    page.say("seek", value="1500")
    await page.settle()
    assert session.log.transcript.count == folded
    assert store.read <= 150
    assert "Event 1500" in page.text("detail")


@in_loop
async def test_only_visible_rows_are_in_the_page_and_all_are_counted() -> None:
    page = await page_with(long_session(3000))
    await page.start("#/sessions/long")
    page.say("scroll", list="events", top=24 * 2980, height=480)
    page.say("scroll", list="events", top=0, height=480)
    await page.settle()
    assert page.keys("events")[0] == "event-0"
    assert len(page.keys("events")) < 40
    assert 'aria-setsize="3000"' in page.html("events")
    assert page.attrs["events"]["data-height"] == str(3000 * 24)
    page.say("scroll", list="events", top=24 * 1000, height=480)
    await page.settle()
    assert "event-1000" in page.keys("events")
    assert "…" not in page.text("events")


@in_loop
async def test_the_transcript_is_a_window_that_can_be_moved() -> None:
    script = Script("long")
    for number in range(600):
        script.update("tool_call", toolCallId=f"t{number}", title=f"Tool {number}", status="completed")
    page = await page_with(script)
    await page.start("#/sessions/long")
    assert elements_in(page.html("log")) < 1200
    assert "item-599" in page.keys("log")
    seen = set()
    while (first := re.search(r'id="log-earlier"[^>]*data-arg="(\d+)"', page.html("log"))) is not None:
        seen |= set(page.keys("log"))
        page.say("window", arg=first.group(1))
        await page.settle()
    seen |= set(page.keys("log"))
    assert {f"item-{number}" for number in range(600)} <= seen
    while (later := re.search(r'id="log-later"[^>]*data-arg="(\d*)"', page.html("log"))) is not None:
        page.say("window", arg=later.group(1))
        await page.settle()
    assert "item-599" in page.keys("log")


@in_loop
async def test_the_future_is_in_the_list_but_not_in_the_transcript() -> None:
    page = await page_with(long_session(60))
    await page.start("#/sessions/long?event=30")
    page.say("scroll", list="events", top=24 * 20, height=480)
    await page.settle()
    assert re.search(r'id="event-40" class="ev later"', page.html("events"))
    assert re.search(r'id="event-29" class="ev now"', page.html("events"))
    assert re.search(r'id="event-20" class="ev "', page.html("events"))
    assert "word31" not in page.text("log")


@in_loop
async def test_steps_marks_and_keys_move_the_playhead() -> None:
    page = await page_with(long_session(60))
    await page.start("#/sessions/long?event=30")

    async def at(name: str, **fields: Any) -> int:
        page.say(name, **fields)
        await page.settle()
        assert page.runner.model.session
        return page.runner.model.session.playhead

    assert await at("step", arg="1") == 31
    assert await at("step", arg="-1") == 30
    assert await at("key", key="ArrowRight") == 31
    assert await at("key", key="ArrowRight", shift=True) == 40
    assert await at("key", key="ArrowLeft", shift=True) == 30
    assert await at("mark", arg="-1") == 20
    assert await at("key", key="Home") == 0
    assert await at("step", arg="-1") == 0
    assert await at("key", key="End") == 60
    assert await at("choose", arg="7") == 7
    assert page.hash == "#/sessions/long?event=7"
    assert await at("seek", value="999999999") == 60
    assert page.hash == "#/sessions/long"


@in_loop
async def test_replay_follows_the_clock_of_the_session_at_its_speed() -> None:
    script = Script("s")
    for number in range(100):
        script.says(f"w{number} ") if number else script.prompt("go")
    page = await page_with(script)  # an event every 10 ms
    await page.start("#/sessions/s?event=1")
    page.say("speed", value="2")
    page.say("play")
    await page.settle()
    assert 'aria-label="Pause"' in page.html("controls")
    page.now = 200  # 400 ms of the session
    page.runner.send(Ticked())
    await page.settle()
    assert page.runner.model.session
    assert page.runner.model.session.playhead == 41
    page.say("play")
    page.now = 5000
    page.runner.send(Ticked())
    await page.settle()
    assert page.runner.model.session.playhead == 41
    assert 'aria-label="Play"' in page.html("controls")


@in_loop
async def test_long_pauses_are_shortened_unless_told_otherwise() -> None:
    script = Script("s")
    script.prompt("go")
    script.add("agent", {"id": 1, "result": {}}, after=60_000)
    page = await page_with(script)
    for shorten, reached in (("true", 2), ("false", 1)):
        await page.start("#/sessions/s?event=1")
        page.say("shorten", value=shorten)
        page.now = 0
        page.say("play")
        page.now = 1500
        page.runner.send(Ticked())
        await page.settle()
        assert page.runner.model.session
        assert page.runner.model.session.playhead == reached
        if page.runner.model.session.playing:
            page.say("play")


@in_loop
async def test_the_page_gets_no_patch_before_it_has_painted_the_last() -> None:
    page = await page_with(long_session(60))
    await page.start("#/sessions/long")
    page.paints = False
    before = sum(message["type"] == "patch" for message in page.sent)
    for position in range(10):
        page.say("seek", value=str(position))
        await page.settle()
    assert sum(message["type"] == "patch" for message in page.sent) == before + 1
    page.paints = True
    page.say_painted()
    await page.settle()
    assert 'value="9"' in page.html("slider")


@in_loop
async def test_a_patch_holds_only_what_changed() -> None:
    page = await page_with(long_session(60))
    await page.start("#/sessions/long?event=30")
    page.sent.clear()
    page.say("step", arg="1")
    await page.settle()
    patch = next(message for message in page.sent if message["type"] == "patch")
    assert "bar" not in patch["regions"]
    assert "sessions-list" not in patch["regions"]
    assert sum(len(child) == 2 for child in patch["regions"]["log"]) <= 2
    assert sum(len(child) == 2 for child in patch["regions"]["events"]) <= 3


class Markup(HTMLParser):
    """The elements, the attributes and the links of some HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


async def expand_items(page: FakePage) -> None:
    """Open what can be opened of the first twelve items."""
    for item in range(12):
        page.say("expand", arg=f"item-{item}")
    await page.settle()


@in_loop
async def test_hostile_text_is_shown_as_text() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    script = Script("s")
    script.prompt(evil)
    script.says(evil + " [x](javascript:alert(1)) ![i](https://evil.test/x.png) <b>hi</b>")
    script.says("\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n")
    script.says(evil, "agent_thought_chunk")
    script.update("tool_call", toolCallId="t", title=evil, kind=evil, rawInput={"command": evil})
    script.update("tool_call_update", toolCallId="t", status=evil, rawOutput={"stdout": evil})
    script.update("plan", entries=[{"content": evil, "status": evil, "priority": evil}])
    script.update(evil, content=evil)
    script.asks(9, evil, (evil, evil, evil))
    script.update("agent_message_chunk", content={"type": "image", "mimeType": "image/png", "data": 'x" onerror="a'})
    script.add("agent", {"id": 1, "error": {"code": 1, "message": evil, "data": evil}})
    page = await page_with(script)
    await page.start("#/sessions/s")
    await expand_items(page)
    for region in ("log", "events", "detail", "heading", "sessions-list"):
        found = Markup()
        found.feed(page.html(region))
        assert found.tags.isdisjoint({"script", "img", "b" if region == "events" else "iframe"}), region
        assert not any(name.startswith("on") or name == "style" for name in found.attributes), region
        assert not any(link.startswith("javascript:") for link in found.links), region
    assert '<td class="right">1</td>' in page.html("log")


@in_loop
async def test_a_command_cannot_hide_what_it_is() -> None:
    """Marks that turn text or take no room are named wherever somebody decides by what they read."""
    turned, shown = "rm \u202ezyx\x1b[8m\u200b", "U+202E"
    script = Script("s")
    script.prompt("hello")
    script.says(f"Run `{turned}`\n\n```\n{turned}\n```\n\n    {turned}\n")
    script.update("tool_call", toolCallId="t", title=turned, kind="execute", rawInput={"command": turned})
    diff = {"type": "diff", "path": turned, "oldText": "a", "newText": turned}
    output = {"type": "content", "content": {"type": "text", "text": turned}}
    script.update("tool_call_update", toolCallId="t", content=[diff, output], locations=[{"path": turned}])
    resource = {"type": "resource", "resource": {"uri": turned, "text": turned}}
    script.update("agent_message_chunk", content=resource)
    script.update("agent_message_chunk", content={"type": "resource_link", "uri": turned, "name": turned})
    script.update(turned, content=turned)
    asked = {"toolCallId": turned, "title": turned, "kind": "execute", "rawInput": {"command": turned}}
    options = [{"optionId": turned, "name": turned, "kind": "allow_once"}]
    script.add(
        "agent", {"id": 9, "method": "session/request_permission", "params": {"toolCall": asked, "options": options}}
    )
    script.add("agent", {"id": 1, "error": {"code": 1, "message": turned, "data": turned}})
    page = await page_with(script)
    await page.start("#/sessions/s")
    await expand_items(page)
    for region in ("log", "detail"):
        seen = page.html(region)
        assert not re.search("[\u202e\u200b\x1b]", re.sub('aria-label="[^"]*"', "", seen)), region
    assert "\u202e" not in page.html("events")
    assert page.html("log").count(shown) > 12
    assert "\\u202e" in page.text("detail")


@in_loop
async def test_what_people_say_keeps_its_marks() -> None:
    script = Script("s")
    script.prompt("\u200fשלום\u200f")
    page = await page_with(script)
    await page.start("#/sessions/s")
    assert "\u200fשלום\u200f" in page.html("log")


def test_a_text_of_hidden_marks_makes_few_elements() -> None:
    seen = exact("<\u202e" * 1000)
    assert seen.count("<span") == MAX_MARKED
    assert seen.count("U+202E") == 1000
    assert seen.count("&lt;") == 1000
    assert exact("a\tb\r\nمرحبا 👩‍👩‍👧") == "a\tb\r\nمرحبا 👩‍👩‍👧"


def test_hidden_marks_in_json_become_escapes_of_the_same_value() -> None:
    value = {"a\u202e": "\\\u200b\U000e0041\x7f é"}
    shown = exact_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert "\\udb40\\udc41" in shown
    assert "é" in shown


@in_loop
async def test_a_recording_is_imported_and_opened() -> None:
    page = FakePage()
    await page.start()
    content = (DEMO / "opencode-2-permissions.jsonl").read_bytes()
    page.runner.import_files([FakeFile("perm.jsonl", content)])
    await page.settle()
    assert "Imported 1 session, 212 events." in page.text("status")
    assert page.hash == "#/sessions/opencode-permissions"
    assert "Clean up the workspace" in page.text("heading")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ('{"type":"event","id":"x"}', "missing"),
        ('{"type":"other"}', "type"),
        ("[" * 300 + "]" * 300, "deep"),
    ],
)
@in_loop
async def test_a_bad_line_refuses_the_whole_file(line: str, reason: str) -> None:
    page = FakePage()
    await page.start()
    good = (DEMO / "opencode-2-permissions.jsonl").read_text().splitlines()
    page.runner.import_files([FakeFile("bad.jsonl", "\n".join([*good[:50], line, *good[50:]]).encode())])
    await page.settle()
    assert "line 51" in page.text("alert")
    assert reason in page.text("alert")
    assert list(await page.store.session_heads()) == []


@in_loop
async def test_an_existing_session_is_never_overwritten_by_an_import() -> None:
    page = FakePage()
    stored = record("opencode-permissions")
    await page.store.update_session(stored)
    await page.start()
    content = (DEMO / "opencode-2-permissions.jsonl").read_bytes()
    page.runner.import_files([FakeFile("perm.jsonl", content)])
    await page.settle()
    assert "perm.jsonl was not imported, and nothing was changed" in page.text("alert")
    assert "already stored" in page.text("alert")
    assert await page.store.get_session("opencode-permissions") == stored
    assert (await page.store.list_events("opencode-permissions")).items == ()
    other = FakeFile("other.jsonl", (DEMO / "opencode-4-errors.jsonl").read_bytes())
    page.runner.import_files([other, FakeFile("perm.jsonl", content)])
    await page.settle()
    assert "perm.jsonl was not imported" in page.text("alert")
    assert "None of the 2 files was imported; choose them without this one." in page.text("alert")
    assert len(list(await page.store.session_heads())) == 1


@in_loop
async def test_of_several_files_all_are_stored_or_none() -> None:
    good = FakeFile("good.jsonl", (DEMO / "opencode-2-permissions.jsonl").read_bytes())
    other = FakeFile("other.jsonl", (DEMO / "opencode-4-errors.jsonl").read_bytes())
    for files in ([good, FakeFile("bad.jsonl", b"{}")], [good, good]):
        page = FakePage()
        await page.start()
        page.runner.import_files(files)
        await page.settle()
        assert page.text("alert")
        assert list(await page.store.session_heads()) == []
    page.runner.import_files([good, other])
    await page.settle()
    assert "Imported 2 sessions, 509 events." in page.text("status")


@in_loop
async def test_a_title_that_is_written_elsewhere_is_shown() -> None:
    page = await page_with(Script("s"))
    await page.start()
    assert "Untitled session" in page.text("sessions-list")
    await page.store.insert_event("s", Script("s").prompt("Now it has a title"))
    await page.settle()
    assert "Now it has a title" in page.text("sessions-list")


@in_loop
async def test_copying_says_so_only_when_the_browser_did_it() -> None:
    page = await page_with(long_session(5))
    await page.start("#/sessions/long")
    page.say("copy")
    await page.settle()
    assert json.loads(next(message["text"] for message in page.sent if message["type"] == "copy"))["eventIndex"] == 5
    assert "Copied" not in page.text("status")
    page.say("copied")
    await page.settle()
    assert "Copied" in page.text("status")
    page.say("trouble", text="It did not allow copying.")
    await page.settle()
    assert "It did not allow copying." in page.text("alert")


@in_loop
async def test_no_single_item_fills_the_page() -> None:
    script = Script("s")
    script.client("session/prompt", 1, prompt=[{"type": "text", "text": "word " * 10_000}] * 200)
    diff = {"type": "diff", "path": "f", "oldText": "a\n" * 500, "newText": "b\n" * 500}
    script.update("tool_call", toolCallId="t", kind="edit", title="Edit", content=[diff] * 50)
    for number in range(300):
        script.update("agent_message_chunk", content={"type": "resource_link", "uri": f"file:///{number}"})
    page = await page_with(script)
    await page.start("#/sessions/s")
    for position in (1, 2, 302):
        page.say("seek", value=str(position))
        for part in range(50):
            page.say("expand", arg=f"item-1-{part}")
        await page.settle()
        assert elements_in(page.html("log")) < 1500
        assert len(page.html("log")) < 500_000


@pytest.mark.parametrize("zone", [[[0, -840]], [[0, 0], [1, 60]], [[0, 720]], None, [], "?", [["x", 1], [2], 3]])
@in_loop
async def test_dates_of_any_size_are_shown(zone: Any) -> None:
    page = FakePage()
    for number, created_at in enumerate((0, 2**53 - 1)):
        session_id = f"s{number}"
        await page.store.update_session(record(session_id, created_at))
        script = Script(session_id, start=created_at - 10)
        await page.store.insert_event(session_id, script.prompt("When?"))
    page.say("route", hash="#/sessions/s1", now=1_795_400_000_000, zone=zone)
    await page.settle()
    assert page.root["data-ready"] == "true"
    assert len(re.findall(r"When\?", page.text("sessions-list"))) == 2
    assert "When?" in page.text("log")


@in_loop
async def test_a_session_that_cannot_be_drawn_leaves_the_others_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    page = await page_with(long_session(5), long_session(5, "other"))
    await page.start()
    with monkeypatch.context() as patch:
        patch.setattr("pyapp.inspector.views.page.transcript", lambda model, session: 1 / 0)
        await page.go("#/sessions/long")
        assert "This session cannot be shown" in page.text("stage")
        assert page.root["data-view"] == "problem"
    await page.go("#/sessions/other")
    assert "word5" in page.text("log")


@in_loop
async def test_a_session_far_down_the_list_has_its_title_and_its_row_in_sight() -> None:
    page = await page_with(*(long_session(3, f"s{number}") for number in range(100)))
    await page.start("#/sessions/s3")
    assert "Count" in page.text("heading")
    assert re.search(r'href="#/sessions/s3"[^>]*aria-current="page"', page.html("sessions-list"))
    assert int(page.attrs["sessions-scroll"]["data-scroll-top"] or 0) > 4000


@in_loop
async def test_the_start_of_a_session_has_an_address() -> None:
    page = await page_with(long_session(60))
    await page.start("#/sessions/long")
    page.say("key", key="Home")
    await page.settle()
    assert page.hash == "#/sessions/long?event=0"
    await page.go("#/")
    await page.go("#/sessions/long?event=0")
    assert 'value="0"' in page.html("slider")
    await page.go("#/sessions/long?event=5")
    await page.go("#/sessions/long?event=0")
    assert 'value="0"' in page.html("slider")


@in_loop
async def test_what_another_tab_stored_is_listed_when_the_page_comes_to_the_front() -> None:
    page = await page_with(Script("s"))
    await page.start()
    await page.store.update_session(record("new"))
    page.say("visible", value=True)
    await page.settle()
    assert "2" in page.text("sessions-head")


@in_loop
async def test_very_long_ids_have_an_address() -> None:
    page = await page_with(long_session(3, "漢" * 2500))
    await page.start()
    page.say("key", key="j")
    await page.settle()
    assert "Event 3" in page.text("detail")


@in_loop
async def test_a_cancelled_import_changes_nothing() -> None:
    page = FakePage()
    await page.start()
    content = (DEMO / "opencode-1-long.jsonl").read_bytes()
    page.runner.import_files([FakeFile("long.jsonl", content, slice_size=10_000)])
    await asyncio.sleep(0)
    page.say("cancel")
    await page.settle()
    assert "Cancelled; nothing was changed." in page.text("status")
    assert list(await page.store.session_heads()) == []


@in_loop
async def test_j_and_k_go_through_the_list() -> None:
    page = await page_with(Script("oldest"), Script("middle"), Script("newest"))
    await page.start()
    opened = []
    for key in "jjjkk":
        page.say("key", key=key)
        await page.settle()
        opened.append(page.hash.rpartition("/")[2])
    assert opened == ["newest", "middle", "oldest", "middle", "newest"]


@in_loop
async def test_holes_in_the_indexes_are_found_by_the_reading() -> None:
    page = FakePage()
    await page.store.update_session(record("s"))
    script = long_session(400, "s")
    for event in script.events:
        if event.event_index <= 100 or event.event_index > 200:
            await page.store.insert_event("s", event)
    await page.start("#/sessions/s")
    assert 'max="300"' in page.html("slider")
    assert 'value="300"' in page.html("slider")
    await page.go("#/sessions/s?event=201")
    assert 'value="101"' in page.html("slider")
    assert "Event 201" in page.text("detail")
    await page.go("#/")
    await page.go("#/sessions/s?event=250")  # opened there, before the holes are known
    assert 'value="150"' in page.html("slider")
    assert "Event 250" in page.text("detail")
    page.say("scroll", list="events", top=24 * 140, height=480)
    page.say("scroll", list="events", top=24 * 99, height=480)
    await page.settle()
    assert re.search(r'id="event-100".*?class="ix">201<', page.html("events"))


@in_loop
async def test_a_failing_store_is_told_in_words() -> None:
    class Broken(InMemorySessionPersistDriver):
        async def session_heads(self) -> Any:
            raise UnknownLayoutError("the database holds something else; it was left alone")

    page = FakePage(Broken())
    await page.start()
    assert "This database cannot be opened" in page.text("stage")
    assert "left alone" in page.text("stage")


@in_loop
async def test_ten_thousand_sessions_cost_what_is_visible() -> None:
    store = InMemorySessionPersistDriver(max_sessions=20_000)
    for number in range(10_000):
        await store.update_session(record(f"s{number}", 1_700_000_000_000 + number * 60_000))
    page = FakePage(store)
    await page.start()
    assert len(page.keys("sessions-list")) < 60
    assert "10,000" in page.text("sessions-head")
    page.say("scroll", list="sessions", top=200_000, height=600)
    await page.settle()
    assert "…" not in page.text("sessions-list")
    assert len(page.keys("sessions-list")) < 60


def test_json_is_coloured_without_losing_a_character() -> None:
    text = json.dumps({"a": [1, 'x"<&>', None], "b": {"c": "\\"}}, indent=2)
    assert unescape(re.sub(r"</?(?:em|q)>", "", str(coloured(text)))) == text
