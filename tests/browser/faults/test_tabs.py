"""Many tabs write one session at the same time: each event gets an index of its own, and none is left out."""

from __future__ import annotations

import time
from itertools import pairwise

from playwright.sync_api import BrowserContext

from tests.faults.amounts import APPENDS, TABS

from ..bare_page import DRIVER, begin_python, open_bare_page, python_outcome, run_python
from .reading import by_id, rows_by_both

HOLD = """() => new Promise((held) => navigator.locks.request("begin", () => {
  held();
  return new Promise((release) => { globalThis.release = release; });
}))"""
"""The tabs wait for this lock, so that all of them begin at once."""

APPEND = """
import asyncio, js

def draft(number):
    return EventDraft("agent", {"jsonrpc": "2.0", "tab": TAB, "number": number}, f"tab {TAB}", 1_000)

await js.begin
stored = []
async with IndexedDBSessionPersistDriver("tabs") as driver:
    for start in range(0, APPENDS, 25):
        drafts = [draft(number) for number in range(start, min(start + 25, APPENDS))]
        if (start // 25 + TAB) % 2:
            stored += await asyncio.gather(*(driver.append_event("s1", one) for one in drafts))
        else:
            stored += [await driver.append_event("s1", one) for one in drafts]
json.dumps([one.to_row() for one in stored])
"""


def test_tabs_that_append_to_one_session(context: BrowserContext, site: str) -> None:
    pages = [open_bare_page(context, site) for _ in range(TABS)]
    code = "async with IndexedDBSessionPersistDriver('tabs') as driver:\n    await driver.update_session(record())\n"
    for page in pages:
        run_python(page, DRIVER + code)
    pages[0].evaluate(HOLD)
    for tab, page in enumerate(pages):
        page.evaluate("""() => {
          globalThis.begin = navigator.locks.request("begin", { mode: "shared" }, () => {});
        }""")
        begin_python(page, f"TAB, APPENDS = {tab}, {APPENDS}\n{DRIVER}{APPEND}")
    began = time.monotonic()
    pages[0].evaluate("release()")
    acknowledged = [row for page in pages for row in python_outcome(page)]
    seconds = time.monotonic() - began

    _, stored = rows_by_both(pages[0], "tabs")
    assert [row["eventIndex"] for row in stored] == list(range(1, TABS * APPENDS + 1))
    assert by_id(stored) == by_id(acknowledged)
    for tab in range(TABS):
        numbers = [row["payload"]["number"] for row in stored if row["payload"]["tab"] == tab]
        assert numbers == list(range(APPENDS)), "the events of one tab are in another order"
    turns = sum(one["connectionId"] != other["connectionId"] for one, other in pairwise(stored))
    assert turns > 2 * TABS, "the tabs wrote one after another, and nothing was tried"
    print(
        f"\n{TABS} tabs, {APPENDS} appends each, in {seconds:.1f} s: {len(stored)} events, {turns} turns between tabs"
    )
