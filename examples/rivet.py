"""Keep sessions in a Rivet actor: prompt an agent, and print the history of the session as it is stored.

    python examples/rivet.py http://127.0.0.1:2468 [RIVET] [AGENT] [PROMPT]

RIVET is the address of a Rivet with the actor of examples/rivet/ (`make rivet`, then `npm start` there), by default
http://127.0.0.1:6420; its token, where it wants one, is taken from RIVET_TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from pyapp import RivetSessionPersistDriver, SandboxAgent


async def main(
    base_url: str, rivet: str = "http://127.0.0.1:6420", agent: str = "mock", prompt: str = "Say hello."
) -> None:
    async with (
        RivetSessionPersistDriver(rivet, key="example", token=os.environ.get("RIVET_TOKEN")) as store,
        await SandboxAgent.connect(base_url=base_url, token=os.environ.get("SANDBOX_TOKEN"), persist=store) as client,
    ):
        session = await client.create_session(agent)
        result = await session.prompt(prompt)
        events = (await store.list_events(session.id)).items
        for event in events:
            print(f"[{event.event_index}] {event.sender}: {json.dumps(event.payload)[:120]}")
        print(f"{result['stopReason']}; {len(events)} events in Rivet")
        await client.destroy_session(session.id)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 5:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
