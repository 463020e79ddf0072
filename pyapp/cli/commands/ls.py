"""Lists the sessions of SOURCE, the oldest first: id, agent, the beginning of the first prompt, when it began, how many
events it has. In a terminal the lines are cut to its width; --json gives all of it, one JSON object a line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass

from ...drivers.base import SessionStore
from ...drivers.paging import session_pages
from ...transcript.describe import title_of
from ...types import SessionRecord
from ..addresses import open_source, read_address
from ..exits import OK
from ..terminal import cells, columns, fit, local_time, print_json, safe, table_rows

HELP = "list the sessions of a source"

TITLE_SEARCH = 30
"""Events at the start of a session among which its first prompt is looked for."""

HEADINGS = ("ID", "AGENT", "TITLE", "CREATED", "EVENTS")


@dataclass(frozen=True, slots=True)
class Listed:
    """One session of the list."""

    record: SessionRecord
    title: str
    events: int


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `ls`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, nothing cut")


async def run(options: Namespace) -> int:
    """Print the list page by page."""
    async with open_source(read_address(options.source)) as store:
        width: int | None = None
        widths: Sequence[int] = ()
        async for records in session_pages(store):
            page = [await _listed(store, record) for record in records]
            if options.json:
                for one in page:
                    print_json(_row(one))
                continue
            rows = [_cells(one) for one in page]
            if not widths:
                width = columns()
                widths = _widths(rows, width)
                rows.insert(0, HEADINGS)
            elif width is None:  # nothing is cut: a later page may need more
                widths = [max(*pair) for pair in zip(widths, _widths(rows, None), strict=True)]
            for line in table_rows(rows, widths, right=(4,)):
                print(line if width is None else fit(line, width))
        if not widths and not options.json:
            print("no sessions")
    return OK


async def _listed(store: SessionStore, record: SessionRecord) -> Listed:
    first = await store.list_events(record.id, limit=TITLE_SEARCH)
    return Listed(record, title_of(first.items), await store.count_events(record.id))


def _row(one: Listed) -> dict[str, object]:
    row: dict[str, object] = {
        "id": one.record.id,
        "agent": one.record.agent,
        "title": one.title,
        "createdAt": one.record.created_at,
        "events": one.events,
    }
    if one.record.destroyed_at is not None:
        row["destroyedAt"] = one.record.destroyed_at
    return row


def _cells(one: Listed) -> tuple[str, ...]:
    record = one.record
    created = local_time(record.created_at)[:16]
    return safe(record.id), safe(record.agent), safe(one.title), created, f"{one.events:,}"


def _widths(rows: Sequence[Sequence[str]], width: int | None) -> Sequence[int]:
    """The columns' widths: as the first page needs them, in a terminal as it has room; the title gets the rest."""
    id_, agent, title, created, events = (
        max(cells(row[column]) for row in (HEADINGS, *rows)) for column in range(len(HEADINGS))
    )
    if width is None:
        return id_, agent, title, created, events
    id_, agent = min(id_, max(12, (width - 40) // 2)), min(agent, max(8, width // 10))
    rest = width - id_ - agent - created - events - 2 * (len(HEADINGS) - 1)
    return id_, agent, max(0, min(title, rest)), created, events
