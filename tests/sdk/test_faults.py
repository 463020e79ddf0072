"""Whatever the network does, the store equals the stream: each message once, in order, without a gap."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from pyapp import PromptInterruptedError, Session
from pyapp.acp.jsonrpc import Message
from pyapp.sdk import stream

from ..faults.amounts import CLIENT_CHANGES, NETWORK_RUNS
from .agents import Process
from .faults import FaultyTransport
from .kit import Place, agent_messages, allow_all, assert_no_gaps, run, until

RESTARTS = 20


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of connections break here; nobody wants to wait between them."""
    monkeypatch.setattr(stream, "FIRST_PAUSE", 0.0005)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", 0.002)


async def chatter(process: Process, params: Message) -> Any:
    """A turn of some dozen messages, of many sizes, with a question in between."""
    rng = random.Random(params["prompt"][-1]["text"])
    for number in range(rng.randrange(5, 40)):
        process.words(f"{number} " + "é\r\n\u2028x" * rng.randrange(0, 30))
        if rng.random() < 0.3:
            await asyncio.sleep(rng.random() * 0.002)
        if rng.random() < 0.05:
            await process.ask(f"{params['prompt'][-1]['text']}-{number}")
    return {"stopReason": "end_turn"}


async def ended(session: Session) -> None:
    """Wait until no turn runs."""
    await until(lambda: session.state == "open" and not session.running)


async def all_stored(place: Place, session_id: str, process: str) -> None:
    """Wait until the store has what the process has said, and see that it has nothing else."""
    said = place.said(process)
    while len(stored := agent_messages(await place.events(session_id))) < len(said):  # noqa: ASYNC110 - as in until()
        await asyncio.sleep(0.001)
    assert stored == said


@pytest.mark.parametrize("block", range(10))
def test_the_store_equals_the_stream(block: int) -> None:
    async def one(seed: int) -> list[str]:
        place = Place(chatter)
        transport = FaultyTransport(place.server.transport(), seed)
        async with await place.client(transport) as client:
            session = await client.create_session("mock")
            allow_all(session)
            for turn in range(2):
                await session.prompt(f"{seed}.{turn}")
            (process,) = place.server.processes
            events = await place.events(session.id)
            assert_no_gaps(events)
            assert agent_messages(events) == place.said(process)
        return transport.faults

    async def work() -> None:
        faults: set[str] = set()
        for seed in range(block * NETWORK_RUNS // 10, (block + 1) * NETWORK_RUNS // 10):
            faults.update(await one(seed))
        assert faults == {"refused", "repeated", "cut", "delayed"}, "the network was not bad enough"

    run(work())


def test_clients_that_come_and_go_lose_nothing() -> None:
    """A page that is reloaded at any moment of a turn, again and again, and a second one that stays."""

    async def work() -> None:
        for seed in range(CLIENT_CHANGES):
            rng = random.Random(seed)
            place = Place(chatter)
            first = await place.client(FaultyTransport(place.server.transport(), seed))
            session = await first.create_session("mock")
            session.on_permission_request(lambda _request: None)
            turn = asyncio.ensure_future(session.prompt(f"reload {seed}"))
            await asyncio.sleep(rng.random() * 0.02)
            turn.cancel()
            await first.dispose()
            await asyncio.gather(turn, return_exceptions=True)
            async with await place.client(FaultyTransport(place.server.transport(), seed + 1)) as second:
                again = await second.resume_session(session.id)
                allow_all(again)
                if any(one.get("method") == "session/prompt" for one in place.agent.processes[0].heard):
                    await ended(again)
                (process,) = place.server.processes
                await all_stored(place, session.id, process)
                assert_no_gaps(await place.events(session.id))

    run(work())


def test_a_server_that_is_killed_between_prompts() -> None:
    async def work() -> None:
        place = Place(chatter)
        outcomes = []
        async with await place.client() as client:
            session = await client.create_session("mock")
            allow_all(session)
            for number in range(RESTARTS):
                rng = random.Random(number)

                async def restart(rng: random.Random = rng) -> None:
                    await asyncio.sleep(rng.random() * 0.01)
                    place.server.stop()
                    await asyncio.sleep(rng.random() * 0.005)
                    place.server.start()

                restarting = asyncio.ensure_future(restart())
                try:
                    await session.prompt(f"restart {number}")
                    outcomes.append("success")
                except PromptInterruptedError:
                    outcomes.append("interrupted")
                await restarting
            assert_no_gaps(await place.events(session.id))
            assert set(outcomes) == {"success", "interrupted"}

    run(work())
