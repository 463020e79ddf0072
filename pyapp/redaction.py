"""Secrets in sessions: found in every string of a record or an event, and masked.

A mask is `[secret: github token 1]`: what it was, and a number. The same secret has the same number wherever it stands
in one export, so that the transcript stays readable; its length is not to be seen. What was masked is not masked again.

An agent's message comes in pieces, so a secret may be split over several events. The pieces of one message are searched
together, and events are held back until that is done. `secret_patterns.py` knows what secrets look like.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import json_text
from .secret_patterns import Secret, find_secrets, may_hold, secret_named
from .types import Row

MOST_FINDINGS = 1_000
"""Places that are kept one by one; beyond, they are counted."""

MOST_HELD = 2_000
HELD_CHARACTERS = 1 << 20
"""How much of one message is searched together: events, and characters of their JSON."""

PREVIEW_BEFORE = 40
PREVIEW_AFTER = 16
ROUNDS = 4
"""What stands beside a mask is looked at again, so many times at most."""

RowKind = Literal["session", "event"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a secret.

    `event_index` is None for a session's record. `pointer` leads to the string in the row, to the object where a key
    is the secret (RFC 6901). `preview` is the text around it, with every secret masked.
    """

    kind: str
    number: int
    session_id: str
    event_index: int | None
    pointer: str
    preview: str


@dataclass(slots=True)
class Findings:
    """What was found: `places`, the first ones; how many places by kind; how many different secrets by kind."""

    places: list[Finding] = field(default_factory=list)
    places_by_kind: Counter[str] = field(default_factory=Counter)
    secrets_by_kind: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """How many places there are in all."""
        return self.places_by_kind.total()

    @property
    def secrets(self) -> int:
        """How many different secrets there are."""
        return self.secrets_by_kind.total()


@dataclass(slots=True)
class _Text:
    """A string of a row, and where it stands: in `owner`, a list or an object, under `key`."""

    owner: Any
    key: Any
    path: tuple[Any, ...]
    row: Row
    name: str | None = None
    """The name of the field, which may tell that its value is a secret."""


@dataclass(slots=True)
class _Held:
    """An event that waits for the rest of a message. `stream` says of which."""

    row: Row
    size: int
    stream: str | None


