"""An agent that follows a script: it speaks ACP as a real one does, and words in the prompt say what it does.

    (no word of these)   says which words it knows, and runs one tool
    stream N at R        says N words, R of them in a second
    markdown             shows Markdown
    think                thinks aloud, longer at the thought level `high`
    plan                 makes a plan and goes through it
    tool                 runs a tool
    edit                 edits a file and shows the difference
    permission           asks before it runs a tool
    sleep S              is silent for S seconds
    wait                 waits until the turn is cancelled
    context              repeats the context that it was given
    fail                 ends the turn with a JSON-RPC error
    crash                ends its process with code 7, in the middle of a tool call

A prompt may hold several words; they are done in their order. Any turn can be cancelled at any moment.

Run as a program it reads JSON-RPC 2.0 from stdin and writes it to stdout, one message a line, until stdin ends. It
needs the standard library only and knows no chance: but for time, the same messages get the same answers.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]

LONGEST_LINE = 64 * 1024 * 1024
PARSE_ERROR, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32601, -32602, -32603

TICK = 0.01
"""How often a stream goes on, in seconds: what is due by then is said at once."""
CRASHED = 7

MODES = ("code", "plan")
SETTINGS: dict[str, Json] = {
    "model": {
        "name": "Model",
        "options": [
            {"value": "scripted-large", "name": "Scripted large"},
            {"value": "scripted-small", "name": "Scripted small"},
        ],
    },
    "thought_level": {
        "name": "Thinking",
        "options": [{"value": "low", "name": "Low"}, {"value": "high", "name": "High"}],
    },
}
"""What can be set, by id; the ids are the categories of ACP too. The first value is the usual one."""
PERMISSIONS = (
    {"optionId": "once", "name": "Allow", "kind": "allow_once"},
    {"optionId": "always", "name": "Always allow", "kind": "allow_always"},
    {"optionId": "reject", "name": "Reject", "kind": "reject_once"},
)

WORDS = [
    "stream",
    "markdown",
    "think",
    "plan",
    "tool",
    "edit",
    "permission",
    "sleep",
    "wait",
    "context",
    "fail",
    "crash",
]
SPOKEN = re.compile(rf"\b({'|'.join(WORDS)})\b(?: +(\d{{1,7}}(?:\.\d+)?)\b)?(?: +at +(\d{{1,7}})\b)?")
"""A word of the script, how many or how long, and how fast."""
HELP = """I am no model: I follow a script. I know these words, several in a prompt if you like:

- `stream 500`, or `stream 10000 at 1000`: that many words, so many in a second
- `markdown`, `think`, `plan`, `tool`, `edit`: what agents show
- `permission`: I ask before I run a tool
- `sleep 2`, or `wait` until you stop me
- `context`: what I was given before your prompt
- `fail` ends the turn with an error, `crash` ends my process

"""
MARKDOWN = """## A heading

