"""The inspector as its user meets it, in real Chromium with real IndexedDB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Faults, Open, go_to_inspector
from tests.unit.recordings import DEMO, Script

LONG = "opencode-long"
EVENTS = 1829


def load_demo(page: Page) -> None:
    page.get_by_role("button", name="Load the demo sessions").click()
    expect(page.get_by_role("status").filter(has_text="Loaded")).to_have_text("Loaded 6 sessions, 3,154 events.")


def sessions(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Sessions").get_by_role("link")


def transcript(page: Page) -> Locator:
    return page.get_by_role("log", name="Transcript")


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Playback position")


def seek(page: Page, position: int) -> None:
    """As a hand on the slider does it."""
    slider(page).fill(str(position))
    at(page, position)


def at(page: Page, position: int) -> None:
    """Wait until the page shows this position everywhere."""
    expect(slider(page)).to_have_attribute("aria-valuenow", str(position))
    expect(page.get_by_role("heading", name=f"Event {position}", exact=True)).to_be_visible()


def all_read(page: Page) -> None:
    """Wait until the background reading is at its end."""
    expect(page.get_by_label("Reading events")).to_have_count(0, timeout=60_000)


def visit(page: Page, fragment: str) -> None:
    """Another address of the page that is open; by way of the start page, so that a session opens anew."""
    page.evaluate("location.hash = '#/'")
    expect(page.locator("html")).not_to_have_attribute("data-view", "session")
    page.evaluate("hash => { location.hash = hash; }", fragment)


def shown(page: Page) -> str:
    """The transcript's HTML as it stands, without what the page itself writes into it."""
    return re.sub(r' style="[^"]*"', "", transcript(page).inner_html())


@pytest.fixture(scope="module")
def full(browser: Browser, site: str) -> Iterator[Page]:
    """A page in whose store the demo is; the tests that use it only read."""
    context = browser.new_context(service_workers="block", viewport={"width": 1400, "height": 900})
    page = context.new_page()
    faults = Faults()
    faults.watch(page)
    go_to_inspector(page, site)
    load_demo(page)
    yield page
    assert not faults.texts
    context.close()


def test_an_empty_database_says_what_this_is_and_offers_the_demo(open_inspector: Open) -> None:
    page = open_inspector()
    expect(page.get_by_role("heading", name="Keep, list and replay agent sessions")).to_be_visible()
    load_demo(page)
    expect(sessions(page)).to_have_count(6)


def test_sessions_are_listed_newest_first_by_their_first_prompt(full: Page) -> None:
    visit(full, "#/")
    titles = sessions(full).locator(".t")
    expect(titles.first).to_have_text("Which Python version is this?")
    expect(titles.last).to_contain_text("Give me an overview of this repository")
    assert sessions(full).locator(".n").all_inner_texts() == ["152", "436", "297", "212", "228", "1,829"]


def test_a_session_opens_at_its_end(full: Page) -> None:
    visit(full, "#/")
    sessions(full).last.click()
    at(full, EVENTS)
    assert slider(full).get_attribute("max") == str(EVENTS)
    assert slider(full).get_attribute("aria-valuetext") == "1,829 of 1,829 events played"
    expect(full.get_by_role("list", name="Events").locator("[aria-current=true]")).to_contain_text(str(EVENTS))
    expect(full.get_by_role("list", name="Events").locator("li").first).to_have_attribute("aria-setsize", "1829")
    assert full.title().startswith("Give me an overview")


def test_every_kind_of_thing_is_shown_as_what_it_is(full: Page) -> None:
    visit(full, "#/sessions/mock-rich?event=100")
    log = transcript(full)
    expect(log.locator(".prompt").first).to_contain_text("text and markdown")
    expect(log.locator(".message h3").first).to_have_text("Heading")
    expect(log.locator(".message strong").first).to_have_text("bold")
    expect(log.locator(".message img").first).to_be_visible()
    expect(log.locator(".thought button").first).to_contain_text("Thought")
    log.locator(".thought button").first.click()
    expect(log.locator(".thought .body").first).to_contain_text("First I think about the")

    seek(full, 169)
    assert log.get_by_role("group", name="Permission request").count() == 4
    expect(log.get_by_role("group", name="Permission request").first).to_contain_text("Allow once")
    expect(log.get_by_role("group", name="Permission request").first).to_contain_text("the tool call then completed")
    expect(log.locator(".diff").filter(has_text="/ws/old.py").locator(".dl.add").first).to_have_text("+ changed 0")
    expect(log.locator(".diff").filter(has_text="/ws/old.py").locator(".dl.del").first).to_have_text("− line 0")
    expect(log.locator(".tool").filter(has_text="`echo hi`").locator("pre")).to_have_text("hi\n")

    seek(full, 176)
    expect(log.locator(".plan .entry")).to_have_count(4)
    expect(log.locator(".plan .entry.completed").first).to_contain_text("Read the code")
    seek(full, 228)
    expect(log.locator(".note").filter(has_text="Mode Plan was Normal").first).to_be_visible()
    expect(log.locator(".error .card").first).to_contain_text("Internal error")
    expect(log.locator(".raw").first).to_contain_text("sparkle_update")
    expect(log.locator(".note").filter(has_text="The agent refused")).to_be_visible()
    expect(log.locator(".note").filter(has_text="Turn cancelled")).to_be_visible()


