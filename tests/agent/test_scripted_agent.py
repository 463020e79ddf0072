"""The scripted agent keeps to ACP: what the tests of clients rely on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("scripted_agent.py")


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
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        deadline = threading.Timer(30, process.kill)  # an agent that owes an answer fails the test, as one that ended
        deadline.start()
        yield Client(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0
        deadline.cancel()


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
    assert said == "Turn 1 in mode code. I was given 2 lines of context. You said: Hello permissions"


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
