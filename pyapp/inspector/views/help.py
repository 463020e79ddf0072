"""What one can ask the page about itself: its keys, and how it was started."""

from __future__ import annotations

from collections.abc import Iterator

import htpy as h

from ..model import Start
from .html import html

_KEYS = (
    ("Space", "play, or pause"),
    ("← →", "one event back, or on"),
    ("Shift ← →", "the previous or next mark: a prompt, a tool call, a question, an error"),
    ("Home End", "the start, or the end"),
    ("j k", "the next or previous session"),
    ("l", "to where you left off"),
    ("/", "filter the sessions"),
    ("?", "this help"),
    ("Esc", "close what lies over the page"),
)


def help_panel(start: Start | None) -> str:
    """The panel, as HTML; `start` is None until the page has told of it."""
    return html(
        h.div("#help-panel.help", role="dialog", aria_label="Keys", tabindex="0")[
            h.h2["Keys"],
            h.dl[([h.dt[h.kbd[keys]], h.dd[what]] for keys, what in _KEYS)],
            start is not None and [h.h2["Start"], h.p[_way(start)], h.dl(".steps")[_steps(start)]],
            h.button(type="button", data_click="help")["Close"],
        ]
    )


def _way(start: Start) -> str:
    if start.way == "snapshot":
        return "Python was started from its snapshot."
    return f"Python was started plainly, without its snapshot: {start.why}."


def _steps(start: Start) -> Iterator[h.Renderable]:
    for step, took in (*start.steps, ("In all", start.took)):
        yield h.dt[step]
        yield h.dd[f"{took / 1000:.2f} s"]
