"""A session store of one's own: the five methods, here with one JSON file for each record and each event.

    python examples/custom_driver.py http://127.0.0.1:2468 [FOLDER]

gives an agent one more prompt each time, in a session that is kept in FOLDER. docs/drivers.md tells what a store
promises, and the contract in `pyapp.drivers.conformance` checks this one (tests/examples/test_programs.py). It is for
one program at a time, and looks at many files: a database does better.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from pyapp import EventConflictError, ListPage, SandboxAgent, SessionEvent, SessionRecord
from pyapp.drivers.base import check_event, check_record, check_same, page_of, read_cursor


class JsonFolder:
    """Keeps sessions in `FOLDER/sessions/ID.json` and their events in `FOLDER/events/SESSION/INDEX-ID.json`."""

    def __init__(self, folder: Path) -> None:
        self._sessions, self._events = folder / "sessions", folder / "events"

    async def get_session(self, session_id: str) -> SessionRecord | None:
        path = self._sessions / f"{name(session_id)}.json"
        return SessionRecord.from_row(json.loads(path.read_text())) if path.exists() else None

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        return page_of("sessions", map(SessionRecord.from_row, rows(self._sessions.glob("*.json"))), cursor, limit)

    async def update_session(self, record: SessionRecord) -> None:
        write(self._sessions / f"{name(record.id)}.json", check_record(record))

    async def list_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        index, _ = read_cursor("events", cursor) or (0, "")
        paths = [path for path in (self._events / name(session_id)).glob("*.json") if int(path.name[:12]) >= index]
        return page_of("events", map(SessionEvent.from_row, rows(paths)), cursor, limit)

    async def insert_event(self, session_id: str, event: SessionEvent) -> None:
        text, folder = check_event(session_id, event), self._events / name(session_id)
        for row in rows(self._events.glob(f"*/*-{name(event.id)}.json")):
            check_same(SessionEvent.from_row(row), event)
            return
        if any(folder.glob(f"{event.event_index:012}-*.json")):
            raise EventConflictError.index_taken(session_id, event.event_index)
        write(folder / f"{event.event_index:012}-{name(event.id)}.json", text)


def name(id_: str) -> str:
    """A file name for any id, of any length."""
    return hashlib.sha256(id_.encode(errors="surrogatepass")).hexdigest()


def rows(paths: Iterable[Path]) -> Iterable[dict[str, object]]:
    return (json.loads(path.read_text()) for path in paths)


def write(path: Path, text: str) -> None:
    """All of it or nothing, also when the program is killed meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


async def main(base_url: str, folder: str = "sessions") -> None:
    async with await SandboxAgent.connect(base_url=base_url, persist=JsonFolder(Path(folder))) as client:
        session = await client.resume_or_create_session("mock", "my-session")
        await session.prompt("Hello")
        page = await client.get_events(session.id, limit=1_000)
        print(f"{len(page.items)} events are in {folder}/")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 3:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
