"""One event in one line: its kind, its method and the words that tell it from its neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ..types import SessionEvent
from .content import prompt_text
from .hostile import as_list, as_number, as_object, as_text, is_seen

Kind = Literal["client", "agent", "tool", "permission", "error"]
"""Whose hue an event has. Every kind has a word too: colour never stands alone."""

_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class EventLine:
    """What the list of events shows. `mark` says that it is worth jumping to."""

    kind: Kind
    method: str
    excerpt: str
    mark: bool = False


def describe(event: SessionEvent) -> EventLine:
    """The line for an event, whatever its payload holds."""
    payload = event.payload
    method = as_text(payload.get("method"), 60)
    params = as_object(payload.get("params"))
    by: Kind = "client" if event.sender == "client" else "agent"
    if method == "session/update":
        return _describe_update(as_object(params.get("update")))
    match method:
        case "session/prompt":
            return EventLine("client", method, _short(prompt_text(params)), mark=True)
        case "session/request_permission":
            title = as_text(as_object(params.get("toolCall")).get("title"), _EXCERPT)
            options = len(as_list(params.get("options")))
            return EventLine("permission", method, title or f"{options} options", mark=True)
        case "_adapter/agent_exited":
            return EventLine("error", method, f"code {params.get('code')}"[:_EXCERPT], mark=True)
        case "session/cancel":
            return EventLine("client", method, "", mark=True)
        case "":
            return _describe_response(payload, by)
    excerpt = (as_text(params.get(name), _EXCERPT) for name in ("path", "command", "modeId", "value", "cwd"))
    return EventLine(by, method, next(filter(None, excerpt), ""))


def title_of(first: Iterable[SessionEvent]) -> str:
    """The first prompt among the first events of a session, on one line of at most 160 characters; "" for none.

    A prompt of which nothing would be seen gives way to the next one.
    """
    prompts = (
        prompt_text(event.payload.get("params"))
        for event in first
        if event.sender == "client" and event.payload.get("method") == "session/prompt"
    )
    return " ".join(next(filter(is_seen, prompts), "").split())[:160]


def _describe_response(payload: dict[str, Any], by: Kind) -> EventLine:
    if "error" in payload:
        return EventLine("error", "(error)", _short(as_object(payload["error"]).get("message")), mark=True)
    result = as_object(payload.get("result"))
    outcome = as_object(result.get("outcome"))
    if outcome:
        chosen = as_text(outcome.get("optionId"), _EXCERPT) or as_text(outcome.get("outcome"), _EXCERPT)
        return EventLine("permission", "(response)", chosen)
    return EventLine(by, "(response)", as_text(result.get("stopReason"), _EXCERPT))


def _describe_update(update: dict[str, Any]) -> EventLine:
    name = as_text(update.get("sessionUpdate"), 60) or "session/update"
    match name:
        case "agent_message_chunk" | "agent_thought_chunk" | "user_message_chunk":
            content = as_object(update.get("content"))
            words = content.get("text") if "text" in content else as_text(content.get("type"))
            return EventLine("client" if name.startswith("user") else "agent", name, _short(words))
        case "tool_call":
            title = _short(update.get("title")) or as_text(update.get("toolCallId"), _EXCERPT)
            return EventLine("tool", name, title, mark=True)
        case "tool_call_update":
            status = as_text(update.get("status"), 40)
            words = " · ".join(filter(None, (status, _short(update.get("title")))))
            failed = status == "failed"
            return EventLine("error" if failed else "tool", name, words[:_EXCERPT], mark=failed)
        case "plan":
            return EventLine("agent", name, f"{len(as_list(update.get('entries')))} entries")
        case "usage_update":
            used = as_number(update.get("used"))
            return EventLine("agent", name, "" if used is None else f"{used:,.0f} tokens")
        case "current_mode_update":
            return EventLine("agent", name, as_text(update.get("currentModeId"), _EXCERPT))
        case "available_commands_update":
            return EventLine("agent", name, f"{len(as_list(update.get('availableCommands')))} commands")
        case "session_info_update":
            return EventLine("agent", name, _short(update.get("title")))
    return EventLine("agent", name, "")


def _short(value: Any) -> str:
    """The beginning of a text on one line."""
    return " ".join(as_text(value, 4 * _EXCERPT).split())[:_EXCERPT]
