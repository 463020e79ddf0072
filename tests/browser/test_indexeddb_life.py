"""What was written stays: over reload, restart and kill, beside other tabs, upstream's own code and a full disk."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .bare_page import DRIVER, begin_python, open_bare_page, python_outcome, run_python
from .conftest import LaunchProfile

READ = (
    DRIVER
    + """
driver = IndexedDBSessionPersistDriver("life")
sessions = [one.to_row() for one in await all_sessions(driver)]
events = [one.to_row() for one in await all_events(driver, limit=100)]
json.dumps([sessions, events])
"""
)

ROWS = """
(names) => new Promise((resolve, reject) => {
  const request = indexedDB.open(names[0]);
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    const stores = [...database.objectStoreNames];
    if (!stores.length) { database.close(); resolve([database.version, {}]); return; }
    const transaction = database.transaction(stores);
    const rows = {};
    for (const store of stores)
      transaction.objectStore(store).getAll().onsuccess = (event) => { rows[store] = event.target.result; };
    transaction.oncomplete = () => { database.close(); resolve([database.version, rows]); };
  };
})
"""
"""The version and all rows of a database, read by JavaScript that knows nothing of the driver."""

MAKE = """
([name, version, stores]) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const [store, keyPath, rows] of stores) {
      const made = request.result.createObjectStore(store, { keyPath });
      if (store === "events" && keyPath === "id")
        made.createIndex("by_session_index", ["sessionId", "eventIndex", "id"], { unique: false });
      for (const row of rows) made.put(row);
    }
  };
  request.onerror = () => reject(request.error);
  request.onblocked = () => reject(new Error("a connection of another tab stays open"));
  request.onsuccess = () => { request.result.close(); resolve(); };
})
"""


@pytest.fixture
def bare(context: BrowserContext, site: str) -> Page:
    return open_bare_page(context, site)


def written_and_read(page: Page) -> Any:
    code = """
driver = IndexedDBSessionPersistDriver("life")
await driver.update_session(record(modes={"text": "é🦀"}, extra={"destroyedAt": None}))
for index in range(1, 6):
    await driver.insert_event("s1", event(index, text="é\\ud83d🦀", n=0.1))
"""
    run_python(page, DRIVER + code)
    stored = run_python(page, READ)
    assert (len(stored[0]), len(stored[1])) == (1, 5)
    return stored


def test_reload_and_second_tab(bare: Page, context: BrowserContext, site: str) -> None:
    stored = written_and_read(bare)
    assert run_python(open_bare_page(context, site), READ) == stored
    bare.reload()
    bare.wait_for_function("globalThis.beginPython !== undefined")
    assert run_python(bare, READ) == stored


def test_restart_of_the_browser(launch_profile: LaunchProfile, site: str) -> None:
    with launch_profile() as profile:
        stored = written_and_read(open_bare_page(profile.context, site))
    with launch_profile() as profile:
        assert run_python(open_bare_page(profile.context, site), READ) == stored


@pytest.mark.parametrize("durability", ["relaxed", "strict"])
def test_kill_right_after_a_write(launch_profile: LaunchProfile, site: str, durability: str) -> None:
    """The page reports each write as it returns; what it had reported at the kill must be there."""
    code = f"""
import js
driver = IndexedDBSessionPersistDriver("life", durability={durability!r})
await driver.update_session(record())
index = 0
while True:
    index += 1
    await driver.insert_event("s1", event(index))
    js.reported = index
"""
    with launch_profile() as profile:
        page = open_bare_page(profile.context, site)
        begin_python(page, DRIVER + code)
        reported = page.wait_for_function("globalThis.reported >= 100 && globalThis.reported").json_value()
        profile.kill()
    with launch_profile() as profile:
        sessions, events = run_python(open_bare_page(profile.context, site), READ)
    assert len(sessions) == 1
    assert [row["eventIndex"] for row in events][:reported] == list(range(1, reported + 1))


@pytest.mark.parametrize(
    ("version", "stores"),
    [
        (1, [["sessions", "id", [{"id": "s1"}]], ["events", "id", []]]),
        (3, [["sessions", "id", [{"id": "s1"}]], ["events", "id", []]]),
        (2, [["notes", "id", [{"id": "n"}]]]),
        (2, [["sessions", "id", []], ["events", "key", [{"key": 1}]]]),
        (2, []),
    ],
    ids=["older", "newer", "other stores", "other key", "no stores"],
)
def test_an_unknown_layout_is_left_alone(bare: Page, version: int, stores: list[Any]) -> None:
    bare.evaluate(MAKE, ["life", version, stores])
    code = (
        DRIVER
        + """
