"""A sandbox-agent server in the memory of the process, and the transport to it: for tests without a network.

An agent is a function that starts one: it is given what says messages to the clients, and gives what takes theirs.
`tests/sdk/agents.py` of this project has some.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..acp.jsonrpc import Message, id_text, kind
from ..errors import ServerUnreachableError
from ..transport import Request, Stream

Say = Callable[[Message], None]
Take = Callable[[Message], Awaitable[None]]
Agent = Callable[[Say], Take]
"""Starts a process of an agent: what it is given says messages to the clients, what it gives takes theirs."""


class InMemoryAgentServer:
    """Serves agents, by their names, as the real server does: numbered messages, kept for whoever comes back."""

    def __init__(self, agents: Mapping[str, Agent], token: str | None = None, backlog: int | None = None) -> None:
        self.agents = dict(agents)
        self.backlog = backlog
        """How many messages of a process are kept for whoever comes back; None for all."""
        self.token = token
        self.processes: dict[str, _Process] = {}
        self.is_up = True

    def transport(self) -> InMemoryTransport:
        """A way to this server."""
        return InMemoryTransport(self)

    def stop(self) -> None:
        """Go away: all processes end, all streams break off, and nothing is answered until `start`."""
        self.is_up = False
        for process in self.processes.values():
            process.end()
        self.processes.clear()

    def start(self) -> None:
        """Come back, knowing nothing of before."""
        self.is_up = True

    def said(self, process: str) -> list[Message]:
        """All that a process has said so far, in its order."""
        return [json.loads(message) for message in self.processes[process].messages]

    async def answer(self, request: Request) -> tuple[int, Any]:
        """Status and JSON of everything but streams."""
        url = urlsplit(request.url)
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _problem(401, "token_invalid", "a token is wanted")
        match [unquote(part) for part in url.path.split("/")[1:]], request.method:
            case ["v1", "health"], "GET":
                return 200, {"status": "ok"}
            case ["v1", "agents"], "GET":
                return 200, {"agents": [{"id": name, "installed": True} for name in self.agents]}
            case ["v1", "agents", name, *_], _ if name in self.agents:
                return 200, {"id": name, "installed": True}
            case ["v1", "agents", name, *_], _:
                return _problem(400, "unsupported_agent", f"unsupported agent: {name}")
            case ["v1", "acp"], "GET":
                return 200, {"servers": [process.row(id_) for id_, process in self.processes.items()]}
            case ["v1", "acp", id_], "POST":
                return await self._post(
                    id_, parse_qs(url.query).get("agent", [None])[0], json.loads(request.body or "")
                )
            case ["v1", "acp", id_], "DELETE":
                if (process := self.processes.pop(id_, None)) is not None:
                    process.end()
                return 204, None
        return _problem(404, "not_found", "there is no such path")

    async def _post(self, id_: str, agent: str | None, message: Message) -> tuple[int, Any]:
        process = self.processes.get(id_)
        if process is None:
            if agent is None:
                return _problem(400, "invalid_request", "missing required 'agent' query parameter for first POST")
            if agent not in self.agents:
                return _problem(400, "unsupported_agent", f"unsupported agent: {agent}")
            process = self.processes[id_] = _Process(agent, self.agents[agent])
        answer = await process.take(message)
        return (202, None) if answer is None else (200, answer)


class InMemoryTransport:
    """Carries requests to a server in memory."""

    def __init__(self, server: InMemoryAgentServer) -> None:
        self._server = server

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        """The answer. Raises ServerUnreachableError while the server is stopped, and when it stops meanwhile."""
        await asyncio.sleep(0)
        if not self._server.is_up:
            raise ServerUnreachableError("connection refused")
        if request.headers.get("Accept") == "text/event-stream":
            id_ = unquote(urlsplit(request.url).path.rpartition("/")[2])
            process = self._server.processes.get(id_)
            if process is not None:
                yield Stream(200, "text/event-stream", process.stream(self._after(request, process)))
                return
            status, value = _problem(404, "session_not_found", f"session not found: {id_}")
        else:
            status, value = await self._server.answer(request)
        yield Stream(status, "application/json", _once(b"" if value is None else json.dumps(value).encode()))

    async def aclose(self) -> None:
        """Nothing is kept open."""

    def _after(self, request: Request, process: _Process) -> int:
        backlog = self._server.backlog
        oldest = 0 if backlog is None else max(0, len(process.messages) - backlog)
        return max(oldest, int(request.headers.get("Last-Event-ID", "0")))


class _Process:
    """One agent, and all that it has said."""

    def __init__(self, name: str, agent: Agent) -> None:
        self._name = name
        self._created_at = int(time.time() * 1000)
        self.messages: list[bytes] = []
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._more = asyncio.Event()
        self._ended = False
        self._take = agent(self._say)

    def row(self, id_: str) -> dict[str, Any]:
        return {"serverId": id_, "agent": self._name, "createdAtMs": self._created_at}

    async def take(self, message: Message) -> Message | None:
        if kind(message) != "request":
            await self._take(message)
            return None
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[id_text(message["id"])] = answer
        await self._take(message)
        return await answer

    async def stream(self, after: int) -> AsyncIterator[bytes]:
        while True:
            more = self._more
            while after < len(self.messages):
                after += 1
                yield b"event: message\nid: %d\ndata: %s\n\n" % (after, self.messages[after - 1])
            if self._ended:
                raise ServerUnreachableError("the connection broke off")
            await more.wait()

    def end(self) -> None:
        self._ended = True
        self._wake()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ServerUnreachableError("the connection broke off"))
                answer.exception()  # it may be that nobody waits

    def _say(self, message: Message) -> None:
        self.messages.append(json.dumps(message).encode())
        answer = self._answers.pop(id_text(message["id"]), None) if kind(message) == "response" else None
        if answer is not None and not answer.done():  # who asked may be gone
            answer.set_result(message)
        self._wake()

    def _wake(self) -> None:
        more, self._more = self._more, asyncio.Event()
        more.set()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _problem(status: int, kind_: str, detail: str) -> tuple[int, Any]:
    return status, {"type": f"urn:sandbox-agent:error:{kind_}", "title": kind_, "status": status, "detail": detail}
