"""The HTTP of a sandbox-agent server: paths, errors in words, and a word of each request to whoever watches."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from .. import json_text
from ..acp.jsonrpc import Message
from ..errors import AgentGoneError, ServerError, ServerRefusedError, ServerUnreachableError
from ..listeners import Listeners
from ..transport import Request, Response, Stream, Transport, send
from ..transport.address import check_base_url, check_token

LONGEST_REASON = 500
"""Characters of a server's words that go into a message."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, told when it begins (`status` and `took` are None) and when it has ended.

    `started_at` is in milliseconds since the epoch, `took` in milliseconds. `error` says why there was no good answer,
    "cancelled" where nobody waited for it. Neither token nor bodies are in it.
    """

    id: int
    method: str
    path: str
    started_at: int
    message: str = ""
    """The method of the JSON-RPC message that it carries, "response" for an answer, "" for none."""
    status: int | None = None
    took: float | None = None
    error: str = ""


class AgentServer:
    """A server that runs agents, at one address.

    `base_url` is checked: ValueError says what is wrong with it. The token goes into a header and nowhere else.
    """

    def __init__(self, transport: Transport, base_url: str, token: str | None = None) -> None:
        self.base_url = check_base_url(base_url)
        self._transport = transport
        self._token = check_token(token) if token else ""
        self._headers = {"Authorization": f"Bearer {self._token}"} if token else {}
        self._ids = itertools.count(1)
        self._watchers: Listeners[Exchange] = Listeners()

    def on_exchange(self, listener: Callable[[Exchange], object]) -> Callable[[], None]:
        """Tell of each request, when it begins and when it has ended; the returned function ends it."""
        return self._watchers.add(listener)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path of the API. Raises ServerError."""
        return _json(await self._send("GET", path, query))

    async def post(self, path: str, body: Any = None) -> Any:
        """The JSON that a POST gives. Raises ServerError."""
        return _json(await self._send("POST", path, None, body))

    async def post_message(self, server_id: str, message: Message, agent: str | None = None) -> None:
        """Hand a message to an agent process; with `agent` it is started.

        Returns when the server has answered, which it does after the agent has; the response is read from the stream.

        Raises AgentGoneError where there is no such process, and ServerError.
        """
        await self._send("POST", _process(server_id), {"agent": agent} if agent else None, message, agent is None)

    async def end(self, server_id: str) -> None:
        """End an agent process. Raises ServerError."""
        await self._send("DELETE", _process(server_id))

    @asynccontextmanager
    async def stream(self, server_id: str, after: int) -> AsyncIterator[Stream]:
        """The messages of an agent process behind the one with the id `after`, 0 for all, as server-sent events.

        Raises AgentGoneError, ServerRefusedError, ServerUnreachableError, ServerError.
        """
        headers = (
            {"Accept": "text/event-stream", "Last-Event-ID": str(after)} if after else {"Accept": "text/event-stream"}
        )
        path = _process(server_id)
        with _Watched(self, "GET", path) as watched:
            async with self._transport.open(Request("GET", self._url(path), self._headers | headers)) as stream:
                watched.status = stream.status
                if stream.status != 200:
                    body = bytearray()
                    async for piece in stream.pieces:
                        body += piece
                        if len(body) > 64 << 10:
                            break
                    raise self._refusal(Response(stream.status, bytes(body)), of_process=True)
                yield stream

    async def _send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None, of_process: bool = False
    ) -> Response:
        headers = {"Accept": "application/json", **self._headers}
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json_text.dump(body)
        carried = str(body.get("method", "response"))[:200] if method == "POST" and "jsonrpc" in (body or {}) else ""
        with _Watched(self, method, path, carried) as watched:
            response = await send(self._transport, Request(method, self._url(path, query), headers, text))
            watched.status = response.status
            if not 200 <= response.status < 300:
                raise self._refusal(response, of_process)
            return response

    def _refusal(self, response: Response, of_process: bool) -> ServerError:
        return _refusal(response, of_process, self._token)

    def _url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        return f"{self.base_url}{path}?{urlencode(query)}" if query else f"{self.base_url}{path}"

    def tell(self, exchange: Exchange) -> None:
        """Tell whoever watches."""
        self._watchers.tell(exchange)


class _Watched:
    """One request that is told of: at its beginning, and at its end with what became of it."""

    def __init__(self, server: AgentServer, method: str, path: str, message: str = "") -> None:
        self._server = server
        self._exchange = Exchange(next(server._ids), method, path, int(time.time() * 1000), message)
        self._began = time.monotonic()
        self.status: int | None = None

    def __enter__(self) -> _Watched:
        self._server.tell(self._exchange)
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, asyncio.CancelledError):
            words = "cancelled"
        else:
            words = "" if error is None or isinstance(error, GeneratorExit) else str(error) or type(error).__name__
        took = (time.monotonic() - self._began) * 1000
        self._server.tell(replace(self._exchange, status=self.status or 0, took=took, error=words))


def _process(server_id: str) -> str:
    return f"/v1/acp/{quote(server_id, safe='')}"


def _json(response: Response) -> Any:
    try:
        return json_text.parse(response.body.decode())
    except ValueError as error:
        raise ServerError(
            f"the server's answer is not what a sandbox-agent server says: {error}", response.status
        ) from None


def _refusal(response: Response, of_process: bool, token: str) -> ServerError:
    """The error for an answer that says no: problem details (RFC 9457), or whatever the server says, but the token."""
    status = response.status
    try:
        problem = json_text.parse(response.body.decode())
    except ValueError:
        problem = None
    reason, kind = "", ""
    if isinstance(problem, dict):
        reason = str(problem.get("detail") or problem.get("title") or "")
        reason = (reason.replace(token, "…") if token else reason)[:LONGEST_REASON]
        kind = str(problem.get("type") or "")
    said = f": {reason}" if reason else ""
    if status in (401, 403):
        return ServerRefusedError(f"the server refused the token, or wants one{said}", status)
    # A first message to a process that is not there is refused for the agent's name that it lacks.
    if of_process and (status == 404 or (status == 400 and "missing required 'agent'" in reason)):
        return AgentGoneError(f"the server knows this agent process no more{said}", status)
    if status in (502, 503, 504) and not kind:  # what stands before the server
        return ServerUnreachableError(f"the server cannot be reached: status {status}{said}", status)
    return ServerError(f"the server answered with status {status}{said}", status)
