"""A session with its agent: what is stored, and what is heard."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp import (
    EventConflictError,
    InMemorySessionPersistDriver,
    SandboxAgent,
    ServerError,
    SessionEvent,
    StoreError,
    StoreFullError,
    UnknownSessionError,
    UnsupportedValueError,
)
from pyapp.acp.jsonrpc import Message

from .agents import Process, wait
from .kit import Place, agent_messages, assert_no_gaps, process_of, run, text_of, until


def test_every_message_is_stored_in_true_order() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock", cwd="/home")
            assert await session.prompt("a b c") == {"stopReason": "end_turn"}
            events = await place.events(session.id)
            assert_no_gaps(events)
            assert agent_messages(events) == place.said(process_of(place))
            assert [event.payload.get("method", "response") for event in events] == [
                "initialize", "response", "session/new", "response", "session/prompt",
                "session/update", "session/update", "session/update", "response",
            ]  # fmt: skip
            assert [event.payload for event in events if event.sender == "client"] == place.agent.processes[0].heard
            record = await client.get_session(session.id)
            assert record == session.record
            assert record is not None
            assert (record.agent, record.agent_session_id) == ("mock", "remote")
            assert record.session_init == {"cwd": "/home", "mcpServers": []}
            assert record.extra["serverId"] == process_of(place)

    run(work())


def test_what_is_sent_and_heard_is_stored_before() -> None:
    async def work() -> None:
        place = Place()

        async def turn(process: Process, params: Message) -> Any:
            stored = await place.events(session.id)
            assert stored[-1].payload["params"] == params, "the prompt is stored before the agent gets it"
            process.words("x")
            return {}

        place.agent.turn = turn
        async with await place.client() as client:
            session = await client.create_session("mock")
            heard: list[SessionEvent] = []

            def hear(event: SessionEvent) -> None:
                assert event.id in place.store._events  # type: ignore[attr-defined]
                heard.append(event)

            session.on_event(hear)
            await session.prompt("hello")
            assert heard == (await place.events(session.id))[4:]

    run(work())


def test_a_second_client_reads_on_and_hears_each_event_once() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as one, await place.client() as two:
            first = await one.create_session("mock")
            second = await two.resume_session(first.id)
            heard: dict[str, list[SessionEvent]] = {"first": [], "second": []}
            first.on_event(heard["first"].append)
            second.on_event(heard["second"].append)
            await first.prompt("from the first")
            await second.prompt("from the second")
            events = await place.events(first.id)
            await until(lambda: len(heard["first"]) == len(heard["second"]) == len(events) - 4)
            assert heard["first"] == heard["second"] == events[4:]
            assert agent_messages(events) == place.said(process_of(place))
            await first.aclose()
            assert await second.prompt("still here") == {"stopReason": "end_turn"}

    run(work())


def test_a_reload_in_the_middle_of_a_turn_loses_nothing() -> None:
    """A client is dropped as a page is; the next one finds the same process, and the turn ends."""

    async def work() -> None:
        place = Place(wait)
        one = await place.client()
        session = await one.create_session("mock")
        turn = asyncio.ensure_future(session.prompt("go on"))
        await until(lambda: session.running)
        await until(lambda: len(place.said(process_of(place))) == 3)
        await one.dispose()
        with pytest.raises(Exception, match="let go"):
            await turn
        async with await place.client() as two:
            again = await two.resume_session(session.id)
            assert again.running
            assert len(place.agent.processes) == 1
            await again.cancel()
            await until(lambda: not again.running)
            events = await place.events(session.id)
            assert_no_gaps(events)
            assert agent_messages(events) == place.said(process_of(place))

    run(work())


def test_unsupported_values_are_refused_before_anything_is_sent() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock", mode="plan", model="large")
            process = place.agent.processes[0]
            sent = len(process.heard)
            stored = len(await place.events(session.id))
            for attempt in (
                session.set_mode("fast"),
                session.set_model("huge"),
                session.set_thought_level("high"),
                session.set_config_option("colour", "red"),
            ):
                with pytest.raises(UnsupportedValueError, match="offers"):
                    await attempt
            with pytest.raises(UnsupportedValueError) as refusal:
                await session.set_mode("fast")
            assert refusal.value.allowed == ("code", "plan")
            assert len(process.heard) == sent
            assert len(await place.events(session.id)) == stored
            assert session.modes is not None
            assert session.modes["currentModeId"] == "plan"
            record = await client.get_session(session.id)
            assert record is not None
            assert record.modes == session.modes
            assert record.config_options is not None
            assert record.config_options[0]["currentValue"] == "large"
            with pytest.raises(UnsupportedValueError):
                await client.create_session("mock", id="never", mode="fast")
            assert await client.get_session("never") is None
            assert await place.events("never") == []
            assert len(place.server.processes) == 1

    run(work())


def test_what_the_agent_changes_by_itself_is_kept() -> None:
    async def change(process: Process, _params: Message) -> Any:
        process.update("current_mode_update", currentModeId="plan")
        return {}

    async def work() -> None:
        place = Place(change)
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("go")
            await until(lambda: (session.record.modes or {}).get("currentModeId") == "plan")
            assert (await session.refresh()).modes == session.modes

    run(work())


class FullStore(InMemorySessionPersistDriver):
    """A store that is full while `is_full`."""

    is_full = False

    async def append_events(self, session_id: str, drafts: Any) -> tuple[SessionEvent, ...]:
        if self.is_full:
            raise StoreFullError("the disk is full")
        return await super().append_events(session_id, drafts)


def test_a_store_that_fails_is_an_error_and_never_a_gap() -> None:
    async def work() -> None:
        store = FullStore()
        place = Place(wait, store)
        async with await place.client() as client:
            session = await client.create_session("mock")
            turn = asyncio.ensure_future(session.prompt("go"))
            await until(lambda: session.running)
            await until(lambda: len(place.said(process_of(place))) == 3)
            store.is_full = True
            place.agent.processes[0].words("not stored")
            with pytest.raises(StoreFullError):
                await turn
            assert session.state == "closed"
            with pytest.raises(StoreError):
                await session.prompt("nothing is sent that is not stored")
            store.is_full = False
            place.agent.turn = Place().agent.turn
            place.agent.processes[0].turn = place.agent.turn
            await session.prompt("now")
            events = await place.events(session.id)
            assert_no_gaps(events)
            assert agent_messages(events) == place.said(process_of(place))
            assert [m["method"] for m in place.agent.processes[0].heard].count("session/prompt") == 2

    run(work())


def test_what_no_store_can_keep_is_kept_as_text() -> None:
    """A number that JavaScript would round becomes a text; half a character is kept."""

    async def odd(process: Process, _params: Message) -> Any:
        process.update("agent_message_chunk", content={"type": "text", "text": "a"}, number=[10**40 + 1, 1])
        process.words("\ud83e\udd80 \ud83e" + "\ud83e")
        process.say({"jsonrpc": "2.0", "method": "x", "params": {"\ud83e": "\ud83e"}})
        process.words("after")
        return {}

    async def work() -> None:
        place = Place(odd)
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("go")
            events = await place.events(session.id)
            said = agent_messages(events)
            assert said[2]["params"]["update"]["number"] == [str(10**40 + 1), 1]
            assert text_of(events).endswith("after")
            assert_no_gaps(events)
            assert len(said) == len(place.said(process_of(place)))

    run(work())


def test_events_can_be_iterated_from_the_beginning_and_live() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("one two")
            got: list[SessionEvent] = []

            async def read() -> None:
                async for event in session.events(after=0):
                    got.append(event)  # noqa: PERF401 - it is looked at while it grows

            reading = asyncio.ensure_future(read())
            await session.prompt("three")
            events = await place.events(session.id)
            await until(lambda: len(got) == len(events))
            assert got == events
            await session.aclose()
            await reading

    run(work())


def test_a_session_that_was_let_go_can_be_resumed() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.aclose()
            assert session.is_let_go
            with pytest.raises(ServerError, match="resume it"):
                await session.prompt("x")
            again = await client.resume_session(session.id)
            assert await again.prompt("x") == {"stopReason": "end_turn"}
            assert len(place.agent.processes) == 1
            assert await client.resume_session(session.id) is again

    run(work())


def test_reading_events_ends_with_a_session_whose_process_was_gone_before() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            got: list[SessionEvent] = []

            async def read() -> None:
                async for event in session.events(after=0):
                    got.append(event)  # noqa: PERF401 - it is looked at while it grows

            reading = asyncio.ensure_future(read())
            await until(lambda: len(got) == 4)
            place.server.stop()
            await until(lambda: session.state == "reconnecting")
            place.server.start()
            await until(lambda: session.state == "closed")
            await session.aclose()
            await reading

    run(work())


def test_destroying_ends_the_process_and_resuming_begins_again() -> None:
    async def work() -> None:
        place = Place()
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("x")
            record = await client.destroy_session(session.id)
            assert record.destroyed_at is not None
            assert place.server.processes == {}
            again = await client.resume_session(session.id)
            assert again.record.destroyed_at is None
            await again.prompt("y")
            assert len(place.agent.processes) == 2
            with pytest.raises(UnknownSessionError):
                await client.destroy_session("nobody")
            with pytest.raises(UnknownSessionError):
                await client.resume_session("nobody")
            with pytest.raises(EventConflictError):
                await client.create_session("mock", id=session.id)

    run(work())


def test_without_a_store_the_agents_end_with_their_client() -> None:
    async def work() -> None:
        place = Place()
        async with await SandboxAgent.connect(base_url="http://memory", transport=place.server.transport()) as client:
            await client.create_session("mock")
            assert len(place.server.processes) == 1
        assert place.server.processes == {}

    run(work())


def test_a_cancelled_prompt_aborts_its_request_and_the_session_goes_on() -> None:
    async def work() -> None:
        place = Place(wait)
        async with await place.client() as client:
            session = await client.create_session("mock")
            ended: list[str] = []
            client.on_exchange(lambda exchange: ended.extend([exchange.method] if exchange.took else []))
            turn = asyncio.ensure_future(session.prompt("go"))
            await until(lambda: session.running)
            turn.cancel()
            with pytest.raises(asyncio.CancelledError):
                await turn
            await until(lambda: "POST" in ended)
            assert session.running, "the agent goes on; cancel() would end its turn"
            await session.cancel()
            await until(lambda: not session.running)

    run(work())
