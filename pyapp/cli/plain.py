"""A transcript as plain text, for a terminal: what the inspector shows, without its buttons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..transcript.content import Block, Link, Media, Resource, Text
from ..transcript.diff import Change, diff_lines
from ..transcript.fold import UNKNOWN_REQUEST, Transcript
from ..transcript.items import (
    Failure,
    ModeChange,
    Notice,
    Permission,
    Plan,
    Raw,
    Said,
    State,
    Terminal,
    ToolCall,
    TurnEnd,
)
from .terminal import local_time, safe

_WHO = {"prompt": "User", "message": "Agent", "thought": "Agent thinks"}
_SIGNS = {"same": " ", "add": "+", "del": "-", "gap": "@"}
_DONE = {"completed": "x", "in_progress": "~"}


def transcript_lines(transcript: Transcript, start: int = 0) -> Iterator[str]:
    """The lines of a transcript, of what began or changed from the event `start` on: the date wherever it is another
    one, and an empty line before each item."""
    day = ""
    for item in transcript.items_at(transcript.count):
        if item.ordinal < start and item.version_at(start) == item.version_at(transcript.count):
            continue
        before, (day, time) = day, local_time(item.created_at).split(" ", 1)
        if day != before:
            yield from ([""] if before else []) + [day]
        yield ""
        head, *body = _item(item.at(transcript.count))
        yield f"[{time}] {safe(head)}"
        for text in body:
            for line in text.split("\n"):
                yield f"    {safe(line)}".rstrip()


def _item(state: State) -> list[str]:
    """What stands beside the time, and the texts below it, of any number of lines each."""
    match state:
        case Said():
            cut = [f"… ({state.omitted:,} characters more)"] if state.omitted else []
            return [_WHO[state.kind], *_blocks(state.blocks), *cut]
        case ToolCall():
            return _tool_call(state)
        case Plan():
            entries = [f"[{_DONE.get(entry.status, ' ')}] {_flat(entry.text)}" for entry in state.entries]
            return ["Plan" if entries else "Plan cleared", *entries]
        case Permission():
            answer = next((option.name for option in state.options if option.id == state.answer), state.answer)
            options = ", ".join(option.name for option in state.options)
            words = f"Answer: {answer}" if answer else f"No answer is stored; offered: {options}"
            return [f"Permission request: {_flat(state.title)}", *filter(None, [state.subject]), words]
        case ModeChange():
            return [f"{state.label}: {state.value}"]
        case Failure():
            code = "" if state.code is None else f" (code {state.code})"
            return [f"{state.title}{code}", *filter(None, [state.message, state.details])]
        case TurnEnd():
            tokens = "" if state.tokens is None else f", {state.tokens:,} tokens"
            return [f"End of turn: {state.stop_reason}{tokens}"]
        case Notice():
            return [" ".join(filter(None, [state.label, state.detail, state.outcome]))]
        case Raw(label=label) if label == UNKNOWN_REQUEST:
            return ["Response to a request that is not among these events", state.json]
        case Raw():
            return [state.label, state.json]


def _tool_call(call: ToolCall) -> list[str]:
    code = "" if call.exit_code is None else f", exit code {call.exit_code}"
    head = f"Tool: {_flat(call.title)} ({call.status}{code})"
    parts: list[str] = []
    for part in call.content:
        match part:
            case Change():
                parts += _change(part)
            case Terminal():
                parts.append(f"terminal {part.id}")
            case _:
                parts += _blocks([part])
    if not parts and call.raw_output is not None:
        parts = list(_blocks([call.raw_output]))
    return [head, *([call.input] if call.input else []), *parts]


def _change(change: Change) -> list[str]:
    lines = [f"{_SIGNS[line.kind]} {line.text}".rstrip() for line in diff_lines(change)]
    return [change.path, *lines, *(["… (cut)"] if change.cut else [])]


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text():
                yield block.text + (f"… ({block.omitted:,} characters more)" if block.omitted else "")
            case Media():
                yield f"({block.kind}, {block.mime_type}, {block.characters:,} characters of base64)"
            case Link():
                yield " ".join(filter(None, [block.name, f"<{block.uri}>"]))
            case Resource():
                yield f"<{block.uri}>"
                if block.text is not None:
                    yield block.text.text
            case _:
                yield block.json


def _flat(text: str) -> str:
    return " ".join(text.split())
