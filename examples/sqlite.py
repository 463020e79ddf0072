"""Keep sessions in a SQLite file: prompt an agent, list what is stored, and print the history of the session.

    python examples/sqlite.py http://127.0.0.1:2468 [FILE] [AGENT] [PROMPT]

This is the program by which upstream's documentation shows its SQLite driver, in Python. The file, `sessions.db` unless
you say otherwise, is one that upstream's driver opens too. Run it twice: the sessions of before are still there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from pyapp import SandboxAgent, SQLiteSessionPersistDriver


async def main(
    base_url: str,
    filename: str = "sessions.db",
    agent: str = "mock",
    prompt: str = "Say hello in one sentence.",
) -> None:
    async with (
        SQLiteSessionPersistDriver(filename) as store,
        await SandboxAgent.connect(base_url=base_url, token=os.environ.get("SANDBOX_TOKEN"), persist=store) as client,
    ):
        session = await client.create_session(agent)
        print(f"Created session {session.id}")
        await session.prompt(prompt)
        print("Prompt complete.")

        sessions = (await client.list_sessions()).items
        print(f"\nSessions ({len(sessions)}):")
        for record in sessions:
            print(f"  {record.id}  agent={record.agent}")

        events = (await client.get_events(session.id)).items
        print(f"\nSession history ({len(events)} events):")
        for event in events:
            print(f"  [{event.event_index}] {event.sender}: {json.dumps(event.payload)[:120]}")

        await client.destroy_session(session.id)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 5:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