class Redactor:
    """Masks the secrets of rows, given in the order of an export: `begin` with a record, `take` its events, `end`.

    Rows come back in the same order, those without a secret as they were given. One redactor is for one export.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._masks: dict[str, tuple[str, int]] = {}
        self._held: list[_Held] = []
        self._size = 0

    def begin(self, record: Row) -> Row:
        """A session's record, masked. The events of the one before must have ended."""
        return self._alone(record)

    def take(self, event: Row) -> Sequence[Row]:
        """The next event's row; gives those that need to wait no longer, masked."""
        stream = _stream_of(event)
        size = len(_said(event)) if stream else 0
        ready: Sequence[Row] = ()
        if self._held and _ends_messages(event):
            ready = self.end()
        if stream is None and not self._held:
            return (*ready, self._alone(event))
        self._held.append(_Held(event, size, stream))
        self._size += size
        if len(self._held) >= MOST_HELD or self._size >= HELD_CHARACTERS:
            return (*ready, *self._release(whole=False))
        return ready

    def end(self) -> Sequence[Row]:
        """The session has no more events for now; gives those that waited."""
        return self._release(whole=True)

    def _release(self, *, whole: bool) -> Sequence[Row]:
        held = self._held
        count = len(held) if whole else _cut(held)
        self._held = held[count:]
        self._size = sum(one.size for one in self._held)
        rows = [one.row if one.stream else self._alone(one.row) for one in held[:count]]
        for stream in {one.stream for one in held[:count]} - {None}:
            places = [place for place, one in enumerate(held[:count]) if one.stream == stream]
            joined = "".join(_said(rows[place]) for place in places)
            if find_secrets(joined):
                for place in places:
                    rows[place] = _copied(rows[place])
                pieces = [
                    _Text(rows[place]["payload"]["params"]["update"]["content"], "text", _CHUNK, rows[place])
                    for place in places
                ]
                self._mask(pieces)
        return [self._alone(row, said=False) if one.stream else row for row, one in zip(rows, held, strict=False)]

    def _alone(self, row: Row, *, said: bool = True) -> Row:
        """One row, masked; without `said`, except for the piece of a message in it."""
        if not may_hold(json_text.dump(row)):
            return row
        copy = _copied(row)
        before = self.findings.count
        for text in _texts(copy):
            if said or text.path != _CHUNK:
                self._mask([text])
        self._mask_keys(copy)
        return row if self.findings.count == before else copy

    def _mask(self, pieces: Sequence[_Text]) -> None:
        """Mask the secrets of a text that stands in one or more pieces."""
        for turn in range(ROUNDS):
            texts = [piece.owner[piece.key] for piece in pieces]
            joined = "".join(texts)
            secrets = find_secrets(joined)
            only = pieces[0]
            if not secrets and turn == 0 and only.name and (named := secret_named(only.name, joined)):
                secrets = [named]
            if not secrets:
                return
            masks = [self._mask_for(secret.kind, joined[secret.start : secret.end]) for secret in secrets]
            for place, secret in enumerate(secrets):
                preview = _preview(joined, secrets, masks, place)
                self._note(masks[place], pieces[_piece_at(texts, secret.start)], preview)
            replaced = _replaced(texts, secrets, [_written(mask) for mask in masks])
            for piece, text in zip(pieces, replaced, strict=True):
                piece.owner[piece.key] = text

    def _mask_keys(self, row: Row) -> None:
        """Mask the keys of the row's objects that are secrets."""
        waiting: list[tuple[Any, tuple[Any, ...]]] = [(row, ())]
        while waiting:
            value, path = waiting.pop()
            if isinstance(value, dict) and may_hold("\n".join(value)):
                members = list(value.items())
                value.clear()
                for key, member in members:
                    box = [key]
                    self._mask([_Text(box, 0, path, row)])
                    masked = box[0]
                    while masked in value:  # a mask that was there as a key
                        masked += "'"
                    value[masked] = member
            for key, member in _members(value):
                if isinstance(member, dict | list):
                    waiting.append((member, (*path, key)))

    def _mask_for(self, kind: str, secret: str) -> tuple[str, int]:
        """Kind and number; a secret that was found before keeps both."""
        if secret not in self._masks:
            self.findings.secrets_by_kind[kind] += 1
            self._masks[secret] = kind, self.findings.secrets_by_kind[kind]
        return self._masks[secret]

    def _note(self, mask: tuple[str, int], text: _Text, preview: str) -> None:
        kind, number = mask
        self.findings.places_by_kind[kind] += 1
        if len(self.findings.places) < MOST_FINDINGS:
            index = text.row.get("eventIndex")
            session_id = text.row["sessionId"] if index is not None else text.row["id"]
            self.findings.places.append(Finding(kind, number, str(session_id), index, _pointer(text.path), preview))


async def masked(rows: AsyncIterator[tuple[RowKind, Row]], redactor: Redactor) -> AsyncIterator[tuple[RowKind, Row]]:
    """The rows of an export (`archive.read_rows`), masked, in their order."""
    async for kind, row in rows:
        if kind == "session":
            for event in redactor.end():
                yield "event", event
            yield "session", redactor.begin(row)
        else:
            for event in redactor.take(row):
                yield "event", event
    for event in redactor.end():
        yield "event", event


_CHUNK = ("payload", "params", "update", "content", "text")
_CHUNKS = ("agent_message_chunk", "agent_thought_chunk", "user_message_chunk")


def _update_of(event: Row) -> Mapping[str, Any]:
    match event:
        case {"payload": {"params": {"update": dict(update)}}}:
            return update
    return {}


def _stream_of(event: Row) -> str | None:
    """Which message an event is a piece of, None if of none."""
    match _update_of(event):
        case {"sessionUpdate": str(kind), "content": {"text": str()}} if kind in _CHUNKS:
            return kind
    return None


def _ends_messages(event: Row) -> bool:
    """Whether no message goes on behind this event: a request, a response, a tool call."""
    payload = event.get("payload")
    return isinstance(payload, dict) and ("id" in payload or _update_of(event).get("sessionUpdate") == "tool_call")


