"""The HTTP of a server: addresses and tokens, errors in words, what is told of requests, and where no token goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from pyapp import Exchange, ServerError, ServerRefusedError, ServerUnreachableError
from pyapp import transport as transport_module
from pyapp.errors import AgentGoneError
from pyapp.sdk.server import LONGEST_REASON, AgentServer
from pyapp.transport import Request, Stream
from pyapp.transport.address import check_base_url, check_token
from pyapp.transport.http import HttpTransport

from .kit import run

TOKEN = "s3cret-token"


class Answers:
    """A transport that gives one answer to everything, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: Any = None, error: Exception | None = None) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.error = error
        self.requests: list[Request] = []
        self.content_type = "application/json"

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        yield Stream(self.status, self.content_type, self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), 10):
            yield self.body[start : start + 10]

    async def aclose(self) -> None:
        """Nothing is kept open."""


def server(answers: Answers) -> AgentServer:
    return AgentServer(answers, "http://host:2468/", TOKEN)


def refusal(answers: Answers, *, of_process: bool = False) -> ServerError:
    async def work() -> ServerError:
        agents = server(answers)
        with pytest.raises(ServerError) as caught:
            await (agents.post_message("p", {"jsonrpc": "2.0"}) if of_process else agents.get("/v1/agents"))
        return caught.value

    return run(work())