driver = IndexedDBSessionPersistDriver("life")
json.dumps([await caught(driver.get_session("s1")), await caught(driver.insert_event("s1", event(1)))])
"""
    )
    for said in run_python(bare, code):
        assert said.startswith("UnknownLayoutError")
        assert "left alone" in said
    assert bare.evaluate(ROWS, ["life"]) == [version, {name: rows for name, _, rows in stores}]


def test_upstreams_own_database(bare: Page) -> None:
    """A database as upstream makes it, with two events of one index, is read and written and keeps its version."""
    session = {"id": "s1", "agent": "mock", "agentSessionId": "a", "lastConnectionId": "c", "createdAt": 5}
    events = [
        {
            "id": id_,
            "eventIndex": index,
            "sessionId": "s1",
            "createdAt": 6,
            "connectionId": "c",
            "sender": "agent",
            "payload": {"jsonrpc": "2.0", "n": index},
        }
        for id_, index in (("x", 1), ("b", 2), ("a", 2), ("y", 10))
    ]
    bare.evaluate(MAKE, ["life", 2, [["sessions", "id", [session]], ["events", "id", events]]])
    code = (
        DRIVER
        + """
driver = IndexedDBSessionPersistDriver("life")
ids = [one.id for one in await all_events(driver, limit=1)]
last = [one.id for one in await driver.last_events("s1", 2, before=(10, ""))]
await driver.insert_event("s1", (await driver.last_events("s1", 3))[1])
refused = await caught(driver.insert_event("s1", event(2)))
await driver.insert_event("s1", event(11))
from dataclasses import replace
await driver.update_session(replace(await driver.get_session("s1"), destroyed_at=7))
json.dumps([ids, last, refused, event(11).to_row()])
"""
    )
    ids, last, refused, added = run_python(bare, code)
    assert (ids, last) == (["x", "a", "b", "y"], ["a", "b"])
    assert "UNIQUE constraint failed" in refused
    version, rows = bare.evaluate(ROWS, ["life"])
    assert version == 2
    assert rows["sessions"] == [session | {"destroyedAt": 7}]
    assert sorted(rows["events"], key=str) == sorted([*events, added], key=str)


def test_rows_of_others_that_are_nested_too_deep(bare: Page) -> None:
    """Read or refused in words, they leave the store in use and the other sessions readable."""
    rows = [
        {"id": id_, "eventIndex": 1, "sessionId": id_, "createdAt": 6, "connectionId": "c", "sender": "agent"}
        for id_ in ("deep", "flat")
    ]
    bare.evaluate(MAKE, ["life", 2, [["sessions", "id", []], ["events", "id", [rows[1] | {"payload": {}}]]]])
    bare.evaluate(
        """(row) => new Promise((resolve, reject) => {
          let payload = {};
          for (let depth = 0; depth < 600; depth += 1) payload = { payload };
          indexedDB.open("life").onsuccess = ({ target }) => {
            const transaction = target.result.transaction("events", "readwrite");
            try {
              transaction.objectStore("events").put({ ...row, payload });
            } catch (error) {
              reject(error);
            }
            transaction.oncomplete = () => { target.result.close(); resolve(); };
            transaction.onabort = () => reject(transaction.error);
          };
        })""",
        rows[0],
    )
    code = (
        DRIVER
        + """
driver = IndexedDBSessionPersistDriver("life")
json.dumps([await caught(driver.list_events("deep")), len(await all_events(driver, "flat"))])
"""
    )
    said, flat = run_python(bare, code)
    assert said is None or (said.startswith("InvalidRecordError") and "levels deep" in said)
    assert flat == 1


def test_an_upgrade_in_another_tab_is_not_held_up(bare: Page, context: BrowserContext, site: str) -> None:
    code = DRIVER + "import builtins\ndriver = IndexedDBSessionPersistDriver('life')\nbuiltins.driver = driver\n"
    run_python(bare, code + "await driver.insert_event('s1', event(1))")
    other = context.new_page()
    other.goto(f"{site}bare/index.html")
    other.evaluate(MAKE, ["life", 3, []])
    said = run_python(bare, DRIVER + "json.dumps(await caught(driver.list_events('s1')))")
    assert said.startswith("UnknownLayoutError")
    other.evaluate(
        """() => new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase("life");
          request.onsuccess = resolve;
          request.onerror = request.onblocked = reject;
        })"""
    )
    assert run_python(bare, DRIVER + "json.dumps(len(await all_events(driver)))") == 0


def test_another_tab_in_the_way_is_named(bare: Page, context: BrowserContext, site: str) -> None:
    other = context.new_page()
    other.goto(f"{site}bare/index.html")
    other.evaluate(MAKE, ["life", 2, []])
    other.evaluate(
        """() => new Promise((resolve) => {
          indexedDB.open("life").onsuccess = (event) => {
            globalThis.held = event.target.result;  // and never listens for versionchange
            indexedDB.deleteDatabase("life").onblocked = resolve;
          };
        })"""
    )
    code = (
        DRIVER
        + """