def test_playing_seeking_and_loading_show_the_same_transcript(full: Page) -> None:
    visit(full, "#/sessions/opencode-permissions?event=1")
    at(full, 1)
    all_read(full)
    sought = {}
    for position in (40, 120, 212):
        seek(full, position)
        sought[position] = shown(full)
    seek(full, 1)
    full.get_by_role("combobox", name="Speed").select_option("64")
    full.get_by_role("button", name="Play", exact=True).click()
    at(full, 212)
    expect(full.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert shown(full) == sought[212]
    for position in (40, 120):
        visit(full, f"#/sessions/opencode-permissions?event={position}")
        at(full, position)
        all_read(full)
        assert shown(full) == sought[position]


def test_play_pause_step_and_marks(full: Page) -> None:
    visit(full, f"#/sessions/{LONG}?event=3")
    at(full, 3)
    all_read(full)
    full.get_by_role("combobox", name="Speed").select_option("4")
    full.get_by_role("button", name="Play", exact=True).click()
    expect(full.get_by_role("button", name="Pause")).to_be_visible()
    expect(slider(full)).not_to_have_attribute("aria-valuenow", "3")
    full.get_by_role("button", name="Pause").click()
    expect(full.get_by_role("button", name="Play", exact=True)).to_be_visible()
    position = int(slider(full).get_attribute("aria-valuenow") or 0)
    assert 3 < position < EVENTS
    full.get_by_role("button", name="Step", exact=True).click()
    at(full, position + 1)
    full.get_by_role("button", name="Step back").click()
    at(full, position)
    seek(full, 100)
    full.get_by_role("button", name="Next mark").click()
    at(full, 109)
    full.get_by_role("button", name="Previous mark").click()
    at(full, 99)


def test_the_chosen_event_is_shown_with_its_json(full: Page) -> None:
    visit(full, "#/sessions/opencode-permissions?event=60")
    full.get_by_role("list", name="Events").get_by_role("button", name=re.compile("^client 62 ")).click()
    at(full, 62)
    text = full.get_by_role("group", name="JSON of the event").inner_text()
    line = (DEMO / "opencode-2-permissions.jsonl").read_text().splitlines()[62]
    expected = json.loads(line)
    del expected["type"]
    assert json.loads(text) == expected
    expect(full).to_have_url(re.compile(r"#/sessions/opencode-permissions\?event=62$"))


def test_addresses_that_name_nothing_say_so(full: Page) -> None:
    visit(full, "#/sessions/no-such-session")
    expect(full.get_by_role("alert").filter(has_text="This session is not stored here")).to_be_visible()
    visit(full, "#/?db=no-such-database")
    expect(full.get_by_role("alert").filter(has_text="There is no database “no-such-database”")).to_be_visible()
    names = full.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert sorted(names) == ["sandbox-agent-pyodide", "sandbox-agent-session-store"]


def test_another_database_of_this_origin_can_be_looked_at(page: Page, site: str) -> None:
    go_to_inspector(page, site)
    page.evaluate(
        """async () => {
            const { openDriver } = await globalThis.pyapp;
            const driver = await openDriver({ databaseName: 'sandbox-agent-inspector' });
            await driver.updateSession({ id: 'theirs', agent: 'mock', agentSessionId: 'a', lastConnectionId: 'c',
              createdAt: 1 });
            await driver.close();
        }"""
    )
    go_to_inspector(page, site, "#/?db=sandbox-agent-inspector")
    expect(sessions(page)).to_have_count(1)
    sessions(page).first.click()
    expect(page).to_have_url(re.compile(r"#/sessions/theirs\?db=sandbox-agent-inspector$"))
    go_to_inspector(page, site, "?boot=&db=sandbox-agent-inspector#/sessions/theirs?event=1")
    expect(page.get_by_role("heading", name="Untitled session")).to_be_visible()
    expect(page).to_have_url(f"{site}?boot=#/sessions/theirs?event=1&db=sandbox-agent-inspector")
    go_to_inspector(page, site)
    expect(page.get_by_role("button", name="Load the demo sessions")).to_be_visible()


def test_what_a_script_stores_through_the_page_is_listed(page: Page, site: str) -> None:
    go_to_inspector(page, site)
    answer = page.evaluate(
        """async () => {
            const { version, openDriver } = await globalThis.pyapp;
            const driver = await openDriver();
            const record = { id: 's', agent: 'mock', agentSessionId: 'a', lastConnectionId: 'c', createdAt: 5, x: [1] };
            await driver.updateSession(record);
            const event = { id: 'e', eventIndex: 1, sessionId: 's', createdAt: 6, connectionId: 'c', sender: 'client',
              payload: { jsonrpc: '2.0', id: 1, method: 'session/prompt',
                params: { prompt: [{ type: 'text', text: 'From a script' }] } } };
            await driver.insertEvent('s', event);
            const refused = await driver.insertEvent('s', { ...event, id: 'other' }).catch(error => error.message);
            return { version, refused, keys: Object.keys(driver).sort(), none: await driver.getSession('none'),
              record: await driver.getSession('s'), events: await driver.listEvents({ sessionId: 's' }), event,
              sessions: await driver.listSessions({}) };
        }"""
    )
    assert re.search("UNIQUE constraint failed: .*session_id, .*event_index", answer["refused"])
    assert answer["none"] is None
    assert answer["record"]["x"] == [1]
    assert answer["events"]["items"] == [answer["event"]]
    assert [one["id"] for one in answer["sessions"]["items"]] == ["s"]
    assert answer["version"] == "0.1.0"
    expect(sessions(page)).to_have_count(1)
    page.reload()
    expect(sessions(page).first).to_contain_text("From a script")


def test_a_recording_is_imported_from_the_file_chooser(open_inspector: Open) -> None:
    page = open_inspector()
    page.locator("input[type=file]").set_input_files(DEMO / "opencode-2-permissions.jsonl")
    expect(page.get_by_role("status")).to_contain_text("Imported 1 session, 212 events.")
    at(page, 212)
    page.locator("input[type=file]").set_input_files(DEMO / "opencode-2-permissions.jsonl")
    expect(page.get_by_role("alert")).to_contain_text("already stored here: 1 session")


def test_a_recording_is_imported_by_dropping_it(open_inspector: Open) -> None:
    page = open_inspector()
    content = (DEMO / "opencode-4-errors.jsonl").read_text()
    transfer = page.evaluate_handle(
        """text => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], 'errors.jsonl'));
            return transfer;
        }""",
        content,
    )
    page.dispatch_event("main", "dragover", {"dataTransfer": transfer})
    expect(page.locator("html")).to_have_attribute("data-dropping", "true")
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect(page.get_by_role("status")).to_contain_text("Imported 1 session, 297 events.")
    expect(page.locator("html")).not_to_have_attribute("data-dropping", "true")


def test_a_bad_recording_is_refused_with_its_line_and_changes_nothing(open_inspector: Open, tmp_path: Path) -> None:
    page = open_inspector()
    lines = (DEMO / "opencode-2-permissions.jsonl").read_text().splitlines()
    lines[100] = lines[100].replace('"sender":"agent"', '"sender":"ghost"')
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join(lines))
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("line 101")
    expect(page.get_by_role("alert")).to_contain_text("sender")
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_be_empty()
    page.reload()
    expect(page.get_by_role("button", name="Load the demo sessions")).to_be_visible(timeout=60_000)


