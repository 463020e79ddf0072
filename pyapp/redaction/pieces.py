"""The pieces of messages. An agent's message comes in pieces, so a secret may be split over several events.

The pieces of one turn are searched together, whatever lies between them, and events are held back until that is done:
what ends a message for one reader (a request, a tool call) does not for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import json_text
from ..types import Row


@dataclass(slots=True)
class Held:
    """An event that waits for the rest of a message.

    `stream` says what kind of message it is a piece of, `message` counts the messages that the transcript shows.
    """

    row: Row
    stream: str | None
    message: int
    said: int
    json: str


CHUNK = ("payload", "params", "update", "content", "text")
_CHUNKS = ("agent_message_chunk", "agent_thought_chunk", "user_message_chunk")


def _update_of(event: Row) -> Mapping[str, Any]:
    match event:
        case {"payload": {"params": {"update": dict(update)}}}:
            return update
    return {}


def stream_of(event: Row) -> str | None:
    """Which message an event is a piece of, None if of none."""
    match _update_of(event):
        case {"sessionUpdate": str(kind), "content": {"text": str()}} if kind in _CHUNKS:
            return kind
    return None


def begins_turn(event: Row) -> bool:
    """Whether no message goes on behind this event."""
    match event:
        case {"sender": "client", "payload": {"method": "session/prompt"}}:
            return True
    return False


def ends_messages(event: Row) -> bool:
    """Whether a reader sees another message behind this event: a request, a response, a tool call."""
    payload = event.get("payload")
    return isinstance(payload, dict) and ("id" in payload or _update_of(event).get("sessionUpdate") == "tool_call")


def said_in(event: Row) -> str:
    said: str = event["payload"]["params"]["update"]["content"]["text"]
    return said


def ways_to_read(held: Sequence[Held], stream: str) -> list[list[int]]:
    """Which pieces of one kind are read together (places in `held`): all; those of one id; of one shown message."""
    ways: dict[Any, list[int]] = {}
    for place, one in enumerate(held):
        if one.stream == stream:
            params = one.row["payload"]["params"]
            of = json_text.dump([params.get("sessionId"), params["update"].get("messageId")])
            for way in ("kind", None), ("id", of), ("message", one.message):
                ways.setdefault(way, []).append(place)
    distinct = {tuple(places): places for places in ways.values()}
    return list(distinct.values())


_LINE, _WORD, _MESSAGE, _NOWHERE = range(4)
"""Where messages can be parted, the best first."""


def cut(held: Sequence[Held]) -> int:
    """How many held events can go, so that no secret is parted: up to the end of a line, a word or a message.

    It is looked for in the second half, so that time grows with the events alone. If there is none, all of them go.
    """
    worst = [_LINE] * len(held)
    for stream in {one.stream for one in held if one.stream}:
        worst = list(map(max, worst, _edges(held, stream)))
    count = min(range(len(held) - 1, len(held) // 2, -1), key=worst.__getitem__, default=0)
    return count if count and worst[count] < _NOWHERE else len(held)


def _edges(held: Sequence[Held], stream: str) -> list[int]:
    """How well the pieces of one kind can be parted before each of the held events."""
    said = [said_in(one.row) if one.stream == stream else "" for one in held]
    text = "".join(said)
    keys = [(mark.end(), mark[0].endswith("BEGIN")) for mark in _KEY_ENDS.finditer(text)]
    edges, offset, message, in_key, mark = [], 0, -1, False, 0
    for one, piece in zip(held, said, strict=True):
        while mark < len(keys) and keys[mark][0] <= offset:
            in_key = keys[mark][1]
            mark += 1
        beside = text[max(offset - 1, 0) : offset + 1]
        if in_key:
            edges.append(_NOWHERE)
        elif not offset or "\n" in beside:
            edges.append(_LINE)
        elif " " in beside or "\t" in beside:
            edges.append(_WORD)
        else:
            edges.append(_MESSAGE if one.message > message else _NOWHERE)
        offset += len(piece)
        message = one.message if piece else message
    return edges


_KEY_ENDS = re.compile("-----(?:BEGIN|END)")
