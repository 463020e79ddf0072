"""Lists the sessions of SOURCE, the oldest first: id, agent, the beginning of the first prompt, when it began, how many
events it has, in the time of this machine. In a terminal the lines are cut to its width, titles first and ids last;
--json gives all of it, one JSON object a line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...drivers.base import SessionStore
from ...drivers.paging import session_pages
from ...transcript.describe import title_of
from ...types import SessionRecord
from ..addresses import open_source, read_address
from ..exits import OK
from ..terminal import GAP, cells, columns, fit, local_time, print_json, safe, table_rows

HELP = "list the sessions of a source"

TITLE_SEARCH = 30
"""Events at the start of a session among which its first prompt is looked for."""

HEADINGS = ("ID", "AGENT", "TITLE", "CREATED", "EVENTS")

UUID, SHORT_AGENT = 36, 8
"""Columns that an id and an agent's name have in any terminal: most ids are UUIDs."""


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
        if options.json:
            async for records in session_pages(store):
                for record in records:
                    print_json(_row(await _listed(store, record)))
        elif not await _print_table(store, columns()):
            print("no sessions")
    return OK


async def _print_table(store: SessionStore, width: int | None) -> bool:
    """Print the table page by page; whether there was anything to print. `width` is the terminal's."""
    ids = [] if width is None else [cells(safe(head.id)) for head in await store.session_heads()]
    layout = Layout(width, longest_id=max(ids, default=0))
    printed = 0
    async for records in session_pages(store):
        rows = [_cells(await _listed(store, record)) for record in records]
        printed += len(rows)
        layout.make_room(rows, more_follow=printed < len(ids))
        for line in layout.lines(rows if printed > len(rows) else [HEADINGS, *rows]):
            print(line)
    return printed > 0


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


class Layout:
    """How wide the columns are: as all rows need that are known, and no wider than the terminal, if it is one.

    The length of all ids is known before the first row is printed. Who looks for a session needs its id whole, so that
    is cut last: a longer one than its column takes the place of its own title, then of what stands behind.
    """

    def __init__(self, width: int | None, longest_id: int) -> None:
        self._width = width
        self._needed = [
            max(cells(heading), longest) for heading, longest in zip(HEADINGS, (longest_id, 0, 0, 0, 0), strict=True)
        ]
        self._widths: Sequence[int] = self._needed
        self._has_pages = False

    def make_room(self, rows: Sequence[Sequence[str]], *, more_follow: bool) -> None:
        """Find the widths that these rows need too. In a terminal the title of a table that has several pages takes all
        that is free, so that the columns behind it stay where they are."""
        self._has_pages = self._has_pages or more_follow
        self._needed = [
            max(needed, *(cells(row[column]) for row in rows)) for column, needed in enumerate(self._needed)
        ]
        id_, agent, title, created, events = self._needed
        if self._width is not None:
            room = self._width - created - events - len(GAP) * (len(HEADINGS) - 1)
            id_ = min(id_, max(UUID, room // 2, room - agent - title), self._width)
            agent = min(agent, max(SHORT_AGENT, (room - id_) // 4, room - id_ - title))
            rest = max(0, room - id_ - agent)
            title = rest if self._has_pages else min(title, rest)
        self._widths = id_, agent, title, created, events

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """The lines of some rows."""
        for row in rows:
            id_, agent, title, *others = self._widths
            more = max(0, cells(row[0]) - id_)
            widths = id_ + more, agent, max(0, title - more), *others
            (line,) = table_rows([row], widths, right=(4,))
            yield line if self._width is None else fit(line, self._width)
