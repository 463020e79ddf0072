"""The deck: the strip that shows the whole session at once, the slider, and the buttons of replay."""

from __future__ import annotations

from functools import lru_cache

import htpy as h
from markupsafe import Markup

from ...transcript.timeline import Timeline
from ..dates import elapsed, plural
from ..model import SPEEDS, OpenSession
from .html import html, icon

BARS = 240
"""Bars of the strip."""

MAX_MARKS = 240
"""Marks of the strip: one for each place on it at most."""


def strip(session: OpenSession) -> str:
    """How fast events came, from left to right, and a tick where something worth a look happened."""
    return _strip(session.log.timeline, session.folded, session.total)


@lru_cache(maxsize=4)
def _strip(timeline: Timeline, folded: int, total: int) -> str:
    """Drawn again only when more was read, never for a move of the playhead."""
    bars = "".join(
        f"M{bar * 1000 / BARS:.1f} 28h{1000 / BARS - 1:.1f}v-{max(0.6, pace * 26):.1f}h-{1000 / BARS - 1:.1f}z"
        for bar, pace in enumerate(timeline.pace(total, BARS))
    )
    return html(
        Markup(
            '<svg viewBox="0 0 1000 34" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="bars" d="{bars}"/>{"".join(_ticks(timeline, folded, total))}</svg>'
        )
    )


def _ticks(timeline: Timeline, folded: int, total: int) -> list[str]:
    """A tick for each place and kind; errors are drawn last, so that none is hidden."""
    places: dict[int, tuple[int, str]] = {}
    order = {"agent": 0, "tool": 1, "client": 2, "permission": 3, "error": 4}
    for mark in timeline.marks:
        if mark.ordinal >= folded:
            break
        place = mark.ordinal * MAX_MARKS // max(1, total)
        rank = order[mark.kind]
        if rank >= places.get(place, (-1, ""))[0]:
            places[place] = rank, mark.kind
    by_kind: dict[str, list[int]] = {}
    for place, (_, kind) in places.items():
        by_kind.setdefault(kind, []).append(place)
    return [
        f'<path class="m {kind}" d="'
        + "".join(f"M{place * 1000 / MAX_MARKS:.1f} 30.5h3v3h-3z" for place in found)
        + '"/>'
        for kind, found in by_kind.items()
    ]


def past(session: OpenSession, left: int | None = None) -> str:
    """The part of the strip that was played, as one rectangle to lay over it, and a line where reading had ended."""
    x = 1000 * session.playhead / max(1, session.total)
    mark = ""
    if left is not None and left < session.total:
        line = f'd="M{min(998.5, 1000 * left / session.total):.2f} 0v34"'
        mark = f'<path class="left edge" {line}/><path class="left" {line}/>'
    return html(
        Markup(
            '<svg viewBox="0 0 1000 34" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="future" x="{x:.2f}" y="0" width="{1000 - x:.2f}" height="30"/>'
            f'<rect class="head" x="{max(0.0, min(998.5, x - 0.75)):.2f}" y="0" width="1.5" height="34"/>{mark}</svg>'
        )
    )


def slider(session: OpenSession) -> str:
    """The slider: from 0 to the number of events, its value the number of events played."""
    text = f"{session.playhead:,} of {plural(session.total, 'event')} played"
    return html(
        h.input(
            "#position",
            type="range",
            min="0",
            max=str(session.total),
            value=str(session.playhead),
            step="1",
            data_input="seek",
            aria_label="Playback position",
            aria_valuemin="0",
            aria_valuemax=str(session.total),
            aria_valuenow=str(session.playhead),
            aria_valuetext=text,
        )
    )


def controls(session: OpenSession) -> str:
    """Play, step, speed, and where we are."""
    playing = session.playing is not None
    return html(
        _button("mark", "-1", "Previous mark", "prev"),
        _button("step", "-1", "Step back", "back"),
        h.button("#play.play", type="button", data_click="play", aria_label="Pause" if playing else "Play")[
            icon("pause" if playing else "play")
        ],
        _button("step", "1", "Step", "step"),
        _button("mark", "1", "Next mark", "next"),
        h.select("#speed", aria_label="Speed", data_change="speed")[
            (h.option(value=f"{speed:g}", selected=speed == session.speed)[f"{speed:g}×"] for speed in SPEEDS)
        ],
        h.label(".chk")[
            h.input("#shorten", type="checkbox", data_change="shorten", checked=session.shorten),
            "shorten pauses",
        ],
        h.span(".grow"),
        _positions(session),
        h.button(".quiet.sheet-button", type="button", data_click="sheet", data_arg="events")["Events"],
        h.button(".quiet.keys", type="button", data_click="help", aria_label="Keys")[h.kbd["?"]],
    )


def _positions(session: OpenSession) -> h.Node:
    fold = session.covered(session.playhead)
    whole = session.last_created_at - session.first_created_at
    return [
        h.span(".pos.clock")[h.b[elapsed(_time_played(session), tenths=True)], f" / {elapsed(whole, tenths=True)}"],
        h.span(".pos.event")["event ", h.b[f"{session.playhead:,}"], f" / {session.total:,}"],
        fold is session.log.transcript
        and h.span(".pos")["turn ", h.b[str(fold.turn_at(session.playhead))], f" / {fold.turns}"],
    ]


def _time_played(session: OpenSession) -> float:
    if session.playhead <= session.folded:
        return session.log.timeline.elapsed(session.playhead)
    row = session.rows.get(session.playhead - 1)
    return row.created_at - session.first_created_at if row else 0.0


def _button(action: str, arg: str, label: str, symbol: str) -> h.Node:
    return h.button(type="button", data_click=action, data_arg=arg, aria_label=label, title=label)[icon(symbol)]
