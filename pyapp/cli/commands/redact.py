"""Copies sessions from SOURCE to TARGET with their secrets masked: API keys, tokens, passwords and private keys of
well-known shapes. docs/security.md says what is found and what cannot be.

Says how many were found, of which kinds; --show says where. A secret itself is never printed. Without TARGET nothing is
written."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ...archive import line_of, read_rows
from ...drivers.base import SessionStore
from ...drivers.paging import session_pages
from ...inspector.dates import plural
from ...redaction import Findings, Redactor, masked
from ...secret_patterns import without_secrets
from ..addresses import Address, open_source, read_address
from ..copying.progress import shown_progress
from ..copying.run import Choices, copy_sessions, identity_of, read_addresses, summary
from ..exits import OK
from ..finding import find_session
from ..terminal import safe

HELP = "copy sessions with their secrets masked"

_WHY_OTHER = (
    "; secrets are numbered in the order in which one run finds them, so one more in an earlier session gives those "
    "behind it other numbers: write to a new file"
)


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `redact`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("target", metavar="TARGET", nargs="?", help="where they shall be, masked")
    parser.add_argument(
        "--session", action="append", default=[], metavar="ID", help="this session alone; can be given several times"
    )
    parser.add_argument("--show", action="store_true", help="list the places: session, event, pointer, text")


async def run(options: Namespace) -> int:
    """Mask into a file of our own, which is then copied as any other source is."""
    if options.target is None:
        source_address, target_address = read_address(options.source), None
    else:
        source_address, target_address = read_addresses(options)
    redactor = Redactor()
    with TemporaryDirectory() as folder:  # readable by this user alone
        between = Path(folder) / "masked.jsonl"
        async with open_source(source_address) as source:
            ids = await _ids(source, options.session)
            await _mask(source, ids, redactor, between if target_address else None)
        if target_address and ids:
            identity = identity_of(source_address, options.session) + "\0masked"
            async with open_source(Address("jsonl", str(between))) as rows:
                choices = Choices(advice=_WHY_OTHER if redactor.findings.count else "")
                plan = await copy_sessions(rows, target_address, identity, [], choices)
                print(summary(plan, "copied and compared"))
    _report(redactor.findings, show=options.show)
    return OK


async def _ids(source: SessionStore, names: Sequence[str]) -> list[str]:
    if names:
        return [(await find_session(source, name)).id for name in dict.fromkeys(names)]
    return [record.id async for page in session_pages(source) for record in page]


async def _mask(source: SessionStore, ids: Sequence[str], redactor: Redactor, path: Path | None) -> None:
    """Write the masked rows, if there is where to; what is found is then known."""
    with shown_progress() as progress:
        progress.begin("Looking for secrets", sum([await source.count_events(id_) for id_ in ids]))
        async for lines, events in _lines(source, ids, redactor):
            progress.moved(events)
            if path is not None:
                with path.open("a", encoding="utf-8") as file:
                    file.writelines(lines)


async def _lines(
    source: SessionStore, ids: Sequence[str], redactor: Redactor, most: int = 1_000
) -> AsyncIterator[tuple[list[str], int]]:
    """The lines of the recording, many at a time, and how many of them are events."""
    lines: list[str] = []
    events = 0
    async for kind, row in masked(read_rows(source, ids), redactor):
        lines.append(line_of(kind, row))
        events += kind == "event"
        if len(lines) >= most:
            yield lines, events
            lines, events = [], 0
    yield lines, events


def _report(findings: Findings, *, show: bool) -> None:
    if show:
        for place in findings.places:
            where = "record" if place.event_index is None else f"event {place.event_index}"
            shown = without_secrets(place.session_id)  # a secret may stand in any string, a session's id too
            print(safe(f"{shown}  {where}  {place.pointer}  {place.preview}"))
        if findings.count > len(findings.places):
            print(f"and {plural(findings.count - len(findings.places), 'place')} more")
    if not findings.count:
        print("no secrets found")
        return
    kinds = ", ".join(plural(number, kind) for kind, number in findings.secrets_by_kind.most_common())
    print(f"{plural(findings.secrets, 'secret')} found in {plural(findings.count, 'place')}: {kinds}")
