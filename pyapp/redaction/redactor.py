"""The redactor of one export: masks rows in their order, and notes what it found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from .. import json_text
from ..secret_patterns import HINTS, find_secrets, secrets_named
from ..types import Row
from .findings import MOST_FINDINGS, Finding, Findings
from .masks import Mask, piece_at, preview_of, replaced, written
from .pieces import CHUNK, Held, begins_turn, cut, ends_messages, said_in, stream_of, ways_to_read
from .strings import Text, copied, members, pointer, texts_of

MOST_HELD = 2_000
HELD_CHARACTERS = 1 << 20
"""How much of one turn's messages is searched together: events, and characters of the messages."""

HELD_JSON = 16 << 20
"""How much is held in all, in characters of JSON: what lies between the pieces of a message may be large."""

ROUNDS = 4
"""What stands beside a mask is looked at again, so many times at most."""

RowKind = Literal["session", "event"]


class Redactor:
    """Masks the secrets of rows, given in the order of an export: `begin` with a record, `take` its events, `end`.

    Rows come back in the same order, those without a secret as they were given. One redactor is for one export.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._masks: dict[str, Mask] = {}
        self._held: list[Held] = []
        self._said = self._json = self._message = 0

    def begin(self, record: Row) -> Row:
        """A session's record, masked. The events of the one before must have ended."""
        return self._alone(record)

    def take(self, event: Row) -> Sequence[Row]:
        """The next event's row; gives those that need to wait no longer, masked."""
        ready: Sequence[Row] = ()
        if self._held and begins_turn(event):
            ready = self.end()
        stream = stream_of(event)
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
        said = len(said_in(event)) if stream else 0
        self._message += ends_messages(event)
        self._held.append(Held(event, stream, self._message, said, text))
        self._said += said
        self._json += len(text)

    def _release(self, *, whole: bool) -> Sequence[Row]:
        count = len(self._held) if whole else cut(self._held)
        held, self._held = self._held[:count], self._held[count:]
        self._said = sum(one.said for one in self._held)
        self._json = sum(len(one.json) for one in self._held)
        first = len(self.findings.places)
        # Many rows are looked at in one go for all hints, then each for the few that are there at all.
        hints = HINTS.within("\n".join([one.json for one in held]))
        suspect = [bool(hints) and hints.meet(one.json) for one in held]
        rows = [
            self._searched(one.row, one.row) if is_suspect and not one.stream else one.row
            for one, is_suspect in zip(held, suspect, strict=True)
        ]
        for stream in sorted({one.stream for one in held if one.stream}):
            self._mask_messages(held, rows, stream)
        rows = [
            self._searched(row, one.row, but=CHUNK) if is_suspect and one.stream else row
            for row, one, is_suspect in zip(rows, held, suspect, strict=True)
        ]
        places = self.findings.places
        places[first:] = sorted(places[first:], key=lambda place: place.event_index or 0)
        return rows

    def _mask_messages(self, held: Sequence[Held], rows: list[Row], stream: str) -> None:
        """Mask what stands in the pieces of one kind, put together in every way that a reader may.

        What one way finds, another may not: a word of the message before can hide where a key begins.
        """
        first, found, ways = len(self.findings.places), 0, ways_to_read(held, stream)
        for _ in range(ROUNDS):
            before = self.findings.count
            for places in ways:
                if find_secrets("".join(said_in(rows[place]) for place in places)):
                    self._mask_pieces(held, rows, places)
                    found += 1
            if self.findings.count == before:
                break
        if found > 1:
            self._hide_sides(first)

    def _mask_pieces(self, held: Sequence[Held], rows: list[Row], places: Sequence[int]) -> None:
        pieces = []
        for place in places:
            if rows[place] is held[place].row:
                rows[place] = copied(rows[place])
            content = rows[place]["payload"]["params"]["update"]["content"]
            pieces.append(Text(content, "text", CHUNK, held[place].row))
        self._mask(pieces)

    def _hide_sides(self, first: int) -> None:
        """What stands beside these places was shown before all of it was known: show the masks alone."""
        places = self.findings.places
        places[first:] = [replace(place, preview=written((place.kind, place.number))) for place in places[first:]]

    def _alone(self, row: Row) -> Row:
        """One row that is part of no message, masked."""
        return self._searched(row, row) if HINTS.meet(json_text.dump(row)) else row

    def _searched(self, row: Row, given: Row, *, but: tuple[str, ...] | None = None) -> Row:
        """A row, masked in all of its strings `but` the one that was masked before, as the piece of a message."""
        copy = copied(row)
        before = self.findings.count
        for text in texts_of(copy, given):
            if text.path != but:
                self._mask([text])
        self._mask_keys(copy, given)
        return row if self.findings.count == before else copy

    def _mask(self, pieces: Sequence[Text]) -> None:
        """Mask the secrets of a text that stands in one or more pieces."""
        first = len(self.findings.places)
        for turn in range(ROUNDS):
            texts = [piece.owner[piece.key] for piece in pieces]
            joined = "".join(texts)
            secrets = find_secrets(joined)
            only = pieces[0]
            if turn == 0 and only.name and (named := secrets_named(only.name, joined)):
                # all of the value, also where a part of it is known by its own shape
                secrets = [replace(named[0], kind=secrets[0].kind)] if secrets and len(named) == 1 else named
            if not secrets:
                return
            if turn:
                self._hide_sides(first)
            masks = [self._mask_for(secret.kind, joined[secret.start : secret.end]) for secret in secrets]
            for place, secret in enumerate(secrets):
                preview = preview_of(joined, secrets, masks, place)
                self._note(masks[place], pieces[piece_at(texts, secret.start)], preview)
            masked_texts = replaced(texts, secrets, [written(mask) for mask in masks])
            for piece, text in zip(pieces, masked_texts, strict=True):
                piece.owner[piece.key] = text

    def _mask_keys(self, row: Row, given: Row) -> None:
        """Mask the keys of the row's objects that are secrets."""
        waiting: list[tuple[Any, tuple[Any, ...]]] = [(row, ())]
        while waiting:
            value, path = waiting.pop()
            if isinstance(value, dict) and HINTS.meet("\n".join(value)):
                known = list(value.items())
                value.clear()
                for key, member in known:
                    box = [key]
                    self._mask([Text(box, 0, path, given)])
                    masked = box[0]
                    while masked in value:  # a mask that was there as a key
                        masked += "'"
                    value[masked] = member
            for key, member in members(value):
                if isinstance(member, dict | list):
                    waiting.append((member, (*path, key)))

    def _mask_for(self, kind: str, secret: str) -> Mask:
        """Kind and number; a secret that was found before keeps both."""
        if secret not in self._masks:
            self.findings.secrets_by_kind[kind] += 1
            self._masks[secret] = kind, self.findings.secrets_by_kind[kind]
        return self._masks[secret]

    def _note(self, mask: Mask, text: Text, preview: str) -> None:
        kind, number = mask
        self.findings.places_by_kind[kind] += 1
        if len(self.findings.places) < MOST_FINDINGS:
            index = text.row.get("eventIndex")
            session_id = text.row["sessionId"] if index is not None else text.row["id"]
            self.findings.places.append(Finding(kind, number, str(session_id), index, pointer(text.path), preview))


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
