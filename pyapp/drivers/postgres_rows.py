"""Events as what the statements of the Postgres driver take: values, a JSON array of many, lines of COPY."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..types import Row, SessionEvent
from .base import check_event, check_plain_event
from .sql_columns import POSTGRES
from .sql_rows import Stored, store_event


def checked_row(session_id: str, event: SessionEvent) -> Stored:
    """The row of an event. Raises InvalidRecordError unless it is one of this session and fit to be stored."""
    payload = check_plain_event(session_id, event)
    if payload is not None and "\\u" not in payload:  # as nearly all are: looked at once, and written out once
        connection_id = POSTGRES.text(event.connection_id)
        if connection_id == event.connection_id:
            id_, session = POSTGRES.key(event.id), POSTGRES.key(session_id)
            values = (id_, event.event_index, session, event.created_at, connection_id, event.sender, payload)
            return Stored(values, None)
    check_event(session_id, event)
    return store_event(event.to_row(), POSTGRES)


def brought_row(brought: str | SessionEvent, added: dict[str, int]) -> Stored:
    """The row of an event that an import brings, as JSON or as another driver read it; it is counted with its
    session."""
    stored: Stored | None = None
    if isinstance(brought, str):
        row = json.loads(brought)
        event = SessionEvent.from_row(row)
        stored = _as_it_came(brought, row, event)
    else:
        event = brought
    added[event.session_id] = added.get(event.session_id, 0) + 1
    return stored or store_event(event.to_row(), POSTGRES)


def _as_it_came(text: str, row: Row, event: SessionEvent) -> Stored | None:
    """The row with the payload's own text, where that is known to stand in the text as it should be stored."""
    # In a row of seven fields, six of them texts and numbers, these characters stand before the payload alone: in a
    # text the quotation marks would be escaped. What follows is its JSON, up to the brace of the row.
    if not event.extra and "\\u" not in text and text.endswith("}}"):
        _, mark, payload = text.partition(',"payload":')
        if mark and next(reversed(row)) == "payload":
            id_, key, connection_id = POSTGRES.key(event.id), POSTGRES.key(event.session_id), event.connection_id
            values = (id_, event.event_index, key, event.created_at, connection_id, event.sender, payload[:-1])
            return Stored(values, None)
    return None


_COPIED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


def copy_line(values: Sequence[str | int | None]) -> str:
    """A row as COPY reads it (PostgreSQL's documentation, COPY, "Text Format")."""
    fields = ["\\N" if value is None else value if type(value) is str else str(value) for value in values]
    line = "\t".join(fields)
    # Nearly always the tabs between the fields are all that would have to be escaped.
    if "\\" in line or line.count("\t") >= len(fields) or "\n" in line or "\r" in line:
        fields = ["\\N" if value is None else str(value).translate(_COPIED) for value in values]
        line = "\t".join(fields)
    return line + "\n"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def recordset(stored: Sequence[Stored]) -> str:
    """Events as the JSON that `Statements.insert_many` takes; the payload is JSON already."""
    rows = []
    for one in stored:
        id_, index, _session, created_at, connection_id, sender, payload = one.values
        rows.append(
            f'{{"id":{_json(id_)},"event_index":{index},"created_at":{created_at},'
            f'"connection_id":{_json(connection_id)},'
            f'"sender":{_json(sender)},"payload":{payload},"beside":{_json(one.beside)}}}'
        )
    return f"[{','.join(rows)}]"


def as_text(value: str | int | None) -> str | None:
    """As text, whose type the server takes from the statement: psycopg would send numbers of different sizes as
    different types, and each combination of these is a statement to prepare."""
    return value if value is None or type(value) is str else str(value)
