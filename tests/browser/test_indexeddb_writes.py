"""How the IndexedDB driver writes: in groups, told on `complete`, as durable as asked, and heard of in other tabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from .bare_page import DRIVER, begin_python, open_bare_page, python_outcome, run_python

WATCH = """() => {
  globalThis.begun = [];
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    if (mode === "readwrite") begun.push([[stores].flat().length, options?.durability ?? null]);
    return transaction.call(this, stores, mode, options);
  };
}"""
"""From now on the page keeps, of each transaction that writes, how many stores it covers and its durability."""

ABORT_LATE = """() => {
  const add = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = function (row, ...rest) {
    const request = add.call(this, row, ...rest);
    if (row.id === "late") request.addEventListener("success", () => this.transaction.abort());
    return request;
  };
}"""
"""The event "late" is taken with success, then its transaction is rolled back: as at a full quota."""


@pytest.fixture(scope="module")
def shared(chromium: Browser, site: str) -> Iterator[Page]:
    """One page for the tests that leave nothing behind but a database of their own."""
    context = chromium.new_context(service_workers="block")
    page = open_bare_page(context, site)
    page.evaluate(WATCH)
    yield page
    context.close()


def in_driver(name: str, code: str, options: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return f"{DRIVER}import asyncio\nasync with IndexedDBSessionPersistDriver({name!r}{options}) as driver:\n{lines}\n"


def test_writes_that_wait_together_share_a_transaction(shared: Page) -> None:
    code = """
await driver.get_session("s1")
__import__("js").begun.length = 0
await asyncio.gather(*(driver.insert_event("s1", event(index)) for index in range(1, 501)))
stored = [one.event_index for one in await all_events(driver, limit=500)]
"""
    stored = run_python(shared, in_driver("group", code) + "json.dumps(stored)")
    assert stored == list(range(1, 501))
    begun = shared.evaluate("begun")
    assert 2 <= len(begun) <= 30  # the first begins alone, since nothing waits yet
    assert {tuple(one) for one in begun} == {(1, "relaxed")}


@pytest.mark.parametrize("durability", ["relaxed", "strict", "default"])
def test_durability(shared: Page, durability: str) -> None:
    """Events as the driver was told; sessions, imports and deletions strict, with what shares their transaction."""
    code = """
begun = __import__("js").begun
async def seen(*writes):
    begun.length = 0
    await asyncio.gather(*writes)
    return [list(one) for one in begun]
told = [
    await seen(driver.insert_event("s1", event(1))),
    await seen(driver.append_event("s1", EventDraft("agent", {}, "c", 1))),
    await seen(driver.insert_events("s1", [event(3), event(4)])),
    await seen(driver.update_session(record())),
    await seen(driver.add_sessions([record("s2")], [])),
    await seen(driver.delete_session("s2")),
    await seen(*(driver.insert_event("s1", event(index)) for index in (5, 6)), driver.update_session(record())),
]
"""
    options = f", durability={durability!r}"
    told = run_python(shared, in_driver(f"durable-{durability}", code, options) + "json.dumps(told)")
    event, both = [1, durability], [2, "strict"]
    assert told == [[event], [event], [event], [both], [both], [both], [event, both]]


def test_a_write_is_told_on_complete(context: BrowserContext, site: str) -> None:
    """Rolled back after its request's success a write has failed, and those that shared its transaction have not."""
    page = open_bare_page(context, site)
    page.evaluate(ABORT_LATE)
    code = """
writes = [event(index) for index in range(1, 41)]
writes[20] = event(21, id_="late")
outcomes = await asyncio.gather(*(driver.insert_event("s1", one) for one in writes), return_exceptions=True)
failed = [[place, type(one).__name__] for place, one in enumerate(outcomes) if one is not None]
stored = [one.event_index for one in await all_events(driver, limit=100)]
"""
    failed, stored = run_python(page, in_driver("late", code) + "json.dumps([failed, stored])")
    assert failed == [[20, "StoreError"]]
    assert stored == [index for index in range(1, 41) if index != 21]


