"""The history that a new agent is given: the newest of it, whole envelopes, within both limits, read from the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp import (
    EventDraft,
    InMemorySessionPersistDriver,
    ListPage,
    RestorePreview,
    SandboxAgent,
    SessionEvent,
    UnknownSessionError,
)
from pyapp.drivers.base import Key
from pyapp.sdk.restore import HEADER, TRUNCATED, is_history, read_history

from ..faults.amounts import generated
from .kit import Place, run

MOST = 1_000_000


class Counted(InMemorySessionPersistDriver):
    """A store that counts the events that are read of it, and has no way to read all of them."""

    def __init__(self) -> None:
        super().__init__(max_events_per_session=MOST)
        self.read = 0

    async def last_events(self, session_id: str, n: int, *, before: Key | None = None) -> tuple[SessionEvent, ...]:
        events = await super().last_events(session_id, n, before=before)
        self.read += len(events)
        return events

    async def list_events(self, *_args: Any, **_options: Any) -> ListPage[SessionEvent]:
        raise AssertionError("the history is read from its end")


def words(text: str) -> dict[str, Any]:
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    return {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "a", "update": update}}


def prompt(*texts: str) -> dict[str, Any]:
    blocks = [{"type": "text", "text": text} for text in texts]
    return {"jsonrpc": "2.0", "id": 1, "method": "session/prompt", "params": {"sessionId": "a", "prompt": blocks}}


async def stored(*payloads: dict[str, Any], store: Counted | None = None, connection: str = "p1/c") -> Counted:
    store = store or Counted()
    drafts = [EventDraft("agent", payload, connection, 1_700_000_000_000) for payload in payloads]
    await store.append_events("s", drafts)
    return store


def history(texts: Sequence[str], max_events: int = MOST, max_chars: int = MOST) -> RestorePreview:
    async def work() -> RestorePreview:
        return await read_history(await stored(*map(words, texts)), "s", max_events, max_chars)

    return run(work())


def line(text: str) -> str:
    """The envelope of a text; one with half a character is written in escapes, as in all that is stored."""
    envelope = {"createdAt": 1_700_000_000_000, "sender": "agent", "payload": words(text)}
    plain = not any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=not plain)


ROOM = len(HEADER) + 1 + len(TRUNCATED) + 1
"""What a text has besides its envelopes: with one of n characters in the limit, that many more are needed."""


def test_all_of_a_short_history_is_in_it() -> None:
    preview = history(["one", "zwei é😀", "line\nbreak"])
    assert preview.text == "\n".join([HEADER, line("one"), line("zwei é😀"), line("line\nbreak")])
    assert (preview.events, preview.left_out, preview.too_large) == (3, 0, 0)


def test_no_history_is_no_text() -> None:
    assert history([]) == RestorePreview("", 0, 0, 0)


def test_the_newest_events_survive_the_limit_of_events() -> None:
    preview = history(list("abcde"), max_events=2)
    assert preview.text == "\n".join([HEADER, TRUNCATED, line("d"), line("e")])
    assert (preview.events, preview.left_out) == (2, 3)


def test_the_newest_events_survive_the_limit_of_characters() -> None:
    limit = ROOM + 2 * (len(line("a")) + 1)
    preview = history(list("abcde"), max_chars=limit)
    assert preview.text == "\n".join([HEADER, TRUNCATED, line("d"), line("e")])
    assert (preview.events, preview.left_out, preview.too_large) == (2, 3, 0)
    assert history(list("abcde"), max_chars=limit - 1).events == 1


def test_what_is_too_large_for_itself_is_passed_over() -> None:
    preview = history(["a", "x" * 2_000, "y" * 2_000, "b"], max_chars=1_500)
    assert preview.text == "\n".join([HEADER, line("a"), TRUNCATED, line("b")])
    assert (preview.events, preview.left_out, preview.too_large) == (2, 2, 2)


def test_the_newest_one_may_be_too_large() -> None:
    preview = history(["a", "b", "x" * 2_000], max_chars=1_500)
    assert preview.text == "\n".join([HEADER, line("a"), line("b"), TRUNCATED])


def test_where_nothing_fits_there_is_no_text() -> None:
    assert history(["a", "b"], max_chars=1) == RestorePreview("", 0, 2, 1)
    assert history(["x" * 2_000], max_chars=1_500) == RestorePreview("", 0, 1, 1)


def test_that_something_older_is_missing_is_said_where_its_mark_found_no_room() -> None:
    newer = line("b")
    limit = ROOM + len(newer) + 1 + 5
    preview = history(["x" * 1_000, "b"], max_chars=limit)
    assert preview.text == "\n".join([HEADER, TRUNCATED, newer])
    assert (preview.events, preview.left_out, preview.too_large) == (1, 1, 1)


def test_a_history_in_the_history_is_not_repeated() -> None:
    async def work() -> None:
        first = f"{HEADER}\n{line('old')}"
        store = await stored(prompt(first, "what was it?"), prompt(f"what is {HEADER}?"))
        preview = await read_history(store, "s", MOST, MOST)
        one, two = (json.loads(text) for text in preview.text.splitlines()[1:])
        assert one["payload"]["params"]["prompt"] == [{"type": "text", "text": "what was it?"}]
        assert two["payload"] == prompt(f"what is {HEADER}?"), "words of a person stay"

    run(work())


@pytest.mark.parametrize(
    "params", [None, [], {}, {"prompt": None}, {"prompt": "text"}, {"prompt": [None, 5, {"text": 7}, {"text": None}]}]
)
def test_a_prompt_in_any_shape_is_kept(params: Any) -> None:
    async def work() -> None:
        payload = {"jsonrpc": "2.0", "id": 1, "method": "session/prompt", "params": params}
        preview = await read_history(await stored(payload), "s", MOST, MOST)
        assert json.loads(preview.text.splitlines()[1])["payload"] == payload

    run(work())


def test_what_is_a_history() -> None:
    assert is_history({"type": "text", "text": f"{HEADER}\n{{}}"})
    assert not is_history({"type": "text", "text": "Hello"})
    assert not is_history({"type": "image"})
    assert not is_history(HEADER)


def test_the_new_process_and_what_never_arrived_are_left_out() -> None:
    async def work() -> None:
        store = await stored(words("a"), words("b"))
        (lost,) = await store.append_events("s", [EventDraft("client", words("lost"), "p1/c", 1, "lost")])
        await stored(*[words("new")] * 250, store=store, connection="p2/c")
        preview = await read_history(store, "s", 50, MOST, without="p2", never_arrived=[lost.id])
        assert preview.text == "\n".join([HEADER, line("a"), line("b")])
        assert (preview.events, preview.left_out) == (2, 0)

    run(work())


@pytest.mark.parametrize(("max_events", "max_chars"), [(50, 12_000), (50, MOST), (MOST, 12_000), (250, MOST)])
def test_never_the_whole_session_is_read(max_events: int, max_chars: int) -> None:
    async def work() -> None:
        store = await stored(*[words("x" * 100)] * 5_000)
        preview = await read_history(store, "s", max_events, max_chars)
        assert 0 < preview.events < 300
        assert store.read <= preview.events + 100
        assert preview.events + preview.left_out == 5_000

    run(work())


TEXTS = st.lists(
    st.one_of(st.text('aé😀\n"\\\ud800', max_size=8), st.integers(0, 3_000).map(lambda size: "x" * size)), max_size=30
)


@generated(400)
@given(TEXTS, st.integers(1, 40), st.integers(1, 6_000))
def test_any_history_keeps_both_limits(texts: list[str], max_events: int, max_chars: int) -> None:
    preview = history(texts, max_events, max_chars)
    assert len(preview.text) <= max_chars
    assert preview.events + preview.left_out == len(texts)
    assert preview.events <= max_events
    assert preview.too_large <= preview.left_out
    given_lines = [line(text) for text in texts]
    room = max_chars - ROOM
    newest = given_lines[-max_events:]
    small = [one for one in newest if len(one) + 1 <= room]
    if not preview.text:
        assert preview.events == 0
        assert not small or len(newest[-1]) + 1 > room, "what fits for itself is there"
        return
    head, *lines = preview.text.split("\n")
    assert head == HEADER
    envelopes = [one for one in lines if one != TRUNCATED]
    assert len(envelopes) == preview.events > 0
    assert envelopes == small[-len(envelopes) :], "whole, in order, and the newest"
    assert (TRUNCATED in lines) == (preview.left_out > 0)
    assert all(pair != (TRUNCATED, TRUNCATED) for pair in pairwise(lines))
    if len(envelopes) < len(small):
        used = sum(len(one) + 1 for one in (lines[1:] if lines[0] == TRUNCATED else lines))
        left = small[-len(envelopes) - 1]
        assert used + len(left) + 1 + len(TRUNCATED) + 1 > room, "nothing is left out that fits"


def test_the_preview_is_what_the_next_process_gets() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client(replay_max_events=5, replay_max_chars=2_000) as client:
            session = await client.create_session("mock")
            await session.prompt("one two three four five six seven")
            preview = await client.restore_preview(session.id)
            assert preview.events == 5
            assert len(preview.text) <= 2_000
            place.server.stop()
            place.server.start()
            await session.prompt("go on")
            assert place.agent.processes[1].heard[-1]["params"]["prompt"][0]["text"] == preview.text
            with pytest.raises(UnknownSessionError):
                await client.restore_preview("nobody")

    run(work())


@pytest.mark.parametrize("limits", [{"replay_max_events": 0}, {"replay_max_chars": 0}])
def test_a_limit_is_at_least_one(limits: dict[str, Any]) -> None:
    async def work() -> None:
        with pytest.raises(ValueError, match="at least 1"):
            await SandboxAgent.connect(base_url="http://memory", transport=Place().server.transport(), **limits)

    run(work())