STORED = """async () => {
    const driver = await (await globalThis.pyapp).openDriver();
    const all = [];
    let cursor;
    do {
        const page = await driver.listSessions({ cursor });
        for (const record of page.items) {
            all.push(JSON.stringify({ type: 'session', ...record }));
            let next;
            do {
                const events = await driver.listEvents({ sessionId: record.id, cursor: next, limit: 500 });
                for (const event of events.items) all.push(JSON.stringify({ type: 'event', ...event }));
                next = events.nextCursor;
            } while (next);
        }
        cursor = page.nextCursor;
    } while (cursor);
    return all;
}"""


def demo_lines() -> list[Any]:
    return sorted(line for path in DEMO.glob("*.jsonl") for line in path.read_text().splitlines())


def test_nothing_reaches_out_of_the_page(full: Page) -> None:
    try:
        for width in (360, 768, 1000, 1400):
            full.set_viewport_size({"width": width, "height": 800})
            visit(full, "#/")
            expect(sessions(full).first).to_be_visible()
            assert full.evaluate("document.documentElement.scrollWidth") == width, "the start page"
            sessions(full).first.click()
            expect(slider(full)).to_be_visible()
            assert full.evaluate("document.documentElement.scrollWidth") == width, "a session"
    finally:
        full.set_viewport_size({"width": 1400, "height": 900})


