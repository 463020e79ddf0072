"""What the page does about its store, with real tabs, real storage and real downloads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from .conftest import LaunchProfile, Open, go_to_inspector, wait_ready

DEMO = Path(__file__).parents[2] / "web" / "public" / "demo"

APPEND = """async ([session, first, count]) => {
  const driver = await (await globalThis.pyapp).openDriver();
  for (let n = 0; n < count; n += 1) {
    const content = { type: "text", text: `live${first + n} ` };
    await driver.insertEvent(session, {
      id: `${session}-live-${first + n}`, eventIndex: first + n, sessionId: session, createdAt: 1_900_000_000_000,
      connectionId: "c", sender: "agent",
      payload: { jsonrpc: "2.0", method: "session/update",
        params: { sessionId: "a", update: { sessionUpdate: "agent_message_chunk", content } } },
    });
  }
  await driver.close();
}"""
"""Events written by a script of the page through globalThis.pyapp."""

CREATE = """async (id) => {
  const driver = await (await globalThis.pyapp).openDriver();
  await driver.updateSession({ id, agent: "mock", agentSessionId: "a", lastConnectionId: "c", createdAt: Date.now() });
  await driver.close();
}"""

MAKE = """([name, version]) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("sessions", { keyPath: "id" });
    const events = request.result.createObjectStore("events", { keyPath: "id" });
    events.createIndex("by_session_index", ["sessionId", "eventIndex", "id"], { unique: false });
  };
  request.onerror = () => reject(request.error);
  request.onsuccess = () => { request.result.close(); resolve(); };
})"""


def second_tab(context: BrowserContext, site: str, fragment: str = "#/") -> Page:
    page = context.new_page()
    go_to_inspector(page, site, fragment)
    return page


def position(page: Page) -> Any:
    return page.get_by_role("slider", name="Playback position")


def origin_of(site: str) -> str:
    return "/".join(site.split("/")[:3])


def choose(page: Page, name: str, text: str) -> None:
    """Choose a file with this content."""
    file = FilePayload(name=name, mimeType="application/jsonl", buffer=text.encode())
    page.locator("input[type=file]").set_input_files(file)


def import_demo(page: Page, name: str = "mock-basics.jsonl") -> str:
    """Import one of the demo's recordings; the id of its session."""
    file = DEMO / name if (DEMO / name).exists() else min(DEMO.glob("*.jsonl"), key=lambda path: path.stat().st_size)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("status")).to_contain_text("Imported")
    return str(json.loads(file.read_text().splitlines()[0])["id"])


def test_two_tabs_show_the_same(open_inspector: Open, context: BrowserContext, site: str) -> None:
    """A session that one tab begins and writes appears and grows in the other; deleted there, it goes here."""
    page, other = open_inspector(), second_tab(context, site)
    other.evaluate(CREATE, "shared")
    expect(page.locator(".session")).to_have_count(1)
    other.evaluate(APPEND, ["shared", 1, 3])
    page.locator(".session a").click()
    expect(page.get_by_role("log")).to_contain_text("live1 live2 live3")
    other.evaluate(APPEND, ["shared", 4, 60])
    expect(page.get_by_role("log")).to_contain_text("live63")
    expect(position(page)).to_have_attribute("aria-valuemax", "63")
    expect(position(page)).to_have_attribute("aria-valuenow", "63")
    expect(page.locator(".session .n")).to_have_text("63")
    position(page).fill("10")
    other.evaluate(APPEND, ["shared", 64, 5])
    expect(position(page)).to_have_attribute("aria-valuemax", "68")
    expect(position(page)).to_have_attribute("aria-valuenow", "10")
    go_to_inspector(other, site, "#/sessions/shared")
    other.get_by_role("button", name="Delete", exact=True).click()
    other.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(other.get_by_role("status")).to_contain_text("Deleted 1 session, 68 events.")
    expect(page.get_by_text("This session was deleted")).to_be_visible()
    expect(page.locator(".session")).to_have_count(0)


def test_an_export_imports_equal_after_a_deletion_that_was_thought_over(open_inspector: Open) -> None:
    page = open_inspector()
    import_demo(page)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save").click()
    download = downloading.value
    assert download.suggested_filename.endswith(".jsonl")
    exported = Path(download.path()).read_text()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".session")).to_have_count(0)
    choose(page, "again.jsonl", exported)
    expect(page.get_by_role("status")).to_contain_text("Imported")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save").click()
    assert Path(downloading.value.path()).read_text() == exported


def test_room_on_the_disk_is_shown_and_the_browser_asked_to_keep_it(open_inspector: Open) -> None:
    page = open_inspector()
    page.evaluate(
        """() => {
          globalThis.asked = 0;
          navigator.storage.persist = () => { asked += 1; return new Promise(() => {}); };  // as Firefox may
        }"""
    )
    import_demo(page)
    expect(page.locator("#sessions-foot")).to_contain_text(" of ")
    expect(page.locator("#sessions-foot")).to_contain_text("may be cleared")
    assert page.evaluate("asked") == 1
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#sessions-foot")).to_be_visible()
    page.wait_for_function("() => asked === 2")


def test_a_browser_without_storage_manager_or_local_storage(context: BrowserContext, site: str) -> None:
    context.add_init_script(
        """
        Object.defineProperty(Navigator.prototype, "storage", { get: () => undefined });
        Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
        """
    )
    page = second_tab(context, site)
    import_demo(page)
    expect(page.locator("#sessions-foot")).to_be_empty()


