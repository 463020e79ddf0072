"""The in-memory note store keeps the contract, and rows that anybody may have written are read without trust."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp.drivers.conformance import NOTES_CONTRACT, NotePromise
from pyapp.drivers.notes import InMemoryNoteStore, NoteStore, SessionNote, read_note


@pytest.mark.parametrize("promise", NOTES_CONTRACT, ids=lambda promise: promise.__name__)
def test_promise(promise: NotePromise) -> None:
    asyncio.run(promise(InMemoryNoteStore()))  # type: ignore[arg-type]


def test_it_is_a_note_store() -> None:
    assert isinstance(InMemoryNoteStore(), NoteStore)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (None, SessionNote("s")),
        (["name"], SessionNote("s")),
        ({"name": 7, "tags": "a", "readTo": "9"}, SessionNote("s")),
        ({"name": "n" * 300, "tags": ["t" * 60, 5, None, "", *"abcdefghijklmnopqrstuvwxyz"]}, None),
        ({"readTo": 7.0}, SessionNote("s", read_to=7)),
        ({"readTo": -1}, SessionNote("s")),
        ({"readTo": True}, SessionNote("s")),
        ({"readTo": 1e300}, SessionNote("s")),
        ({"name": "\ud83d\ude00 \ud800"}, SessionNote("s", "😀 \ufffd")),
    ],
)
def test_rows_of_others(row: Any, note: SessionNote | None) -> None:
    expected = note or SessionNote("s", "n" * 200, ("t" * 40, *"abcdefghijklmnopqrs"))
    assert read_note("s", row) == expected