# addresses and tokens


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("http://127.0.0.1:2468", "http://127.0.0.1:2468"),
        ("  https://host/some/path// \n", "https://host/some/path"),
        ("HTTP://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_an_address_loses_the_slash_at_its_end(given: str, taken: str) -> None:
    assert check_base_url(given) == taken


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begins with http"),
        ("127.0.0.1:2468", "begins with http"),
        ("host", "begins with http"),
        ("file:///etc/passwd", "begins with http"),
        ("javascript:alert(1)", "begins with http"),
        ("http://", "begins with http"),
        ("http:///path", "begins with http"),
        ("http://host:99999", "not the address of a server"),
        ("http://host:port", "not the address of a server"),
        ("http://[::1", "not the address of a server"),
        (f"http://user:{TOKEN}@host", "a name or a password"),
        (f"http://{TOKEN}@host", "a name or a password"),
        (f"http://user:{TOKEN}", "not the address of a server"),
        (f"http://user:{TOKEN}@ho℀st", "not the address of a server"),
        (f"http://host?token={TOKEN}", "behind . or #"),
        (f"http://host/#{TOKEN}", "behind . or #"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_secrets(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        check_base_url(url)
    assert TOKEN not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}é", f"{TOKEN}\x7f", f" {TOKEN}", f"{TOKEN} ", " "]
)
def test_a_token_that_no_header_can_hold_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        AgentServer(Answers(), "http://host", token)
    assert TOKEN not in str(caught.value)


def test_a_token_is_taken_as_it_is() -> None:
    assert check_token("aZ09-._~+/=") == "aZ09-._~+/="


# what is sent


def test_the_token_is_in_a_header_and_nowhere_else() -> None:
    async def work() -> None:
        answers = Answers(200, {"agents": []})
        agents = server(answers)
        told: list[Exchange] = []
        agents.on_exchange(told.append)
        await agents.get("/v1/agents", {"config": "true"})
        await agents.post("/v1/agents/mock/install", {"reinstall": False})
        await agents.post_message("sdk-mock-1/..", {"jsonrpc": "2.0"}, "mo ck&")
        await agents.end("p")
        answers.content_type = "text/event-stream"
        async with agents.stream("p", 7):
            pass
        async with agents.stream("p", 0):
            pass
        assert [(request.method, request.url) for request in answers.requests] == [
            ("GET", "http://host:2468/v1/agents?config=true"),
            ("POST", "http://host:2468/v1/agents/mock/install"),
            ("POST", "http://host:2468/v1/acp/sdk-mock-1%2F..?agent=mo+ck%26"),
            ("DELETE", "http://host:2468/v1/acp/p"),
            ("GET", "http://host:2468/v1/acp/p"),
            ("GET", "http://host:2468/v1/acp/p"),
        ]
        for request in answers.requests:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            others = {name: value for name, value in request.headers.items() if name != "Authorization"}
            assert TOKEN not in repr((request.url, request.body, others))
        assert answers.requests[1].body == '{"reinstall":false}'
        assert answers.requests[4].headers["Last-Event-ID"] == "7"
        assert "Last-Event-ID" not in answers.requests[5].headers
        assert TOKEN not in repr(told)
        assert TOKEN not in repr(agents)

    run(work())


def test_without_a_token_there_is_no_header() -> None:
    async def work() -> None:
        answers = Answers(200, {})
        for token in (None, ""):
            await AgentServer(answers, "http://host", token).get("/v1/health")
        assert all("Authorization" not in request.headers for request in answers.requests)

    run(work())


# what is answered


def test_problem_details_become_errors() -> None:
    problem = {"type": "urn:sandbox-agent:error:x", "title": "Title", "status": 500, "detail": "the disk is full"}
    error = refusal(Answers(500, problem))
    assert type(error) is ServerError
    assert (error.status, str(error)) == (500, "the server answered with status 500: the disk is full")
    assert str(refusal(Answers(409, {"title": "Title"}))) == "the server answered with status 409: Title"


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused(status: int) -> None:
    error = refusal(Answers(status, {"detail": "token invalid"}))
    assert isinstance(error, ServerRefusedError)
    assert (error.status, str(error)) == (status, "the server refused the token, or wants one: token invalid")


def test_a_process_that_is_gone() -> None:
    missing = {"type": "urn:sandbox-agent:error:invalid_request", "detail": "missing required 'agent' query parameter"}
    for answers in (Answers(404, {"detail": "session not found"}), Answers(400, missing)):
        assert isinstance(refusal(answers, of_process=True), AgentGoneError)
        assert not isinstance(refusal(answers), AgentGoneError), "for other paths it means something else"
    assert not isinstance(refusal(Answers(400, {"detail": "bad"}), of_process=True), AgentGoneError)

    async def work() -> None:
        with pytest.raises(AgentGoneError):
            async with server(Answers(404, {"detail": "session not found"})).stream("p", 3):
                pass

    run(work())


def test_what_stands_before_a_server_is_no_answer_of_it() -> None:
    assert isinstance(refusal(Answers(502, b"<html>Bad gateway</html>")), ServerUnreachableError)
    its_own = {"type": "urn:sandbox-agent:error:agent_process_failed", "detail": "it failed"}
    assert not isinstance(refusal(Answers(502, its_own)), ServerUnreachableError)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b"[1]", b'{"detail":5}', b'{"detail":null,"title":[]}', b"[" * 100_000]
)
def test_an_error_in_any_shape_is_an_error(body: bytes) -> None:
    error = refusal(Answers(418, body))
    assert error.status == 418
    assert str(error).startswith("the server answered with status 418")


def test_a_reason_is_cut() -> None:
    assert len(str(refusal(Answers(500, {"detail": "x" * 10_000})))) < LONGEST_REASON + 100


