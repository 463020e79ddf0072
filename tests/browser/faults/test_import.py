"""An import that is killed halfway changes nothing, and works the next time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Page

from tests.faults.amounts import IMPORT_KILLED_WITH, IMPORT_KILLS, IMPORTED_EVENTS, SEED

from ..bare_page import DRIVER, begin_python, open_bare_page, run_python
from ..conftest import LaunchProfile
from .dying import kill_renderers, wait_for_death
from .ledger import TELL, Ledger, open_ledger
from .reading import rows_by_both

BEFORE = """
async with IndexedDBSessionPersistDriver("import") as driver:
    await driver.update_session(record("before"))
    await driver.insert_events("before", [event(index, "before") for index in range(1, 6)])
"""

IMPORT = """
from pyapp.archive import RecordingChecker

checker = RecordingChecker()
for session_id in ("first", "second"):
    checker.feed(json.dumps({"type": "session", **record(session_id).to_row()}) + "\\n")
    for index in range(1, EVENTS // 2 + 1):
        row = event(index, session_id, text=f"é🦀 {index}" * 10).to_row()
        checker.feed(json.dumps({"type": "event", **row}) + "\\n")
recording = checker.finish()
async with IndexedDBSessionPersistDriver("import") as driver:
    await driver.add_sessions(recording.sessions, recording.event_rows, lambda added: tell())
    totals = await driver.totals()
json.dumps([totals.sessions, totals.events, len(recording.event_rows)])
"""

DELETE = """
async with IndexedDBSessionPersistDriver("import") as driver:
    for session_id in ("first", "second"):
        await driver.delete_session(session_id)
"""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with open_ledger() as ledger:
        yield ledger


def import_code(ledger: Ledger) -> str:
    return f"LEDGER, EVENTS = {ledger.url!r}, {IMPORTED_EVENTS}\n{DRIVER}{TELL}{IMPORT}"


def import_whole(page: Page, ledger: Ledger) -> int:
    """The import, not killed; how many chunks it told of."""
    ledger.arm(0, 0, lambda: None)
    sessions, events, chunks = run_python(page, import_code(ledger))
    assert (sessions, events) == (3, 5 + IMPORTED_EVENTS)
    assert ledger.tellings == chunks
    read_sessions, read_events = rows_by_both(page, "import")
    assert (len(read_sessions), len(read_events)) == (sessions, events)
    return int(chunks)


@pytest.mark.parametrize("whole", IMPORT_KILLED_WITH)
def test_an_import_that_is_killed(launch_profile: LaunchProfile, site: str, ledger: Ledger, whole: str) -> None:
    """The kill comes while progress is told, so that the transaction cannot be complete: not even at the last chunk."""
    chance = random.Random(f"{SEED}-import-{whole}")
    began = time.monotonic()
    chunks = IMPORTED_EVENTS // 500
    with ExitStack() as stack:
        profile = stack.enter_context(launch_profile())
        page = open_bare_page(profile.context, site)
        run_python(page, DRIVER + BEFORE)
        before = rows_by_both(page, "import")
        for kill in range(IMPORT_KILLS):
            at = chunks if kill == 1 else chance.randint(1, chunks)
            ledger.arm(at, 0, profile.kill if whole == "browser" else partial(kill_renderers, profile.pid))
            begin_python(page, import_code(ledger))
            wait_for_death(page)
            assert ledger.tellings == at
            if whole == "browser":
                stack.pop_all().close()
                profile = stack.enter_context(launch_profile())
            page = open_bare_page(profile.context, site)
            assert rows_by_both(page, "import") == before, f"after a kill at chunk {at} of {chunks}, seed {SEED}"
            assert import_whole(page, ledger) == chunks
            run_python(page, DRIVER + DELETE)
            assert rows_by_both(page, "import") == before
    print(
        f"\n{IMPORT_KILLS} kills of the {whole} within an import of {IMPORTED_EVENTS} events (seed {SEED}) in"
        f" {time.monotonic() - began:.0f} s: nothing changed, and each worked the next time"
    )
