"""Made-up recordings of any length, the same at every call.

A session is a row of turns of 200 events, each built alike from other words: so the event at place p of a short
session has its like at every place p + 200·k of a long one, and what differs between the two is the length alone.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Payload = dict[str, Any]

TURN = 200
"""Events of one turn."""

STEPS = 6
"""Tool calls of one turn; two of them ask for permission first."""

START = 1_700_000_000_000

_TEXT = (
    "the store keeps every item under its number and add puts more of it there while remove takes some away "
    "which the report then prints line by line after a check that none of the sums went below zero because the "
    "tests said so in an earlier run of this very module where nobody had looked at what happens with two callers"
)
_WORDS = _TEXT.split()

_OPTIONS = [
    {"optionId": "once", "name": "Allow once", "kind": "allow_once"},
    {"optionId": "always", "name": "Always allow", "kind": "allow_always"},
    {"optionId": "reject", "name": "Reject", "kind": "reject_once"},
]


def write_recording(path: Path, session_id: str, events: int) -> None:
    """A recording of one session, in JSON lines."""
    with path.open("w") as file:
        for line in lines(session_id, events):
            file.write(line)


def lines(session_id: str, events: int) -> Iterator[str]:
    """The lines of a recording: the session, then its events."""
    yield _line(session_row(session_id))
    yield from (_line({"type": "event", **row}) for row in event_rows(session_id, events))


def session_row(session_id: str, created_at: int = START) -> dict[str, Any]:
    """A session's line."""
    return {
        "type": "session",
        "id": session_id,
        "agent": "mock",
        "agentSessionId": f"agent-{session_id}",
        "lastConnectionId": "connection-1",
        "createdAt": created_at,
        "sessionInit": {"cwd": "/workspace/demo", "mcpServers": []},
    }


def event_rows(session_id: str, events: int) -> Iterator[dict[str, Any]]:
    """The first `events` rows of a session that goes on and on."""
    chance = random.Random(session_id)
    now = START
    index = 0
    turn = 0
    while True:
        turn += 1
        for sender, payload, after in _Turn(session_id, turn, chance).events():
            if index == events:
                return
            index += 1
            now += after
            yield {
                "id": str(uuid.UUID(int=chance.getrandbits(128))),
                "eventIndex": index,
                "sessionId": session_id,
                "createdAt": now,
                "connectionId": "connection-1",
                "sender": sender,
                "payload": {"jsonrpc": "2.0", **payload},
            }


