"""A process, a server or a connection that goes away, and what the session does then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pyapp import (
    AgentGoneError,
    PromptInterruptedError,
)
from pyapp.acp.jsonrpc import Message
from pyapp.sdk import link, stream
from pyapp.sdk.memory import InMemoryAgentServer
from pyapp.transport import Request, Stream, Transport

from .agents import Process, wait
from .kit import Place, agent_messages, assert_no_gaps, process_of, run, text_of, until


def test_a_lost_process_is_replaced_and_given_the_history() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("the answer is 42")
            before = await client.restore_preview(session.id)
            place.server.stop()
            place.server.start()
            assert await session.prompt("what was it?") == {"stopReason": "end_turn"}
            (_, process) = place.agent.processes
            prompt = process.heard[-1]["params"]["prompt"]
            assert prompt[0]["text"] == before.text
            assert "the answer is 42" in prompt[0]["text"]
            assert prompt[1] == {"type": "text", "text": "what was it?"}
            await session.prompt("and now?")
            assert len(process.heard[-1]["params"]["prompt"]) == 1, "the history is given once"
            events = await place.events(session.id)
            assert_no_gaps(events)
            assert session.record.extra["serverId"] == process_of(place)
            assert "historyPending" not in session.record.extra

    run(work())


def test_a_restored_session_keeps_its_mode_and_options() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock", mode="plan", model="large")
            for _ in range(2):
                place.server.stop()
                place.server.start()
                await session.prompt("hello")
                chosen = {message["method"]: message["params"] for message in place.agent.processes[-1].heard}
                assert chosen["session/set_mode"] == {"sessionId": "remote", "modeId": "plan"}
                assert chosen["session/set_config_option"]["value"] == "large"
                stored = await session.refresh()
                assert (stored.modes or {})["currentModeId"] == "plan"
                assert (stored.config_options or [])[0]["currentValue"] == "large"
            assert_no_gaps(await place.events(session.id))

    run(work())


def test_what_a_new_process_does_not_offer_is_left_alone() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock", mode="plan", model="large")
            place.agent.modes, place.agent.options = None, []
            place.server.stop()
            place.server.start()
            assert await session.prompt("hello") == {"stopReason": "end_turn"}
            methods = [message.get("method") for message in place.agent.processes[-1].heard]
            assert methods == ["initialize", "session/new", "session/prompt"]
            assert session.modes is None

    run(work())


def test_a_connection_that_falls_silent_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slept: its connections are dead, and nobody has told it so."""
    monkeypatch.setattr(stream, "SILENT", 0.05)

    async def work() -> None:
        place = Place()
        async with await place.client(DeafTransport(place.server.transport())) as client:
            session = await client.create_session("mock")
            assert await session.prompt("can you hear me") == {"stopReason": "end_turn"}
            events = await place.events(session.id)
            assert text_of(events) == "can you hear me"
            assert_no_gaps(events)

    run(work())


