"""Shows the events of one session of SOURCE, one in a line: index, time, who sent it, what it is and its first words.
SESSION is its id, or the beginning of it if no other session's begins so."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator

from ...drivers.base import MAX_LIMIT, SessionStore
from ...drivers.paging import event_pages
from ...transcript.describe import describe
from ...transcript.fold import Transcript
from ...types import SessionEvent
from ..addresses import open_source, read_address
from ..exits import OK
from ..finding import find_session
from ..numbers import whole_number
from ..plain import transcript_lines
from ..terminal import columns, fit, local_time, print_json, safe

HELP = "show the events of a session"


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `show`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("session", metavar="SESSION", help="the id of a session, or its beginning")
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument("--json", action="store_true", help="whole events, one JSON object a line")
    manner.add_argument("--transcript", action="store_true", help="what was said and done, as text")
    parser.add_argument(
        "--last", type=whole_number(MAX_LIMIT), metavar="N", help="the last N events alone, without reading the others"
    )


async def run(options: Namespace) -> int:
    """Print the events."""
    async with open_source(read_address(options.source)) as store:
        session_id = (await find_session(store, options.session)).id
        events = _events(store, session_id, options.last)
        if options.transcript:
            await _print_transcript(events)
            return OK
        width = None if options.json else columns()
        async for event in events:
            if options.json:
                print_json(event.to_row())
            else:
                line = _line(event)
                print(line if width is None else fit(line, width))
    return OK


async def _events(store: SessionStore, session_id: str, last: int | None) -> AsyncIterator[SessionEvent]:
    """The events of a session page by page, or the last of them alone."""
    if last is not None:
        for event in await store.last_events(session_id, last):
            yield event
        return
    async for page in event_pages(store, session_id):
        for event in page:
            yield event


def _line(event: SessionEvent) -> str:
    about = describe(event)
    words = safe(f"{about.method}  {about.excerpt}".rstrip())
    return f"{event.event_index:>6}  {local_time(event.created_at)}  {event.sender:<6}  {words}"


async def _print_transcript(events: AsyncIterator[SessionEvent]) -> None:
    transcript = Transcript()
    async for event in events:
        transcript.append(event)
    for line in transcript_lines(transcript):
        print(line)
