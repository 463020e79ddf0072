"""All that a database holds, read twice: by the driver, and by JavaScript that knows nothing of it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page

from ..bare_page import DRIVER, run_python

Row = dict[str, Any]

ROWS = """
(name) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name);
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    const transaction = database.transaction(["sessions", "events"]);
    const rows = {};
    for (const store of ["sessions", "events"])
      transaction.objectStore(store).getAll().onsuccess = (event) => { rows[store] = event.target.result; };
    // as text, in which half a character is an escape that survives the way here
    transaction.oncomplete = () => { database.close(); resolve(JSON.stringify([rows.sessions, rows.events])); };
  };
})
"""


def rows_by_javascript(page: Page, name: str) -> tuple[list[Row], list[Row]]:
    """Sessions and events, each in the order of ids."""
    sessions, events = json.loads(page.evaluate(ROWS, name))
    return sessions, events


def rows_by_driver(page: Page, name: str) -> tuple[list[Row], list[Row]]:
    """Sessions and events, each in the order of listings; of sessions that have a record."""
    code = f"""
async with IndexedDBSessionPersistDriver({name!r}) as driver:
    sessions = await all_sessions(driver, limit=100)
    events = [one.to_row() for record in sessions for one in await all_events(driver, record.id, limit=1_000)]
json.dumps([[one.to_row() for one in sessions], events], ensure_ascii=False)
"""
    sessions, events = run_python(page, DRIVER + code)
    return sessions, events


def by_id(rows: list[Row]) -> dict[str, Row]:
    """The rows by id; each id is there once."""
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), "an id is there twice"
    return found


def rows_by_both(page: Page, name: str) -> tuple[list[Row], list[Row]]:
    """What the driver reads, once it is known that JavaScript reads the same."""
    sessions, events = rows_by_driver(page, name)
    other_sessions, other_events = rows_by_javascript(page, name)
    assert by_id(sessions) == by_id(other_sessions)
    assert by_id(events) == by_id(other_events)
    return sessions, events
