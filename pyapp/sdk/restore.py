"""The history that an agent is given when a session has to begin anew: the newest of it, within two limits.

The words and the lines are upstream's; upstream keeps the oldest of the last events and cuts the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import json_text
from ..acp.messages import PROMPT
from ..drivers.base import Key, SessionStore
from ..names import process_of
from ..types import SessionEvent

HEADER = (
    "Previous session history is replayed below as JSON-RPC envelopes. "
    "Use it as context before responding to the latest user prompt."
)
TRUNCATED = "[history truncated]"
"""Stands where something was left out: at the beginning when older events are missing, in the place of one that is too
large for itself."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class RestorePreview:
    """What would be put before the next prompt if the session had to begin anew."""

    text: str
    """The whole text, "" when there is no history."""
    events: int
    """How many events are in it."""
    left_out: int
    """How many events of the session are not."""
    too_large: int
    """How many of these are among the newest, but too large for the limit."""


async def read_history(
    store: SessionStore,
    session_id: str,
    max_events: int,
    max_chars: int,
    without: str | None = None,
    never_arrived: Sequence[str] = (),
) -> RestorePreview:
    """The newest events within both limits, read from the end of the store; without those of the process `without`,
    and without the events `never_arrived`.

    `max_chars` counts the characters of the whole text. Envelopes are whole or not there at all: one that is larger
    than the room for all of them is passed over, and the first that does not fit beside the newer ones ends it. Raises
    StoreError.
    """
    room = max_chars - len(HEADER) - 1 - len(TRUNCATED) - 1
    lines: list[str] = []
    seen = skipped = size = too_large = marked = 0
    is_full = False
    before: Key | None = None
    while not is_full and seen < max_events:
        page = await store.last_events(session_id, PAGE, before=before)
        for event in reversed(page):
            if event.id in never_arrived or (without and process_of(event.connection_id) == without):
                skipped += 1
                continue
            if seen == max_events:
                break
            seen += 1
            line = _line(event)
            if len(line) + 1 > room:
                too_large += 1
                line = TRUNCATED
                if lines and lines[-1] is TRUNCATED:
                    marked += 1
                    continue
            if size + len(line) + 1 > room:
                is_full = True
                break
            size += len(line) + 1
            marked += line is TRUNCATED
            lines.append(line)
        if len(page) < PAGE:
            break
        before = page[0].event_index, page[0].id
    sent = sum(line is not TRUNCATED for line in lines)
    left_out = await store.count_events(session_id) - skipped - sent
    if not sent:
        return RestorePreview("", 0, left_out, too_large)
    if left_out > marked and lines[-1] is not TRUNCATED:
        lines.append(TRUNCATED)
    return RestorePreview("\n".join([HEADER, *reversed(lines)]), sent, left_out, too_large)


def is_history(block: Any) -> bool:
    """Whether a content block of a prompt is such a history, ours or upstream's."""
    return isinstance(block, dict) and str(block.get("text", "")).startswith(HEADER)


def _line(event: SessionEvent) -> str:
    """One envelope. A history that was sent with a prompt is not repeated in the next one."""
    payload = event.payload
    params = payload.get("params")
    if payload.get("method") == PROMPT and isinstance(params, dict) and isinstance(params.get("prompt"), list):
        blocks = [block for block in params["prompt"] if not is_history(block)]
        payload = {**payload, "params": {**params, "prompt": blocks}}
    return json_text.dump({"createdAt": event.created_at, "sender": event.sender, "payload": payload})
