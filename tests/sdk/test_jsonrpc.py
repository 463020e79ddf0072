"""JSON-RPC messages: made, told apart, read from texts that nobody vouches for."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.acp.jsonrpc import error_response, fresh_ids, id_text, kind, notification, parse, request, response
from pyapp.json_text import MAX_DEPTH

from ..faults.amounts import generated


def test_messages_are_what_they_are_made_as() -> None:
    assert kind(request(1, "session/new", {})) == "request"
    assert kind(request("", "session/new", {})) == "request"
    assert kind(request(0, "session/new", {})) == "request"
    assert kind(notification("session/update", {})) == "notification"
    assert kind(response(1, None)) == "response"
    assert kind(error_response("a", -32601, "no such method")) == "response"
    assert error_response(2, -32601, "no") == {"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "no"}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, None),
        ({"id": 1}, None),
        ({"result": {}}, None),
        ({"id": None, "error": {"code": -32700}}, None),
        ({"id": True, "result": {}}, None),
        ({"id": [1], "result": {}}, None),
        ({"method": 5, "id": 1}, None),
        ({"method": 5, "id": 1, "result": {}}, "response"),
        ({"method": "a", "id": None}, "notification"),
        ({"method": "a", "id": True}, "notification"),
        ({"method": "a", "id": 1, "result": {}}, "request"),
    ],
)
def test_hostile_objects_are_told_apart(message: dict[str, Any], expected: str | None) -> None:
    assert kind(message) == expected


def test_ids_of_another_type_are_other_ids() -> None:
    assert len({id_text(1), id_text("1"), id_text('"1"'), id_text("")}) == 4


@generated(200)
@given(st.one_of(st.integers(), st.text()), st.one_of(st.integers(), st.text()))
def test_an_id_as_text_is_the_id(one: int | str, other: int | str) -> None:
    assert json.loads(id_text(one)) == one
    assert (id_text(one) == id_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"a":1}{"b":2}', "not JSON"),
        ("[]", "expected an object, not list"),
        ('"text"', "expected an object, not str"),
        ("null", "expected an object, not NoneType"),
        ('{"a":NaN}', "NaN is not a JSON number"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "levels deep"),
        ('{"a":' * 100_000, "levels deep"),
        (f'{{"a":{"1" * 5000}}}', "too long"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_a_message_is_read_as_it_is() -> None:
    assert parse(' {"jsonrpc":"2.0","method":"é😀","params":{"n":1e3}}\n') == {
        "jsonrpc": "2.0", "method": "é😀", "params": {"n": 1000.0},
    }  # fmt: skip


def test_clients_of_one_process_use_other_ids() -> None:
    begun = [list(itertools.islice(fresh_ids(), 3)) for _ in range(50)]
    assert all(ids == [ids[0], ids[0] + 1, ids[0] + 2] for ids in begun)
    assert len({ids[0] for ids in begun}) > 45
    assert all(0 < ids[0] < 2**31 - 2**24 for ids in begun), "a client may send 16 million, and stays below 2**31"
