"""A client dies in the middle of a turn, and another one goes on: nothing is lost, and nothing is there twice.

    python examples/reload.py http://127.0.0.1:2468 [AGENT] [PROMPT]

The program starts itself a second time, as the client that dies: that one begins a session and prompts the agent. Once
the agent talks it is killed, as a page is that crashes. Then this one attaches to the agent, which has noticed nothing,
and hears the rest. Both keep the session in one folder, with the store of custom_driver.py.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from custom_driver import JsonFolder

from pyapp import SandboxAgent

SESSION = "my-session"
TALK = "stream 60 at 30"
"""A prompt that keeps the scripted agent of this project's tests talking for two seconds; others need a longer task."""


async def die(base_url: str, folder: str, agent: str, prompt: str) -> None:
    """Begin a turn and never come to its end."""
    client = await SandboxAgent.connect(base_url=base_url, persist=JsonFolder(Path(folder)))
    session = await client.create_session(agent, SESSION)
    session.on_event(lambda event: "update" in event.payload.get("params", {}) and print("the agent talks", flush=True))
    await session.prompt(prompt)


async def main(base_url: str, agent: str = "mock", prompt: str = TALK) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "die", base_url, folder, agent, prompt, stdout=asyncio.subprocess.PIPE
        )
        assert first.stdout is not None
        await first.stdout.readline()
        first.kill()
        await first.communicate()

        store = JsonFolder(Path(folder))
        async with await SandboxAgent.connect(base_url=base_url, persist=store) as client:
            before = len((await client.get_events(SESSION, limit=10_000)).items)
            session = await client.resume_session(SESSION)
            print(f"the first client died after {before} events; the turn goes on: {session.running}")
            async for event in session.events(after=0):
                if "stopReason" in (event.payload.get("result") or {}):
                    break
            events = (await client.get_events(SESSION, limit=10_000)).items
            print(f"the turn has ended: {event.payload['result']['stopReason']}, {len(events)} events")
            assert [event.event_index for event in events] == list(range(1, len(events) + 1)), "no gap"
            assert len({event.id for event in events}) == len(events), "nothing twice"
            await client.destroy_session(SESSION)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if sys.argv[1:2] == ["die"]:
        asyncio.run(die(*sys.argv[2:]))
    elif len(sys.argv) > 4:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    else:
        asyncio.run(main(*sys.argv[1:]))
