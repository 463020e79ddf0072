"""Upstream's IndexedDB layout, version 2: how it is made and recognised, and where its rows stand.

Two object stores, `sessions` and `events`, keyed by `id`; the events' index `by_session_index` orders them by
session, index and id. Rows are the records as they are.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ...errors import InvalidRecordError, UnknownLayoutError
from ...interop import JsValue, apply, from_json, is_absent, scope, to_json
from ...json_text import parse_stored
from ...types import SessionEvent, SessionRecord
from ..base import Key, SessionHead
from .connection import Layout

VERSION = 2
"""Upstream's version of the layout. A higher one would lock upstream out of its own database."""

INDEX = "by_session_index"
_INDEX_PATH = ["sessionId", "eventIndex", "id"]
_HEAD_FIELDS = '["id","agent","createdAt","destroyedAt"]'


def _create(database: JsValue, old_version: int, _transaction: JsValue) -> None:
    if old_version:
        raise UnknownLayoutError(
            f"the database {database.name!r} has version {old_version}, not {VERSION}; it was left alone"
        )
    by_id = from_json('{"keyPath":"id"}')
    database.createObjectStore("sessions", by_id)
    events = database.createObjectStore("events", by_id)
    events.createIndex(INDEX, from_json(json.dumps(_INDEX_PATH)), from_json('{"unique":false}'))


def _fault(database: JsValue) -> str:
    """What the open database lacks of the layout, "" for nothing."""
    for name in ("sessions", "events"):
        if not database.objectStoreNames.contains(name):
            return f"it has no object store {name!r}"
    transaction = database.transaction(from_json('["sessions","events"]'), "readonly")
    events = transaction.objectStore("events")
    for store in (transaction.objectStore("sessions"), events):
        if store.keyPath != "id" or store.autoIncrement:
            return f"its object store {store.name!r} has another key"
    if not events.indexNames.contains(INDEX):
        return f"it has no index {INDEX!r}"
    index = events.index(INDEX)
    if json.loads(to_json(index.keyPath)) != _INDEX_PATH or index.unique or index.multiEntry:
        return f"its index {INDEX!r} has another key"
    return ""


LAYOUT = Layout(
    VERSION,
    _create,
    _fault,
    foreign="the database {name!r} is not a session store ({fault}); it was left alone",
    newer="the database {name!r} has a newer version than {version}; it was left alone",
)
"""Upstream's layout. A new database gets it; one that holds something else is refused and not changed."""


def event_range(session_id: str, *, after: Key | None = None, before: Key | None = None) -> JsValue:
    """The keys of a session's events in the index: all, those after a key, or those before one.

    An array sorts behind every number and text, so [session, []] is the end of a session.
    """
    low = "" if after is None else f",{after[0]},{json.dumps(after[1])}"
    high = ",[]" if before is None else f",{before[0]},{json.dumps(before[1])}"
    return _range(session_id, low, high)


def index_range(session_id: str, first: int, last: int) -> JsValue:
    """The keys of the events with these indexes."""
    return _range(session_id, f",{first}", f",{last},[]")


def event_key(key: JsValue) -> tuple[str, int, str]:
    """Session id, event index and id of a key in the index."""
    session_id, event_index, id_ = json.loads(to_json(key))
    return session_id, int(event_index), id_


def range_to_end(start: JsValue, keys: JsValue) -> JsValue:
    """From the key `start`, with it, to the end of the range `keys`."""
    return scope().IDBKeyRange.bound(start, keys.upper, False, True)


def _range(session_id: str, low: str, high: str) -> JsValue:
    """The keys between two of a session, without these; `low` and `high` are JSON, to go behind the session's id."""
    session = json.dumps(session_id)
    return apply(*_bound(), f"[[{session}{low}],[{session}{high}],true,true]")


@cache
def _bound() -> tuple[JsValue, JsValue]:
    """`IDBKeyRange.bound` and what it belongs to, which are asked for in every call."""
    key_range = scope().IDBKeyRange
    return key_range.bound, key_range


def read_events(rows: str) -> tuple[SessionEvent, ...]:
    """The events of a JSON array of rows. Raises InvalidRecordError for a row that is none."""
    from_row = SessionEvent.from_row
    return tuple([from_row(row) for row in _parse(rows)])


def read_event(row: str | None) -> SessionEvent | None:
    """The event of a JSON object, None for None."""
    return None if row is None else SessionEvent.from_row(_parse(row))


def read_record(row: str | None) -> SessionRecord | None:
    """The record of a JSON object, None for None."""
    return None if row is None else SessionRecord.from_row(_parse(row))


def read_records(rows: str) -> tuple[SessionRecord, ...]:
    """The records of a JSON array of rows. Raises InvalidRecordError for a row that is none."""
    return tuple([SessionRecord.from_row(row) for row in _parse(rows)])


def _parse(rows: str) -> Any:
    try:
        return parse_stored(rows)
    except ValueError as error:
        raise InvalidRecordError(f"what is stored cannot be read: {error}") from None


def read_heads(rows: JsValue) -> list[SessionHead]:
    """The heads of a JavaScript array of records, in its order; nothing else of them crosses over."""
    heads = []
    for row in json.loads(to_json(rows, from_json(_HEAD_FIELDS))):
        id_, agent, created_at = row.get("id"), row.get("agent"), row.get("createdAt")
        if not isinstance(id_, str) or not isinstance(agent, str) or not isinstance(created_at, (int, float)):
            raise InvalidRecordError(f"the stored session record {str(row)[:200]} is not one")
        heads.append(SessionHead(id_, agent, int(created_at), row.get("destroyedAt")))
    return heads


def optional_json(value: JsValue, fields: JsValue | None = None) -> str | None:
    """The JSON text of a request's result, of these fields alone if any are given; None when nothing was found."""
    return None if is_absent(value) else to_json(value, fields)