def test_a_conflict_among_many_fails_alone(shared: Page) -> None:
    code = """
await driver.insert_event("s1", event(150, id_="mine"))
writes = [driver.insert_event("s1", event(index)) for index in range(1, 301)]
writes += [driver.append_event("s2", EventDraft("agent", {"n": n}, "c", 1)) for n in range(50)]
outcomes = await asyncio.gather(*writes, return_exceptions=True)
failed = [[place, type(one).__name__] for place, one in enumerate(outcomes) if isinstance(one, Exception)]
counts = [await driver.count_events(id_) for id_ in ("s1", "s2")]
"""
    failed, counts = run_python(shared, in_driver("conflict", code) + "json.dumps([failed, counts])")
    assert failed == [[149, "EventConflictError"]]
    assert counts == [300, 50]


def test_closing_waits_for_what_was_begun(shared: Page) -> None:
    code = (
        DRIVER
        + """
import asyncio
driver = IndexedDBSessionPersistDriver("closing")
writes = [asyncio.ensure_future(driver.append_event("s1", EventDraft("agent", {"n": n}, "c", 1))) for n in range(20)]
await asyncio.sleep(0)
while not any(write.done() for write in writes):
    await asyncio.sleep(0)
await driver.aclose()
indexes = [write.result().event_index for write in writes]
said = await caught(driver.append_event("s1", EventDraft("agent", {}, "c", 1)))
again = IndexedDBSessionPersistDriver("closing")
json.dumps([indexes, said, await again.count_events("s1")])
"""
    )
    indexes, said, count = run_python(shared, code)
    assert indexes == list(range(1, 21))
    assert said.startswith("StoreUnavailableError")
    assert count == 20


def test_a_cancelled_write_leaves_the_others_alone(shared: Page) -> None:
    """One that waits is not made; one that has begun is made or not, whole; its neighbours are."""
    code = """
first = asyncio.ensure_future(driver.insert_event("s1", event(1)))
others = [asyncio.ensure_future(driver.insert_event("s1", event(index))) for index in range(2, 12)]
while not driver._writer._waiting:
    await asyncio.sleep(0)
waiting = driver._writer._waiting[-1].events[0].event_index
others[waiting - 2].cancel()
outcomes = await asyncio.gather(first, *others, return_exceptions=True)
cancelled = [place + 1 for place, one in enumerate(outcomes) if isinstance(one, asyncio.CancelledError)]
stored = [one.event_index for one in await all_events(driver, limit=100)]
"""
    cancelled, waiting, stored = run_python(
        shared, in_driver("cancel", code) + "json.dumps([cancelled, waiting, stored])"
    )
    assert cancelled == [waiting]
    assert stored == [index for index in range(1, 12) if index != waiting]


UPSTREAM = """(count) => new Promise((resolve, reject) => {
  indexedDB.open("both", 2).onsuccess = ({ target }) => {
    const database = target.result;
    database.onversionchange = () => database.close();
    let refused = 0;
    const insert = (wanted) => {
      if (wanted > count) return resolve(refused);
      const transaction = database.transaction("events", "readwrite");
      const store = transaction.objectStore("events");
      const keys = IDBKeyRange.bound(["s1", 0], ["s1", []]);
      store.index("by_session_index").openKeyCursor(keys, "prev").onsuccess = ({ target }) => {
        const eventIndex = (target.result?.key[1] ?? 0) + 1;
        const payload = { jsonrpc: "2.0", method: "theirs", params: { wanted } };
        store.put({ id: `theirs-${wanted}`, eventIndex, sessionId: "s1", createdAt: 1, connectionId: "c",
          sender: "client", payload });
      };
      transaction.oncomplete = () => insert(wanted + 1);
      transaction.onabort = () => { refused += 1; insert(wanted + 1); };
    };
    insert(1);
  };
})"""
"""A client of upstream's kind with an open connection of its own, which writes while ours does."""


def test_upstreams_code_and_ours_use_one_database_at_once(context: BrowserContext, site: str) -> None:
    page, other = open_bare_page(context, site), context.new_page()
    setup = """
await driver.update_session(record())
await driver.append_event("s1", EventDraft("agent", {"n": 0}, "c", 1))
"""
    run_python(page, in_driver("both", setup))
    other.goto(f"{site}bare/bare.js")
    appends = """
for n in range(1, 120):
    await driver.append_event("s1", EventDraft("agent", {"n": n}, "c", 1))
"""
    begin_python(page, in_driver("both", appends))
    assert other.evaluate(UPSTREAM, 120) == 0
    python_outcome(page)
    read = """
rows = [[one.event_index, one.sender] for one in await all_events(driver, limit=300)]
"""
    rows = run_python(page, in_driver("both", read) + "json.dumps(rows)")
    assert [index for index, _ in rows] == list(range(1, 241))
    assert sum(sender == "client" for _, sender in rows) == 120
    assert other.evaluate("indexedDB.databases()") == [{"name": "both", "version": 2}]


