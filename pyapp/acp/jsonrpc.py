"""JSON-RPC 2.0 messages (https://www.jsonrpc.org/specification): made, read, told apart."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any, Literal

from .. import json_text

Message = dict[str, Any]
"""One JSON-RPC message: a request, a notification or a response."""

Id = int | str
Kind = Literal["request", "notification", "response"]

METHOD_NOT_FOUND = -32601


def request(id_: Id, method: str, params: Message) -> Message:
    """A message that wants a response."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def notification(method: str, params: Message) -> Message:
    """A message that wants none."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def response(id_: Id, result: Any) -> Message:
    """The answer to the request with this id."""
    return {"jsonrpc": "2.0", "id": id_, "result": result}


def error_response(id_: Id, code: int, message: str) -> Message:
    """The answer that a request could not be carried out."""
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}


def kind(message: Message) -> Kind | None:
    """What a message is; None for an object that is no JSON-RPC message."""
    if isinstance(message.get("method"), str):
        return "request" if _is_id(message.get("id")) else "notification"
    if _is_id(message.get("id")) and ("result" in message or "error" in message):
        return "response"
    return None


def id_text(id_: Any) -> str:
    """An id as a text that tells 1 and "1" apart, for keys and event ids."""
    return json.dumps(id_)


def parse(text: str) -> Message:
    """The message of a JSON text. Raises ValueError, with a reason, for what is not one JSON object."""
    value = json_text.parse(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, not {type(value).__name__}")
    return value


def fresh_ids() -> Iterator[int]:
    """Ids for the requests of one client: 1, 2, 3, … from a random beginning.

    Several clients share an agent server, and the responses to all of them come on one stream, so no two may use the
    same ids. They are numbers of at most 31 bits, which every implementation of the protocol reads.
    """
    return itertools.count(random.randrange(1, 2**31 - 2**24))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
