"""The session list: of any length, with the visible rows alone in the page."""

from __future__ import annotations

from functools import lru_cache

import htpy as h

from ...drivers.base import SessionHead
from ..dates import clock_time, span
from ..listing import ListRow
from ..model import Model, Summary
from .html import Keyed, html


def sessions(model: Model) -> Keyed:
    """The visible rows, newest first."""
    if model.listing is None:
        return Keyed()
    current = model.route.session_id
    total = len(model.listing.sessions)
    children = []
    for row in model.listing.visible(model.list_view.top, model.list_view.height):
        if row.head is None:
            children.append((f"day-{row.top}", _heading(row)))
        else:
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
                    ),
                )
            )
    return Keyed(tuple(children))


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
    zone: int,
) -> str:
    return html(
        h.li(
            f"#session-{number}.session",
            data_top=str(top),
            aria_posinset=str(number),
            aria_setsize=str(total),
        )[
            h.a(href=href, aria_current="page" if current else None)[
                h.span(".t")[summary.title if summary else "…"],
                h.span(".m")[
                    h.span[head.agent or "unknown agent"],
                    h.span[clock_time(head.created_at, zone)],
                    summary is not None and h.span[span(summary.duration)],
                    head.destroyed_at is not None and h.span(".dim")["ended"],
                    summary is not None and h.span(".n", title="events")[f"{summary.events:,}"],
                ],
            ]
        ]
    )
