"""Events folded into a transcript, one after the other; the state at any position is then looked up.

`Transcript.append` is the only way in. An item begins with the event that started it and keeps a
`History` of its states, so `items_at(position)` needs no second fold, and folding the first k
events alone gives the same answer as folding all of them and asking for position k.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Literal

from ..acp.jsonrpc import id_text
from ..names import process_of
from ..types import SessionEvent
from .content import REPLAYED_HISTORY, Block, Text, prompt_text, read_block, token_count
from .history import History
from .hostile import as_json, as_list, as_number, as_object, as_text
from .item import MAX_SAID, Item, Speech
from .items import (
    Failure,
    ModeChange,
    Notice,
    Permission,
    PermissionOption,
    Plan,
    PlanEntry,
    Raw,
    Said,
    State,
    TurnEnd,
)
from .settings import Settings
from .tools import apply_update, new_call, permission_title

UNKNOWN_REQUEST = "response to an unknown request"
"""The label of a response without its request."""

MAX_ENTRIES = 200
"""Entries of a plan, options of a question, that are kept."""


@dataclass(slots=True)
class _Request:
    """A JSON-RPC request that waits for its response."""

    method: str
    params: dict[str, Any]
    item: Item | None
    created_at: int


def requests_before(events: Sequence[SessionEvent], earlier: Sequence[SessionEvent]) -> list[SessionEvent]:
    """Those of some earlier events to which these ones answer; where an id was used twice, the later one."""
    open_keys = {_key(event, event.sender) for event in events if _is_request(event)}
    keys = {_key(event, _asker(event)) for event in events if _is_response(event)} - open_keys
    found = {_key(event, event.sender): event for event in earlier if _is_request(event)}
    asked = [event for key, event in found.items() if key in keys]
    return sorted(asked, key=attrgetter("key"))


def _is_request(event: SessionEvent) -> bool:
    return isinstance(event.payload.get("method"), str) and "id" in event.payload


def _is_response(event: SessionEvent) -> bool:
    payload = event.payload
    return not isinstance(payload.get("method"), str) and ("result" in payload or "error" in payload)


def _asker(response: SessionEvent) -> str:
    return "client" if response.sender == "agent" else "agent"


def _key(event: SessionEvent, asker: str) -> tuple[str, str, str]:
    """Connection, direction and id together identify a request: two sides may use the same id.

    Of our own connections several lead to one agent process, where no id is used twice: one client may hear the
    response to what another has asked.
    """
    process = process_of(event.connection_id)
    return process or event.connection_id, asker, json.dumps(event.payload.get("id"))


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the transcript: names as the agent gives them, empty where it said nothing."""

    title: str = ""
    mode: str = ""
    model: str = ""
    connections: int = 0
    used_tokens: int | None = None
    context_tokens: int | None = None
    cost: str = ""


