"""Events as what the statements of the Postgres driver take: values, a JSON array of many, lines of COPY."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from ...types import Row, SessionEvent
from ..base import ReadEvent, check_event, check_plain_event
from ..sql.columns import POSTGRES
from ..sql.rows import Stored, store_event, store_plain_event, store_read_event


def checked_row(session_id: str, event: SessionEvent) -> Stored:
    """The row of an event. Raises InvalidRecordError unless it is one of this session and fit to be stored."""
    payload = check_plain_event(session_id, event)  # nearly always looked at once, and written out once
    if payload is not None and (plain := store_plain_event(event, payload, POSTGRES)) is not None:
        return plain
    check_event(session_id, event)
    return store_event(event.to_row(), POSTGRES)


def brought_rows(brought: Sequence[str | ReadEvent], added: Counter[str]) -> list[Stored]:
    """The rows of events that an import brings, as JSON or as another driver read them; they are counted with their
    sessions."""
    events = [_read(one) if isinstance(one, str) else one for one in brought]
    added.update([read.event.session_id for read in events])
    return [store_read_event(read, POSTGRES) for read in events]


def _read(text: str) -> ReadEvent:
    row = json.loads(text)
    return ReadEvent(SessionEvent.from_row(row), _payload_of(text, row))


def _payload_of(text: str, row: Row) -> str | None:
    """The payload's own text in that of its row, where it is known to stand there as it should be stored."""
    # In a row without further fields, for which `store_plain_event` looks, these characters stand before the payload
    # alone: in a text the quotation marks would be escaped. What follows is its JSON, up to the brace of the row.
    if text.endswith("}}") and next(reversed(row)) == "payload":
        _, mark, payload = text.partition(',"payload":')
        if mark:
            return payload[:-1]
    return None


_COPIED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_text(rows: Sequence[Sequence[str | int | None]]) -> str:
    """Rows as COPY reads them (PostgreSQL's documentation, COPY, "Text Format"); all have as many values."""
    if not any(None in values for values in rows):
        line = "\t".join(["%s"] * len(rows[0])) + "\n"
        text = "".join([line % tuple(values) for values in rows])
        # Nearly always the JSON's backslashes are all that has to be escaped.
        if text.count("\t") == line.count("\t") * len(rows) and text.count("\n") == len(rows) and "\r" not in text:
            return text.replace("\\", "\\\\")
    return "".join(map(_copy_line, rows))


def _copy_line(values: Sequence[str | int | None]) -> str:
    return "\t".join(["\\N" if value is None else str(value).translate(_COPIED) for value in values]) + "\n"


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
