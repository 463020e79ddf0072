"""The real IndexedDB gives back what it was given, and says what is wrong with what it refuses.

The rows are generated here and cross as text; in the page runs the same exercise as on the in-memory store.
"""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from tests.faults import exercise
from tests.faults.amounts import VALUES, generated
from tests.faults.exercise import WAYS
from tests.faults.values import BATCH, Malformed, Row, batches, malformed, same

from ..bare_page import DRIVER, open_bare_page, run_python
from .reading import by_id, rows_by_javascript

SET_UP = """
import builtins, pathlib, js
pathlib.Path("exercise.py").write_text(js.given)
import exercise
builtins.driver = IndexedDBSessionPersistDriver("values")
"""

EXERCISE = """
import exercise, js
sessions, events, way = json.loads(js.given)
await exercise.clear(driver, *(row["sessionId"] for row in json.loads(js.before)))
js.before = json.dumps(events)
json.dumps(await exercise.written_and_read(driver, sessions, events, way))
"""

REFUSALS = """
import base64, exercise, js, pickle
await exercise.clear(driver, *(row["sessionId"] for row in json.loads(js.before)))
js.before = "[]"
json.dumps(await exercise.refusals(driver, *pickle.loads(base64.b64decode(js.given))))
"""


@pytest.fixture(scope="module")
def bare(chromium: Browser, site: str) -> Iterator[Page]:
    """One page and one database for all that is generated; each run clears what the one before has left."""
    context = chromium.new_context(service_workers="block")
    page = open_bare_page(context, site)
    page.evaluate("() => { globalThis.before = '[]'; }")
    run_with(page, Path(exercise.__file__).read_text(), SET_UP)
    yield page
    context.close()


def run_with(page: Page, given: str, code: str) -> Any:
    """Run code in the page, for which `js.given` is a text."""
    page.evaluate("(text) => { globalThis.given = text; }", given)
    return run_python(page, DRIVER + code)


@generated(VALUES // BATCH)
@given(batches(), st.sampled_from(WAYS))
def test_what_goes_in_comes_out(bare: Page, batch: tuple[list[Row], list[Row]], way: str) -> None:
    sessions, events = batch
    for listed, read in (
        run_with(bare, json.dumps([sessions, events, way]), EXERCISE),
        rows_by_javascript(bare, "values"),
    ):
        assert same(by_id(sessions), by_id(listed))
        assert same(by_id(events), by_id(read))


@generated(VALUES)
@given(malformed())
def test_what_is_malformed_is_refused(bare: Page, wrong: Malformed) -> None:
    # Much of it is no JSON: what Python alone can say crosses as Python's own.
    text = base64.b64encode(pickle.dumps((wrong.kind, wrong.row))).decode()
    *said, stored = run_with(bare, text, REFUSALS)
    assert all(wrong.reason in words for words in said), said
    assert stored == "0 sessions, 0 events"
