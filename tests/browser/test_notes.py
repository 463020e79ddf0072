"""Names, tags and read positions in the browser: a database of our own, beside other tabs and other versions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pyapp.drivers.conformance import NOTES_CONTRACT, NotePromise

from .bare_page import begin_python, open_bare_page, python_outcome, run_python
from .conftest import Open, wait_ready
from .test_indexeddb_life import MAKE, ROWS
from .test_inspector import at, load_demo

DATABASE = "sandbox-agent-pyodide"
SESSIONS = "sandbox-agent-session-store"

NOTES = """
import json, time
from pyapp.errors import PyappError
from pyapp.drivers.indexeddb.notes import UPGRADES, IndexedDBNoteStore

def shown(notes):
    return {id: [note.name, list(note.tags), note.read_to] for id, note in notes.items()}
"""


@pytest.fixture(scope="module")
def bare_context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(service_workers="block")
    yield context
    context.close()


@pytest.fixture(scope="module")
def bare_page(bare_context: BrowserContext, site: str) -> Iterator[Page]:
    """One page for all tests, since Pyodide takes seconds to start; each test begins with an empty database."""
    faults: list[str] = []
    page = open_bare_page(bare_context, site, faults)
    yield page
    assert not faults


@pytest.fixture(scope="module")
def second_page(bare_context: BrowserContext, site: str) -> Page:
    """Another tab."""
    return open_bare_page(bare_context, site)


@pytest.fixture
def bare(bare_page: Page) -> Page:
    bare_page.evaluate(
        """(name) => new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase(name);
          request.onsuccess = resolve;
          request.onerror = request.onblocked = () => reject(new Error("a connection stays open"));
          setTimeout(reject, 10_000, new Error("the database stays in use"));
        })""",
        DATABASE,
    )
    return bare_page


@pytest.mark.parametrize("promise", NOTES_CONTRACT, ids=lambda promise: promise.__name__)
def test_promise(bare: Page, promise: NotePromise) -> None:
    code = f"""
from pyapp.drivers.conformance import notes as contract
from pyapp.drivers.indexeddb.notes import IndexedDBNoteStore
notes = IndexedDBNoteStore("sessions of the test")
await contract.{promise.__name__}(notes)
await notes.aclose()
"""
    run_python(bare, code)


def test_the_layout_and_rows_of_others(bare: Page) -> None:
    """One row for each session of each database; what somebody else has put there is read without trust."""
    code = (
        NOTES
        + """
one, two = IndexedDBNoteStore("one"), IndexedDBNoteStore("two")
await one.describe("s1", "é", ("t",))
await one.mark_read("s1", 9)
await two.mark_read("s1", 3)
json.dumps([shown(await one.all_notes()), shown(await two.get_notes(["s1"]))])
"""
    )
    assert run_python(bare, code) == [{"s1": ["é", ["t"], 9]}, {"s1": ["", [], 3]}]
    assert bare.evaluate(ROWS, [DATABASE]) == [
        1,
        {
            "notes": [
                {"database": "one", "session": "s1", "name": "é", "tags": ["t"], "readTo": 9},
                {"database": "two", "session": "s1", "name": "", "tags": [], "readTo": 3},
            ]
        },
    ]
    bare.evaluate(
        """(name) => new Promise((resolve, reject) => {
          let deep = {};
          for (let depth = 0; depth < 2000; depth += 1) deep = { name: deep };
          indexedDB.open(name).onsuccess = ({ target }) => {
            const transaction = target.result.transaction("notes", "readwrite");
            const store = transaction.objectStore("notes");
            store.put({ database: "one", session: "deep", name: deep, tags: [deep] });
            store.put({ database: "one", session: "wrong", name: 5, tags: [5, "t"], readTo: "x" });
            store.put({ database: "one", session: 5, name: "no session has such an id" });
            transaction.oncomplete = () => { target.result.close(); resolve(); };
            transaction.onabort = () => reject(transaction.error);
          };
        })""",
        DATABASE,
    )
    code = (
        NOTES
        + """
notes = IndexedDBNoteStore("one")
read = [shown(await notes.all_notes()), shown(await notes.get_notes(["deep", "wrong"]))]
await notes.describe("deep", "ours now", ())
read.append(shown(await notes.get_notes(["deep"])))
await notes.aclose()
json.dumps(read)
"""
    )
    every, asked, written = run_python(bare, code)
    assert every == {"s1": ["é", ["t"], 9], "deep": ["", [], None], "wrong": ["", ["t"], None]}
    assert asked == {"deep": ["", [], None], "wrong": ["", ["t"], None]}
    assert written == {"deep": ["ours now", [], None]}


def test_another_tab_hears_of_a_change_and_two_tabs_lose_nothing(bare: Page, second_page: Page) -> None:
    code = (
        NOTES
        + """
import asyncio
notes, heard = IndexedDBNoteStore("one"), asyncio.Event()
notes.on_change(lambda change: heard.set() if change.session_ids == {"s1"} else None)
await notes.mark_read("s2", 1)
import js
js.listening = True
await heard.wait()
await notes.mark_read("s1", 5)
found = shown(await notes.get_notes(["s1"]))
await notes.aclose()
json.dumps(found)
"""
    )
    begin_python(bare, code)
    bare.wait_for_function("globalThis.listening")
    change = "notes = IndexedDBNoteStore('one')\nawait notes.describe('s1', 'From the other tab', ())\n"
    run_python(second_page, NOTES + change + "await notes.aclose()")
    assert python_outcome(bare) == {"s1": ["From the other tab", [], 5]}


LATER = """
import asyncio, js
waits = []
def on_wait(waiting):
    waits.append([waiting, time.monotonic() - began])
    js.waiting = waiting