def _said(event: Row) -> str:
    said: str = event["payload"]["params"]["update"]["content"]["text"]
    return said


def _cut(held: Sequence[_Held]) -> int:
    """How many held events can go: at the end of a line, of a word, in the second half, so that no secret is parted."""
    for edge in ("\n", " \n\t"):
        for count in range(len(held) - 1, len(held) // 2, -1):
            if all(_is_edge(held, count, stream, edge) for stream in {one.stream for one in held} - {None}):
                return count
    return len(held)


def _is_edge(held: Sequence[_Held], count: int, stream: str | None, edge: str) -> bool:
    """Whether a message has one of these characters between its pieces before and after, and no private key there."""
    before = next((_said(one.row) for one in reversed(held[:count]) if one.stream == stream and _said(one.row)), "\n")
    after = next((_said(one.row) for one in held[count:] if one.stream == stream and _said(one.row)), "\n")
    if before[-1] not in edge and after[0] not in edge:
        return False
    said = "".join(_said(one.row) for one in held[:count] if one.stream == stream)
    return said.rfind("-----BEGIN") <= said.rfind("-----END")


def _copied(row: Row) -> Row:
    """A copy that may be changed."""
    copy: Row = json.loads(json_text.dump(row))
    return copy


def _texts(row: Row) -> Iterator[_Text]:
    """The strings of a row, however they are nested; without recursion, since rows may be deep."""
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(row, ())]
    while waiting:
        value, path = waiting.pop()
        pair = value.get("name") if isinstance(value, dict) else None
        for key, member in _members(value):
            at = (*path, key)
            if isinstance(member, str):
                # what environments and headers are in ACP: {"name": "API_KEY", "value": "…"}
                name = pair if key == "value" and isinstance(pair, str) else key if isinstance(key, str) else None
                yield _Text(value, key, at, row, name)
            elif isinstance(member, dict | list):
                waiting.append((member, at))


def _members(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def _pointer(path: tuple[Any, ...]) -> str:
    """The JSON pointer (RFC 6901). A key that is long, or may be a secret, is not shown."""
    return "".join(f"/{_escaped(str(key))}" for key in path)


def _escaped(key: str) -> str:
    return "…" if len(key) > 200 or find_secrets(key) else key.replace("~", "~0").replace("/", "~1")


def _written(mask: tuple[str, int]) -> str:
    return f"[secret: {mask[0]} {mask[1]}]"


def _piece_at(texts: Sequence[str], place: int) -> int:
    """Which piece holds this character of the whole."""
    for number, text in enumerate(texts):
        if place < len(text):
            return number
        place -= len(text)
    return len(texts) - 1


def _replaced(texts: Sequence[str], secrets: Sequence[Secret], masks: Sequence[str]) -> list[str]:
    """The pieces with masks instead of secrets: the mask stands where the secret began, the rest of it is gone."""
    result = []
    offset = first = 0
    for text in texts:
        end = offset + len(text)
        parts, at = [], offset
        while first < len(secrets) and secrets[first].start < end:
            secret = secrets[first]
            if secret.start >= offset:
                parts += [text[at - offset : secret.start - offset], masks[first]]
            at = min(secret.end, end)
            if secret.end > end:
                break
            first += 1
        parts.append(text[at - offset :])
        result.append("".join(parts))
        offset = end
    return result


def _preview(text: str, secrets: Sequence[Secret], masks: Sequence[tuple[str, int]], place: int) -> str:
    """A little of the text around a secret, with it and its neighbours masked, on one line."""
    before, here = text[: secrets[place].start], secrets[place]
    left = max(here.start - PREVIEW_BEFORE, 0)
    if place and secrets[place - 1].end > left:
        left = secrets[place - 1].end
    right = min(here.end + PREVIEW_AFTER, len(text))
    if place + 1 < len(secrets):
        right = min(right, secrets[place + 1].start)
    sides = ["…" if find_secrets(side) else side for side in (before[left:], text[here.end : right])]
    return " ".join(f"{sides[0]}{_written(masks[place])}{sides[1]}".split())