@pytest.mark.parametrize("body", [b"", b"<!doctype html>", b"\xff", b"NaN", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_an_error(body: bytes) -> None:
    assert refusal(Answers(200, body)).status == 200


def test_a_redirect_is_not_followed() -> None:
    answers = Answers(302, b"")
    assert refusal(answers).status == 302
    assert len(answers.requests) == 1


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "LARGEST_BODY", 1_000)
    assert "more than 1,000 bytes" in str(refusal(Answers(200, b"x" * 2_000)))


def test_a_server_that_repeats_the_token_makes_no_error_show_it() -> None:
    async def work() -> None:
        answers = Answers(401, {"detail": f"no such token: Bearer {TOKEN}"})
        agents = server(answers)
        told: list[Exchange] = []
        agents.on_exchange(told.append)
        with pytest.raises(ServerRefusedError, match="no such token") as caught:
            await agents.get("/v1/agents")
        assert TOKEN not in f"{caught.value!r}{caught.value.__cause__!r}{told}"
        with pytest.raises(ServerRefusedError, match="no such token") as caught:
            async with agents.stream("p", 0):
                pass
        assert TOKEN not in f"{caught.value!r}{told}"

    run(work())


# what is told


def test_each_request_is_told_twice() -> None:
    async def work() -> None:
        answers = Answers(200, {})
        agents = server(answers)
        told: list[Exchange] = []
        stop = agents.on_exchange(told.append)
        await agents.get("/v1/agents", {"config": "true"})
        began, ended = told
        assert (began.method, began.path, began.status, began.took, began.error) == (
            "GET",
            "/v1/agents",
            None,
            None,
            "",
        )
        assert (ended.id, ended.status, ended.error) == (began.id, 200, "")
        assert ended.took is not None
        assert ended.took >= 0
        stop()
        await agents.get("/v1/agents")
        assert len(told) == 2

    run(work())


def test_a_request_that_fails_is_told_with_its_reason() -> None:
    async def work() -> None:
        answers = Answers(500, {"detail": "the disk is full"})
        agents = server(answers)
        told: list[Exchange] = []
        agents.on_exchange(told.append)
        with pytest.raises(ServerError):
            await agents.get("/v1/agents")
        answers.error = ServerUnreachableError("connection refused")
        with pytest.raises(ServerUnreachableError):
            await agents.get("/v1/agents")
        with pytest.raises(ServerUnreachableError):
            async with agents.stream("p", 0):
                pass
        ends = [exchange for exchange in told if exchange.took is not None]
        assert [(end.status, end.error) for end in ends] == [
            (500, "the server answered with status 500: the disk is full"),
            (0, "connection refused"),
            (0, "connection refused"),
        ]
        assert len({exchange.id for exchange in told}) == 3

    run(work())


def test_a_stream_is_told_when_it_ends() -> None:
    async def work() -> None:
        agents = server(Answers(200, b"data: x\n\n"))
        told: list[Exchange] = []
        agents.on_exchange(told.append)
        async with agents.stream("p", 0) as stream:
            assert [exchange.took for exchange in told] == [None]
            assert b"".join([piece async for piece in stream.pieces]) == b"data: x\n\n"
        assert [(exchange.status, exchange.error) for exchange in told] == [(None, ""), (200, "")]

    run(work())


def test_a_request_that_is_cancelled_is_told() -> None:
    class Silent(Answers):
        async def _pieces(self) -> AsyncIterator[bytes]:
            asked.set()
            await asyncio.sleep(60)
            yield b""

    asked = asyncio.Event()

    async def work() -> None:
        agents = server(Silent())
        told: list[Exchange] = []
        agents.on_exchange(told.append)
        asking = asyncio.ensure_future(agents.get("/v1/agents"))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert [(exchange.status, exchange.error) for exchange in told] == [(None, ""), (0, "cancelled")]

    run(work())


# httpx


def test_httpx_brings_the_answer_and_names_the_failure() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if request.url.path == "/v1/agents":
            return httpx.Response(302, headers={"Location": "http://elsewhere/"})
        if request.url.path == "/v1/health":
            return httpx.Response(200, json={"status": "ok"})
        raise httpx.ConnectError("")

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            carrier = HttpTransport(client)
            agents = AgentServer(carrier, "http://host", TOKEN)
            assert await agents.get("/v1/health") == {"status": "ok"}
            with pytest.raises(ServerError, match="status 302"):
                await agents.get("/v1/agents")
            with pytest.raises(ServerUnreachableError, match="ConnectError"):
                await agents.get("/v1/acp")
            await agents.aclose()
            assert not client.is_closed, "a client that was given is not closed"
            with pytest.raises(ServerUnreachableError):
                await AgentServer(carrier, "http://a b", TOKEN).get("/v1/acp")
        own = HttpTransport()
        await own.aclose()

    run(work())
