"""The list of events, of which only the visible rows are in the page, and the chosen event's JSON."""

from __future__ import annotations

import re
from functools import lru_cache

import htpy as h
from markupsafe import Markup, escape

from ..dates import size
from ..model import EventDetail, EventRow, OpenSession
from ..playback import EVENT_HEIGHT
from .exact import exact_json
from .html import Keyed, html, straight

OVERSCAN = 6
"""Rows that are in the page above and below the visible ones."""

MAX_COLOURED = 110
"""Lines of JSON that are coloured; the rest is plain, which costs no elements."""

MAX_JSON = 60_000
"""Characters of JSON that are shown; "Copy" gives all of it."""


def events(session: OpenSession) -> Keyed:
    """The visible rows, each at its place in a list as high as all of them."""
    first = max(0, session.events_view.top // EVENT_HEIGHT - OVERSCAN)
    last = min(
        session.total,
        (session.events_view.top + session.events_view.height) // EVENT_HEIGHT + 1 + OVERSCAN,
    )
    children = []
    for ordinal in range(first, last):
        place = 1 if ordinal >= session.playhead else 0 if ordinal < session.playhead - 1 else 2
        row = session.rows.get(ordinal)
        rendered = _row(row, session.first_created_at, place, session.total) if row else _unread(ordinal, session.total)
        children.append((f"event-{ordinal}", rendered))
    return Keyed(tuple(children))


_PLACES = ("", "later", "now")


@lru_cache(maxsize=2048)
def _row(row: EventRow, origin: int, place: int, total: int) -> str:
    return html(
        h.li(
            f"#event-{row.ordinal}",
            class_=f"ev {_PLACES[place]}",
            data_top=str(row.ordinal * EVENT_HEIGHT),
            aria_posinset=str(row.ordinal + 1),
            aria_setsize=str(total),
            aria_current="true" if place == 2 else None,
        )[
            h.button(
                type="button",
                data_click="choose",
                data_passes="Space",
                data_arg=str(row.ordinal + 1),
                tabindex=_focus(place),
            )[
                h.i(class_=f"k {row.kind}", title=row.kind),
                h.span(".ix")[str(row.event_index)],
                h.span(".mt")[straight(row.method)],
                h.span(".ex")[straight(row.excerpt)],
                h.span(".at")[f"{(row.created_at - origin) / 1000:+.3f}"],
            ]
        ]
    )


def _focus(place: int) -> str:
    """One stop for the Tab key in the whole list: the chosen row; the arrow keys go on from there."""
    return "0" if place == 2 else "-1"


def _unread(ordinal: int, total: int) -> str:
    return html(
        h.li(
            f"#event-{ordinal}.ev.unread",
            data_top=str(ordinal * EVENT_HEIGHT),
            aria_posinset=str(ordinal + 1),
            aria_setsize=str(total),
        )["…"]
    )


def events_head(session: OpenSession) -> str:
    """The title of the list, and how far the reading came."""
    reading = not session.complete
    return html(
        h.h2["Events ", h.span(".n")[f"{session.total:,}"]],
        reading
        and h.span(".reading")[
            h.progress(value=str(session.folded), max=str(max(1, session.total)), aria_label="Reading events"),
            f"{session.folded * 100 // max(1, session.total)} % read",
        ],
    )


def detail(chosen: EventDetail | None, link: str) -> str:
    """The JSON of the event at the playhead."""
    if chosen is None:
        return html(h.p(".aside")["No event has been played yet."])
    row = chosen.row
    direction = "agent → client" if chosen.sender == "agent" else "client → agent"
    return html(
        h.div(".jh")[
            h.h2[f"Event {row.event_index}"],
            h.span(".dim")[f"{row.method} · {direction} · {size(chosen.size)}"],
            h.span(".grow"),
            h.button(".quiet", type="button", data_click="copy")["Copy"],
            h.a(".quiet", href=link)["Link"],
        ],
        h.pre("#json", tabindex="0", aria_label="JSON of the event", role="group")[coloured(chosen.json)],
    )


_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?')


@lru_cache(maxsize=16)
def coloured(text: str) -> Markup:
    """JSON with its names and strings told apart, not a character of it lost, and none of it hidden."""
    shown = exact_json(text[:MAX_JSON])
    lines = shown.split("\n", MAX_COLOURED)
    head, rest = "\n".join(lines[:MAX_COLOURED]), "\n".join(lines[MAX_COLOURED:])
    parts: list[str] = []
    at = 0
    for match in _TOKEN.finditer(head):
        parts.append(str(escape(head[at : match.start()])))
        tag = "em" if match.group(2) else "q"
        parts.append(f"<{tag}>{escape(match.group(1))}</{tag}>{match.group(2) or ''}")
        at = match.end()
    parts.append(str(escape(head[at:])))
    if rest:
        parts.append("\n" + str(escape(rest)))
    if len(text) > MAX_JSON:
        parts.append(f"\n… {len(text) - MAX_JSON:,} more characters. Copy takes all of it.")
    return Markup("".join(parts))
