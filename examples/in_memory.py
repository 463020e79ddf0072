"""The shortest use: prompt an agent and print what it says. Sessions are kept in memory and end with the program.

    python examples/in_memory.py http://127.0.0.1:2468 [AGENT] [PROMPT]

The address is that of a sandbox-agent server; its token, where it wants one, is taken from SANDBOX_TOKEN.
"""

from __future__ import annotations

import asyncio
import os
import sys

from pyapp import PermissionRequest, SandboxAgent, Session, SessionEvent


def show(event: SessionEvent) -> None:
    """Print the words of the agent as they come, and the titles of its tool calls."""
    update = event.payload.get("params", {}).get("update", {})
    match update.get("sessionUpdate"):
        case "agent_message_chunk":
            print(update["content"].get("text", ""), end="", flush=True)
        case "tool_call":
            print(f"\n[{update.get('title')}]")


def allow(session: Session, request: PermissionRequest) -> None:
    """Allow once whatever the agent asks: a program that people use would ask them."""
    print(f"\n[allowed: {request.tool_call.get('title')}]")
    answers.append(asyncio.ensure_future(session.respond_permission(request.id, "once")))


answers: list[asyncio.Future[None]] = []


async def main(base_url: str, agent: str = "mock", prompt: str = "Hello") -> None:
    async with await SandboxAgent.connect(base_url=base_url, token=os.environ.get("SANDBOX_TOKEN")) as client:
        session = await client.create_session(agent)
        session.on_event(show)
        session.on_permission_request(lambda request: allow(session, request))
        result = await session.prompt(prompt)
        page = await client.get_events(session.id)
        print(f"\n{result['stopReason']}; {len(page.items)} events")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if len(sys.argv) > 4:
        print(f"{sys.argv[0]}: too many arguments; without any it says what it takes", file=sys.stderr)
        sys.exit(2)
    asyncio.run(main(*sys.argv[1:]))