def to_version_2(database, transaction):
    database.createObjectStore("later")
later = IndexedDBNoteStore("one", on_wait, upgrades=(*UPGRADES, to_version_2))
began = time.monotonic()
found = shown(await later.get_notes(["s1"]))
took = time.monotonic() - began
await later.aclose()
json.dumps([found, took, waits])
"""
"""A page of a version to come: its layout has a second store, and so another version."""


def test_an_old_tab_lets_go_when_a_new_one_upgrades(bare: Page, second_page: Page) -> None:
    """Done within a second; the old tab then says that it is too old, and leaves the newer layout alone."""
    run_python(
        bare,
        NOTES
        + "import builtins\nold = builtins.old = IndexedDBNoteStore('one')\nawait old.describe('s1', 'Kept', ())\n"
        + "_ = old.on_change(lambda change: None)",
    )
    found, took, waits = run_python(second_page, NOTES + LATER)
    assert (found, waits) == ({"s1": ["Kept", [], None]}, [])
    assert took < 1
    code = """
import builtins
async def refused(attempt):
    try:
        return repr(await attempt)
    except PyappError as error:
        return f"{type(error).__name__}: {error}"
said = [await refused(builtins.old.get_notes(["s1"])), await refused(builtins.old.mark_read("s1", 1))]
await builtins.old.aclose()
json.dumps(said)
"""
    for said in run_python(bare, NOTES + code):
        assert said.startswith("UnknownLayoutError: a newer version of this page")
        assert "left alone" in said
        assert "Reload" in said
    version, rows = bare.evaluate(ROWS, [DATABASE])
    assert (version, list(rows)) == (2, ["later", "notes"])
    assert rows["notes"] == [{"database": "one", "session": "s1", "name": "Kept", "tags": [], "readTo": None}]


def test_an_old_tab_that_holds_on_is_told_of_within_two_seconds(
    bare: Page, bare_context: BrowserContext, site: str
) -> None:
    """And when it is closed the upgrade goes on."""
    run_python(
        bare, NOTES + "old = IndexedDBNoteStore('one')\nawait old.describe('s1', 'Kept', ())\nawait old.aclose()"
    )
    old = bare_context.new_page()
    old.goto(f"{site}bare/index.html")
    old.evaluate(
        """(name) => new Promise((resolve, reject) => {
          const request = indexedDB.open(name);
          request.onerror = reject;
          request.onsuccess = () => {
            globalThis.held = request.result; // and never listens for versionchange
            resolve();
          };
        })""",
        DATABASE,
    )
    bare.evaluate("globalThis.waiting = undefined")
    begin_python(bare, NOTES + LATER)
    bare.wait_for_function("globalThis.waiting === true")
    old.close()
    found, _took, waits = python_outcome(bare)
    assert found == {"s1": ["Kept", [], None]}
    assert [waiting for waiting, _ in waits] == [True, False]
    assert waits[0][1] < 2


@pytest.mark.parametrize("stores", [[], [["notes", "id", []]]], ids=["no stores", "other key"])
def test_an_unknown_layout_is_left_alone(bare: Page, stores: list[list[object]]) -> None:
    bare.evaluate(MAKE, [DATABASE, 1, stores])
    code = (
        NOTES
        + """
try:
    await IndexedDBNoteStore("one").mark_read("s1", 1)
except PyappError as error:
    said = f"{type(error).__name__}: {error}"
json.dumps(said)
"""
    )
    said = run_python(bare, code)
    assert said.startswith("UnknownLayoutError")
    assert "left alone" in said
    assert bare.evaluate(ROWS, [DATABASE]) == [1, {store[0]: [] for store in stores}]


def test_a_name_stays_and_upstreams_database_gains_nothing(open_inspector: Open) -> None:
    """Named, filtered, read to some place: all of it is there after a reload, in a database of our own."""
    page = open_inspector()
    load_demo(page)
    before = page.evaluate(ROWS, [SESSIONS])
    page.evaluate("location.hash = '#/sessions/mock-rich?event=100'")
    at(page, 100)
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Name and tags")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Rename")).to_be_focused()
    page.get_by_role("button", name="Rename").click()
    dialog.get_by_role("textbox", name="Tags").fill("all kinds, #mock")
    dialog.get_by_role("textbox", name="Name").fill("Every <kind> of update")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Every <kind> of update")).to_be_visible()
    expect(page).to_have_title("Every <kind> of update · sessions")
    page.evaluate("location.hash = '#/'")  # closing the session stores how far it was read
    expect(page.locator(".session .new")).to_have_text("128 new")

    page.reload()
    wait_ready(page)
    row = page.locator(".session").filter(has_text="Every <kind> of update")
    expect(row).to_contain_text("#all kinds")
    expect(row.locator(".new")).to_have_text("128 new")
    assert page.evaluate(ROWS, [SESSIONS]) == before
    assert before[0] == 2
    assert page.evaluate(ROWS, [DATABASE]) == [
        1,
        {
            "notes": [
                {
                    "database": SESSIONS,
                    "session": "mock-rich",
                    "name": "Every <kind> of update",
                    "tags": ["all kinds", "mock"],
                    "readTo": 100,
                }
            ]
        },
    ]

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Filter sessions")).to_be_focused()
    page.keyboard.type("kind MOCK")
    expect(page.locator(".session")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".session")).to_have_count(6)
    expect(page.get_by_role("searchbox", name="Filter sessions")).to_have_value("")

    row.get_by_role("link").click()
    at(page, 228)
    page.get_by_role("button", name="Go to where you left off").click()
    at(page, 100)
    expect(row.locator(".new")).to_have_count(0)
