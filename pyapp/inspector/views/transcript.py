"""The transcript at the playhead: items from the newest backwards, as many as the page can hold.

What each item looks like depends on its state alone, so it is rendered once for each state.
"""

from __future__ import annotations

from functools import lru_cache

import htpy as h

from ...transcript.fold import Transcript
from ...transcript.item import Item
from ...transcript.items import (
    Failure,
    ModeChange,
    Notice,
    Permission,
    Plan,
    Raw,
    Said,
    State,
    ToolCall,
    TurnEnd,
)
from ..dates import Zone, date_time, elapsed, plural, span
from ..live.update import live_session
from ..model import Model, OpenSession
from .exact import exact
from .html import Keyed, elements_in, html, icon
from .live import permission_buttons
from .said import said
from .tools import tool_card

MAX_ITEMS = 120
"""Items that are in the page at once."""

MAX_ELEMENTS = 900
"""Elements that the transcript may make: a window of it, with buttons to go on."""


def transcript(model: Model, session: OpenSession) -> Keyed:
    """The items to show, oldest first, and what stands around them."""
    fold = session.covered(session.playhead)
    if fold is None:
        reading = h.p("#log-reading.aside")["Reading this part of the session…"]
        return Keyed((("log-reading", html(reading)),)) if session.playhead else Keyed((_nothing(session),))
    count = fold.count_at(session.playhead)
    end = count if session.window_end is None else max(1, min(session.window_end, count))
    if not count:
        return Keyed((_nothing(session),))
    link = model.route.to(session.record.id).hash()
    live = live_session(model)
    asked = live.asked if live and session.playhead == session.total else frozenset()
    children: list[tuple[str, str]] = []
    elements = 0
    first = end
    for item in reversed(fold.items_at(session.playhead, max(0, end - MAX_ITEMS), end)):
        rendered, cost = _item(
            item,
            item.version_at(session.playhead),
            session.first_created_at,
            model.zone,
            session.expanded,
            link,
            session.record.id,
            asked,
        )
        if children and elements + cost > MAX_ELEMENTS:
            break
        current = item.version_at(session.playhead) != item.version_at(session.playhead - 1)
        children.append((f"item-{item.ordinal}", _with_mark(rendered) if current else rendered))
        elements += cost
        first -= 1
    children.reverse()
    if first > 0 or fold.first_ordinal > 0:
        children.insert(0, _earlier(session, fold, first, end))
    if end < count:
        children.append(_later(count, end, first))
    return Keyed(tuple(children))


def _with_mark(rendered: str) -> str:
    """The item that the event at the playhead made or changed."""
    return rendered.replace('class="turn ', 'class="turn now ', 1)


def _nothing(session: OpenSession) -> tuple[str, str]:
    if session.total == 0:
        words = "This session has no events yet."
    elif session.playhead == 0:
        words = "Before the first event. Play, or move the slider."
    else:
        words = f"Nothing to show yet: {plural(session.playhead, 'event')} so far."
    return "log-start", html(h.p("#log-start.aside")[words])


