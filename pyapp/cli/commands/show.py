"""Shows the events of one session of SOURCE, one in a line: index, time, who sent it, what it is and its first words.
Times are those of this machine. SESSION is its id, or the beginning of it if no other session's begins so."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence

from ...drivers.base import MAX_LIMIT, SessionStore
from ...drivers.paging import event_pages
from ...transcript.describe import describe
from ...transcript.fold import Transcript, requests_before
from ...types import SessionEvent
from ..addresses import open_source, read_address
from ..exits import OK
from ..finding import find_session
from ..numbers import whole_number
from ..plain import transcript_lines
from ..terminal import columns, fit, local_time, print_json, safe

HELP = "show the events of a session"

LOOKED_BACK = 1_000
"""Events before the last ones among which the requests are looked for that those answer."""


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `show`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("session", metavar="SESSION", help="the id of a session, or its beginning")
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument("--json", action="store_true", help="whole events, one JSON object a line")
    manner.add_argument("--transcript", action="store_true", help="what was said and done, as text")
    parser.add_argument("--last", type=whole_number(MAX_LIMIT), metavar="N", help="the last N events alone")


async def run(options: Namespace) -> int:
    """Print the events."""
    async with open_source(read_address(options.source)) as store:
        session_id = (await find_session(store, options.session)).id
        last = None if options.last is None else await store.last_events(session_id, options.last)
        events = _events(store, session_id, last)
        if options.json:
            async for event in events:
                print_json(event.to_row())
            return OK
        if options.transcript:
            before = await _asked_before(store, session_id, last) if last else []
            is_empty = not await _print_transcript(events, before)
        else:
            is_empty = not await _print_lines(events, columns())
        if is_empty:
            print("no events")
    return OK


async def _events(
    store: SessionStore, session_id: str, last: Sequence[SessionEvent] | None
) -> AsyncIterator[SessionEvent]:
    """The events of a session page by page, or the last of them alone, which were read."""
    if last is not None:
        for event in last:
            yield event
        return
    async for page in event_pages(store, session_id):
        for event in page:
            yield event


async def _asked_before(store: SessionStore, session_id: str, last: Sequence[SessionEvent]) -> list[SessionEvent]:
    """The requests to which the last events answer, of those that stand shortly before them."""
    return requests_before(last, await store.last_events(session_id, LOOKED_BACK, before=last[0].key))


async def _print_lines(events: AsyncIterator[SessionEvent], width: int | None) -> bool:
    """Print a line for each event; whether there were any."""
    is_empty = True
    async for event in events:
        is_empty = False
        line = _line(event)
        print(line if width is None else fit(line, width))
    return not is_empty


def _line(event: SessionEvent) -> str:
    about = describe(event)
    words = safe(f"{about.method}  {about.excerpt}".rstrip())
    return f"{event.event_index:>6}  {local_time(event.created_at)}  {event.sender:<6}  {words}"


async def _print_transcript(events: AsyncIterator[SessionEvent], before: Sequence[SessionEvent]) -> bool:
    """Print what the events tell; whether there were any. What stands before them is needed to understand them."""
    transcript = Transcript()
    for event in before:
        transcript.append(event)
    async for event in events:
        transcript.append(event)
    for line in transcript_lines(transcript, len(before)):
        print(line)
    return transcript.count > len(before)
