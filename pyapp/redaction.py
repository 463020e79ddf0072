"""Secrets in sessions: found in every string of a record or an event, and masked.

A mask is `[secret: github token 1]`: what it was, and a number. The same secret has the same number wherever it stands
in one export, so that the transcript stays readable; its length is not to be seen. What was masked is not masked again.

An agent's message comes in pieces, so a secret may be split over several events. The pieces of one turn are searched
together, whatever lies between them, and events are held back until that is done: what ends a message for one reader
(a request, a tool call) does not for another. `secret_patterns.py` knows what secrets look like.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import json_text
from .secret_patterns import Secret, find_secrets, may_hold, secret_named
from .types import Row

MOST_FINDINGS = 1_000
"""Places that are kept one by one; beyond, they are counted."""

MOST_HELD = 2_000
HELD_CHARACTERS = 1 << 20
"""How much of one turn's messages is searched together: events, and characters of the messages."""

HELD_JSON = 16 << 20
"""How much is held in all, in characters of JSON: what lies between the pieces of a message may be large."""

PREVIEW_BEFORE = 40
PREVIEW_AFTER = 16
ROUNDS = 4
"""What stands beside a mask is looked at again, so many times at most."""

RowKind = Literal["session", "event"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a secret.

    `event_index` is None for a session's record. `pointer` leads to the string in the row, to the object where a key
    is the secret (RFC 6901). `preview` is the text around it, with every secret masked. Both can be shown; `session_id`
    is the session's own, which may hold a secret: it is shown by `without_secrets`.
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
    """The row as it was given."""
    name: str | None = None
    """The name of the field, which may tell that its value is a secret."""


@dataclass(slots=True)
class _Held:
    """An event that waits for the rest of a message.

    `stream` says what kind of message it is a piece of, `message` counts the messages that the transcript shows.
    """

    row: Row
    stream: str | None
    message: int
    said: int
    json: int
    searched: bool
    """Whether a first look found something that may be a secret."""


class Redactor:
    """Masks the secrets of rows, given in the order of an export: `begin` with a record, `take` its events, `end`.

    Rows come back in the same order, those without a secret as they were given. One redactor is for one export.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._masks: dict[str, tuple[str, int]] = {}
        self._held: list[_Held] = []
        self._said = self._json = self._message = 0

    def begin(self, record: Row) -> Row:
        """A session's record, masked. The events of the one before must have ended."""
        return self._alone(record)

    def take(self, event: Row) -> Sequence[Row]:
        """The next event's row; gives those that need to wait no longer, masked."""
        ready: Sequence[Row] = ()
        if self._held and _begins_turn(event):
            ready = self.end()
        stream = _stream_of(event)
        if stream is None and not self._held:
            return (*ready, self._alone(event))
        self._hold(event, stream)
        if len(self._held) >= MOST_HELD or self._said >= HELD_CHARACTERS or self._json >= HELD_JSON:
            return (*ready, *self._release(whole=False))
        return ready

    def end(self) -> Sequence[Row]:
        """The session has no more events for now; gives those that waited."""
        return self._release(whole=True)

    def _hold(self, event: Row, stream: str | None) -> None:
        text = json_text.dump(event)
        said = len(_said(event)) if stream else 0
        self._message += _ends_messages(event)
        self._held.append(_Held(event, stream, self._message, said, len(text), may_hold(text)))
        self._said += said
        self._json += len(text)

    def _release(self, *, whole: bool) -> Sequence[Row]:
        count = len(self._held) if whole else _cut(self._held)
        held, self._held = self._held[:count], self._held[count:]
        self._said = sum(one.said for one in self._held)
        self._json = sum(one.json for one in self._held)
        first = len(self.findings.places)
        rows = [one.row if one.stream or not one.searched else self._alone(one.row) for one in held]
        for stream in sorted({one.stream for one in held if one.stream}):
            self._mask_messages(held, rows, stream)
        rows = [
            self._alone(row, one.row) if one.stream and one.searched else row
            for row, one in zip(rows, held, strict=True)
        ]
        places = self.findings.places
        places[first:] = sorted(places[first:], key=lambda place: place.event_index or 0)
        return rows

    def _mask_messages(self, held: Sequence[_Held], rows: list[Row], stream: str) -> None:
        """Mask what stands in the pieces of one kind, put together in every way that a reader may.

        What one way finds, another may not: a word of the message before can hide where a key begins.
        """
        first, found, ways = len(self.findings.places), 0, _ways(held, stream)
        for _ in range(ROUNDS):
            before = self.findings.count
            for places in ways:
                if find_secrets("".join(_said(rows[place]) for place in places)):
                    self._mask_pieces(held, rows, places)
                    found += 1
            if self.findings.count == before:
                break
        if found > 1:
            self._hide_sides(first)

    def _mask_pieces(self, held: Sequence[_Held], rows: list[Row], places: Sequence[int]) -> None:
        pieces = []
        for place in places:
            if rows[place] is held[place].row:
                rows[place] = _copied(rows[place])
            content = rows[place]["payload"]["params"]["update"]["content"]
            pieces.append(_Text(content, "text", _CHUNK, held[place].row))
        self._mask(pieces)

    def _hide_sides(self, first: int) -> None:
        """What stands beside these places was shown before all of it was known: show the masks alone."""
        places = self.findings.places
        places[first:] = [replace(place, preview=_written((place.kind, place.number))) for place in places[first:]]

    def _alone(self, row: Row, given: Row | None = None) -> Row:
        """One row, masked; if `given` was masked before, as the piece of a message, except for that piece."""
        if not may_hold(json_text.dump(row)):
            return row
        copy = _copied(row)
        before = self.findings.count
        for text in _texts(copy, given or row):
            if given is None or text.path != _CHUNK:
                self._mask([text])
        self._mask_keys(copy, given or row)
        return row if self.findings.count == before else copy

    def _mask(self, pieces: Sequence[_Text]) -> None:
        """Mask the secrets of a text that stands in one or more pieces."""
        first = len(self.findings.places)
        for turn in range(ROUNDS):
            texts = [piece.owner[piece.key] for piece in pieces]
            joined = "".join(texts)
            secrets = find_secrets(joined)
            only = pieces[0]
            if not secrets and turn == 0 and only.name and (named := secret_named(only.name, joined)):
                secrets = [named]
            if not secrets:
                return
            if turn:
                self._hide_sides(first)
            masks = [self._mask_for(secret.kind, joined[secret.start : secret.end]) for secret in secrets]
            for place, secret in enumerate(secrets):
                preview = _preview(joined, secrets, masks, place)
                self._note(masks[place], pieces[_piece_at(texts, secret.start)], preview)
            replaced = _replaced(texts, secrets, [_written(mask) for mask in masks])
            for piece, text in zip(pieces, replaced, strict=True):
                piece.owner[piece.key] = text

    def _mask_keys(self, row: Row, given: Row) -> None:
        """Mask the keys of the row's objects that are secrets."""
        waiting: list[tuple[Any, tuple[Any, ...]]] = [(row, ())]
        while waiting:
            value, path = waiting.pop()
            if isinstance(value, dict) and may_hold("\n".join(value)):
                members = list(value.items())
                value.clear()
                for key, member in members:
                    box = [key]
                    self._mask([_Text(box, 0, path, given)])
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


def _begins_turn(event: Row) -> bool:
    """Whether no message goes on behind this event."""
    match event:
        case {"sender": "client", "payload": {"method": "session/prompt"}}:
            return True
    return False


def _ends_messages(event: Row) -> bool:
    """Whether a reader sees another message behind this event: a request, a response, a tool call."""
    payload = event.get("payload")
    return isinstance(payload, dict) and ("id" in payload or _update_of(event).get("sessionUpdate") == "tool_call")


def _said(event: Row) -> str:
    said: str = event["payload"]["params"]["update"]["content"]["text"]
    return said


def _ways(held: Sequence[_Held], stream: str) -> list[list[int]]:
    """Which pieces of one kind are read together (places in `held`): all; those of one id; of one shown message."""
    ways: dict[Any, list[int]] = {}
    for place, one in enumerate(held):
        if one.stream == stream:
            params = one.row["payload"]["params"]
            of = json_text.dump([params.get("sessionId"), params["update"].get("messageId")])
            for way in ("kind", None), ("id", of), ("message", one.message):
                ways.setdefault(way, []).append(place)
    distinct = {tuple(places): places for places in ways.values()}
    return list(distinct.values())


_LINE, _WORD, _MESSAGE, _NOWHERE = range(4)
"""Where messages can be parted, the best first."""


def _cut(held: Sequence[_Held]) -> int:
    """How many held events can go, so that no secret is parted: up to the end of a line, a word or a message.

    It is looked for in the second half, so that time grows with the events alone. If there is none, all of them go.
    """
    worst = [_LINE] * len(held)
    for stream in {one.stream for one in held if one.stream}:
        worst = list(map(max, worst, _edges(held, stream)))
    count = min(range(len(held) - 1, len(held) // 2, -1), key=worst.__getitem__, default=0)
    return count if count and worst[count] < _NOWHERE else len(held)


def _edges(held: Sequence[_Held], stream: str) -> list[int]:
    """How well the pieces of one kind can be parted before each of the held events."""
    said = [_said(one.row) if one.stream == stream else "" for one in held]
    text = "".join(said)
    keys = [(mark.end(), mark[0].endswith("BEGIN")) for mark in _KEY_ENDS.finditer(text)]
    edges, offset, message, in_key, mark = [], 0, -1, False, 0
    for one, piece in zip(held, said, strict=True):
        while mark < len(keys) and keys[mark][0] <= offset:
            in_key = keys[mark][1]
            mark += 1
        beside = text[max(offset - 1, 0) : offset + 1]
        if in_key:
            edges.append(_NOWHERE)
        elif not offset or "\n" in beside:
            edges.append(_LINE)
        elif " " in beside or "\t" in beside:
            edges.append(_WORD)
        else:
            edges.append(_MESSAGE if one.message > message else _NOWHERE)
        offset += len(piece)
        message = one.message if piece else message
    return edges


_KEY_ENDS = re.compile("-----(?:BEGIN|END)")


def _copied(row: Row) -> Row:
    """A copy that may be changed."""
    copy: Row = json.loads(json_text.dump(row))
    return copy


def _texts(row: Row, given: Row) -> Iterator[_Text]:
    """The strings of a row, however they are nested; without recursion, since rows may be deep."""
    waiting: list[tuple[Any, tuple[Any, ...], str | None]] = [(row, (), None)]
    while waiting:
        value, path, of = waiting.pop()
        for key, member in _members(value):
            at = (*path, key)
            if isinstance(member, str):
                yield _Text(value, key, at, given, _name_of(value, key, of))
            elif isinstance(member, dict | list):
                waiting.append((member, at, _name_of(value, key, of)))


def _name_of(owner: Any, key: Any, of: str | None) -> str | None:
    """What a value is called: by its key, the name beside it, the flag before it, or as the list that it is in (`of`).

    Environments and headers are in ACP as `{"name": "API_KEY", "value": "…"}`, arguments as `["--api-key", "…"]`.
    """
    if isinstance(owner, list):
        before = owner[key - 1] if key else None
        flag = _FLAG.fullmatch(before) if isinstance(before, str) else None
        return flag[1] if flag else of and of.removesuffix("s")
    beside = [owner.get("name"), owner.get("key")] if key == "value" else []
    return next((name for name in (*beside, key) if isinstance(name, str)), None)


_FLAG = re.compile(r"--?([\w-]{2,80})")


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