def test_the_page_is_whole_at_360_pixels(full: Page) -> None:
    full.set_viewport_size({"width": 360, "height": 740})
    try:
        visit(full, "#/")
        expect(sessions(full).first).to_be_visible()
        sessions(full).last.click()
        expect(transcript(full)).to_be_visible()
        expect(slider(full)).to_be_visible()
        expect(full.get_by_text("event 1,829 / 1,829")).to_be_in_viewport(ratio=1)
        assert full.evaluate("document.documentElement.scrollWidth") <= 360
        full.get_by_role("button", name="Events").click()
        expect(full.get_by_role("list", name="Events")).to_be_visible()
        full.get_by_role("list", name="Events").locator("li button").first.click()
        expect(full.get_by_role("list", name="Events")).to_be_hidden()
        full.get_by_role("button", name="Sessions").click()
        sessions(full).first.click()
        expect(full.get_by_role("heading", name="Which Python version is this?")).to_be_visible()
        assert full.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        full.set_viewport_size({"width": 1400, "height": 900})


def test_what_is_said_covers_nothing(open_inspector: Open) -> None:
    page = open_inspector()
    load_demo(page)
    page.get_by_role("status").get_by_text("Loaded").click()
    expect(page.get_by_role("status").filter(has_text="Loaded")).to_have_count(0)
    places = """() => ['#alert', '#sessions', '#log', '#composer', '#pane', '#deck'].map((name) => {
        const {left, top, right, bottom} = document.querySelector(name).getBoundingClientRect();
        return [left, top, right, bottom];
    })"""
    for fragment, view in (("#/", "start"), ("#/sessions/mock-rich", "session")):
        page.evaluate("hash => { location.hash = hash; }", fragment)
        expect(page.locator("html")).to_have_attribute("data-view", view)
        wrong = {"name": "wrong.jsonl", "mimeType": "text/plain", "buffer": b"wrong"}
        page.get_by_label("Import a recording").set_input_files(wrong)  # type: ignore[arg-type]
        expect(page.get_by_role("alert")).to_contain_text("wrong.jsonl was not imported")
        for width, height in ((1400, 900), (800, 900), (360, 740)):
            page.set_viewport_size({"width": width, "height": height})
            said, *others = page.evaluate(places)
            for other in others:
                apart = said[0] >= other[2] or said[2] <= other[0] or said[1] >= other[3] or said[3] <= other[1]
                assert apart, (view, width, said, other)


def test_the_first_stop_of_the_keyboard_leads_to_the_transcript(open_inspector: Open) -> None:
    page = open_inspector()
    load_demo(page)
    page = open_inspector("#/sessions/mock-rich")
    expect(transcript(page).locator("article").last).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to transcript")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(transcript(page)).to_be_focused()
    assert page.url.endswith("#/sessions/mock-rich")
    page.evaluate("location.hash = '#/'")
    expect(skip).to_be_hidden()


def test_the_keys_are_whole_in_a_low_window(full: Page) -> None:
    """As wide and high as a window of 1440 by 900 at 200 %."""
    visit(full, "#/")
    full.set_viewport_size({"width": 720, "height": 450})
    try:
        full.keyboard.press("?")
        panel = full.get_by_role("dialog", name="Keys")
        expect(panel.get_by_role("heading", name="Keys")).to_be_in_viewport(ratio=1)
        panel.focus()
        full.keyboard.press("End")
        expect(panel.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)
        panel.get_by_role("button", name="Close").click()
    finally:
        full.set_viewport_size({"width": 1400, "height": 900})


