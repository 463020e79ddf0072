"""The scripted agent keeps to ACP: what the tests of clients rely on."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from examples.agent import scripted_agent


class Client:
    """The other end of the agent's stdin and stdout."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, **message: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """The agent's next message."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the agent ended"
        message: dict[str, Any] = json.loads(line)
        assert message.pop("jsonrpc") == "2.0"
        return message

    def until(self, key: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """What it updates before the first message that has this key, and that message."""
        updates = []
        while key not in (message := self.read()):
            updates.append(message["params"]["update"])
        return updates, message

    def new_session(self) -> str:
        self.send(id=1, method="session/new", params={"cwd": "/", "mcpServers": []})
        session_id: str = self.read()["result"]["sessionId"]
        return session_id

    def prompt(self, session_id: str, *texts: str) -> None:
        blocks = [{"type": "text", "text": text} for text in texts]
        self.send(id=2, method="session/prompt", params={"sessionId": session_id, "prompt": blocks})


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of an agent that ends when its input ends."""
    with started() as process:
        deadline = threading.Timer(30, process.kill)  # an agent that owes an answer fails the test, as one that ended
        deadline.start()
        yield Client(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0
        deadline.cancel()


def started() -> subprocess.Popen[str]:
    """The agent as a process of its own."""
    command = [sys.executable, scripted_agent.__file__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kinds(updates: list[dict[str, Any]]) -> list[str]:
    return [f"{one['sessionUpdate']} {one.get('status', '')}".strip() for one in updates]


RUN = ["tool_call pending", "tool_call_update in_progress", "tool_call_update completed"]


def test_a_turn_streams_words_and_a_tool_call(client: Client) -> None:
    client.send(id=0, method="initialize", params={"protocolVersion": 1})
    assert client.read()["result"]["protocolVersion"] == 1
    client.prompt(client.new_session(), "a line\nand another", "Hello permissions")
    updates, answer = client.until("id")
    assert answer == {"id": 2, "result": {"stopReason": "end_turn"}}
    assert kinds(updates) == ["agent_message_chunk"] * 3 + RUN
    said = "".join(one["content"]["text"] for one in updates[:3])
    assert said.startswith("Turn 1 in mode code. I was given 2 lines of context. I am no model")
    assert said.endswith("You said: Hello permissions")


@pytest.mark.parametrize(
    ("outcome", "rest", "reason"),
    [
        ({"outcome": "selected", "optionId": "once"}, RUN[1:], "end_turn"),
        ({"outcome": "selected", "optionId": "reject"}, ["tool_call_update failed"], "end_turn"),
        ({"outcome": "cancelled"}, ["tool_call_update failed"], "cancelled"),
    ],
)
def test_it_asks_and_does_as_it_is_told(client: Client, outcome: Any, rest: list[str], reason: str) -> None:
    client.prompt(client.new_session(), "with permission")
    updates, request = client.until("id")
    assert kinds(updates)[-1] == RUN[0]
    assert request["method"] == "session/request_permission"
    assert request["params"]["toolCall"]["toolCallId"] == updates[-1]["toolCallId"]
    client.send(id=request["id"], result={"outcome": outcome})
    updates, answer = client.until("id")
    assert kinds(updates) == rest
    assert answer == {"id": 2, "result": {"stopReason": reason}}


def test_a_turn_that_waits_is_cancelled(client: Client) -> None:
    session_id = client.new_session()
    client.prompt(session_id, "wait")
    assert kinds([client.read()["params"]["update"] for _ in range(2)]) == ["agent_message_chunk"] * 2
    client.send(method="session/cancel", params={"sessionId": session_id})
    assert client.read() == {"id": 2, "result": {"stopReason": "cancelled"}}


def test_errors_are_answers(client: Client) -> None:
    client.prompt(client.new_session(), "fail")
    _, answer = client.until("id")
    assert (answer["id"], answer["error"]["code"]) == (2, -32603)
    client.send(id="x", method="session/load")
    assert client.read()["error"]["code"] == -32601
    client.send(id=3, method="session/set_mode", params={"sessionId": "nobody", "modeId": "plan"})
    assert client.read()["error"] == {"code": -32602, "message": "there is no session nobody"}


def words(updates: list[dict[str, Any]], kind: str = "agent_message_chunk") -> list[str]:
    return [one["content"]["text"] for one in updates if one["sessionUpdate"] == kind]


def test_who_does_not_know_its_words_is_told_them(client: Client) -> None:
    client.prompt(client.new_session(), "Good morning")
    updates, _ = client.until("id")
    told = "".join(words(updates))
    assert [word for word in scripted_agent.WORDS if f"`{word}" not in told] == []


def test_it_streams_as_many_words_as_wanted(client: Client) -> None:
    session_id = client.new_session()
    client.prompt(session_id, "stream 3 at 1000, then stream 2")
    updates, answer = client.until("id")
    assert answer["result"] == {"stopReason": "end_turn"}
    assert kinds(updates) == ["agent_message_chunk"] * 7
    assert words(updates)[2:] == ["0 ", "1 ", "2 ", "0 ", "1 "]


def test_it_keeps_up_a_thousand_words_a_second(client: Client) -> None:
    session_id = client.new_session()
    began = time.monotonic()
    client.prompt(session_id, "stream 2000 at 1000")
    updates, _ = client.until("id")
    took = time.monotonic() - began
    assert words(updates)[2:] == [f"{number} " for number in range(2000)]
    assert 1.9 < took < 6, "a busy machine may take longer, but not several times as long"


def test_it_shows_what_agents_show_in_the_order_of_the_words(client: Client) -> None:
    client.prompt(client.new_session(), "think, plan, edit, use a tool and write markdown")
    updates, answer = client.until("id")
    shown = [*itertools.groupby(one["sessionUpdate"] for one in updates)]
    assert [kind for kind, _ in shown] == [
        "agent_message_chunk",
        "agent_thought_chunk",
        "plan",
        *["tool_call", "tool_call_update"] * 2,
        "agent_message_chunk",
    ]
    assert "".join(words(updates)[2:]) == scripted_agent.MARKDOWN
    plans = [[entry["status"] for entry in one["entries"]] for one in updates if one["sessionUpdate"] == "plan"]
    assert plans[0] == ["in_progress", "pending", "pending"]
    assert plans[-1] == ["completed"] * 3
    calls = [one["toolCallId"] for one in updates if one["sessionUpdate"] == "tool_call"]
    assert len({*calls}) == 2
    [diff] = next(one["content"] for one in updates if one.get("content") and one.get("status") == "completed")
    assert diff["type"] == "diff"
    assert diff["oldText"] != diff["newText"]
    assert answer["result"] == {"stopReason": "end_turn"}


def test_it_repeats_its_context(client: Client) -> None:
    session_id = client.new_session()
    client.prompt(session_id, "first\nlines, with fail and crash", "context")
    updates, _ = client.until("id")
    assert words(updates)[-1] == "first\nlines, with fail and crash"
    client.prompt(session_id, "context")
    updates, _ = client.until("id")
    assert words(updates)[-1] == "I was given no context."


def test_options_can_be_set(client: Client) -> None:
    client.send(id=1, method="session/new", params={})
    result = client.read()["result"]
    assert [one["currentValue"] for one in result["configOptions"]] == ["scripted-large", "low"]
    assert [one["category"] for one in result["configOptions"]] == ["model", "thought_level"]
    session_id = result["sessionId"]
    change = {"sessionId": session_id, "configId": "thought_level", "value": "high"}
    client.prompt(session_id, "think")
    few = words(client.until("id")[0], "agent_thought_chunk")
    client.send(id=3, method="session/set_config_option", params=change)
    options = client.read()["result"]["configOptions"]
    assert [one["currentValue"] for one in options] == ["scripted-large", "high"]
    client.prompt(session_id, "think")
    assert len(words(client.until("id")[0], "agent_thought_chunk")) > len(few) > 0
    for wrong in ({"configId": "colour"}, {"value": "medium"}):
        client.send(id=4, method="session/set_config_option", params={**change, **wrong})
        assert client.read()["error"]["code"] == -32602


@pytest.mark.parametrize("prompt", ["stream 100000 at 10", "sleep 100", "wait", "think permission"])
def test_any_turn_can_be_cancelled(client: Client, prompt: str) -> None:
    session_id = client.new_session()
    client.prompt(session_id, prompt)
    while f"You said: {prompt}" not in json.dumps(client.read()):
        pass
    if "permission" in prompt:
        _, request = client.until("id")
    client.send(method="session/cancel", params={"sessionId": session_id})
    updates, answer = client.until("id")
    assert answer == {"id": 2, "result": {"stopReason": "cancelled"}}
    if "permission" in prompt:
        assert kinds(updates) == ["tool_call_update failed"]
        client.send(id=request["id"], result={"outcome": {"outcome": "cancelled"}})
    client.prompt(session_id, "context")
    assert client.until("id")[1]["result"] == {"stopReason": "end_turn"}


def test_a_crash_leaves_a_tool_call_without_an_end() -> None:
    with started() as process:
        client = Client(process)
        client.prompt(client.new_session(), "crash")
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 7
    assert json.loads(said.splitlines()[-1])["params"]["update"]["status"] == "in_progress"


def test_it_ends_in_the_middle_of_a_turn_when_nobody_listens() -> None:
    with started() as process:
        client = Client(process)
        client.prompt(client.new_session(), "stream 100000 at 1000")
        client.read()
        assert process.stdout
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stdin
        process.stdin.close()
