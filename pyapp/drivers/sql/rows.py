"""Records and events as rows of upstream's SQL tables, and back: for every store that has these tables.

A row has a column for each field that upstream knows. What the columns cannot hold goes into a row beside, of the table
`pyapp_extra`, which upstream does not look at: fields that upstream does not know, optional fields that are null, and
the exact value where a column holds only something near to it. A row beside is there only where it is needed.

Upstream may write a row again and knows nothing of the one beside. So what a column says is true: an exact value counts
only as long as its column holds what was put there for it. Unknown fields stay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from ...errors import InvalidRecordError
from ...json_text import dump, parse_column
from ...types import MAX_SAFE_INTEGER, Row, Sender, SessionEvent, SessionRecord
from ..base import ReadEvent, SessionHead
from .columns import Columns

BESIDE = "pyapp_extra"
BESIDE_COLUMNS = ("kind", "id", "extra_json")
"""The table beside, its key (kind, id), all columns text that is not null. The id is as in the row's own column."""

Kind = Literal["session", "event"]

Value = str | int | None
"""What goes into a column."""

Fields = tuple[tuple[str, str, bool], ...]

SESSION_FIELDS: Fields = (
    ("id", "id", False),
    ("agent", "agent", False),
    ("agentSessionId", "agent_session_id", False),
    ("lastConnectionId", "last_connection_id", False),
    ("createdAt", "created_at", False),
    ("destroyedAt", "destroyed_at", False),
    ("sandboxId", "sandbox_id", False),
    ("sessionInit", "session_init_json", True),
    ("configOptions", "config_options_json", True),
    ("modes", "modes_json", True),
)
EVENT_FIELDS: Fields = (
    ("id", "id", False),
    ("eventIndex", "event_index", False),
    ("sessionId", "session_id", False),
    ("createdAt", "created_at", False),
    ("connectionId", "connection_id", False),
    ("sender", "sender", False),
    ("payload", "payload_json", True),
)
"""The name of each field, that of its column, and whether the column holds JSON."""

SESSION_COLUMNS = tuple(column for _, column, _ in SESSION_FIELDS)
EVENT_COLUMNS = tuple(column for _, column, _ in EVENT_FIELDS)
HEAD_COLUMNS = ("id", "agent", "created_at", "destroyed_at")

_HEAD_FIELDS: Fields = tuple(field for field in SESSION_FIELDS if field[1] in HEAD_COLUMNS)
_KEYS = {"id", "sessionId"}
"""Fields that rows are found by: no column may hold less of them than all."""


class Stored(NamedTuple):
    """A record or an event as it is stored: the values of its columns, in their order, and the text of the row beside,
    None when it needs none."""

    values: tuple[Value, ...]
    beside: str | None


def store_session(row: Row, columns: Columns) -> Stored:
    """The values for SESSION_COLUMNS of a record's row (`to_row`) that `check_record` has passed."""
    return _store(row, SESSION_FIELDS, columns)


def store_event(row: Row, columns: Columns) -> Stored:
    """The values for EVENT_COLUMNS of an event's row (`to_row`) that `check_event` has passed."""
    return _store(row, EVENT_FIELDS, columns)


def store_plain_event(event: SessionEvent, payload: str, columns: Columns) -> Stored | None:
    """What `store_event` gives, for an event that the columns hold as it is, as they do nearly all; None where
    `store_event` has to look. `payload` is the JSON text of its payload."""
    connection_id = event.connection_id
    if event.extra or columns.text(connection_id) != connection_id or columns.json(payload) != payload:
        return None
    id_, session_id = columns.key(event.id), columns.key(event.session_id)
    values = (id_, event.event_index, session_id, event.created_at, connection_id, event.sender, payload)
    return Stored(values, None)


def store_read_event(read: ReadEvent, columns: Columns) -> Stored:
    """What `store_event` gives, for an event that another store gave."""
    event = read.event
    text = dump(event.payload) if read.payload is None else read.payload
    return store_plain_event(event, text, columns) or store_event(event.to_row(), columns)


def read_session(values: Sequence[object], beside: object, columns: Columns) -> SessionRecord:
    """The record of a row (SESSION_COLUMNS) and of the row beside, if there is one. Raises InvalidRecordError, with the
    id, for a row that is none: anybody may have written it."""
    try:
        return SessionRecord.from_row(_read(values, beside, SESSION_FIELDS, columns))
    except ValueError as error:
        raise _not_one("session record", values[0], error) from None


def read_event(values: Sequence[object], beside: object, columns: Columns) -> SessionEvent:
    """The event of a row (EVENT_COLUMNS) and of the row beside, if there is one. Raises InvalidRecordError, with the
    id, for a row that is none."""
    if beside is None and (plain := _plain_event(values, columns)) is not None:
        return plain
    try:
        return SessionEvent.from_row(_read(values, beside, EVENT_FIELDS, columns))
    except ValueError as error:
        raise _not_one("event", values[0], error) from None


