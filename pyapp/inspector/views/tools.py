"""Tool calls as cards: what was done, on what, how it ended, and the diff or the output of it."""

from __future__ import annotations

import re

import htpy as h

from ...transcript.content import Block, Text
from ...transcript.diff import Change, DiffLine, added_and_removed, diff_lines
from ...transcript.items import Terminal, ToolCall
from ..dates import plural, span
from .exact import exact
from .html import icon
from .said import block_node

SHORT = 14
"""Lines of an output or a diff that are shown at first."""

LONG = 120
"""Lines of a diff that are shown when it was opened."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f]")
"""What a terminal obeys and a reader cannot see (ECMA-48): colours, titles, bells. The event keeps it."""

MAX_PARTS = 6
"""Diffs and outputs of one call that are shown; its event holds all."""

_VERBS = {
    "read": ("Read", "read"),
    "edit": ("Edit", "edit"),
    "delete": ("Delete", "delete"),
    "move": ("Move", "edit"),
    "search": ("Search", "search"),
    "execute": ("Run", "run"),
    "think": ("Think", "think"),
    "fetch": ("Fetch", "web"),
    "switch_mode": ("Switch mode", "mode"),
}
_STATUS = {
    "pending": ("waiting", "run"),
    "in_progress": ("running", "run"),
    "completed": ("done", "ok"),
    "failed": ("failed", "bad"),
    "unknown": ("", ""),
}


def tool_card(call: ToolCall, since: int, key: str, expanded: frozenset[str], whole: str) -> h.Node:
    """The card. `whole` is the address of the event that holds all of a shortened output."""
    verb, symbol = _VERBS.get(call.kind, ("Tool", "tool"))
    changes = [part for part in call.content if isinstance(part, Change)]
    speaks = bool(changes) or call.kind == "execute" or call.status == "failed"
    opened = speaks != (key in expanded)
    body = _body(call, key, expanded, whole) if opened else []
    has_body = bool(call.content or call.raw_output or call.input)
    return h.div(".card")[
        h.div(".ch")[
            icon(symbol),
            h.b[verb],
            h.code(".subject")[exact(_subject(call, verb))],
            h.span(".grow"),
            (_counts(change) for change in changes[:1]),
            _took(call, since),
            _status(call),
            has_body
            and h.button(
                ".chev",
                type="button",
                data_click="expand",
                data_arg=key,
                aria_expanded=str(opened).lower(),
                aria_label=f"Details of {verb} {_subject(call, verb)}"[:120],
            )[icon("step")],
        ],
        body,
    ]


def _subject(call: ToolCall, verb: str) -> str:
    if call.kind in ("read", "edit", "delete", "move") and call.paths:
        return call.paths[0] + (f" and {len(call.paths) - 1} more" if len(call.paths) > 1 else "")
    if call.kind == "execute":
        return call.subject or call.title
    if call.subject and call.subject != call.title:
        return f"{call.title} {call.subject}".strip()
    return call.title or call.id


def _counts(change: Change) -> h.Node:
    added, removed = added_and_removed(change)
    return [added > 0 and h.span(".add")[f"+{added}"], removed > 0 and h.span(".del")[f"−{removed}"]]


def _took(call: ToolCall, since: int) -> h.Node:
    finished = call.status in ("completed", "failed") and call.until - since >= 50
    return finished and h.span(".d")[span(call.until - since)]


def _status(call: ToolCall) -> h.Node:
    words, tone = _STATUS[call.status]
    if call.exit_code and call.status in ("completed", "failed"):
        words, tone = f"exit {call.exit_code}", "bad"
    return bool(words) and h.span(f".st.{tone}")[words]


def _body(call: ToolCall, key: str, expanded: frozenset[str], whole: str) -> list[h.Node]:
    nodes: list[h.Node] = []
    for number, part in enumerate(call.content[:MAX_PARTS]):
        nodes.append(_part(part, f"{key}-{number}", expanded, whole))
    if len(call.content) > MAX_PARTS:
        more = plural(len(call.content) - MAX_PARTS, "more part")
        nodes.append(h.p(".aside")[f"{more}: ", h.a(href=whole)["the event holds all of them"]])
    has_text = any(isinstance(part, Text) and part.text for part in call.content)
    if call.raw_output and not has_text:
        nodes.append(_output(call.raw_output, f"{key}-out", expanded, whole))
    if not nodes and call.input:
        nodes.append(h.pre(".out")[exact(call.input)])
    return nodes


def _part(part: Block | Change | Terminal, key: str, expanded: frozenset[str], whole: str) -> h.Node:
    match part:
        case Change():
            return _diff(part, key, expanded, whole)
        case Terminal(id_):
            return h.p(".file")[icon("run"), "terminal", h.code[exact(id_)]]
        case Text():
            return _output(part, key, expanded, whole)
    return h.div(".part")[block_node(part)]


def _output(text: Text, key: str, expanded: frozenset[str], whole: str) -> h.Node:
    words = _CONTROL.sub("", text.text)
    lines = words.splitlines()
    long = len(lines) > SHORT + 3 or len(words) > 4000
    opened = key in expanded
    shown = words if opened or not long else "\n".join(lines[:SHORT])[:4000]
    return [
        h.pre(".out", tabindex="0")[exact(shown)],
        long and _more(key, opened, f"all {plural(len(lines), 'line')}"),
        text.omitted > 0
        and (opened or not long)
        and h.p(".aside")[
            f"{plural(text.omitted, 'more character')}: ", h.a(href=whole)["the event holds the whole output"]
        ],
    ]


def _diff(change: Change, key: str, expanded: frozenset[str], whole: str) -> h.Node:
    lines = diff_lines(change)
    opened = key in expanded
    limit = LONG if opened else SHORT
    return h.div(".diff", tabindex="0", role="group", aria_label=f"Changes in {change.path}"[:200])[
        h.p(".path")[exact(change.path), change.old is None and h.span(".dim")["new file"]],
        (_diff_line(line) for line in lines[:limit]),
        len(lines) > SHORT and _more(key, opened, f"all {plural(len(lines), 'line')} of the diff"),
        (change.cut or (opened and len(lines) > LONG))
        and h.p(".aside")["This change is long: ", h.a(href=whole)["the event holds all of it"]],
    ]


_SIGNS = {"add": "+", "del": "−", "same": " ", "gap": "⋯"}


def _diff_line(line: DiffLine) -> h.Node:
    numbers = f"{line.old_number or '':>5} {line.new_number or '':>5}"
    return h.div(f".dl.{line.kind}", data_numbers=numbers)[f"{_SIGNS[line.kind]} ", exact(line.text)]


def _more(key: str, opened: bool, what: str) -> h.Node:
    return h.button(".more", type="button", data_click="expand", data_arg=key, aria_expanded=str(opened).lower())[
        "Show less" if opened else f"Show {what}"
    ]