def test_the_keyboard_is_enough(full: Page) -> None:
    visit(full, "#/")
    press = full.keyboard.press
    press("j")
    expect(full.get_by_role("heading", name="Which Python version is this?")).to_be_visible()
    press("End")
    at(full, 152)
    press("ArrowLeft")
    at(full, 151)
    press("Home")
    expect(slider(full)).to_have_attribute("aria-valuenow", "0")
    press("Shift+ArrowRight")
    at(full, 3)
    press("Space")
    expect(slider(full)).not_to_have_attribute("aria-valuenow", "3")
    press("Space")
    sessions(full).nth(1).click()
    expect(full.get_by_role("heading", name="Give me an overview")).to_be_visible()
    press("Space")  # on a link, which has no use for it
    expect(full.get_by_role("button", name="Pause")).to_be_visible()
    press("Space")
    sessions(full).first.click()
    expect(full.get_by_role("heading", name="Which Python version is this?")).to_be_visible()
    press("Home")
    press("Shift+ArrowRight")
    at(full, 3)
    press("?")
    expect(full.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    expect(full.get_by_role("dialog", name="Keys")).to_have_count(0)

    reached = set()
    for _ in range(60):
        press("Tab")
        reached.add(full.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"))
    wanted = {"Import a recording", "Playback position", "Play", "Speed", "Transcript", "JSON of the event"}
    assert wanted <= {str(name) for name in reached} | {"Play" if "play" in reached else ""}

    slider(full).focus()
    press("ArrowRight")
    at(full, 4)
    full.get_by_role("list", name="Events").locator("[aria-current=true] button").focus()
    press("ArrowRight")
    at(full, 5)


@pytest.fixture(scope="module")
def large(browser: Browser, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page whose store holds one session of 100,000 events."""
    path = tmp_path_factory.mktemp("large") / "large.jsonl"
    script = Script("large")
    script.prompt("Count to a hundred thousand")
    while len(script.events) < 100_000:
        for number in range(19):
            script.says(f"word {len(script.events)} ", messageId=f"m{len(script.events) // 200}-{number // 10}")
        call = f"t{len(script.events)}"
        script.update("tool_call", toolCallId=call, title="Run", kind="execute", status="in_progress")
    del script.events[100_000:]
    record = {"id": "large", "agent": "mock", "agentSessionId": "a", "lastConnectionId": "c", "createdAt": 1}
    with path.open("w") as file:
        file.write(json.dumps({"type": "session", **record}) + "\n")
        for event in script.events:
            file.write(json.dumps({"type": "event", **event.to_row()}) + "\n")
    context = browser.new_context(service_workers="block", viewport={"width": 1400, "height": 900})
    page = context.new_page()
    go_to_inspector(page, site)
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("status")).to_contain_text("Imported 1 session, 100,000 events.", timeout=120_000)
    yield page
    context.close()


NODES = """() => {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let count = 0;
    while (walker.nextNode()) count += 1;
    return count;
}"""


def test_a_session_of_100_000_events_is_shown_before_it_is_read_and_seeks_meanwhile_in_a_small_page(
    large: Page,
) -> None:
    visit(large, "#/sessions/large")
    at(large, 100_000)
    expect(large.get_by_label("Reading events")).to_be_visible()
    expect(transcript(large).locator("article").last).to_be_visible()
    seek(large, 50_000)
    expect(large.get_by_label("Reading events")).to_be_visible()
    expect(transcript(large)).to_contain_text("word 49")
    all_read(large)
    at(large, 50_000)
    most = 0
    for position in (100_000, 70_001, 33_333, 99_999, 12):
        seek(large, position)
        most = max(most, large.evaluate(NODES))
    large.get_by_role("list", name="Events").evaluate("list => list.parentElement.scrollTo(0, 1e6)")
    expect(large.get_by_role("list", name="Events").locator("li").nth(10)).not_to_have_text("…")
    large.get_by_role("button", name="Play", exact=True).click()
    expect(large.get_by_role("button", name="Pause")).to_be_visible()
    most = max(most, large.evaluate(NODES))
    large.get_by_role("button", name="Pause").click()
    assert 500 < most < 4000


def test_the_transcript_stays_at_its_end_when_an_image_loads_late(full: Page) -> None:
    visit(full, "#/sessions/mock-rich?event=98")
    at(full, 98)
    image = transcript(full).locator("img").last
    image.evaluate("image => image.decode()")
    rest = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    expect(image).to_be_visible()
    assert transcript(full).evaluate(rest) <= 2
    transcript(full).evaluate(
        "log => new Promise((scrolled) => { log.onscroll = scrolled; log.scrollTo(0, 0); }).then(() => null)"
    )
    image.evaluate("async image => { image.src = image.src; await image.decode(); }")
    assert transcript(full).evaluate(rest) > 2
