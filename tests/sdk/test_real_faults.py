"""The real server behind a network that does harm, and killed between prompts: the store equals the stream."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import pytest

from examples.agent.server import Server
from pyapp import InMemorySessionPersistDriver, PromptInterruptedError, SandboxAgent
from pyapp.acp.sse import SseDecoder
from pyapp.sdk import stream
from tests.faults.amounts import PROXY_RUNS, SEED, SERVER_KILLS

from .conftest import NewServer
from .kit import agent_messages, allow_all, assert_no_gaps, run
from .proxy import FaultProxy

TURNS = ("stream 40 at 4000", "permission", "think plan tool edit")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many connections break here; nobody wants to wait between them."""
    monkeypatch.setattr(stream, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", 0.05)


def store() -> InMemorySessionPersistDriver:
    return InMemorySessionPersistDriver(max_events_per_session=1_000_000)


async def said(server: str, process: str, count: int) -> list[Any]:
    """The first messages of a process, as the server's own stream has them."""
    messages: list[Any] = []
    decoder = SseDecoder()
    headers = {"Accept": "text/event-stream"}
    async with httpx.AsyncClient() as http, http.stream("GET", f"{server}/v1/acp/{process}", headers=headers) as answer:
        async for piece in answer.aiter_bytes():
            messages += [json.loads(event.data) for event in decoder.feed(piece) if event.id]
            if len(messages) >= count:
                return messages
    raise AssertionError(f"the stream of {process} ended after {len(messages)} messages of {count}")


@pytest.mark.parametrize("block", range(4))
def test_the_store_equals_the_stream(block: int, agent_server: str) -> None:
    async def one(seed: str) -> None:
        kept = store()
        with FaultProxy(agent_server, seed=seed) as proxy:
            async with await SandboxAgent.connect(base_url=proxy.address, persist=kept) as client:
                session = await client.create_session("mock")
                allow_all(session)
                for turn in TURNS:
                    await session.prompt(turn)
                events = list((await kept.list_events(session.id, limit=100_000)).items)
                stored = agent_messages(events)
                assert_no_gaps(events)
                assert stored == await said(agent_server, session.record.extra["serverId"], len(stored))
                answered = {message.get("id") for message in stored if "method" not in message}
                assert {event.payload["id"] for event in events if is_request(event)} == answered
                await client.destroy_session(session.id)
        assert any(seen.cut for seen in proxy.streams), "the network was not bad enough"

    async def work() -> None:
        for number in range(block * PROXY_RUNS // 4, (block + 1) * PROXY_RUNS // 4):
            await one(f"{SEED}-{number}")

    run(work(), limit=10 * PROXY_RUNS)


def is_request(event: Any) -> bool:
    return event.sender == "client" and "method" in event.payload and "id" in event.payload


def test_a_server_that_is_killed_between_prompts(new_server: NewServer) -> None:
    """Each prompt ends in success or says that it was not repeated; nothing is missing, nothing there twice."""

    async def work() -> None:
        server = new_server()
        kept = store()
        outcomes = []
        async with await SandboxAgent.connect(base_url=server.address, persist=kept) as client:
            session = await client.create_session("mock")
            allow_all(session)
            for number in range(SERVER_KILLS):
                rng = random.Random(f"{SEED}-{number}")
                prompt = asyncio.ensure_future(session.prompt("stream 60 at 600"))
                await asyncio.sleep(rng.choice((0.3, rng.random() * 0.2)))  # after the turn, or in its middle
                await asyncio.to_thread(restart, server)
                try:
                    await prompt
                    outcomes.append("success")
                except PromptInterruptedError:
                    outcomes.append("interrupted")
            assert (await session.prompt("hello"))["stopReason"] == "end_turn"
            assert_no_gaps(list((await kept.list_events(session.id, limit=100_000)).items))
        print(f"\n{SERVER_KILLS} kills of the server: {outcomes.count('success')} prompts ended well")

    run(work(), limit=20 * SERVER_KILLS)


def restart(server: Server) -> None:
    server.kill()
    server.start()
