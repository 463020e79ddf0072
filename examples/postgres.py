"""Keep sessions in PostgreSQL: prompt an agent, list what is stored, and print the history of the session.

    python examples/postgres.py http://127.0.0.1:2468 [DATABASE] [SCHEMA] [AGENT] [PROMPT]

DATABASE is a connection string, `postgresql://USER:PASSWORD@HOST:5432/NAME`; leave the password to PGPASSWORD or
~/.pgpass, where nobody sees it. Run it twice, on one machine or on two: the sessions of before are still there. It
needs `pip install 'sandbox-agent-pyodide[http,postgres]'`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from pyapp import PostgresSessionPersistDriver, SandboxAgent, StoreChange


def told(change: StoreChange) -> None:
    """Whatever process of this schema stored something, we hear of it."""
    print("  (something was stored)" if change.everything else f"  (stored: {', '.join(sorted(change.session_ids))})")


async def main(
    base_url: str,
    database: str = "postgresql://127.0.0.1/postgres",
    schema: str = "public",
    agent: str = "mock",
    prompt: str = "Say hello in one sentence.",
) -> None:
    async with (
        PostgresSessionPersistDriver(database, schema) as store,
        await SandboxAgent.connect(base_url=base_url, token=os.environ.get("SANDBOX_TOKEN"), persist=store) as client,
    ):
        store.on_change(told)
        session = await client.create_session(agent)
        print(f"Created session {session.id}")
        await session.prompt(prompt)
        for record in (await client.list_sessions()).items:
            print(f"  {record.id}  agent={record.agent}")
        for event in (await client.get_events(session.id)).items:
            print(f"  [{event.event_index}] {event.sender}: {json.dumps(event.payload)[:120]}")
        await client.destroy_session(session.id)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 6:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