from pyapp.drivers.indexeddb import idb
import builtins
idb.OPEN_SECONDS = 0.2
driver = builtins.driver = IndexedDBSessionPersistDriver("life")
json.dumps(await caught(driver.get_session("s1")))
"""
    )
    said = run_python(bare, code)
    assert said.startswith("StoreUnavailableError")
    assert "another tab" in said
    other.close()
    again = (
        DRIVER
        + "from pyapp.drivers.indexeddb import idb\nidb.OPEN_SECONDS = 10\nawait driver.insert_event('s1', event(1))\n"
    )
    assert run_python(bare, again + "json.dumps(len(await all_events(driver)))") == 1


def test_cleared_site_data_and_close(bare: Page, site: str) -> None:
    """The browser takes the database away; the same driver goes on in a new one. A closed driver does not."""
    code = DRIVER + "import builtins\ndriver = builtins.driver = IndexedDBSessionPersistDriver('life')\n"
    run_python(bare, code + "await driver.insert_event('s1', event(1))")
    session = bare.context.new_cdp_session(bare)
    origin = "/".join(site.split("/")[:3])
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    code = (
        DRIVER
        + """
empty = await all_events(driver)
await driver.insert_event("s1", event(2))
indexes = [one.event_index for one in await all_events(driver)]
await driver.aclose()
await driver.aclose()
json.dumps([len(empty), indexes, await caught(driver.get_session("s1"))])
"""
    )
    empty, indexes, closed = run_python(bare, code)
    assert (empty, indexes) == (0, [2])
    assert closed.startswith("StoreUnavailableError")


def test_no_call_hangs_when_the_site_is_cleared_under_it(bare: Page, site: str) -> None:
    """Chromium tells not every transaction that its connection was closed by force."""
    code = (
        DRIVER
        + """
import asyncio, js
js.cleared = False
driver = IndexedDBSessionPersistDriver("life")
async def read(n):
    while not js.cleared:
        await driver.last_events("s1", 5)
        js.reads = n
async def write():
    while not js.cleared:
        await driver.append_event("s1", EventDraft("agent", {}, "c", 1))
async with asyncio.timeout(20):
    await asyncio.gather(*(read(n) for n in range(8)), write())
await driver.append_event("s1", EventDraft("agent", {}, "c", 1))
events = await all_events(driver, limit=1000)
json.dumps([one.event_index for one in events] == list(range(1, len(events) + 1)))
"""
    )
    origin = "/".join(site.split("/")[:3])
    session = bare.context.new_cdp_session(bare)
    begin_python(bare, DRIVER + code)
    bare.wait_for_function("globalThis.reads > 0")
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    bare.evaluate("globalThis.cleared = true")
    assert python_outcome(bare) is True


def test_a_full_quota(bare: Page, site: str) -> None:
    session = bare.context.new_cdp_session(bare)
    origin = "/".join(site.split("/")[:3])
    session.send(
        "Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 16 << 20}
    )  # of which Chromium keeps some for itself
    code = (
        DRIVER
        + """
import os
driver = IndexedDBSessionPersistDriver("life")
await driver.update_session(record())
def large(index, size):
    return event(index, noise=os.urandom(size // 2).hex())
refused, kept = None, 0
while refused is None:
    refused = await caught(driver.insert_event("s1", large(kept + 1, 6_000_000)))
    kept += refused is None
read = [one.event_index for one in await all_events(driver)]
small = await caught(driver.insert_event("s1", event(kept + 1)))  # Chromium may count what was refused for a while
huge = large(1, 20_000_000).to_row() | {"sessionId": "s2", "id": "s2-1"}
bulk = await caught(driver.add_sessions([record("s2")], [[json.dumps(huge)]]))
json.dumps([refused, small, bulk, kept, read, len(await all_events(driver)), len(await all_sessions(driver))])
"""
    )
    refused, small, bulk, kept, read, after, sessions = run_python(bare, code)
    assert small is None or small.startswith("StoreFullError")
    assert refused.startswith("StoreFullError")
    assert bulk.startswith("StoreFullError")
    assert kept >= 1
    assert read == list(range(1, kept + 1))
    assert (after, sessions) == (kept + (small is None), 1)


def test_a_browser_that_gives_no_database_says_so(bare: Page) -> None:
    """Where cookies are blocked IndexedDB is not there, or throws: the caller hears of it in words."""
    code = (
        DRIVER
        + """
import js
driver = IndexedDBSessionPersistDriver("life")
said = []
for throws in (False, True):
    js.withoutDatabase(throws)
    said.append(await caught(driver.get_session("s1")))
    said.append(await caught(driver.append_event("s1", EventDraft("agent", {}, "c", 1))))
json.dumps(said)
"""
    )
    bare.evaluate(
        """() => {
          globalThis.withoutDatabase = (throws) => {
            const denied = { open() { throw new DOMException("denied", "SecurityError"); } };
            const value = throws ? denied : undefined;
            Object.defineProperty(globalThis, "indexedDB", { value, configurable: true });
          };
        }"""
    )
    said = run_python(bare, code)
    assert len(said) == 4
    assert all(text.startswith("StoreUnavailableError: this browser gives no IndexedDB here") for text in said)
