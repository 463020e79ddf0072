"""Our side: one turn of updates, each telling when the agent wrote it; prints milliseconds until it was stored."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from pyapp import EventDraft, InMemorySessionPersistDriver, SandboxAgent, SessionEvent, SessionPersistDriver


def noting(driver: type[Any]) -> type[Any]:
    """The driver, which notes when it has stored what."""

    class Noting(driver):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.latencies: list[float] = []

        async def append_events(self, session_id: str, drafts: Sequence[EventDraft]) -> tuple[SessionEvent, ...]:
            events: tuple[SessionEvent, ...] = await super().append_events(session_id, drafts)
            now = time.time_ns() / 1000
            for event in events:
                update = event.payload.get("params", {}).get("update", {})
                if "_meta" in update:
                    self.latencies.append((now - update["_meta"]["writtenAt"]) / 1000)
            return events

    return Noting


async def turn(server: str, text: str, driver: SessionPersistDriver | None = None) -> list[float]:
    """Milliseconds for each update of one turn."""
    store: Any = driver or noting(InMemorySessionPersistDriver)(max_events_per_session=100_000)
    async with await SandboxAgent.connect(base_url=server, persist=store) as client:
        session = await client.create_session("mock")
        await session.prompt(text)
        await client.destroy_session(session.id)
    return list(store.latencies)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(turn(sys.argv[1], sys.argv[2]))))
