"""Agents for the tests of the SDK, in memory: small, and at the test's command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pyapp.acp.jsonrpc import Message
from pyapp.sdk.memory import Say

Turn = Callable[["Process", Message], Awaitable[Any]]

MODES = {"currentModeId": "code", "availableModes": [{"id": "code", "name": "Code"}, {"id": "plan", "name": "Plan"}]}
OPTIONS = [
    {
        "id": "model",
        "name": "Model",
        "category": "model",
        "type": "select",
        "currentValue": "small",
        "options": [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}],
    }
]
ASKED = [
    {"optionId": "yes", "name": "Allow", "kind": "allow_once"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]


class Process:
    """One process of an agent; `turn` does what a prompt asks for and gives the result."""

    def __init__(self, say: Say, turn: Turn, modes: Any, options: Any) -> None:
        self.say = say
        self.turn = turn
        self.modes = modes
        self.options = options
        self.heard: list[Message] = []
        self.cancelled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: dict[Any, asyncio.Future[Message]] = {}

    async def take(self, message: Message) -> None:
        self.heard.append(message)
        match message.get("method"):
            case "initialize":
                self.answer(message, {"protocolVersion": 1, "authMethods": []})
            case "session/new":
                self.answer(message, {"sessionId": "remote", "modes": self.modes, "configOptions": self.options})
            case "session/set_mode":
                self.answer(message, {})
            case "session/set_config_option":
                value = message["params"]["value"]
                self.answer(message, {"configOptions": [{**OPTIONS[0], "currentValue": value}]})
            case "session/cancel":
                self.cancelled.set()
            case "session/prompt":
                self.cancelled.clear()
                task = asyncio.ensure_future(self._prompted(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case None if (waiting := self._answers.pop(message.get("id"), None)) is not None:
                waiting.set_result(message)

    async def _prompted(self, message: Message) -> None:
        self.answer(message, await self.turn(self, message["params"]))

    def answer(self, message: Message, result: Any) -> None:
        self.say({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def update(self, kind: str, **what: Any) -> None:
        update = {"sessionUpdate": kind, **what}
        self.say({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "remote", "update": update}})

    def words(self, text: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text})

    async def ask(self, id_: Any, method: str = "session/request_permission") -> Message:
        """Ask the clients; the response of one of them."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[id_] = answer
        params = {"sessionId": "remote", "toolCall": {"toolCallId": "t1", "title": "Run"}, "options": ASKED}
        self.say({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        return await answer


async def echo(process: Process, params: Message) -> Any:
    """Say the prompt again, word by word."""
    for word in params["prompt"][-1]["text"].split():
        process.words(word)
        await asyncio.sleep(0)
    return {"stopReason": "end_turn"}


async def wait(process: Process, _params: Message) -> Any:
    """A turn that says a word and goes on until it is cancelled."""
    process.words("working")
    await process.cancelled.wait()
    return {"stopReason": "cancelled"}


class Agent:
    """What an InMemoryAgentServer starts processes of; those that it has started are in `processes`."""

    def __init__(self, turn: Turn = echo) -> None:
        self.turn = turn
        self.modes: Any = MODES
        self.options: Any = OPTIONS
        self.processes: list[Process] = []

    def __call__(self, say: Say) -> Callable[[Message], Awaitable[None]]:
        process = Process(say, self.turn, self.modes, self.options)
        self.processes.append(process)
        return process.take
