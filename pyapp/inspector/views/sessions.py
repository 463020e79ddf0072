"""The session list: of any length, with the visible rows alone in the page."""

from __future__ import annotations

from functools import lru_cache

import htpy as h

from ...drivers.base import SessionHead
from ...transcript.hostile import is_seen
from ..dates import Zone, clock_time, span
from ..listing import ListRow
from ..model import Model, Summary
from ..notes.update import unread
from .html import Keyed, html, straight
from .notes import nothing_found, tags

MOST_TOLD = 100
"""Characters of an agent's name in a row, which shows fewer."""


def sessions(model: Model) -> Keyed:
    """The visible rows, newest first."""
    listing = model.shown
    if listing is None:
        return Keyed()
    if not listing.sessions and model.notes.query:
        return Keyed((("nothing-found", nothing_found()),))
    current = model.route.session_id
    total = len(listing.sessions)
    children = []
    for row in listing.visible(model.list_view.top, model.list_view.height):
        if row.head is None:
            children.append((f"day-{row.top}", _heading(row)))
        else:
            note = model.notes.of(row.head.id)
            children.append(
                (
                    f"session-{row.number}",
                    _session(
                        row.head,
                        row.number,
                        row.top,
                        total,
                        model.summaries.get(row.head.id),
                        row.head.id == current,
                        model.route.to(row.head.id).hash(),
                        model.zone,
                        note.name,
                        note.tags,
                        unread(model, row.head.id),
                    ),
                )
            )
    return Keyed(tuple(children))


def agent_name(agent: str) -> str:
    """What an agent is called; a name of which nothing is seen is none."""
    return agent if is_seen(agent[:MOST_TOLD]) else "unknown agent"


@lru_cache(maxsize=256)
def _heading(row: ListRow) -> str:
    return html(h.li(f"#day-{row.top}.day", data_top=str(row.top), role="presentation")[row.heading])


@lru_cache(maxsize=512)
def _session(
    head: SessionHead,
    number: int,
    top: int,
    total: int,
    summary: Summary | None,
    current: bool,
    href: str,
    zone: Zone,
    name: str,
    names_of_tags: tuple[str, ...],
    new: int,
) -> str:
    title = summary.title if summary else "…"
    return html(
        h.li(
            f"#session-{number}.session",
            data_top=str(top),
            aria_posinset=str(number),
            aria_setsize=str(total),
        )[
            h.a(href=href, aria_current="page" if current else None)[
                h.span(".t", title=title if name and summary else None)[straight(name or title)],
                h.span(".m")[
                    h.span(".agent")[agent_name(head.agent)[:MOST_TOLD]],
                    h.span[clock_time(head.created_at, zone)],
                    # how long it took makes room for what is new
                    summary is not None and new == 0 and h.span[span(summary.duration)],
                    head.destroyed_at is not None and h.span(".dim")["ended"],
                    bool(names_of_tags) and h.span(".tags")[tags(names_of_tags)],
                    new > 0 and h.span(".new", title="events since you left off")[f"{new:,} new"],
                    summary is not None and h.span(".n", title="events")[f"{summary.events:,}"],
                ],
            ]
        ]
    )
