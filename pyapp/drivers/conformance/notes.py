"""The promises about notes: names, tags and read positions. Each takes a fresh, empty NoteStore."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ...errors import InvalidRecordError
from ..base import StoreChange
from ..notes import MAX_NAME, MAX_TAG, MAX_TAGS, NoteStore, SessionNote
from .kit import expect_equal, expect_refused

NotePromise = Callable[[NoteStore], Awaitable[None]]


async def notes_come_back(notes: NoteStore) -> None:
    """What was noted is read again, for those asked for and for all; who has no note is missing."""
    await notes.describe("s1", "Naïve 🦀", ("a", "b c"))
    await notes.mark_read("s2", 0)
    one, two = SessionNote("s1", "Naïve 🦀", ("a", "b c")), SessionNote("s2", read_to=0)
    expect_equal(dict(await notes.get_notes(["s1", "nobody"])), {"s1": one}, "the notes asked for")
    expect_equal(dict(await notes.get_notes([])), {}, "no notes asked for")
    expect_equal(dict(await notes.all_notes()), {"s1": one, "s2": two}, "all notes")


async def a_name_and_a_mark_do_not_disturb_each_other(notes: NoteStore) -> None:
    """Both are parts of one note, and each is written alone."""
    await asyncio.gather(notes.mark_read("s1", 7), notes.describe("s1", "Name", ("tag",)), notes.mark_read("s1", 5))
    expect_equal((await notes.all_notes())["s1"], SessionNote("s1", "Name", ("tag",), 7), "the note")
    await notes.describe("s1", "", ())
    expect_equal((await notes.all_notes())["s1"], SessionNote("s1", read_to=7), "the note without a name")


async def a_mark_never_goes_back(notes: NoteStore) -> None:
    """The highest one counts, in whatever order they are written."""
    for event_index in (3, 9, 4):
        await notes.mark_read("s1", event_index)
    expect_equal((await notes.get_notes(["s1"]))["s1"].read_to, 9, "the mark")


async def what_was_forgotten_is_gone(notes: NoteStore) -> None:
    """Of one session alone; and an unknown one is no error."""
    await notes.describe("s1", "One", ())
    await notes.describe("s2", "Two", ())
    await notes.forget("s1")
    await notes.forget("nobody")
    expect_equal(list(await notes.all_notes()), ["s2"], "who has a note")


async def what_is_beyond_the_bounds_is_refused(notes: NoteStore) -> None:
    """Names, tags and their number, event indexes, and half characters; at the bounds they are kept."""
    name, tags = "n" * MAX_NAME, tuple(str(number).rjust(MAX_TAG, "t") for number in range(MAX_TAGS))
    await notes.describe("s1", name, tags)
    for too_much in ((name + "n", ()), ("", (*tags, "t")), ("", ("t" * (MAX_TAG + 1),)), ("", ("",)), ("\ud800", ())):
        await expect_refused(notes.describe("s1", *too_much), InvalidRecordError, repr(too_much)[:80])
    for index in (-1, 2**53, True):
        await expect_refused(notes.mark_read("s1", index), InvalidRecordError, f"the index {index!r}")
    expect_equal(dict(await notes.all_notes()), {"s1": SessionNote("s1", name, tags)}, "what is kept")


async def changes_are_told(notes: NoteStore) -> None:
    """A listener hears which session's note was changed, after the change, until it wants no more."""
    heard: asyncio.Queue[StoreChange] = asyncio.Queue()
    stop = notes.on_change(heard.put_nowait)
    await notes.describe("s1", "Name", ())
    expect_equal((await asyncio.wait_for(heard.get(), 10)).session_ids, frozenset({"s1"}), "the change")
    stop()
    await notes.forget("s1")
    await notes.aclose()
    expect_equal(heard.empty(), True, "nothing heard after the end")


NOTES_CONTRACT: tuple[NotePromise, ...] = (
    notes_come_back,
    a_name_and_a_mark_do_not_disturb_each_other,
    a_mark_never_goes_back,
    what_was_forgotten_is_gone,
    what_is_beyond_the_bounds_is_refused,
    changes_are_told,
)
