"""Sessions searched for secrets, and saved as files: JSON lines, or a SQLite file in upstream's layout."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from ..archive import line_of, read_rows
from ..drivers.base import SessionStore
from ..errors import PyappError
from ..inspector.dates import plural
from ..inspector.files.effects import Export, SearchSecrets
from ..inspector.files.messages import SearchEnded, SearchFailed, SearchMoved
from ..inspector.files.values import Found
from ..inspector.messages import JobEnded, JobMoved, Send
from ..inspector.model import Job
from ..redaction import Redactor, RowKind, masked
from ..types import Row, SessionEvent, SessionRecord
from .world import World

Rows = AsyncIterator[tuple[RowKind, Row]]

PIECE = 1 << 20
"""Characters, or bytes, of a file that go to the page at once."""

BATCH = 500
"""Events that are written to a SQLite file in one transaction."""

BREATH = 0.05
"""Seconds of work after which the page's other wishes get their turn."""


async def search(store: SessionStore, effect: SearchSecrets, send: Send) -> None:
    """Look for secrets, and tell how far it came; the redactor and its masks are those of an export."""
    try:
        total = await _count(store, effect.session_ids)
        redactor = Redactor()
        done = 0

        def tell() -> None:
            send(SearchMoved(effect.search, min(done, total), total))

        tell()
        async for kind, _ in _breathing(masked(read_rows(store, effect.session_ids), redactor), tell):
            done += kind == "event"
    except PyappError as error:
        send(SearchFailed(effect.search, str(error)))
        return
    send(SearchMoved(effect.search, done, done))
    send(SearchEnded(effect.search, Found.of(redactor.findings)))


async def export(store: SessionStore, effect: Export, send: Send, world: World) -> JobEnded:
    """Send sessions to the page as a file, piece by piece; the page saves it when it has the last one."""
    total = await _count(store, effect.session_ids)
    redactor = Redactor()
    rows: Rows = read_rows(store, effect.session_ids)
    written = 0

    async def counted() -> Rows:
        nonlocal written
        async for kind, row in masked(rows, redactor) if effect.masks else rows:
            written += kind == "event"
            yield kind, row

    def tell() -> None:
        send(JobMoved(Job(f"Exporting {effect.file_name}", "events", min(written, total), total)))

    tell()
    save = _Download(world.post, effect.file_name)
    if effect.format == "sqlite":
        await _save_database(_breathing(counted(), tell), save, world)
    else:
        await _save_lines(_breathing(counted(), tell), save)
    sessions = plural(len(effect.session_ids), "session") + ", " if len(effect.session_ids) > 1 else ""
    hidden = f" {plural(redactor.findings.secrets, 'secret')} masked." if redactor.findings.count else ""
    return JobEnded(f"Exported {sessions}{plural(written, 'event')}.{hidden}")


async def _save_lines(rows: Rows, save: _Download) -> None:
    lines: list[str] = []
    size = 0
    async for kind, row in rows:
        lines.append(line_of(kind, row))
        size += len(lines[-1])
        if size >= PIECE:
            save.text("".join(lines))
            lines, size = [], 0
    save.text("".join(lines), last=True)


async def _save_database(rows: Rows, save: _Download, world: World) -> None:
    """Written by the driver into a file of its own, which is whole when the driver has closed it."""
    from tempfile import TemporaryDirectory  # which needs much that the page's start does not

    with TemporaryDirectory() as folder:
        path = f"{folder}/sessions.db"
        async with await world.open_file(path) as store:
            await store.totals()  # the file and its tables are there, even for nothing
            batch: list[SessionEvent] = []
            async for kind, row in rows:
                if batch and (kind == "session" or len(batch) >= BATCH):
                    await store.insert_events(batch[0].session_id, batch)
                    batch = []
                if kind == "session":
                    await store.update_session(SessionRecord.from_row(row))
                else:
                    batch.append(SessionEvent.from_row(row))
            if batch:
                await store.insert_events(batch[0].session_id, batch)
        left = os.path.getsize(path)  # noqa: ASYNC240 - in the memory of the page, where no file is slow
        with open(path, "rb") as file:  # noqa: ASYNC230
            while left > 0:
                piece = file.read(PIECE)
                left -= len(piece)
                save.data(piece, last=left <= 0)
                await asyncio.sleep(0)


class _Download:
    """A file on its way to the page."""

    def __init__(self, post: Callable[..., None], name: str) -> None:
        self._post = post
        self._message: Mapping[str, Any] = {"type": "download", "name": name}
        self._is_first = True

    def text(self, text: str, *, last: bool = False) -> None:
        """The next piece, as text."""
        self._post(self._next(last) | {"text": text})

    def data(self, data: bytes, *, last: bool = False) -> None:
        """The next piece, as bytes."""
        self._post(self._next(last), data)

    def _next(self, last: bool) -> dict[str, Any]:
        first, self._is_first = self._is_first, False
        return {**self._message, "first": first, "last": last}


async def _count(store: SessionStore, session_ids: Sequence[str]) -> int:
    return sum([await store.count_events(session_id) for session_id in session_ids])


async def _breathing(rows: Rows, tell: Callable[[], None]) -> Rows:
    """The rows; now and then the page hears how far it is, and whatever else waits gets its turn."""
    since = time.monotonic()
    async for row in rows:
        yield row
        if time.monotonic() - since > BREATH:
            tell()
            await asyncio.sleep(0)
            since = time.monotonic()
