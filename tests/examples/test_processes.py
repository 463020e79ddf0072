"""What becomes of an agent's process on the real server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pyapp import InMemorySessionPersistDriver, SandboxAgent

AGENT = Path("sandbox-agent") / "bin" / "agent_processes" / "mock-acp"


def begun(folder: Path) -> list[int]:
    """The processes that left their ids, in the order in which they were begun."""
    paths = sorted(folder.glob("pids/*"), key=lambda path: path.stat().st_mtime_ns)
    return [int(path.name) for path in paths]


async def ended(pid: int) -> None:
    """Wait until a process is there no more."""
    async with asyncio.timeout(20):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.05)


def test_a_session_that_is_destroyed_ends_its_process_and_no_other(tmp_path: Path) -> None:
    """Server 0.4.2 ends it when the request is given up that asks for it."""

    async def work(address: str) -> None:
        store = InMemorySessionPersistDriver()
        async with await SandboxAgent.connect(base_url=address, persist=store) as client:
            one, two = await client.create_session("mock"), await client.create_session("mock")
            pids = begun(tmp_path)
            assert len(pids) == 2
            began = asyncio.get_running_loop().time()
            await client.destroy_session(one.id)
            await ended(pids[0])
            assert asyncio.get_running_loop().time() - began < 4
            os.kill(pids[1], 0)
            assert await two.prompt("still there?") == {"stopReason": "end_turn"}

    with real_server(tmp_path) as server:
        agent = tmp_path / AGENT
        (tmp_path / "pids").mkdir()
        first, rest = agent.read_text().split("\n", 1)
        agent.write_text(f"{first}\ntouch '{tmp_path}/pids/'$$\n{rest}")
        asyncio.run(work(server.address))