def test_lost_data_is_noticed_after_a_restart(launch_profile: LaunchProfile, site: str) -> None:
    """The database comes back empty, as after damage to its files, while what was remembered outside of it is there."""
    with launch_profile() as profile:
        go_to_inspector(profile.page, site)
        import_demo(profile.page)
        profile.page.wait_for_function("() => Object.values(localStorage).some((mark) => mark.startsWith('[1,'))")
        session = profile.context.new_cdp_session(profile.page)
        profile.page.goto("about:blank")
        session.send("Storage.clearDataForOrigin", {"origin": origin_of(site), "storageTypes": "indexeddb"})
    with launch_profile() as profile:
        page = profile.page
        go_to_inspector(page, site)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Some of what was stored here is gone")
        expect(alert).to_contain_text("now it holds 0 sessions")
        page.get_by_role("button", name="Dismiss").click()
        expect(alert).to_be_empty()
        page.reload()
        wait_ready(page)
        expect(page.get_by_text("Load the demo sessions")).to_be_visible()
        expect(alert).to_be_empty()


def test_site_data_cleared_under_an_open_page(open_inspector: Open, site: str) -> None:
    page = open_inspector()
    session_id = import_demo(page)
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": origin_of(site), "storageTypes": "indexeddb"})
    expect(page.get_by_text(re.compile("This session (is not stored here|was deleted)"))).to_be_visible()
    expect(page.locator(".session")).to_have_count(0)
    page.evaluate("location.hash = '#/'")
    import_demo(page)
    expect(page.locator(".session")).to_have_count(1)
    assert session_id in page.url


def test_another_database_is_chosen_and_a_newer_one_left_alone(open_inspector: Open) -> None:
    page = open_inspector()
    import_demo(page)
    page.evaluate(MAKE, ["sandbox-agent-inspector", 2])
    page.evaluate(MAKE, ["newer", 3])
    page.reload()
    wait_ready(page)
    chooser = page.get_by_role("combobox", name="Database")
    chooser.select_option("sandbox-agent-inspector")
    expect(page).to_have_url(re.compile("db=sandbox-agent-inspector"))
    expect(page.locator("html")).to_have_attribute("data-view", "empty")
    chooser.select_option("newer")
    expect(page.get_by_text("This database cannot be opened")).to_be_visible()
    expect(page.get_by_text("left alone")).to_be_visible()
    listed = page.evaluate("indexedDB.databases()")
    assert sorted((one["name"], one["version"]) for one in listed) == [
        ("newer", 3),
        ("sandbox-agent-inspector", 2),
        ("sandbox-agent-pyodide", 1),
        ("sandbox-agent-session-store", 2),
    ]
    page.get_by_role("link", name="Show the usual database").click()
    expect(page.locator(".session")).to_have_count(1)


def test_a_page_that_is_put_aside_holds_nothing_up(open_inspector: Open, context: BrowserContext, site: str) -> None:
    """Frozen, it lets go of the database; brought back, it shows what was written meanwhile."""
    page = open_inspector()
    session_id = import_demo(page)
    count = int(position(page).get_attribute("aria-valuemax") or 0)
    page.evaluate("document.dispatchEvent(new Event('freeze'))")
    other = second_tab(context, site)
    opened = """() => new Promise((resolve, reject) => {
      const request = indexedDB.open("sandbox-agent-session-store");
      request.onsuccess = () => { request.result.close(); resolve(); };
      request.onerror = request.onblocked = reject;
    })"""
    other.evaluate(opened)
    other.evaluate(APPEND, [session_id, count + 1, 4])
    page.evaluate("document.dispatchEvent(new Event('resume'))")
    expect(position(page)).to_have_attribute("aria-valuemax", str(count + 4))
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    other.evaluate(opened)
    other.evaluate(APPEND, [session_id, count + 5, 1])
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(position(page)).to_have_attribute("aria-valuemax", str(count + 5))


def test_a_full_disk_is_said_and_nothing_is_lost(open_inspector: Open, site: str) -> None:
    page = open_inspector()
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin_of(site), "quotaSize": 16 << 20})
    session_id = import_demo(page)
    shown = position(page).get_attribute("aria-valuemax")
    large = {"type": "session", "id": "large", "agent": "mock", "agentSessionId": "a", "lastConnectionId": "c"}
    lines = [json.dumps(large | {"createdAt": 1})]
    noise = page.evaluate(
        """() => Array.from({ length: 1 << 18 }, () => Math.random().toString(36).slice(2, 10)).join("")"""
    )
    for index in range(1, 11):
        event = {"type": "event", "id": f"l{index}", "eventIndex": index, "sessionId": "large", "createdAt": 1}
        payload = {"jsonrpc": "2.0", "noise": noise[index:] + noise[:index]}
        lines.append(json.dumps(event | {"connectionId": "c", "sender": "agent", "payload": payload}))
    choose(page, "large.jsonl", "\n".join(lines))
    expect(page.get_by_role("alert")).to_contain_text("storage for this site is full")
    expect(page.locator(".session")).to_have_count(1)
    expect(position(page)).to_have_attribute("aria-valuemax", str(shown))
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save").click()
    assert session_id in Path(downloading.value.path()).read_text()
    page.evaluate(CREATE, "small")
    expect(page.locator(".session")).to_have_count(2)