class DeafTransport:
    """Nothing comes on the first stream after its third piece, and nothing says why."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._streams = 0

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        async with self._inner.open(request) as answer:
            if request.headers.get("Accept") == "text/event-stream":
                self._streams += 1
                if self._streams == 1:
                    answer = replace(answer, pieces=self._deaf(answer.pieces))
            yield answer

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _deaf(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield await anext(pieces)
        await asyncio.Event().wait()


def test_two_clients_restore_one_session_once() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as one, await place.client() as two:
            session = await one.create_session("mock")
            await session.prompt("before")
            other = await two.resume_session(session.id)
            place.server.stop()
            place.server.start()
            await asyncio.gather(session.prompt("from one"), other.prompt("from two"))
            assert len(place.server.processes) == 1
            assert len(place.agent.processes) == 2
            events = await place.events(session.id)
            assert_no_gaps(events)

    run(work())


def test_a_prompt_that_is_cut_off_is_not_repeated() -> None:
    async def work() -> None:
        place = Place(wait)
        async with await place.client() as client:
            session = await client.create_session("mock")
            turn = asyncio.ensure_future(session.prompt("go"))
            await until(lambda: place.agent.processes[0].heard[-1]["method"] == "session/prompt")
            place.server.stop()
            place.server.start()
            with pytest.raises(PromptInterruptedError, match="not repeated"):
                await turn
            place.agent.turn = Place().agent.turn
            await session.prompt("on")
            assert [message["method"] for message in place.agent.processes[1].heard] == [
                "initialize", "session/new", "session/prompt",
            ]  # fmt: skip

    run(work())


def test_an_agent_that_exits_ends_the_turn() -> None:
    async def exit_(process: Process, _params: Message) -> Any:
        process.say({"jsonrpc": "2.0", "method": "_adapter/agent_exited", "params": {"code": 7}})
        await asyncio.sleep(60)

    async def work() -> None:
        place = Place(exit_)
        async with await place.client() as client:
            session = await client.create_session("mock")
            with pytest.raises(PromptInterruptedError):
                await session.prompt("go")
            assert isinstance(session.error, AgentGoneError)
            place.agent.turn = Place().agent.turn
            await session.prompt("on")
            assert len(place.agent.processes) == 2

    run(work())


def test_what_the_server_has_no_more_is_said() -> None:
    """The real server keeps about a thousand messages: who was away for longer cannot have them all."""

    async def work() -> None:
        place = Place(wait)
        place.server.backlog = 10
        one = await place.client()
        session = await one.create_session("mock")
        turn = asyncio.ensure_future(session.prompt("go"))
        await until(lambda: len(place.said(process_of(place))) == 3 and session.running)
        await one.dispose()
        await asyncio.gather(turn, return_exceptions=True)
        for number in range(25):
            place.agent.processes[0].words(str(number))
        async with await place.client() as two:
            again = await two.resume_session(session.id)
            await again.cancel()
            await until(lambda: not again.running)
            events = await place.events(session.id)
            (hole,) = [event.payload for event in events if event.payload.get("method") == "_pyapp/missing"]
            assert hole["params"] == {"first": 4, "last": 18}
            said = place.said(process_of(place))
            assert agent_messages(events) == said[:3] + said[18:]
            assert_no_gaps(events)

    run(work())


def test_a_server_that_never_says_that_a_process_has_ended_holds_nobody_up() -> None:
    """As server 0.4.2: the process is off the list at once, and the answer does not come."""

    class Holding(InMemoryAgentServer):
        async def answer(self, request: Request) -> Any:
            answer = await super().answer(request)
            if request.method == "DELETE":
                await asyncio.Event().wait()
            return answer

    async def work() -> None:
        place = Place()
        place.server = Holding({"mock": place.agent})
        async with await place.client() as client:
            session = await client.create_session("mock")
            began = asyncio.get_running_loop().time()
            await client.destroy_session(session.id)
            assert asyncio.get_running_loop().time() - began < 2
            assert place.server.processes == {}

    run(work())


def test_a_session_of_another_client_is_restored() -> None:
    """A record that upstream's SDK has written, without a process of ours."""

    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("x")
            from dataclasses import replace

            record = replace(session.record, last_connection_id="5d9c", extra={"theirs": 1})
            await client.dispose()
            await place.store.update_session(record)
            place.server.stop()
            place.server.start()
        async with await place.client() as client:
            again = await client.resume_or_create_session("mock", session.id, mode="plan")
            await again.prompt("y")
            assert again.record.extra["theirs"] == 1
            assert_no_gaps(await place.events(session.id))

    run(work())


def test_a_server_that_loses_its_patience_ends_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers a long POST with an error, and the agent goes on: what it says comes on the stream."""
    monkeypatch.setattr(link, "SURELY_SENT", 0.01)

    async def work() -> None:
        async def slow(process: Process, _params: Message) -> Any:
            await process.cancelled.wait()
            return {"stopReason": "end_turn"}

        place = Place(slow)
        answer = place.server.answer

        async def impatient(request: Request) -> tuple[int, Any]:
            if "session/prompt" not in (request.body or ""):
                return await answer(request)
            begun.append(asyncio.ensure_future(answer(request)))
            await asyncio.sleep(0.05)
            return 504, {"type": "urn:sandbox-agent:error:timeout", "detail": "timeout"}

        begun: list[asyncio.Future[Any]] = []
        monkeypatch.setattr(place.server, "answer", impatient)
        async with await place.client() as client:
            session = await client.create_session("mock")
            turn = asyncio.ensure_future(session.prompt("go"))
            await until(lambda: begun)
            await asyncio.sleep(0.1)  # longer than the server's patience
            assert not turn.done()
            place.agent.processes[0].cancelled.set()
            assert await turn == {"stopReason": "end_turn"}
            await begun[0]

    run(work())