def _earlier(session: OpenSession, fold: Transcript, first: int, end: int) -> tuple[str, str]:
    if first == 0:
        text = f"Earlier events are being read: {session.folded:,} of {session.total:,}"
        return "log-earlier", html(h.p("#log-earlier.aside")[text])
    middle = first + max(1, (end - first) // 2)
    button = h.button("#log-earlier.more", type="button", data_click="window", data_see="window", data_arg=str(middle))[
        f"{first:,} earlier"
    ]
    return "log-earlier", html(button)


def _later(count: int, end: int, first: int) -> tuple[str, str]:
    middle = end + max(1, (end - first) // 2)
    arg = "" if middle >= count else str(middle)
    button = h.button("#log-later.more", type="button", data_click="window", data_see="window", data_arg=arg)[
        f"{count - end:,} later, up to the playhead"
    ]
    return "log-later", html(button)


def _item(
    item: Item,
    version: int,
    origin: int,
    zone: Zone,
    expanded: frozenset[str],
    link: str,
    session_id: str,
    asked: frozenset[str],
) -> tuple[str, int]:
    key = f"item-{item.ordinal}"
    own = frozenset(name for name in expanded if name == key or name.startswith(f"{key}-"))
    state = item.state(version) if asked else None
    waits = isinstance(state, Permission) and state.answer is None and state.request in asked
    return _render(item, version, origin, zone, own, link, session_id if waits else "")


@lru_cache(maxsize=1024)
def _render(
    item: Item, version: int, origin: int, zone: Zone, expanded: frozenset[str], link: str, asked_in: str
) -> tuple[str, int]:
    """An item in one of its states, and how many elements it makes; items are compared by identity. `asked_in`: the
    live session whose agent waits for the answer to this question, "" for none."""
    state = item.state(version)
    key = f"item-{item.ordinal}"
    rendered = html(
        h.article(f"#{key}", class_=f"turn {_class(state)}")[
            h.time(title=date_time(item.created_at, zone))[elapsed(item.created_at - origin)],
            h.div(".what")[_node(item, state, key, expanded, link, asked_in)],
        ]
    )
    return rendered, elements_in(rendered)


def _class(state: State) -> str:
    match state:
        case Said(kind):
            return kind
        case ToolCall():
            return "tool"
        case Permission():
            return "ask"
        case Failure():
            return "error"
        case Plan():
            return "plan"
        case Raw():
            return "raw"
    return "note"


def _node(item: Item, state: State, key: str, expanded: frozenset[str], link: str, asked_in: str) -> h.Node:
    since = item.created_at
    match state:
        case Said():
            return said(state, since, key, key in expanded)
        case ToolCall():
            mark = "&" if "?" in link else "?"
            return tool_card(state, since, key, expanded, f"{link}{mark}event={state.output_index}")
        case Permission():
            return _permission(state, asked_in)
        case Plan(entries):
            return h.div(".card")[
                h.div(".ch")[icon("plan"), h.b["Plan"], h.span(".grow"), h.span(".d")[_progress(state)]],
                bool(entries)
                and h.ul(".entries")[
                    (
                        h.li(class_=f"entry {_plan_class(entry.status)}")[
                            h.span(".sign", aria_label=entry.status.replace("_", " "), role="img")[
                                _PLAN_SIGNS.get(entry.status, "·")
                            ],
                            entry.text,
                            entry.priority == "high" and h.span(".dim")[" high"],
                        ]
                        for entry in entries
                    )
                ],
            ]
        case Failure(title, message, code, details):
            return h.div(".card")[
                h.div(".ch")[
                    icon("error"),
                    h.b[title],
                    h.span(".grow"),
                    code is not None and h.span(".st.bad")[f"code {code}"],
                ],
                h.p(".out")[exact(message)],
                bool(details) and h.pre(".out")[exact(details)],
            ]
        case ModeChange(label, value, before):
            return h.p[icon("mode"), h.b[label], " ", value, before is not None and h.span(".dim")[f" was {before}"]]
        case TurnEnd():
            return _turn_end(item, state)
        case Notice(label, detail, outcome):
            return h.p[label, bool(detail) and [" ", h.code[exact(detail)]], bool(outcome) and f" · {outcome}"]
        case Raw(label, json):
            opened = key in expanded
            return [
                h.button(
                    ".fold",
                    type="button",
                    data_click="expand",
                    data_arg=key,
                    aria_expanded=str(opened).lower(),
                )[icon("step"), h.code[exact(label)]],
                opened and h.pre(".out")[exact(json)],
            ]


_PLAN_SIGNS = {"completed": "✓", "in_progress": "›", "pending": "·"}


def _plan_class(status: str) -> str:
    return status if status in _PLAN_SIGNS else "pending"


def _progress(plan: Plan) -> str:
    if not plan.entries:
        return "cleared"
    done = sum(entry.status == "completed" for entry in plan.entries)
    return f"{done} of {len(plan.entries)} done"


_THEN = {
    "completed": "the tool call then completed",
    "in_progress": "the tool call then ran",
    "failed": "the tool call then failed",
}
_ANSWERS = {
    "allow_once": ("allowed once", "ok"),
    "allow_always": ("allowed always", "ok"),
    "reject_once": ("rejected", "bad"),
    "reject_always": ("rejected always", "bad"),
}


def _permission(state: Permission, asked_in: str) -> h.Node:
    outcome, tone = _outcome(state)
    return h.div(".card", role="group", aria_label="Permission request")[
        h.div(".ch")[
            icon("key"),
            h.b["Permission"],
            h.code(".subject")[exact(state.title)],
            h.span(".grow"),
            h.span(f".st.{tone}")[outcome],
        ],
        bool(state.subject) and h.p(".out")[h.code[exact(state.subject)]],
        permission_buttons(asked_in, state.request, [(option.id, option.name, option.kind) for option in state.options])
        if asked_in
        else h.ul(".options")[
            (
                h.li(class_="option chosen" if option.id == state.answer else "option")[
                    option.id == state.answer and icon("check"), exact(option.name or option.id)
                ]
                for option in state.options
            )
        ],
    ]


def _outcome(state: Permission) -> tuple[str, str]:
    """What became of the question; where no answer was stored, what the tool call did is told instead."""
    if state.answer == "cancelled":
        return "cancelled", "bad"
    if state.answer is not None:
        kind = next((option.kind for option in state.options if option.id == state.answer), "")
        return _ANSWERS.get(kind, (f"answered {state.answer}", "ok"))
    if state.then in _THEN:
        return f"answer not recorded · {_THEN[state.then]}", "dim"
    return "waiting for an answer", "run"


_REASONS = {
    "cancelled": "Turn cancelled",
    "refusal": "The agent refused",
    "max_tokens": "Stopped: the limit of tokens was reached",
    "max_turn_requests": "Stopped: the limit of requests in one turn was reached",
}


def _turn_end(item: Item, state: TurnEnd) -> h.Node:
    words = _REASONS.get(state.stop_reason)
    took = span(item.created_at - state.started)
    tokens = "" if not state.tokens else f" · {state.tokens:,} tokens"
    if words is None:
        ended = "Turn ended" if state.stop_reason == "end_turn" else f"Turn ended: {state.stop_reason}"
        return h.p(".end")[f"{ended} · {took}{tokens}"]
    return h.p(".end.st.bad")[icon("error"), f"{words} · {took}{tokens}"]
