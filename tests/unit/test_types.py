"""Records: rows in and out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp import InvalidRecordError, SessionEvent, SessionRecord
from pyapp.drivers.conformance.kit import event, record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=3)
TIMES = st.integers(0, 2**53 - 1)
IDS = st.text(min_size=1)
UNKNOWN = st.dictionaries(st.text().map("x-{}".format), JSON, max_size=3)


def row_of(fields: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(fields, optional={name: st.none() | value for name, value in optional.items()})
    return st.builds(lambda row, unknown: {**row, **unknown}, known, UNKNOWN)


SESSION_ROWS = row_of(
    {"id": IDS, "agent": st.text(), "agentSessionId": st.text(), "lastConnectionId": st.text(), "createdAt": TIMES},
    {
        "destroyedAt": TIMES,
        "sandboxId": st.text(),
        "sessionInit": OBJECTS,
        "configOptions": st.lists(JSON, max_size=3),
        "modes": OBJECTS,
    },
)
EVENT_ROWS = row_of(
    {
        "id": IDS,
        "eventIndex": st.integers(1, 2**53 - 1),
        "sessionId": IDS,
        "createdAt": TIMES,
        "connectionId": st.text(),
        "sender": st.sampled_from(["client", "agent"]),
        "payload": OBJECTS,
    },
    {},
)


@given(SESSION_ROWS)
def test_a_session_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    assert SessionRecord.from_row(row).to_row() == row


@given(EVENT_ROWS)
def test_an_event_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    assert SessionEvent.from_row(row).to_row() == row


def test_rows_have_upstreams_order() -> None:
    full = record(destroyed_at=1, sandbox_id="b", session_init={}, config_options=[], modes={}, extra={"z": 1})
    names = "id agent agentSessionId lastConnectionId createdAt sandboxId sessionInit configOptions modes destroyedAt z"
    assert list(full.to_row()) == names.split()
    names = "id eventIndex sessionId createdAt connectionId sender payload"
    assert list(event(1).to_row()) == names.split()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("id", "", "id must not be empty"),
        ("id", 1, "id must be text"),
        ("eventIndex", 0, "eventIndex must be a whole number from 1"),
        ("eventIndex", True, "eventIndex must be"),
        ("eventIndex", 2**53, "eventIndex must be"),
        ("eventIndex", 1.5, "eventIndex must be"),
        ("createdAt", -1, "createdAt must be"),
        ("createdAt", None, "createdAt must be"),
        ("sender", "nobody", "sender must be"),
        ("payload", [], "payload must be an object"),
        ("payload", None, "payload is missing"),
    ],
)
@pytest.mark.parametrize("unknown", [{}, {"x": 1}])
def test_a_wrong_event_says_what_is_wrong(name: str, value: Any, reason: str, unknown: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecordError, match=f"event: {reason}"):
        SessionEvent.from_row({**event(1).to_row(), **unknown, name: value})


@pytest.mark.parametrize("name", list(event(1).to_row()))
def test_a_missing_field_is_named(name: str) -> None:
    row = event(1).to_row()
    del row[name]
    with pytest.raises(InvalidRecordError, match=f"{name} is missing"):
        SessionEvent.from_row(row)


@pytest.mark.parametrize("row", [None, [], "text", 1])
def test_what_is_no_row_is_refused(row: Any) -> None:
    for kind in (SessionEvent, SessionRecord):
        with pytest.raises(InvalidRecordError, match="expected an object"):
            kind.from_row(row)


def test_whole_numbers_may_be_written_as_fractions() -> None:
    assert SessionEvent.from_row({**event(1).to_row(), "eventIndex": 3.0}).event_index == 3


def test_an_integer_too_long_to_write_is_refused_in_words() -> None:
    with pytest.raises(InvalidRecordError, match=r"createdAt must be a whole number .* too long to show"):
        SessionEvent.from_row(event(1).to_row() | {"createdAt": 10**5000})