Some *emphasis*, some **strength**, some `code`, and [a link](https://agentclientprotocol.com/).

1. First
2. Second
   - with a part of its own

| word | letters |
| --- | ---: |
| agent | 5 |
| session | 7 |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> A quotation, at last.
"""
THOUGHTS = (
    "The prompt asks me to think. ",
    "I follow a script, so I know already what comes. ",
    "First I look at what was asked, ",
    "then at what is there, ",
    "and then I ask myself whether both fit. ",
    "They do. ",
    "I look once more, since I was told to think hard. ",
    "Nothing has changed.",
)
STEPS = ("Read the notes", "Change them", "Read them again")


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
        try:
            return await answer
        finally:
            self._waiting.pop(id_, None)  # an answer that comes after a cancelled turn is nobody's

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


class Output(Protocol):
    """Where an agent writes to, a line at a time."""

    def write(self, line: str) -> None: ...

    def flush(self) -> None: ...


@dataclass
class Session:
    id: str
    mode: str = MODES[0]
    settings: dict[str, str] = field(
        default_factory=lambda: {id_: setting["options"][0]["value"] for id_, setting in SETTINGS.items()}
    )
    turns: int = 0
    calls: int = 0
    running: set[asyncio.Task[str]] = field(default_factory=set)


class Agent:
    """The script. A method of ACP is answered by the Python method of the same name."""

    def __init__(self, output: Output) -> None:
        self.connection = Connection(output.write, self._handle)
        self._output = output
        self._sessions: dict[str, Session] = {}
        self._methods: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "initialize": self.initialize,
            "session/new": self.new_session,
            "session/set_mode": self.set_mode,
            "session/set_config_option": self.set_config_option,
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
            "agentInfo": {"name": "scripted-agent", "version": "2"},
            "agentCapabilities": {"loadSession": False, "promptCapabilities": {"image": False}},
            "authMethods": [],
        }

    async def new_session(self, _params: Json) -> Json:
        session = Session(f"scripted-{len(self._sessions) + 1}")
        self._sessions[session.id] = session
        return {"sessionId": session.id, "modes": modes(session), "configOptions": config_options(session)}

    async def set_mode(self, params: Json) -> Json:
        if params.get("modeId") not in MODES:
            raise RpcError(INVALID_PARAMS, f"there is no mode {params.get('modeId')}")
        self._session(params).mode = params["modeId"]
        return {}

    async def set_config_option(self, params: Json) -> Json:
        session, id_, value = self._session(params), params.get("configId"), str(params.get("value"))
        if id_ not in SETTINGS:
            raise RpcError(INVALID_PARAMS, f"there is no option {id_}")
        if value not in [option["value"] for option in SETTINGS[id_]["options"]]:
            raise RpcError(INVALID_PARAMS, f"the option {id_} has no value {value}")
        session.settings[id_] = value
        return {"configOptions": config_options(session)}

    async def cancel(self, params: Json) -> None:
        for turn in self._session(params).running:
            turn.cancel()

    async def prompt(self, params: Json) -> Json:
        """One turn. The last text is the prompt; texts before it are context, such as a replayed history."""
        session = self._session(params)
        session.turns += 1
        *context, said = [block["text"] for block in params.get("prompt", []) if block.get("type") == "text"] or [""]
        turn = asyncio.create_task(self._turn(session, context, said))
        session.running.add(turn)
        turn.add_done_callback(session.running.discard)
        await asyncio.wait({turn})
        return {"stopReason": "cancelled" if turn.cancelled() else turn.result()}

    async def _turn(self, session: Session, context: list[str], said: str) -> str:
        """Do what the words say, in their order; the reason why the turn stops."""
        words = list(SPOKEN.finditer(said.lower()))
        self._say(session, f"Turn {session.turns} in mode {session.mode}. ")
        if context:
            self._say(session, f"I was given {len(context[0].splitlines())} lines of context. ")
        self._say(session, f"{'' if words else HELP}You said: {said}")
        reason = None if words else await self._run_tool(session)
        for word in words:
            reason = reason or await self._do(session, word[1], word[2], word[3], context)
        return reason or "end_turn"

    async def _do(
        self, session: Session, word: str, number: str | None, rate: str | None, context: list[str]
    ) -> str | None:
        """What one word asks for; a reason if it stops the turn."""
        match word:
            case "stream":
                await self._stream(session, int(float(number or 20)), max(1, int(rate or 100)))
            case "markdown":
                for line in MARKDOWN.splitlines(keepends=True):
                    self._say(session, line)
            case "think":
                await self._think(session)
            case "plan":
                self._plan(session)
            case "tool":
                return await self._run_tool(session)
            case "edit":
                self._edit(session)
            case "permission":
                return await self._run_tool(session, ask=True)
            case "sleep":
                await asyncio.sleep(float(number or 1))
            case "wait":
                await asyncio.get_running_loop().create_future()
            case "context":
                self._say(session, context[0] if context else "I was given no context.")
            case "fail":
                raise RpcError(INTERNAL_ERROR, "the script says that this turn fails")
            case "crash":
                self._crash(session)
        return None

    async def _stream(self, session: Session, count: int, rate: int) -> None:
        """Words at an even pace, some at once where it is fast; each tells when it was written, in microseconds."""
        began, said = time.monotonic(), 0
        while said < count:
            due = min(count, 1 + int((time.monotonic() - began) * rate))
            for number in range(said, due):
                content = {"type": "text", "text": f"{number} "}
                self._update(
                    session, "agent_message_chunk", content=content, _meta={"writtenAt": time.time_ns() // 1000}
                )
            said = max(said, due)
            await asyncio.sleep(max(TICK, 1 / rate) if said < count else 0)

    async def _think(self, session: Session) -> None:
        for thought in THOUGHTS if session.settings["thought_level"] == "high" else THOUGHTS[:3]:
            self._update(session, "agent_thought_chunk", content={"type": "text", "text": thought})
            await asyncio.sleep(TICK)

    def _plan(self, session: Session) -> None:
        """A plan, told anew after each step."""
        for done in range(len(STEPS) + 1):
            states = ["completed"] * done + ["in_progress"] + ["pending"] * len(STEPS)
            entries = [
                {"content": step, "priority": "medium", "status": state}
                for step, state in zip(STEPS, states, strict=False)
            ]
            self._update(session, "plan", entries=entries)

    async def _run_tool(self, session: Session, *, ask: bool = False) -> str | None:
        """One tool call from its announcement to its end; a reason if that stops the turn."""
        start = {"title": "Read notes.txt", "kind": "read", "status": "pending", "rawInput": {"path": "notes.txt"}}
        call = self._begin_call(session, start)
        if ask:
            request = {"sessionId": session.id, "toolCall": {**call, **start}, "options": list(PERMISSIONS)}
            try:
                outcome = (await self.connection.request("session/request_permission", request))["outcome"]
            except asyncio.CancelledError:
                self._update(session, "tool_call_update", **call, status="failed")
                raise
            if outcome.get("optionId") not in ("once", "always"):
                self._update(session, "tool_call_update", **call, status="failed")
                return "cancelled" if outcome["outcome"] == "cancelled" else None
        self._update(session, "tool_call_update", **call, status="in_progress")
        content = [{"type": "content", "content": {"type": "text", "text": "Buy milk."}}]
        self._update(session, "tool_call_update", **call, status="completed", content=content)
        return None

    def _edit(self, session: Session) -> None:
        path = "/notes.txt"
        start = {"title": f"Edit {path}", "kind": "edit", "status": "pending", "locations": [{"path": path, "line": 2}]}
        call = self._begin_call(session, start)
        self._update(session, "tool_call_update", **call, status="in_progress")
        old = "Shopping\nBuy milk.\nBuy bread.\n"
        diff = {"type": "diff", "path": path, "oldText": old, "newText": old.replace("milk", "oat milk")}
        self._update(session, "tool_call_update", **call, status="completed", content=[diff])

    def _crash(self, session: Session) -> None:
        start = {"title": "Run the last command", "kind": "execute", "status": "in_progress"}
        self._begin_call(session, start)
        self._output.flush()
        os._exit(CRASHED)

    def _begin_call(self, session: Session, start: Json) -> Json:
        """Announce a tool call; gives what its updates begin with."""
        session.calls += 1
        call = {"toolCallId": f"{session.id}-call-{session.calls}"}
        self._update(session, "tool_call", **call, **start)
        return call

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


def config_options(session: Session) -> list[Json]:
    """What can be set in a session and what is, as session/new and session/set_config_option tell it."""
    return [
        {"id": id_, "category": id_, "type": "select", "currentValue": session.settings[id_], **setting}
        for id_, setting in SETTINGS.items()
    ]


class Stdout:
    """Writes in one go what was said in one turn of the loop."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        text = "".join(self._lines)
        self._lines.clear()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:  # nobody hears the agent any more
            os._exit(0)


async def serve() -> None:
    """Be the agent of stdin and stdout."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    output = Stdout()
    agent = Agent(output)
    async for line in reader:
        agent.connection.receive(line)
    output.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # Ctrl+C in a terminal reaches agents too
        asyncio.run(serve())
