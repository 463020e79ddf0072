"""An agent that follows a script: it speaks ACP as a real one does, and words in the prompt say what it does.

    (any prompt)   says a few words, runs one tool, and ends its turn
    permission     asks before it runs the tool
    wait           stops after its words until the turn is cancelled
    fail           ends the turn with a JSON-RPC error
    stream N at R  says N words, R of them in a second

Run as a program it reads JSON-RPC 2.0 from stdin and writes it to stdout, one message a line, until stdin ends. It
needs the standard library only, and knows neither clock nor chance: the same messages get the same answers.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

LONGEST_LINE = 64 * 1024 * 1024
PARSE_ERROR, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32601, -32602, -32603

MODES = ("code", "plan")
OPTIONS = (
    {"optionId": "once", "name": "Allow", "kind": "allow_once"},
    {"optionId": "always", "name": "Always allow", "kind": "allow_always"},
    {"optionId": "reject", "name": "Reject", "kind": "reject_once"},
)


class RpcError(Exception):
    """An error to answer a request with, or one that a request of ours was answered with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Connection:
    """JSON-RPC in both directions over lines. `handle` gives a request's result; None for a notification."""

    def __init__(self, write: Callable[[str], None], handle: Callable[[str, Json], Awaitable[Any]]) -> None:
        self._write = write
        self._handle = handle
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._ids = (f"agent-{number}" for number in itertools.count(1))
        self._running: set[asyncio.Task[None]] = set()

    async def request(self, method: str, params: Json) -> Any:
        """The client's result. Raises RpcError when it answers with an error."""
        id_ = next(self._ids)
        answer = self._waiting[id_] = asyncio.get_running_loop().create_future()
        self._send({"id": id_, "method": method, "params": params})
        return await answer

    def notify(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    def receive(self, line: bytes) -> None:
        """Take one message. Requests run side by side: a turn must not keep its own cancellation waiting."""
        try:
            message = json.loads(line)
        except ValueError as error:
            self._send({"id": None, "error": {"code": PARSE_ERROR, "message": str(error)}})
            return
        if "method" in message:
            task = asyncio.create_task(self._answer(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        elif waiting := self._waiting.pop(message.get("id"), None):
            self._settle(waiting, message)

    async def _answer(self, message: Json) -> None:
        try:
            outcome: Json = {"result": await self._handle(message["method"], message.get("params") or {})}
        except RpcError as error:
            outcome = {"error": {"code": error.code, "message": str(error)}}
        except Exception as error:  # a mistake of the script or of the client: told, so that nobody waits for ever
            outcome = {"error": {"code": INTERNAL_ERROR, "message": f"{type(error).__name__}: {error}"}}
        if "id" in message:
            self._send({"id": message["id"], **outcome})

    def _settle(self, waiting: asyncio.Future[Any], message: Json) -> None:
        if error := message.get("error"):
            waiting.set_exception(RpcError(error["code"], error["message"]))
        else:
            waiting.set_result(message.get("result"))

    def _send(self, message: Json) -> None:
        self._write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


@dataclass
class Session:
    id: str
    mode: str = MODES[0]
    turns: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


class Agent:
    """The script. A method of ACP is answered by the Python method of the same name."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.connection = Connection(write, self._handle)
        self._sessions: dict[str, Session] = {}
        self._methods: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "initialize": self.initialize,
            "session/new": self.new_session,
            "session/set_mode": self.set_mode,
            "session/prompt": self.prompt,
            "session/cancel": self.cancel,
        }

    async def _handle(self, method: str, params: Json) -> Any:
        if method not in self._methods:
            raise RpcError(METHOD_NOT_FOUND, f"the scripted agent has no method {method}")
        return await self._methods[method](params)

    async def initialize(self, _params: Json) -> Json:
        return {
            "protocolVersion": 1,
            "agentInfo": {"name": "scripted-agent", "version": "1"},
            "agentCapabilities": {"loadSession": False, "promptCapabilities": {"image": False}},
            "authMethods": [],
        }

    async def new_session(self, _params: Json) -> Json:
        session = Session(f"scripted-{len(self._sessions) + 1}")
        self._sessions[session.id] = session
        return {"sessionId": session.id, "modes": modes(session)}

    async def set_mode(self, params: Json) -> Json:
        if params.get("modeId") not in MODES:
            raise RpcError(INVALID_PARAMS, f"there is no mode {params.get('modeId')}")
        self._session(params).mode = params["modeId"]
        return {}

    async def cancel(self, params: Json) -> None:
        self._session(params).cancelled.set()

    async def prompt(self, params: Json) -> Json:
        """One turn. The last text is the prompt; texts before it are context, such as a replayed history."""
        session = self._session(params)
        session.turns += 1
        session.cancelled.clear()
        *context, said = [block["text"] for block in params.get("prompt", []) if block.get("type") == "text"] or [""]
        words = set(re.findall(r"[a-z]+", said.lower()))

        self._say(session, f"Turn {session.turns} in mode {session.mode}. ")
        if context:
            self._say(session, f"I was given {len(context[0].splitlines())} lines of context. ")
        self._say(session, f"You said: {said}")
        if "fail" in words:
            raise RpcError(INTERNAL_ERROR, "the script says that this turn fails")
        if wanted := re.search(r"stream (\d+) at (\d+)", said):
            await self._stream(session, int(wanted[1]), int(wanted[2]))
            return {"stopReason": "cancelled" if session.cancelled.is_set() else "end_turn"}
        if "wait" in words:
            await session.cancelled.wait()
            return {"stopReason": "cancelled"}
        return {"stopReason": await self._run_tool(session, ask="permission" in words)}

    async def _stream(self, session: Session, count: int, rate: int) -> None:
        """Words at an even pace, some at once where it is fast; each tells when it was written, in microseconds."""
        began, said = time.monotonic(), 0
        while said < count and not session.cancelled.is_set():
            due = min(count, 1 + int((time.monotonic() - began) * rate))
            for number in range(said, due):
                content = {"type": "text", "text": f"{number} "}
                self._update(
                    session, "agent_message_chunk", content=content, _meta={"writtenAt": time.time_ns() // 1000}
                )
            said = max(said, due)
            await asyncio.sleep(min(0.01, 1 / rate))

    async def _run_tool(self, session: Session, *, ask: bool) -> str:
        """One tool call from its announcement to its end; the reason why the turn stops."""
        call = {"toolCallId": f"{session.id}-call-{session.turns}"}
        start = {"title": "Read notes.txt", "kind": "read", "status": "pending", "rawInput": {"path": "notes.txt"}}
        self._update(session, "tool_call", **call, **start)
        if ask:
            request = {"sessionId": session.id, "toolCall": {**call, **start}, "options": list(OPTIONS)}
            outcome = (await self.connection.request("session/request_permission", request))["outcome"]
            if outcome.get("optionId") not in ("once", "always"):
                self._update(session, "tool_call_update", **call, status="failed")
                return "cancelled" if outcome["outcome"] == "cancelled" else "end_turn"
        self._update(session, "tool_call_update", **call, status="in_progress")
        content = [{"type": "content", "content": {"type": "text", "text": "Buy milk."}}]
        self._update(session, "tool_call_update", **call, status="completed", content=content)
        return "end_turn"

    def _say(self, session: Session, text: str) -> None:
        self._update(session, "agent_message_chunk", content={"type": "text", "text": text})

    def _update(self, session: Session, kind: str, /, **what: Any) -> None:
        update = {"sessionUpdate": kind, **what}
        self.connection.notify("session/update", {"sessionId": session.id, "update": update})

    def _session(self, params: Json) -> Session:
        session = self._sessions.get(params.get("sessionId", ""))
        if session is None:
            raise RpcError(INVALID_PARAMS, f"there is no session {params.get('sessionId')}")
        return session


def modes(session: Session) -> Json:
    """The modes of a session, as session/new tells them."""
    available = [{"id": mode, "name": mode.capitalize()} for mode in MODES]
    return {"currentModeId": session.mode, "availableModes": available}


async def serve() -> None:
    """Be the agent of stdin and stdout."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    def write(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    agent = Agent(write)
    async for line in reader:
        agent.connection.receive(line)


if __name__ == "__main__":
    asyncio.run(serve())
