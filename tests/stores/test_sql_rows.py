"""Records and events as SQL rows and back, whatever is in them, and after upstream has written a row again."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp import InvalidRecordError, SessionEvent, SessionRecord
from pyapp.drivers.conformance.kit import event, record
from pyapp.drivers.sql.columns import POSTGRES, SQLITE, Columns
from pyapp.drivers.sql.rows import (
    EVENT_COLUMNS,
    HEAD_COLUMNS,
    SESSION_COLUMNS,
    read_event,
    read_head,
    read_session,
    store_event,
    store_session,
)
from pyapp.types import is_plain

from ..faults.amounts import VALUES, generated
from ..faults.values import EVENTS, IDS, SESSIONS, Row, same

COLUMNS = pytest.mark.parametrize("columns", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])


def held(value: Any, columns: Columns) -> Any:
    """What the database gives back of a value: texts that it refuses are an error here as there."""
    if isinstance(value, str):
        value.encode()
        assert columns is SQLITE or "\0" not in value
    return value


@COLUMNS
@generated(VALUES // 4)
@given(row=SESSIONS)
def test_sessions_come_back(columns: Columns, row: Row) -> None:
    stored = store_session(row, columns)
    values = [held(value, columns) for value in stored.values]
    assert same(read_session(values, held(stored.beside, columns), columns).to_row(), row)


@COLUMNS
@generated(VALUES // 4)
@given(row=EVENTS)
def test_events_come_back(columns: Columns, row: Row) -> None:
    stored = store_event(row, columns)
    values = [held(value, columns) for value in stored.values]
    assert same(read_event(values, held(stored.beside, columns), columns).to_row(), row)


@generated(VALUES // 4)
@given(row=EVENTS)
def test_jsonb_takes_what_is_put_there(row: Row) -> None:
    text = dict(zip(EVENT_COLUMNS, store_event(row, POSTGRES).values, strict=True))["payload_json"]
    assert isinstance(text, str)
    everything = json.dumps(json.loads(text), ensure_ascii=False)
    everything.encode()  # fails for half characters
    assert not re.search(r"(?<!\\)(\\\\)*\\u0000", everything)


@given(st.lists(IDS, unique=True, max_size=5))
def test_no_two_ids_have_one_key(ids: list[str]) -> None:
    ids = [*ids, "a\0", "a\uffff0", "a\uffff\uffff0", "a\uffff", "a0"]
    keys = [POSTGRES.key(id_) for id_ in ids]
    assert [POSTGRES.id_of(key) for key in keys] == ids
    assert len(set(keys)) == len(set(ids))
    assert not any("\0" in key for key in keys)


class Name(str, Enum):  # noqa: UP042
    """As a program may call agents and senders; `str(Name.MOCK)` is 'Name.MOCK'."""

    MOCK = "mock"
    CLIENT = "client"


@COLUMNS
def test_members_of_enumerations_and_whole_floats_are_stored_as_what_they_are(columns: Columns) -> None:
    session = store_session({"id": "s1", "agent": Name.MOCK, "createdAt": 1.0}, columns)
    given = SessionEvent("e1", 1, "s1", 2, "c", Name.CLIENT, {})  # type: ignore[arg-type]
    assert not is_plain(given)  # the swift ways store the fields as they are
    for stored in (session, store_event(given.to_row(), columns)):
        assert {type(value) for value in stored.values} <= {str, int, type(None)}
    assert (session.values[1], session.values[4]) == ("mock", 1)


@COLUMNS
def test_a_plain_row_has_nothing_beside_it(columns: Columns) -> None:
    assert store_event(event(1, text="é🦀").to_row(), columns).beside is None
    assert store_session(record(session_init={"cwd": "/"}, destroyed_at=0).to_row(), columns).beside is None


def test_a_column_shows_something_near_to_what_it_cannot_hold() -> None:
    given = SessionEvent("e", 1, "s", 1, "a\0\ud83d", "agent", {"a\0": "x\ud83dy\udd80\\u0000🦀", "n": 1})
    by_name = dict(zip(EVENT_COLUMNS, store_event(given.to_row(), POSTGRES).values, strict=True))
    assert by_name["connection_id"] == "a␀�"
    assert json.loads(str(by_name["payload_json"])) == {"a␀": "x�y�\\u0000🦀", "n": 1}
    assert dict(zip(EVENT_COLUMNS, store_event(given.to_row(), SQLITE).values, strict=True))["connection_id"] == "a\0�"


def rewritten(values: tuple[Any, ...], names: tuple[str, ...], **changed: Any) -> list[Any]:
    return list({**dict(zip(names, values, strict=True)), **changed}.values())


def test_what_upstream_writes_again_counts_and_the_unknown_fields_stay() -> None:
    given = record(modes={"a": "\0"}, extra={"serverId": "sdk-1", "destroyedAt": None})
    given = SessionRecord.from_row({**given.to_row(), "agent": "a\0"})
    stored = store_session(given.to_row(), POSTGRES)
    read = read_session(stored.values, stored.beside, POSTGRES)
    assert read == given
    again = rewritten(stored.values, SESSION_COLUMNS, agent="b", destroyed_at=7, modes_json='{"a": "other"}')
    read = read_session(again, stored.beside, POSTGRES)
    assert (read.agent, read.destroyed_at, read.modes) == ("b", 7, {"a": "other"})
    assert read.extra == {"serverId": "sdk-1"}
    heads = [value for value, name in zip(again, SESSION_COLUMNS, strict=True) if name in HEAD_COLUMNS]
    assert read_head(heads, stored.beside, POSTGRES).destroyed_at == 7


def test_numbers_that_jsonb_writes_in_its_own_way_are_still_the_same() -> None:
    given = event(1, text="\0", number=1.5e300, small=5e-324)
    stored = store_event(given.to_row(), POSTGRES)
    decimal = '{"method": "session/update", "params": {"text": "␀", "number": 15%s, "small": 0.%s5}, "jsonrpc": "2.0"}'
    again = rewritten(stored.values, EVENT_COLUMNS, payload_json=decimal % ("0" * 299, "0" * 323))
    assert read_event(again, stored.beside, POSTGRES) == given
    assert read_event(again, None, POSTGRES).payload["params"]["number"] == 1.5e300


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"payload_json": "{"}, "payload: not JSON"),
        ({"payload_json": "[" * 100_000}, "payload: nested more than 4,000 levels deep"),
        ({"payload_json": '{"a": NaN}'}, "payload: NaN is not a JSON number"),
        ({"payload_json": '{"a": 1e999}'}, "payload: a number is too large"),
        ({"payload_json": "9" * 5_000}, "payload: "),
        ({"payload_json": b"{}"}, "payload must be text, not bytes"),
        ({"payload_json": "[]"}, "payload must be an object"),
        ({"payload_json": None}, "payload is missing"),
        ({"sender": "nobody"}, "sender must be"),
        ({"sender": b"agent"}, "sender must be text"),
        ({"event_index": 1.5}, "eventIndex must be a whole number"),
        ({"event_index": "1"}, "eventIndex must be a whole number"),
        ({"created_at": None}, "createdAt is missing"),
        ({"id": 5}, "id must be text"),
    ],
)
@COLUMNS
def test_a_foreign_row_that_is_no_event_is_named(columns: Columns, changed: Row, reason: str) -> None:
    values = rewritten(store_event(event(1).to_row(), columns).values, EVENT_COLUMNS, **changed)
    with pytest.raises(InvalidRecordError, match=reason) as refusal:
        read_event(values, None, columns)
    assert f"the stored event {changed.get('id', 's1-e1')!r} is not one" in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("beside", ["", "[]", "7", b"{}", "[" * 100_000])
def test_what_is_beside_is_not_trusted(beside: object) -> None:
    values = store_session(record().to_row(), SQLITE).values
    with pytest.raises(InvalidRecordError, match="the stored session record 's1' is not one"):
        read_session(values, beside, SQLITE)
    heads = [value for value, name in zip(values, SESSION_COLUMNS, strict=True) if name in HEAD_COLUMNS]
    with pytest.raises(InvalidRecordError, match="the stored session record 's1' is not one"):
        read_head(heads, beside, SQLITE)


def test_odd_things_beside_change_nothing() -> None:
    values = store_session(record().to_row(), SQLITE).values
    for beside in ('{"exact": 1, "extra": []}', '{"exact": {"agent": 1, "id": "x"}, "extra": {"agent": "y"}}', "{}"):
        assert read_session(values, beside, SQLITE) == record()


def test_upstreams_null_is_an_unknown_field() -> None:
    values = rewritten(store_session(record().to_row(), SQLITE).values, SESSION_COLUMNS, modes_json="null")
    assert read_session(values, None, SQLITE) == record(extra={"modes": None})
