"""Tool calls: one update laid over the state before it (https://agentclientprotocol.com/protocol/tool-calls)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .content import Block, Text, bounded, read_block
from .diff import Change, read_change
from .hostile import MAX_TITLE, as_json, as_list, as_number, as_object, as_text
from .items import Terminal, ToolCall, ToolStatus

MAX_PARTS = 50
"""Content blocks, and locations, that are kept of one tool call."""

_STATUSES: dict[Any, ToolStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "failed": "failed",
}
_SUBJECTS = ("command", "filePath", "file_path", "path", "pattern", "query", "url", "description")
"""Fields of a raw input that say in short what a tool works on, the best first."""


def new_call(call_id: str, created_at: int) -> ToolCall:
    """A call of which nothing is known yet."""
    return ToolCall(call_id, "", "", "unknown", (), (), "", "", None, None, 0, created_at)


def apply_update(call: ToolCall, update: dict[str, Any], event_index: int, created_at: int) -> ToolCall:
    """The call after a `tool_call` or `tool_call_update`: what the update names is replaced, the rest stays."""
    changes: dict[str, Any] = {"until": created_at}
    if title := as_text(update.get("title")):
        changes["title"] = title
    if kind := as_text(update.get("kind"), 40):
        changes["kind"] = kind
    if "status" in update:
        changes["status"] = _STATUSES.get(as_text(update["status"]), "unknown")
    if isinstance(update.get("locations"), list):
        paths = [as_text(as_object(place).get("path"), 1000) for place in update["locations"][:MAX_PARTS]]
        changes["paths"] = tuple(path for path in paths if path)
    if "rawInput" in update:
        changes |= _read_input(update["rawInput"])
    if isinstance(update.get("content"), list):
        changes["content"] = tuple(_read_content(part) for part in update["content"][:MAX_PARTS])
        changes["output_index"] = event_index
    elif "content" not in changes and not call.content and (proposed := _proposed_edit(update)):
        changes["content"] = (proposed,)
    if "rawOutput" in update:
        output = update["rawOutput"]
        changes["raw_output"] = _output_text(output)
        changes["exit_code"] = _exit_code(output)
        changes["output_index"] = event_index
    return replace(call, **changes)


def _read_content(value: Any) -> Block | Change | Terminal:
    part = as_object(value)
    match part.get("type"):
        case "content":
            return read_block(part.get("content"))
        case "diff" if isinstance(part.get("newText"), str):
            old = part.get("oldText")
            path = as_text(part.get("path"), 1000)
            return read_change(path, old if isinstance(old, str) else None, part["newText"])
        case "terminal":
            return Terminal(as_text(part.get("terminalId")))
    return read_block(value)


def _read_input(value: Any) -> dict[str, Any]:
    fields = as_object(value)
    subject = next((text for name in _SUBJECTS if (text := as_text(fields.get(name)))), "")
    shown = "" if value in ({}, None) else as_json(value, 4000)
    changes: dict[str, Any] = {"input": shown}
    if subject:
        changes["subject"] = subject
    return changes


def _proposed_edit(update: dict[str, Any]) -> Change | None:
    """The change that an edit's input announces, before the agent sends a diff of it."""
    fields = as_object(update.get("rawInput"))
    old = fields.get("oldString", fields.get("old_string"))
    new = fields.get("newString", fields.get("new_string"))
    if not isinstance(old, str) or not isinstance(new, str):
        return None
    path = as_text(fields.get("filePath", fields.get("file_path", fields.get("path"))), 1000)
    return read_change(path, old, new)


def _output_text(value: Any) -> Text | None:
    if value is None or value == {}:
        return None
    if isinstance(value, str):
        return bounded(value)
    fields = as_object(value)
    texts = [fields[name] for name in ("stdout", "stderr", "output", "error") if _filled(fields.get(name))]
    return bounded("\n".join(texts)) if texts else bounded(as_json(value))


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _exit_code(value: Any) -> int | None:
    fields = as_object(value)
    for holder in (fields, as_object(fields.get("metadata"))):
        for name in ("exitCode", "exit_code", "exit"):
            code = as_number(holder.get(name))
            if code is not None:
                return int(code)
    return None


def permission_title(tool_call: dict[str, Any], known: ToolCall | None) -> tuple[str, str]:
    """What a permission request is about, and on what: from the request, else from the call it belongs to."""
    title = as_text(tool_call.get("title")) or (known.title if known else "")
    subject = _read_input(tool_call.get("rawInput")).get("subject", "")
    if not subject:
        places = [as_text(as_object(place).get("path")) for place in as_list(tool_call.get("locations"))]
        subject = next(filter(None, places), known.subject if known else "")
    return title[:MAX_TITLE], "" if subject == title else subject