def test_other_tabs_hear_of_changes(context: BrowserContext, site: str) -> None:
    """The word names the session, comes after the write, and comes also when the site's data are cleared."""
    page, other = open_bare_page(context, site), open_bare_page(context, site)
    listening = """
import asyncio, builtins
driver = builtins.driver = IndexedDBSessionPersistDriver("heard")
builtins.heard = []
async def read(change):
    heard.append([sorted(change.session_ids), change.everything, await driver.count_events("s1")])
builtins.stop = driver.on_change(lambda change: asyncio.ensure_future(read(change)))
"""
    run_python(page, DRIVER + listening)
    write = """
await driver.update_session(record())
await asyncio.gather(*(driver.append_event("s1", EventDraft("agent", {"n": n}, "c", 1)) for n in range(300)))
"""
    run_python(other, in_driver("heard", write))
    wait = """
import asyncio
while not heard or heard[-1][2] < 300:
    await asyncio.sleep(0.01)
json.dumps(heard)
"""
    heard: Any = run_python(page, DRIVER + wait)
    assert {tuple(ids) for ids, _, _ in heard} == {("s1",)}
    assert not any(everything for _, everything, _ in heard)
    assert len(heard) < 30  # gathered, not one for each event
    session = page.context.new_cdp_session(page)
    origin = "/".join(site.split("/")[:3])
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
    wait_cleared = """
import asyncio
while not heard[-1][1]:
    await asyncio.sleep(0.01)
stop()
json.dumps(heard[-1])
"""
    assert run_python(page, DRIVER + wait_cleared) == [[], True, 0]


def test_a_released_database_is_opened_again(context: BrowserContext, site: str) -> None:
    """A page that is put aside is in nobody's way; when it comes back it goes on."""
    page, other = open_bare_page(context, site), context.new_page()
    hold = "import builtins\ndriver = builtins.driver = IndexedDBSessionPersistDriver('aside')\n"
    run_python(page, DRIVER + hold + "await driver.insert_event('s1', event(1))\nawait driver.release()\n")
    other.goto(f"{site}bare/bare.js")
    deaf = """() => new Promise((resolve, reject) => {
      const request = indexedDB.open("aside", 2);
      request.onsuccess = () => { request.result.close(); resolve("opened"); };
      request.onerror = request.onblocked = reject;
    })"""
    assert other.evaluate(deaf) == "opened"
    again = "await driver.insert_event('s1', event(2))\njson.dumps(await driver.count_events('s1'))"
    assert run_python(page, DRIVER + again) == 2


def test_a_wait_for_another_tab_is_told(context: BrowserContext, site: str) -> None:
    """Another tab deletes the database and holds it up itself: told within two seconds, and when it is over."""
    page, other = open_bare_page(context, site), context.new_page()
    other.goto(f"{site}bare/bare.js")
    other.evaluate(
        """() => new Promise((resolve) => {
          indexedDB.open("waited", 1).onsuccess = (event) => {
            globalThis.held = event.target.result;  // and never listens for versionchange
            indexedDB.deleteDatabase("waited").onblocked = resolve;
          };
        })"""
    )
    code = """
import time
told = []
started = time.monotonic()
driver = IndexedDBSessionPersistDriver("waited", on_wait=lambda waits: told.append([waits, time.monotonic() - started]))
import js
js.told = 0
import asyncio
task = asyncio.ensure_future(driver.insert_event("s1", event(1)))
while not told:
    await asyncio.sleep(0.01)
js.told = 1
await task
json.dumps(told)
"""
    begin_python(page, DRIVER + code)
    page.wait_for_function("() => globalThis.told === 1")
    other.evaluate("held.close()")
    (waits, after), (still, _) = python_outcome(page)
    assert (waits, still) == (True, False)
    assert after < 2
