"""The in-memory store gives back what it was given, and says what is wrong with what it refuses."""

from __future__ import annotations

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st

from pyapp import InMemorySessionPersistDriver

from .amounts import VALUES, generated
from .exercise import WAYS, refusals, written_and_read
from .values import BATCH, LIST_AS_SESSION_ID, Malformed, Row, batches, malformed, same


@generated(VALUES // BATCH)
@given(batches(), st.sampled_from(WAYS))
def test_what_goes_in_comes_out(batch: tuple[list[Row], list[Row]], way: str) -> None:
    sessions, events = batch
    listed, read = asyncio.run(written_and_read(InMemorySessionPersistDriver(), sessions, events, way))
    assert same({row["id"]: row for row in sessions}, {row["id"]: row for row in listed})
    assert same({row["id"]: row for row in events}, {row["id"]: row for row in read})
    assert (len(listed), len(read)) == (len(sessions), len(events))


@generated(VALUES)
@given(malformed())
@example(LIST_AS_SESSION_ID)
def test_what_is_malformed_is_refused(wrong: Malformed) -> None:
    *said, stored = asyncio.run(refusals(InMemorySessionPersistDriver(), wrong.kind, wrong.row))
    assert all(wrong.reason in words for words in said), said
    assert stored == "0 sessions, 0 events"
