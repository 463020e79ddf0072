"""What the agent asks of its clients, and who answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp import (
    AlreadyAnsweredError,
    EventDraft,
    PermissionRequest,
)
from pyapp.acp.jsonrpc import Message

from .agents import Process
from .kit import Place, process_of, run, text_of, until


async def ask(process: Process, params: Message) -> Any:
    """A turn that asks before it says what was chosen."""
    answer = await process.ask(params["prompt"][-1]["text"])
    process.words(str(answer["result"]["outcome"].get("optionId", "cancelled")))
    return {"stopReason": "end_turn"}


@pytest.mark.parametrize(("reply", "option"), [("once", "yes"), ("always", "yes"), ("reject", "no")])
def test_permissions_are_answered(reply: Any, option: str) -> None:
    async def work() -> None:
        place = Place(ask)
        async with await place.client() as client:
            session = await client.create_session("mock")
            asked: list[PermissionRequest] = []
            session.on_permission_request(asked.append)
            turn = asyncio.ensure_future(session.prompt("p1"))
            await until(lambda: asked)
            assert session.permission_requests == tuple(asked)
            await session.respond_permission(asked[0].id, reply)
            await turn
            assert session.permission_requests == ()
            assert text_of(await place.events(session.id)) == option
            with pytest.raises(AlreadyAnsweredError):
                await session.respond_permission(asked[0].id, reply)

    run(work())


def test_one_of_two_answers_counts_and_both_clients_know_it() -> None:
    async def work() -> None:
        place = Place(ask)
        async with await place.client() as one, await place.client() as two:
            first = await one.create_session("mock")
            second = await two.resume_session(first.id)
            first.on_permission_request(lambda _request: None)
            turn = asyncio.ensure_future(first.prompt("p1"))
            await until(lambda: first.permission_requests and second.permission_requests)
            (request,) = second.permission_requests
            outcomes = await asyncio.gather(
                first.respond_permission(request.id, "once"),
                second.respond_permission(request.id, "reject"),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes].count(AlreadyAnsweredError) == 1
            await turn
            chosen = "yes" if outcomes[0] is None else "no"
            events = await place.events(first.id)
            assert text_of(events) == chosen
            await until(lambda: not second.permission_requests)
            answers = [event for event in events if event.sender == "client" and "result" in event.payload]
            assert len(answers) == 1
            sent = [message for message in place.agent.processes[0].heard if "result" in message]
            assert len(sent) == 1

    run(work())


def test_a_permission_that_waits_outlives_the_client() -> None:
    async def work() -> None:
        place = Place(ask)
        one = await place.client()
        session = await one.create_session("mock")
        session.on_permission_request(lambda _request: None)
        turn = asyncio.ensure_future(session.prompt("p1"))
        await until(lambda: session.permission_requests)
        await one.dispose()
        with pytest.raises(Exception, match="let go"):
            await turn
        async with await place.client() as two:
            again = await two.resume_session(session.id)
            asked: list[PermissionRequest] = []
            again.on_permission_request(asked.append)
            await again.respond_permission(asked[0].id, option_id="no")
            await until(lambda: not again.running)
            assert text_of(await place.events(session.id)) == "no"

    run(work())


def test_an_answer_whose_client_died_before_sending_it_is_sent() -> None:
    async def work() -> None:
        place = Place(ask)
        one = await place.client()
        session = await one.create_session("mock")
        session.on_permission_request(lambda _request: None)
        turn = asyncio.ensure_future(session.prompt("p1"))
        await until(lambda: session.permission_requests)
        (request,) = session.permission_requests
        process, connection = process_of(place), session.record.last_connection_id
        await one.dispose()
        with pytest.raises(Exception, match="let go"):
            await turn
        result = {"outcome": {"outcome": "selected", "optionId": "yes"}}
        payload = {"jsonrpc": "2.0", "id": "p1", "result": result}
        await place.store.append_event(  # type: ignore[attr-defined]
            session.id, EventDraft("client", payload, connection, 1, f"{process}:answer:{request.id}")
        )
        async with await place.client() as two:
            again = await two.resume_session(session.id)
            await until(lambda: not again.running)
            assert text_of(await place.events(session.id)) == "yes"

    run(work())


def test_nobody_who_listens_means_cancelled() -> None:
    async def work() -> None:
        place = Place(ask)
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("p1")
            assert text_of(await place.events(session.id)) == "cancelled"

    run(work())


def test_requests_that_this_client_has_not_are_refused_and_stored() -> None:
    async def read(process: Process, _params: Message) -> Any:
        answer = await process.ask(5, "fs/read_text_file")
        process.words(str(answer["error"]["code"]))
        return {}

    async def work() -> None:
        place = Place(read)
        async with await place.client() as client:
            session = await client.create_session("mock")
            await session.prompt("go")
            assert text_of(await place.events(session.id)) == "-32601"

    run(work())
