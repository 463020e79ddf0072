"""Several people in one workspace: one prompts an agent, the other sees each message as it is stored, live.

    python examples/rivet_multiplayer.py http://127.0.0.1:2468 [RIVET] [AGENT]

This is the idea of upstream's page on multiplayer, in Python: one Rivet actor for each workspace, found by its key.
Both clients know the workspace only; each prompts once, and each sees both turns. RIVET is as for examples/rivet.py.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from uuid import uuid4

from pyapp import RivetSessionPersistDriver, SandboxAgent, SessionEvent

SESSION = "shared"


async def watch(name: str, store: RivetSessionPersistDriver, turns: int) -> list[SessionEvent]:
    """Print what is said in the session until so many turns have ended."""
    seen: list[SessionEvent] = []
    async with aclosing(store.subscribe(SESSION)) as events:
        async for event in events:
            seen.append(event)
            if event.payload.get("method") == "session/prompt":
                words = event.payload["params"]["prompt"][-1].get("text", "")
                print(f"{name} sees the prompt: {words}")
            if "stopReason" in (event.payload.get("result") or {}):
                print(f"{name} sees a turn end")
                turns -= 1
                if not turns:
                    break
    return seen


async def main(base_url: str, rivet: str = "http://127.0.0.1:6420", agent: str = "mock") -> None:
    workspace, token = f"workspace-{uuid4()}", os.environ.get("RIVET_TOKEN")
    async with (
        RivetSessionPersistDriver(rivet, key=workspace, token=token) as ann,
        RivetSessionPersistDriver(rivet, key=workspace, token=token) as ben,
    ):
        watching = [asyncio.create_task(watch("Ann", ann, 2)), asyncio.create_task(watch("Ben", ben, 2))]
        for name, store in (("Ann", ann), ("Ben", ben)):
            async with await SandboxAgent.connect(
                base_url=base_url, token=os.environ.get("SANDBOX_TOKEN"), persist=store
            ) as client:
                session = await client.resume_or_create_session(agent, SESSION)
                await session.prompt(f"Hello from {name}")
        by_ann, by_ben = await asyncio.gather(*watching)
        print(f"both saw the same {len(by_ann)} events: {by_ann == by_ben}")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 4:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
