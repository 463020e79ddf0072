"""What events become in the transcript, and that every way to a position shows the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp import SessionEvent
from pyapp.transcript.content import Media, Text
from pyapp.transcript.diff import Change, diff_lines, read_change
from pyapp.transcript.fold import Transcript
from pyapp.transcript.item import MAX_SAID
from pyapp.transcript.items import (
    Failure,
    ModeChange,
    Notice,
    Permission,
    Plan,
    Raw,
    Said,
    State,
    ToolCall,
    TurnEnd,
)
from tests.unit.recordings import Script, recorded, recorded_sessions

RECORDED = recorded_sessions()


def fold(events: Sequence[SessionEvent]) -> Transcript:
    transcript = Transcript()
    for event in events:
        transcript.append(event)
    return transcript


def states(script: Script) -> list[State]:
    return [state for _, state in fold(script.events).snapshot(len(script.events))]


@pytest.mark.parametrize("session_id", sorted(RECORDED))
def test_every_position_of_a_recording_equals_its_beginning_folded_alone(session_id: str) -> None:
    events = RECORDED[session_id]
    whole = fold(events)
    step = max(1, len(events) // 60)
    alone = Transcript()
    for position, event in enumerate(events, 1):
        alone.append(event)
        if position % step == 0 or position == len(events):
            assert whole.snapshot(position) == alone.snapshot(position)
            assert whole.heading_at(position) == alone.heading_at(position)
            assert whole.turn_at(position) == alone.turns


@given(st.data())
def test_every_position_of_any_shuffled_session_equals_its_beginning_folded_alone(data: st.DataObject) -> None:
    pool = recorded("mock-1-rich.jsonl")[1]["mock-rich"]
    events = data.draw(st.lists(st.sampled_from(pool), max_size=60))
    position = data.draw(st.integers(0, len(events)))
    assert fold(events).snapshot(position) == fold(events[:position]).snapshot(position)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "agent_message_chunk",
        "agent_thought_chunk",
        "user_message_chunk",
        "tool_call",
        "tool_call_update",
        "plan",
        "usage_update",
        "available_commands_update",
        "current_mode_update",
        "config_option_update",
        "session_info_update",
        "sparkle",
    ]
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "content",
            "toolCallId",
            "title",
            "kind",
            "status",
            "locations",
            "rawInput",
            "rawOutput",
            "entries",
            "currentModeId",
            "configOptions",
            "used",
            "size",
            "cost",
            "messageId",
        ]
    ),
    JSON,
)
UPDATES = st.builds(
    lambda kind, fields: {"method": "session/update", "params": {"update": {"sessionUpdate": kind, **fields}}},
    KINDS,
    FIELDS,
)
REQUESTS = st.builds(
    lambda method, params, id_: {"method": method, "params": params, "id": id_},
    st.sampled_from(
        [
            "session/prompt",
            "session/new",
            "session/set_mode",
            "session/request_permission",
            "terminal/create",
            "x",
        ]
    ),
    JSON,
    st.integers(0, 3) | JSON,
)
RESPONSES = st.builds(
    lambda key, value, id_: {key: value, "id": id_}, st.sampled_from(("result", "error")), JSON, st.integers(0, 3)
)


@given(st.lists(st.tuples(st.sampled_from(("client", "agent")), UPDATES | REQUESTS | RESPONSES | JSON), max_size=12))
def test_no_payload_breaks_the_fold(messages: list[tuple[str, Any]]) -> None:
    script = Script()
    for sender, payload in messages:
        script.add(sender, payload if isinstance(payload, dict) else {"odd": payload})
    transcript = fold(script.events)
    for position in range(len(script.events) + 1):
        transcript.snapshot(position)


def test_chunks_of_one_message_become_one_text() -> None:
    script = Script()
    for part in ("Hel", "lo, ", "world"):
        script.says(part, messageId="m1")
    script.says("Next", messageId="m2")
    assert states(script) == [
        Said("message", (Text("Hello, world"),), script.events[2].created_at),
        Said("message", (Text("Next"),), script.events[3].created_at),
    ]
    assert fold(script.events).snapshot(2)[0][1] == Said("message", (Text("Hello, "),), script.events[1].created_at)


def test_a_tool_call_parts_the_words_around_it() -> None:
    script = Script()
    script.says("Before", messageId="m")
    script.update("tool_call", toolCallId="t", title="Read", kind="read", status="pending")
    script.says("After", messageId="m")
    script.update("tool_call_update", toolCallId="t", status="completed")
    said, call, after = states(script)
    assert isinstance(said, Said)
    assert isinstance(after, Said)
    assert isinstance(call, ToolCall)
    assert (call.title, call.kind, call.status) == ("Read", "read", "completed")


def test_an_update_of_an_unknown_tool_call_is_shown() -> None:
    script = Script()
    script.update("tool_call_update", toolCallId="never-announced", title="Lost", status="failed")
    (call,) = states(script)
    assert isinstance(call, ToolCall)
    assert (call.title, call.status) == ("Lost", "failed")


def test_an_update_replaces_only_the_fields_that_it_names() -> None:
    script = Script()
    script.update("tool_call", toolCallId="t", title="Run", kind="execute", rawInput={"command": "ls"})
    script.update("tool_call_update", toolCallId="t", rawOutput={"exitCode": 2, "stdout": "a", "stderr": "b"})
    (call,) = states(script)
    assert isinstance(call, ToolCall)
    assert (call.title, call.subject, call.exit_code) == ("Run", "ls", 2)
    assert call.raw_output == Text("a\nb")


def test_a_long_output_is_cut_and_says_where_the_rest_is() -> None:
    script = Script()
    content = [{"type": "content", "content": {"type": "text", "text": "x" * 100_000}}]
    script.update("tool_call", toolCallId="t", content=content)
    (call,) = states(script)
    assert isinstance(call, ToolCall)
    (text,) = call.content
    assert isinstance(text, Text)
    assert len(text.text) + text.omitted == 100_000
    assert text.omitted > 0
    assert call.output_index == 1


def test_a_very_long_message_is_bounded_and_counts_what_is_missing() -> None:
    script = Script()
    for _ in range(5):
        script.says("y" * (MAX_SAID // 4))
    (said,) = states(script)
    assert isinstance(said, Said)
    assert said.omitted == MAX_SAID // 4
    assert sum(len(block.text) for block in said.blocks if isinstance(block, Text)) == MAX_SAID


OPTIONS = (("yes", "Allow once", "allow_once"), ("no", "Reject", "reject_once"))


def test_a_stored_answer_is_the_outcome_of_a_permission_request() -> None:
    script = Script()
    script.update("tool_call", toolCallId="t", title="rm", status="pending")
    script.asks(7, "t", *OPTIONS)
    assert [state.answer for state in states(script) if isinstance(state, Permission)] == [None]
    script.answers("client", 7, {"outcome": {"outcome": "selected", "optionId": "no"}})
    assert [state.answer for state in states(script) if isinstance(state, Permission)] == ["no"]


def test_a_cancelled_permission_request_says_so() -> None:
    script = Script()
    script.asks(7, "t", *OPTIONS)
    script.answers("client", 7, {"outcome": {"outcome": "cancelled"}})
    (question,) = states(script)
    assert isinstance(question, Permission)
    assert question.answer == "cancelled"


def test_without_a_stored_answer_the_tool_call_tells_the_outcome() -> None:
    script = Script()
    script.update("tool_call", toolCallId="t", title="rm", status="pending")
    script.asks(7, "t", *OPTIONS)
    script.update("tool_call_update", toolCallId="t", status="failed")
    assert [(state.answer, state.then) for state in states(script) if isinstance(state, Permission)] == [
        (None, "failed")
    ]


def test_both_sides_may_use_the_same_request_id() -> None:
    script = Script()
    script.prompt("go", id_=1)
    script.asks(1, "t", *OPTIONS)
    script.answers("client", 1, {"outcome": {"outcome": "selected", "optionId": "yes"}})
    script.answers("agent", 1, {"stopReason": "end_turn"})
    prompt, question, end = states(script)
    assert isinstance(prompt, Said)
    assert isinstance(question, Permission)
    assert question.answer == "yes"
    assert isinstance(end, TurnEnd)
    assert end.stop_reason == "end_turn"


def test_the_ids_of_a_new_connection_are_its_own() -> None:
    script = Script()
    script.prompt("lost", id_=1)
    script.add("client", {"id": 1, "method": "session/new", "params": {}}, connection="c2")
    script.add("agent", {"id": 1, "result": {"sessionId": "x"}}, connection="c2")
    script.add("agent", {"id": 1, "result": {"stopReason": "cancelled"}})
    assert [type(state) for state in states(script)] == [Said, Notice, TurnEnd]


def test_a_failed_prompt_is_an_error() -> None:
    script = Script()
    script.prompt("go")
    script.add("agent", {"id": 1, "error": {"code": -32603, "message": "overloaded", "data": {"retry": False}}})
    failure = states(script)[1]
    assert failure == Failure("The prompt failed", "overloaded", -32603, '{\n  "retry": false\n}')


def test_the_agents_death_is_an_error() -> None:
    script = Script()
    script.add("agent", {"method": "_adapter/agent_exited", "params": {"code": 137}})
    assert states(script) == [Failure("Agent exited", "The agent's process ended with code 137", None, "")]


def test_a_plan_is_one_item_of_its_turn_that_changes() -> None:
    script = Script()
    script.prompt("go")
    for status in ("pending", "completed"):
        script.update("plan", entries=[{"content": "Read", "priority": "high", "status": status}])
    plans = [state for state in states(script) if isinstance(state, Plan)]
    assert [[entry.status for entry in plan.entries] for plan in plans] == [["completed"]]


def test_mode_changes_are_told_with_their_names_whichever_way_they_come() -> None:
    script = Script()
    script.client("session/new", 1, cwd="/w")
    option = {"id": "m", "category": "model", "name": "Model", "options": [{"value": "b", "name": "Big"}]}
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "do", "name": "Do"}]}
    script.answers("agent", 1, {"modes": modes, "configOptions": [{**option, "currentValue": "a"}]})
    script.update("current_mode_update", currentModeId="do")
    script.update("config_option_update", configOptions=[{**option, "currentValue": "b"}])
    script.client("session/set_mode", 2, modeId="ask")
    script.answers("agent", 2, {})
    assert [state for state in states(script) if isinstance(state, ModeChange)] == [
        ModeChange("Mode", "Do", "Ask"),
        ModeChange("Model", "Big", "a"),
        ModeChange("Mode", "Ask", "Do"),
    ]
    assert fold(script.events).heading_at(3).mode == "Do"


def test_what_is_not_known_is_shown_raw() -> None:
    script = Script()
    script.update("sparkle_update", level=11)
    script.add("agent", {"method": "_x/notice", "params": {}})
    script.add("agent", {"id": 99, "result": {}})
    assert [type(state) for state in states(script)] == [Raw, Raw, Raw]
    assert [state.label for state in states(script) if isinstance(state, Raw)] == [
        "sparkle_update",
        "_x/notice",
        "response to an unknown request",
    ]


def test_replayed_history_is_not_shown_as_the_users_words() -> None:
    script = Script()
    history = "Previous session history is replayed below as JSON-RPC envelopes. Use it\n{}"
    blocks = [{"type": "text", "text": history}, {"type": "text", "text": "Go on"}]
    script.client("session/prompt", 1, prompt=blocks)
    assert states(script) == [Said("prompt", (Text("Go on"),), script.events[0].created_at, replayed=len(history))]


def test_an_echoed_prompt_is_shown_once() -> None:
    script = Script()
    script.prompt("Do it")
    script.says("Do it", "user_message_chunk")
    assert len(states(script)) == 1


def test_images_keep_their_data_only_when_small() -> None:
    script = Script()
    for length in (100, 1_000_000):
        block = {"type": "image", "mimeType": "image/png", "data": "A" * length}
        script.update("agent_message_chunk", content=block)
    (said,) = states(script)
    assert isinstance(said, Said)
    assert [bool(block.data) for block in said.blocks if isinstance(block, Media)] == [True, False]


def test_a_diff_shows_the_change_with_its_line_numbers() -> None:
    old = "".join(f"line {number}\n" for number in range(1, 101))
    new = old.replace("line 50\n", "changed\nadded\n")
    change = read_change("a.txt", old, new)
    assert [(line.kind, line.text, line.old_number, line.new_number) for line in diff_lines(change)] == [
        ("same", "line 47", 47, 47),
        ("same", "line 48", 48, 48),
        ("same", "line 49", 49, 49),
        ("del", "line 50", 50, None),
        ("add", "changed", None, 50),
        ("add", "added", None, 51),
        ("same", "line 51", 51, 52),
        ("same", "line 52", 52, 53),
        ("same", "line 53", 53, 54),
    ]


@given(st.text("ab\n", max_size=60), st.text("ab\n", max_size=60))
def test_the_lines_of_a_diff_make_both_texts(old: str, new: str) -> None:
    change = read_change("f", old, new)
    lines = diff_lines(change)
    olds, news = old.splitlines(), new.splitlines()
    for line in lines:
        if line.old_number is not None:
            assert olds[line.old_number - 1] == line.text
        if line.new_number is not None:
            assert news[line.new_number - 1] == line.text
    removed = [line.text for line in lines if line.kind == "del"]
    added = [line.text for line in lines if line.kind == "add"]
    assert len(news) - len(olds) == len(added) - len(removed)
    assert bool(lines) == (olds != news)


def test_an_edit_that_is_only_announced_shows_what_it_would_change() -> None:
    script = Script()
    announced = {"filePath": "/w/a.py", "oldString": "a = 1", "newString": "a = 2"}
    script.update("tool_call", toolCallId="t", kind="edit", rawInput=announced)
    (call,) = states(script)
    assert isinstance(call, ToolCall)
    assert call.content == (Change("/w/a.py", ("a = 1",), ("a = 2",), 1),)


def test_heading_follows_title_usage_and_connections() -> None:
    script = Script()
    script.update("session_info_update", title="A title")
    script.update("usage_update", used=5, size=10, cost={"amount": 0.5, "currency": "USD"})
    script.add("client", {"id": 1, "method": "session/new", "params": {}}, connection="c2")
    heading = fold(script.events).heading_at(3)
    assert (heading.title, heading.used_tokens, heading.context_tokens) == ("A title", 5, 10)
    assert (heading.cost, heading.connections) == ("0.5000 USD", 2)
    assert fold(script.events).heading_at(1).cost == ""


def test_nothing_of_a_recording_is_dropped_without_a_trace() -> None:
    """Each event of the rich recording makes or changes an item, but for those that are state, or an answer."""
    events = RECORDED["mock-rich"]
    transcript = fold(events)
    silent = [
        json.dumps(events[position - 1].payload)
        for position in range(1, len(events) + 1)
        if transcript.snapshot(position) == transcript.snapshot(position - 1)
        and transcript.heading_at(position) == transcript.heading_at(position - 1)
    ]
    expected = ("available_commands_update", "user_message_chunk", "session/set_mode", '"result": {}', "usage_update")
    assert [text for text in silent if not any(word in text for word in expected)] == []
