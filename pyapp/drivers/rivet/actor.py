"""One Rivet actor, spoken to over HTTP: found or made by its key, its actions called, its refusals as our errors.

The protocol is Rivet's own of 2.0: `PUT /actors` gives an id, `POST /gateway/ID/action/NAME` calls an action.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ...errors import (
    EventConflictError,
    InvalidCursorError,
    InvalidRecordError,
    ServerError,
    ServerUnreachableError,
    StoreError,
    StoreUnavailableError,
)
from ...transport import Request, Response, Transport, send
from ...transport.address import check_base_url, check_token
from .rows import args, read_answer

PATIENCE = 15.0
"""Seconds for which a call is made again while nothing answers: a server that is started anew takes some."""

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between the tries; the last one again and again."""

NO_ACTION = "this actor has no action"

UNKNOWN_NAME = "unknown_name"
"""The code with which the Rivet of `examples/rivet/` refuses an actor that it has no program for."""


class NoActionError(StoreError):
    """The actor has no action of this name."""


class RivetActor:
    """The actor `name` with this key in the namespace. Raises ValueError for an endpoint that is none."""

    def __init__(
        self, transport: Transport, endpoint: str, name: str, key: str, namespace: str, token: str | None = None
    ) -> None:
        if not name or not key:
            raise ValueError("an actor has a name and a key, which are not empty")
        self.endpoint = check_base_url(endpoint)
        self._transport = transport
        self._name = name
        self._key = key
        self._namespace = namespace
        self._token = check_token(token) if token else ""
        self._reached = self._worked = False
        self._id: str | None = None
        self._finding = asyncio.Lock()

    def __repr__(self) -> str:
        return f"RivetActor({self.endpoint!r}, {self._name!r}, {self._key!r})"

    async def call(self, action: str, *values: Any, again: bool = True) -> Any:
        """What the action gives. With `again` it is called again where nothing answered, since it may be done twice.

        Raises EventConflictError, InvalidRecordError, NoActionError, StoreUnavailableError, StoreError.
        """
        deadline = time.monotonic() + PATIENCE
        tries = 0
        found_anew = False
        while True:
            try:
                id_ = await self._actor_id()
                path = f"/gateway/{quote(id_, safe='')}/action/{quote(action, safe='')}"
                response = await self._send("POST", path, args(*values))
                if response.status == 200:
                    self._worked = True
                    return _json(response).get("output")
                group, code, message = _refusal(response)
                if (group, code) != ("actor", "not_found") or found_anew:
                    if code == "internal_error" and not self._worked:  # all that Rivet says of an unknown name
                        message += f"; does this Rivet know an actor named {self._name!r}?"
                    raise _error(group, code, message, action)
                self._id, found_anew = None, True
            except ServerUnreachableError as error:
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
                if not again or not self._reached or time.monotonic() + pause > deadline:
                    raise self._unreachable(error) from None
                await asyncio.sleep(pause)
            except ServerError as error:
                raise StoreError(f"Rivet at {self.endpoint}: {error}") from None

    async def exists(self) -> bool:
        """Whether there is such an actor; none is made. Raises StoreUnavailableError, StoreError."""
        query = urlencode({"namespace": self._namespace, "name": self._name, "key": self._key}, quote_via=quote)
        try:
            response = await self._send("GET", f"/actors?{query}")
        except ServerUnreachableError as error:
            raise self._unreachable(error) from None
        except ServerError as error:
            raise StoreError(f"Rivet at {self.endpoint}: {error}") from None
        if response.status != 200 and (told := _refusal(response))[1] == UNKNOWN_NAME:
            raise _error(*told, "find")
        actors = _json(response).get("actors")
        if response.status != 200 or not isinstance(actors, list):
            raise StoreError(f"what answers at {self.endpoint} is no Rivet: it gave no list of actors")
        return bool(actors)

    def _unreachable(self, error: ServerUnreachableError) -> StoreUnavailableError:
        return StoreUnavailableError(f"no answer from Rivet at {self.endpoint} ({error}); is it running there?")

    async def socket_address(self) -> tuple[str, Sequence[str]]:
        """The address of the actor's WebSocket, and the protocols to ask for. Raises as `call` does."""
        actor = quote(await self._actor_id(), safe="")
        if self._token:  # its place in Rivet's protocol, since a browser's WebSocket sends no header
            actor += "@" + quote(self._token, safe="")
        parts = urlsplit(f"{self.endpoint}/gateway/{actor}/connect")
        address = parts._replace(scheme="wss" if parts.scheme == "https" else "ws")
        return urlunsplit(address), ("rivet", "rivet_encoding.json")

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()

    async def _actor_id(self) -> str:
        async with self._finding:
            if self._id is None:
                self._id = await self._find()
            return self._id

    async def _find(self) -> str:
        wanted = {
            "name": self._name,
            "key": self._key,
            "runner_name_selector": "default",
            "crash_policy": "sleep",
        }
        path = f"/actors?namespace={quote(self._namespace, safe='')}"
        response = await self._send("PUT", path, json.dumps(wanted))
        if response.status != 200:
            raise _error(*_refusal(response), "find")
        actor = _json(response).get("actor")
        id_ = actor.get("actor_id") if isinstance(actor, dict) else None
        if not isinstance(id_, str) or not id_:
            raise StoreError(f"what answers at {self.endpoint} is no Rivet: it gave no actor")
        return id_

    async def _send(self, method: str, path: str, body: str | None = None) -> Response:
        headers = {"Content-Type": "application/json", "x-rivet-encoding": "json"}
        if self._token:
            headers |= {"Authorization": f"Bearer {self._token}", "x-rivet-token": self._token}
        response = await send(self._transport, Request(method, self.endpoint + path, headers, body))
        self._reached = True
        if response.status in (401, 403):
            raise StoreUnavailableError(f"Rivet at {self.endpoint} wants another token")
        return response


def _json(response: Response) -> dict[str, Any]:
    try:
        value = read_answer(response.body.decode())
    except ValueError as error:
        raise StoreError(f"what Rivet answered is not what it says: {error}") from None
    if not isinstance(value, dict):
        raise StoreError("what Rivet answered is not what it says: no object")
    return value


def _refusal(response: Response) -> tuple[str, str, str]:
    """Group, code and words of an error; "" where the answer is no error of Rivet's."""
    try:
        told = _json(response)
    except StoreError:
        told = {}
    texts = [str(told.get(name, ""))[:500] for name in ("group", "code", "message")]
    return texts[0], texts[1], texts[2] or f"HTTP status {response.status}"


def _error(group: str, code: str, message: str, action: str) -> Exception:
    match group, code:
        case "user", "index_taken" | "id_taken":
            return EventConflictError(message)
        case "user", "session_taken":
            return EventConflictError.session_taken(_text(message))
        case "user", "invalid_record":
            return InvalidRecordError(message)
        case "user", "invalid_cursor":
            return InvalidCursorError(message)
        case _ if message.startswith("UNIQUE constraint failed"):  # upstream's words, whoever's actor it is
            return EventConflictError(message)
        case "actor", code if code == UNKNOWN_NAME:
            return StoreUnavailableError(message)
        case "action", "not_found":
            return NoActionError(f"{NO_ACTION} {action}")
        case _, "incoming_too_long" | "outgoing_too_long":
            return StoreError(
                f"{action}: the message is larger than this Rivet takes; "
                "raise maxIncomingMessageSize and maxOutgoingMessageSize"
            )
    return StoreError(f"Rivet could not do {action}: {message}")


def _text(message: str) -> str:
    """The id in a refusal, which is JSON."""
    try:
        return str(json.loads(message))
    except ValueError:
        return message