def read_event_and_text(values: Sequence[object], beside: object, columns: Columns) -> ReadEvent:
    """What `read_event` gives, with the text of its payload where that is what the column holds."""
    text = values[-1] if beside is None else None
    return ReadEvent(read_event(values, beside, columns), text if isinstance(text, str) else None)


def _plain_event(values: Sequence[object], columns: Columns) -> SessionEvent | None:
    """The event of a row whose columns are as they should be, as nearly all are; None where more must be looked at."""
    id_, event_index, session_id, created_at, connection_id, sender, text = values
    if (
        type(id_) is str
        and type(session_id) is str
        and id_
        and session_id
        and type(connection_id) is str
        and type(event_index) is int
        and type(created_at) is int
        and 1 <= event_index <= MAX_SAFE_INTEGER
        and 0 <= created_at <= MAX_SAFE_INTEGER
        and (sender == "client" or sender == "agent")
        and type(text) is str
    ):
        try:
            payload = columns.parse(text)
        except ValueError:
            return None
        if type(payload) is dict:
            by: Sender = "client" if sender == "client" else "agent"
            return SessionEvent(
                columns.id_of(id_), event_index, columns.id_of(session_id), created_at, connection_id, by, payload
            )
    return None


def read_head(values: Sequence[object], beside: object, columns: Columns) -> SessionHead:
    """The head of a session's row (HEAD_COLUMNS). Raises InvalidRecordError, with the id."""
    try:
        row = _read(values, beside, _HEAD_FIELDS, columns)
        return SessionHead.of(SessionRecord.from_row({"agentSessionId": "", "lastConnectionId": "", **row}))
    except ValueError as error:
        raise _not_one("session record", values[0], error) from None


def _store(row: Row, fields: Fields, columns: Columns) -> Stored:
    values: list[Value] = []
    exact: Row = {}
    known = 0
    for name, _, is_json in fields:
        value = row.get(name)
        if value is None:
            values.append(None)
            continue
        known += 1
        if is_json:
            text = dump(value)
            held = columns.json(text)
        elif isinstance(value, str):
            text = str.__str__(value)  # itself, not the name that an enumeration's member is shown by
            held = columns.key(text) if name in _KEYS else columns.text(text)
        else:
            values.append(int(value))  # 1.0 too, which is a whole number in JSON
            continue
        values.append(held)
        if held is not text and held != text and name not in _KEYS:
            exact[name] = value
    if known == len(row) and not exact:  # as nearly all are
        return Stored(tuple(values), None)
    beside: Row = {"exact": exact} if exact else {}
    names = {name for name, _, _ in fields}
    if extra := {name: value for name, value in row.items() if name not in names or value is None}:
        beside["extra"] = extra
    return Stored(tuple(values), dump(beside))


def _read(values: Sequence[object], beside: object, fields: Fields, columns: Columns) -> Row:
    """The camelCase row. Raises ValueError for a column that is not JSON where it should be."""
    row: Row = {}
    for value, (name, _, is_json) in zip(values, fields, strict=True):
        if value is None:
            continue  # left out, where that may be; where not, from_row says that it is missing
        if is_json:
            row[name] = _parsed(name, value, columns)
        elif name in _KEYS and type(value) is str:
            row[name] = columns.id_of(value)
        else:
            row[name] = value
    if beside is not None:
        _add_beside(row, beside, values, fields, columns)
    return row


def _parsed(name: str, value: object, columns: Columns) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {type(value).__name__}")
    try:
        return columns.parse(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _add_beside(row: Row, beside: object, values: Sequence[object], fields: Fields, columns: Columns) -> None:
    """What the row beside says is added, where the columns do not say something else."""
    kept = parse_column(beside) if isinstance(beside, str) else None
    if not isinstance(kept, dict):
        raise ValueError("what is kept beside it in pyapp_extra is not a JSON object")
    exact, extra = kept.get("exact"), kept.get("extra")
    if isinstance(exact, dict):
        for value, (name, _, is_json) in zip(values, fields, strict=True):
            if name in exact and isinstance(value, str) and _is_still(value, exact[name], is_json, columns):
                row[name] = exact[name]
    if isinstance(extra, dict):
        for name, value in extra.items():
            row.setdefault(name, value)


def _is_still(held: str, exact: Any, is_json: bool, columns: Columns) -> bool:
    """Whether a column holds what was put there for this value."""
    if is_json:
        # Databases write numbers in ways of their own; what differs as a double differs.
        return bool(_in_doubles(held) == _in_doubles(columns.json(dump(exact))))
    return isinstance(exact, str) and held == columns.text(exact)


def _in_doubles(text: str) -> Any:
    return json.loads(text, parse_int=float)


def _not_one(what: str, id_: object, error: ValueError) -> InvalidRecordError:
    shown = repr(id_)
    if len(shown) > 80:
        shown = f"{shown[:80]}…"
    reason = str(error).removeprefix(f"{what}: ")
    return InvalidRecordError(f"the stored {what} {shown} is not one: {reason}")