class Transcript:
    """The fold. `first_ordinal` is not 0 when only a later part of a session was read."""

    def __init__(self, first_ordinal: int = 0) -> None:
        self.first_ordinal = first_ordinal
        self.count = first_ordinal
        """The position up to which events were folded."""
        self._items: list[Item] = []
        self._starts: list[int] = []
        self._headings: History[Heading] = History()
        self._turns: History[int] = History()
        self._heading = Heading()
        self._settings = Settings()
        self._connections: set[str] = set()
        self._requests: dict[tuple[str, str, str], _Request] = {}
        self._tools: dict[str, Item] = {}
        self._questions: dict[str, Item] = {}
        self._speech: Speech | None = None
        self._message_id: Any = None
        self._plan: Item | None = None
        self._prompt = ""

    # what there is to see

    def count_at(self, position: int) -> int:
        """How many items had begun after `position` events."""
        return bisect_left(self._starts, position)

    def items_at(self, position: int, first: int = 0, last: int | None = None) -> Sequence[Item]:
        """The items that had begun after `position` events, or the slice from `first` to `last` of them."""
        count = self.count_at(position)
        return self._items[first : count if last is None else min(last, count)]

    def heading_at(self, position: int) -> Heading:
        """Title, mode, model and usage after `position` events."""
        return self._headings.at(position) or Heading()

    def turn_at(self, position: int) -> int:
        """How many prompts had been sent after `position` events."""
        return self._turns.at(position) or 0

    @property
    def turns(self) -> int:
        """How many prompts were sent in all that was folded."""
        return self._turns.last or 0

    def snapshot(self, position: int) -> list[tuple[int, State]]:
        """The whole transcript after `position` events, as plain values: for tests and exports."""
        return [(item.event_index, item.at(position)) for item in self.items_at(position)]

    # folding

    def append(self, event: SessionEvent) -> None:
        """Fold the next event. Whatever its payload holds, this does not raise."""
        ordinal = self.count
        self.count += 1
        connection = process_of(event.connection_id) or event.connection_id
        if connection not in self._connections:
            self._connections.add(connection)
            self._head(ordinal, connections=len(self._connections))
        payload = event.payload
        method = payload.get("method")
        if isinstance(method, str):
            params = as_object(payload.get("params"))
            if method == "session/update" and event.sender == "agent":
                self._update(ordinal, event, params)
                return
            item = self._called(ordinal, event, method, params)
            if "id" in payload:
                request = _Request(method, params, item, event.created_at)
                self._requests[_key(event, event.sender)] = request
        elif "result" in payload or "error" in payload:
            self._answered(ordinal, event, self._requests.pop(_key(event, _asker(event)), None))
        else:
            self._raw(ordinal, event, "message without method or result")

    def _begin(self, ordinal: int, event: SessionEvent, state: State) -> Item:
        item = Item(ordinal, event, self.turns)
        item.states.append(ordinal, state)
        return self._place(item)

    def _place(self, item: Item) -> Item:
        self._speech = None
        self._items.append(item)
        self._starts.append(item.ordinal)
        return item

    def _raw(self, ordinal: int, event: SessionEvent, label: str) -> None:
        self._begin(ordinal, event, Raw(label, as_json(event.payload)))

    def _head(self, ordinal: int, **changes: Any) -> None:
        heading = replace(self._heading, **changes)
        if heading != self._heading:
            self._heading = heading
            self._headings.append(ordinal, heading)

    # requests and notifications other than session/update

    def _called(self, ordinal: int, event: SessionEvent, method: str, params: dict[str, Any]) -> Item | None:
        match event.sender, method:
            case "client", "session/prompt":
                return self._prompted(ordinal, event, params)
            case "client", "session/cancel":
                return self._begin(ordinal, event, Notice("Cancel requested", ""))
            case "client", "session/new" | "session/load" | "session/resume":
                label = "Session started" if method == "session/new" else "Session loaded"
                return self._begin(ordinal, event, Notice(label, as_text(params.get("cwd"), 1000)))
            case "client", "session/set_mode" | "session/set_config_option" | "session/set_model":
                return None  # shown when it takes effect, or fails
            case "client", "initialize" | "authenticate":
                return None
            case "agent", "session/request_permission":
                return self._asked(ordinal, event, params)
            case "agent", "_adapter/agent_exited":
                code = as_number(params.get("code"))
                message = "The agent's process ended" + ("" if code is None else f" with code {code:g}")
                return self._begin(ordinal, event, Failure("Agent exited", message, None, ""))
            case "agent", "fs/read_text_file" | "fs/write_text_file" | "terminal/create":
                subject = as_text(params.get("path"), 1000) or _command(params)
                return self._begin(ordinal, event, Notice(_REQUESTS[method], subject))
        self._raw(ordinal, event, method[:200])
        return self._items[-1]

    def _prompted(self, ordinal: int, event: SessionEvent, params: dict[str, Any]) -> Item:
        self._turns.append(ordinal, self.turns + 1)
        self._plan = None
        blocks: list[Block] = []
        room = MAX_SAID
        for value in as_list(params.get("prompt"))[:MAX_ENTRIES]:
            block = read_block(value, room)
            room -= len(block.text) if isinstance(block, Text) else 0
            blocks.append(block)
        replayed = 0
        match blocks:
            case [Text(text=text), *_] if text.startswith(REPLAYED_HISTORY):
                replayed = len(text)
                blocks = blocks[1:]
        self._prompt = prompt_text(params)
        omitted = sum(block.omitted for block in blocks if isinstance(block, Text))
        state = Said("prompt", tuple(blocks), event.created_at, omitted, replayed)
        return self._begin(ordinal, event, state)

    def _asked(self, ordinal: int, event: SessionEvent, params: dict[str, Any]) -> Item:
        tool_call = as_object(params.get("toolCall"))
        call_id = as_text(tool_call.get("toolCallId"))
        known = self._tools.get(call_id)
        call = known.states.last if known else None
        title, subject = permission_title(tool_call, call)  # type: ignore[arg-type]
        options = tuple(
            PermissionOption(
                as_text(option.get("optionId")), as_text(option.get("name")), as_text(option.get("kind"), 40)
            )
            for option in map(as_object, as_list(params.get("options"))[:MAX_ENTRIES])
        )
        item = self._begin(ordinal, event, Permission(title, subject, options, id_text(event.payload.get("id"))))
        if call_id:
            self._questions[call_id] = item
        return item

    # responses

    def _answered(self, ordinal: int, event: SessionEvent, request: _Request | None) -> None:
        if request is None:
            self._raw(ordinal, event, UNKNOWN_REQUEST)
            return
        if "error" in event.payload:
            self._failed(ordinal, event, request)
            return
        result = as_object(event.payload.get("result"))
        match request.method:
            case "session/prompt":
                tokens = token_count(as_object(result.get("usage")).get("totalTokens"))
                stop_reason = as_text(result.get("stopReason"), 80) or "unknown"
                self._begin(ordinal, event, TurnEnd(stop_reason, request.created_at, tokens))
            case "session/new" | "session/load" | "session/resume":
                self._settings.start(result)
                self._show_settings(ordinal)
            case "session/set_mode":
                self._change(ordinal, event, self._settings.set_mode(request.params.get("modeId")))
            case "session/set_config_option":
                for change in self._settings.configure(result.get("configOptions")):
                    self._change(ordinal, event, change)
            case "session/request_permission" if request.item:
                self._decided(ordinal, request.item, as_object(result.get("outcome")))
            case _ if request.item and isinstance(notice := request.item.states.last, Notice):
                request.item.states.append(ordinal, replace(notice, outcome="answered"))

    def _failed(self, ordinal: int, event: SessionEvent, request: _Request) -> None:
        error = as_object(event.payload.get("error"))
        code = as_number(error.get("code"))
        details = as_json(error["data"], 4000) if "data" in error else ""
        title = "The prompt failed" if request.method == "session/prompt" else f"{request.method[:200]} failed"
        message = as_text(error.get("message"), 4000) or "no message"
        self._begin(ordinal, event, Failure(title, message, None if code is None else int(code), details))

    def _decided(self, ordinal: int, item: Item, outcome: dict[str, Any]) -> None:
        question = item.states.last
        if isinstance(question, Permission):
            selected = outcome.get("outcome") == "selected"
            answer = as_text(outcome.get("optionId")) if selected else "cancelled"
            item.states.append(ordinal, replace(question, answer=answer))

    # session/update

    def _update(self, ordinal: int, event: SessionEvent, params: dict[str, Any]) -> None:
        update = as_object(params.get("update"))
        match update.get("sessionUpdate"):
            case "agent_message_chunk" if "content" in update:
                self._spoken(ordinal, event, update, "message")
            case "agent_thought_chunk" if "content" in update:
                self._spoken(ordinal, event, update, "thought")
            case "user_message_chunk" if "content" in update:
                if not self._is_echo(update["content"]):
                    self._spoken(ordinal, event, update, "prompt")
            case "tool_call" | "tool_call_update" if as_text(update.get("toolCallId")):
                self._tool(ordinal, event, update)
            case "plan" if isinstance(update.get("entries"), list):
                self._planned(ordinal, event, update["entries"])
            case "current_mode_update" if as_text(update.get("currentModeId")):
                self._change(ordinal, event, self._settings.set_mode(update["currentModeId"]))
            case "config_option_update" if isinstance(update.get("configOptions"), list):
                for change in self._settings.configure(update["configOptions"]):
                    self._change(ordinal, event, change)
                self._show_settings(ordinal)
            case "session_info_update":
                if title := as_text(update.get("title")):
                    self._head(ordinal, title=title)
            case "usage_update":
                self._used(ordinal, update)
            case "available_commands_update":
                pass  # nothing happened that a reader of the conversation would miss
            case kind:
                self._raw(ordinal, event, as_text(kind, 200) or "session/update")

    def _spoken(
        self,
        ordinal: int,
        event: SessionEvent,
        update: dict[str, Any],
        kind: Literal["prompt", "message", "thought"],
    ) -> None:
        message_id = update.get("messageId")
        speech = self._speech
        if speech is None or speech.kind != kind or message_id != self._message_id:
            speech = Speech(ordinal, event, self.turns, kind)
            self._place(speech)
            self._speech, self._message_id = speech, message_id
        speech.add(ordinal, read_block(update["content"], MAX_SAID), event.created_at)

    def _is_echo(self, content: Any) -> bool:
        """Some agents repeat the prompt that they got; it is shown once."""
        text = as_text(as_object(content).get("text"), MAX_SAID)
        return bool(text) and text[:2000].strip() in self._prompt

    def _tool(self, ordinal: int, event: SessionEvent, update: dict[str, Any]) -> None:
        call_id = as_text(update["toolCallId"])
        item = self._tools.get(call_id)
        before = item.states.last if item else new_call(call_id, event.created_at)
        call = apply_update(before, update, event.event_index, event.created_at)  # type: ignore[arg-type]
        if item is None:
            self._tools[call_id] = self._begin(ordinal, event, call)
            return
        item.states.append(ordinal, call)
        question = self._questions.get(call_id)
        asked = question.states.last if question else None
        if question and isinstance(asked, Permission) and asked.then != call.status != "pending":
            question.states.append(ordinal, replace(asked, then=call.status))

    def _planned(self, ordinal: int, event: SessionEvent, entries: list[Any]) -> None:
        plan = Plan(
            tuple(
                PlanEntry(
                    as_text(entry.get("content"), 1000),
                    as_text(entry.get("priority"), 40),
                    as_text(entry.get("status"), 40),
                )
                for entry in map(as_object, entries[:MAX_ENTRIES])
            )
        )
        if self._plan is None:
            self._plan = self._begin(ordinal, event, plan)
        else:
            self._plan.states.append(ordinal, plan)

    def _change(self, ordinal: int, event: SessionEvent, change: ModeChange | None) -> None:
        if change:
            self._begin(ordinal, event, change)
            self._show_settings(ordinal)

    def _show_settings(self, ordinal: int) -> None:
        self._head(ordinal, mode=self._settings.shown("mode"), model=self._settings.shown("model"))

    def _used(self, ordinal: int, update: dict[str, Any]) -> None:
        cost = as_object(update.get("cost"))
        amount = as_number(cost.get("amount"))
        self._head(
            ordinal,
            used_tokens=token_count(update.get("used")),
            context_tokens=token_count(update.get("size")),
            cost="" if amount is None else f"{amount:.4f} {as_text(cost.get('currency'), 8)}".strip(),
        )


_REQUESTS = {
    "fs/read_text_file": "Agent asked to read a file",
    "fs/write_text_file": "Agent asked to write a file",
    "terminal/create": "Agent asked for a terminal",
}


def _command(params: dict[str, Any]) -> str:
    words = [
        as_text(params.get("command"), 500),
        *(as_text(word) for word in as_list(params.get("args"))[:50]),
    ]
    return " ".join(filter(None, words))