def large_event_rows(session_id: str, events: int, size: int) -> Iterator[dict[str, Any]]:
    """Events of `size` bytes each: a tool call's output, as agents that print whole files leave it."""
    for row in event_rows(session_id, events):
        if row["sender"] == "agent" and row["payload"].get("method") == "session/update":
            text = _lines_of_code(random.Random(row["eventIndex"]), size)[:size]
            row["payload"]["params"]["update"] = {
                "sessionUpdate": "tool_call_update",
                "toolCallId": f"large-{row['eventIndex'] // 4}",
                "status": "completed",
                "content": [{"type": "content", "content": {"type": "text", "text": text}}],
            }
        yield row


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Rows that have a `type` already, as JSON lines."""
    with path.open("w") as file:
        for row in rows:
            file.write(_line(row))


Entry = tuple[str, Payload, int]
"""Sender, payload, milliseconds after the one before."""


class _Turn:
    """One turn: a prompt, a plan, six tool calls with what the agent thinks and says before them, an answer."""

    def __init__(self, session_id: str, number: int, chance: random.Random) -> None:
        self._session_id = session_id
        self._number = number
        self._chance = chance

    def events(self) -> Iterator[Entry]:
        entries = list(self._work())
        closing = list(self._closing())
        yield from entries
        yield from self._chunks("agent_message_chunk", "answer", TURN - len(entries) - len(closing))
        yield from closing

    def _work(self) -> Iterator[Entry]:
        prompt = [{"type": "text", "text": f"Task {self._number}: {self._words(24)}."}]
        yield "client", self._request(self._number, "session/prompt", prompt=prompt), 4000
        yield self._plan(0)
        for step in range(STEPS):
            yield from self._chunks("agent_thought_chunk", f"thought-{step}", 4)
            yield from self._chunks("agent_message_chunk", f"message-{step}", 14)
            yield from self._tool_call(step)

    def _closing(self) -> Iterator[Entry]:
        yield self._plan(STEPS)
        cost = {"amount": round(self._number * 0.0083, 6), "currency": "USD"}
        yield self._update("usage_update", 5, used=self._number * 13 % 128_000, size=128_000, cost=cost)
        yield "agent", {"id": self._number, "result": {"stopReason": "end_turn"}}, 20

    def _tool_call(self, step: int) -> Iterator[Entry]:
        call_id = f"call-{self._number}-{step}"
        edits = step % 3 == 2
        path = f"/workspace/demo/inventory/{self._chance.choice(_WORDS)}.py"
        command = f"grep -rn {self._words(2)!r} {path}"
        title, kind = (path, "edit") if edits else (command, "execute")
        raw_input = {"filePath": path} if edits else {"command": command, "description": self._words(4)}
        about = {"toolCallId": call_id, "title": title, "kind": kind}
        yield self._update("tool_call", 60, **about, status="pending", rawInput={}, locations=[])
        if edits:
            request_id = f"{self._number}-{step}"
            tool_call = {**about, "status": "pending", "rawInput": raw_input}
            params = {"sessionId": self._session_id, "toolCall": tool_call, "options": _OPTIONS}
            yield "agent", {"id": request_id, "method": "session/request_permission", "params": params}, 10
            outcome = {"outcome": "selected", "optionId": "once"}
            yield "client", {"id": request_id, "result": {"outcome": outcome}}, 2500
        locations = [{"path": path, "line": step + 1}]
        begun = {"status": "in_progress", "rawInput": raw_input, "locations": locations}
        yield self._update("tool_call_update", 15, toolCallId=call_id, **begun)
        old = _lines_of_code(self._chance, 900)
        content: dict[str, Any]
        if edits:
            content = {"type": "diff", "path": path, "oldText": old, "newText": self._edited(old)}
        else:
            content = {"type": "content", "content": {"type": "text", "text": old}}
        done = {"content": [content], "rawOutput": {"output": "(done)", "metadata": {"exit": 0}}}
        yield self._update("tool_call_update", 300, toolCallId=call_id, status="completed", **done)

    def _edited(self, text: str) -> str:
        rows = text.split("\n")
        for _ in range(4):
            rows[self._chance.randrange(len(rows))] = f"    return {self._words(3)!r}"
        return "\n".join(rows)

    def _plan(self, done: int) -> Entry:
        states = ["completed"] * done + ["in_progress"] + ["pending"] * STEPS
        entries = [
            {"content": f"Step {step + 1}: {self._words(6)}", "priority": "medium", "status": states[step]}
            for step in range(STEPS)
        ]
        return self._update("plan", 30, entries=entries)

    def _chunks(self, kind: str, message: str, count: int) -> Iterator[Entry]:
        """A text in Markdown that comes a few words at a time."""
        for number in range(count):
            text = f"{self._words(self._chance.randint(1, 4))} "
            if number % 12 == 5:
                text = f"**{text.strip()}** "
            elif number % 12 == 8:
                text = f"`{text.strip()}`.\n\n"
            elif number % 12 == 9:
                text = f"- {text}"
            content = {"type": "text", "text": text}
            yield self._update(
                kind, self._chance.randint(8, 60), content=content, messageId=f"{message}-{self._number}"
            )

    def _update(self, kind: str, after: int, /, **fields: Any) -> Entry:
        params = {"sessionId": self._session_id, "update": {"sessionUpdate": kind, **fields}}
        return "agent", {"method": "session/update", "params": params}, after

    def _request(self, id_: int, method: str, /, **params: Any) -> Payload:
        return {"id": id_, "method": method, "params": {"sessionId": self._session_id, **params}}

    def _words(self, count: int) -> str:
        return " ".join(self._chance.choice(_WORDS) for _ in range(count))


def _lines_of_code(chance: random.Random, size: int) -> str:
    rows: list[str] = []
    length = 0
    while length < size:
        rows.append(
            f"    {chance.choice(_WORDS)} = self.{chance.choice(_WORDS)}({chance.randrange(1000)})  # {len(rows)}"
        )
        length += len(rows[-1]) + 1
    return "\n".join(rows)


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
