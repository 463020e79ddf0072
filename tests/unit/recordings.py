"""The recorded sessions that the page's demo holds, and made-up events, for tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pyapp import SessionEvent, SessionRecord

DEMO = Path(__file__).parents[2] / "web" / "public" / "demo"


@cache
def recorded(name: str) -> tuple[tuple[SessionRecord, ...], dict[str, list[SessionEvent]]]:
    """The sessions of one demo recording, and their events by session id."""
    sessions: list[SessionRecord] = []
    events: dict[str, list[SessionEvent]] = {}
    for line in (DEMO / name).read_text().splitlines():
        row = json.loads(line)
        if row.pop("type") == "session":
            sessions.append(SessionRecord.from_row(row))
        else:
            event = SessionEvent.from_row(row)
            events.setdefault(event.session_id, []).append(event)
    return tuple(sessions), events


def recorded_sessions() -> dict[str, list[SessionEvent]]:
    """The events of every recorded session, by session id."""
    every: dict[str, list[SessionEvent]] = {}
    for path in sorted(DEMO.glob("*.jsonl")):
        every |= recorded(path.name)[1]
    return every


class Script:
    """Writes a session event by event, as an agent and a client would."""

    def __init__(self, session_id: str = "s", start: int = 1_700_000_000_000) -> None:
        self.session_id = session_id
        self.events: list[SessionEvent] = []
        self.now = start

    def add(self, sender: str, payload: dict[str, Any], after: int = 10, connection: str = "c1") -> SessionEvent:
        """One envelope, `after` milliseconds later."""
        self.now += after
        index = len(self.events) + 1
        event = SessionEvent.from_row(
            {
                "id": f"{self.session_id}-{index}",
                "eventIndex": index,
                "sessionId": self.session_id,
                "createdAt": self.now,
                "connectionId": connection,
                "sender": sender,
                "payload": {"jsonrpc": "2.0", **payload},
            }
        )
        self.events.append(event)
        return event

    def client(self, method: str, id_: Any = None, **params: Any) -> SessionEvent:
        """A request of the client, or a notification when it has no id."""
        payload: dict[str, Any] = {"method": method, "params": params}
        return self.add("client", payload if id_ is None else {"id": id_, **payload})

    def prompt(self, text: str, id_: Any = 1) -> SessionEvent:
        """A prompt of one text block."""
        return self.client("session/prompt", id_, prompt=[{"type": "text", "text": text}])

    def update(self, kind: str, /, **fields: Any) -> SessionEvent:
        """A session/update of the agent."""
        return self.add("agent", {"method": "session/update", "params": {"update": {"sessionUpdate": kind, **fields}}})

    def says(self, text: str, kind: str = "agent_message_chunk", /, **fields: Any) -> SessionEvent:
        """A part of a message."""
        return self.update(kind, content={"type": "text", "text": text}, **fields)

    def asks(self, id_: Any, call_id: str, *options: tuple[str, str, str]) -> SessionEvent:
        """A permission request; options are (id, name, kind)."""
        listed = [{"optionId": option, "name": name, "kind": kind} for option, name, kind in options]
        params = {"toolCall": {"toolCallId": call_id, "title": "rm -rf build"}, "options": listed}
        return self.add("agent", {"id": id_, "method": "session/request_permission", "params": params})

    def answers(self, sender: str, id_: Any, result: Any) -> SessionEvent:
        """A response."""
        return self.add(sender, {"id": id_, "result": result})
