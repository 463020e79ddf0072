"""Server-sent events from bytes, in whatever pieces they come (html.spec.whatwg.org, section 9.2)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.acp import sse
from pyapp.acp.sse import ServerSentEvent, SseDecoder

from ..faults.amounts import generated


def decoded(*pieces: bytes) -> list[ServerSentEvent]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)]


def texts(stream: bytes) -> list[str]:
    return [event.data for event in decoded(stream)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_three_ways(end: bytes) -> None:
    lines = [b"event: message", b"id: 7", b"data: one", b"data: two", b"", b"data: three", b"", b""]
    assert decoded(end.join(lines)) == [
        ServerSentEvent("one\ntwo", "message", "7"),
        ServerSentEvent("three", "message", "7"),
    ]


def test_a_line_end_in_two_pieces_is_one() -> None:
    assert decoded(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [ServerSentEvent("a\nb")]
    assert decoded(b"data: a\r", b"\r") == [ServerSentEvent("a")], "two returns are two lines"


def test_the_examples_of_the_standard() -> None:
    assert texts(b"data: YHOO\ndata: +2\ndata: 10\n\n") == ["YHOO\n+2\n10"]
    assert decoded(b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n") == [
        ServerSentEvent("first event", "message", "1"),
        ServerSentEvent("second event", "message", ""),
        ServerSentEvent(" third event", "message", ""),
    ]
    assert texts(b"data\n\ndata\ndata\n\ndata:") == ["", "\n"]
    assert texts(b"data:test\n\ndata: test\n\n") == ["test", "test"]


def test_a_byte_order_mark_is_dropped_at_the_beginning_only() -> None:
    mark = "\ufeff".encode()
    assert texts(mark + b"data: a\n\n") == ["a"]
    assert decoded(mark[:1], mark[1:2], mark[2:] + b"data: a\n\n") == [ServerSentEvent("a")]
    assert texts(b"data: a\n" + mark + b"data: b\n\n") == ["a"], "later it belongs to the name of a field"


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert texts(b":keep-alive\n\n: data: no\nfoo: bar\nDATA: no\n data: no\ndata: yes\n\n") == ["yes"]


def test_an_event_without_data_is_none_but_its_id_stays() -> None:
    assert decoded(b"event: ping\nid: 3\n\ndata: x\n\n") == [ServerSentEvent("x", "message", "3")]


def test_the_type_is_of_one_event() -> None:
    assert [event.type for event in decoded(b"event: a\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n")] == [
        "a",
        "message",
        "message",
    ]


def test_an_id_with_nul_is_ignored() -> None:
    assert decoded(b"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n") == [
        ServerSentEvent("a", "message", "1"),
        ServerSentEvent("b", "message", "1"),
    ]


@pytest.mark.parametrize(
    ("line", "pause"),
    [
        (b"retry: 1500", 1500),
        (b"retry:0", 0),
        (b"retry: 99999999999999999999", 600_000),
        (b"retry", None),
        (b"retry: ", None),
        (b"retry: -1", None),
        (b"retry: 1.5", None),
        (b"retry: 12s", None),
        ("retry: ١٢".encode(), None),
        ("retry: ²".encode(), None),
    ],
)
def test_a_pause_is_a_number_and_has_a_limit(line: bytes, pause: int | None) -> None:
    decoder = SseDecoder()
    decoder.feed(line + b"\n")
    assert decoder.retry == pause


def test_what_is_no_utf_8_is_replaced() -> None:
    assert texts(b"data: a\xff\xe2\x82\n\n") == ["a\ufffd\ufffd"]
    assert decoded(b"data: \xe2", b"\x82", b"\xac\n\n") == [ServerSentEvent("€")]


def test_an_event_that_has_not_ended_is_none() -> None:
    assert decoded(b"data: a\n") == []
    assert decoded(b"data: a") == []


def test_what_grows_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST", 100)
    assert texts(b"data: " + b"x" * 90 + b"\n\n") == ["x" * 90]
    with pytest.raises(ValueError, match="a line of over 100 bytes"):
        decoded(b"data: ", *[b"x" * 10] * 20)
    with pytest.raises(ValueError, match="an event of over 100 characters"):
        decoded(*[b"data: " + b"x" * 40 + b"\n"] * 3)
    with pytest.raises(ValueError, match="an event of over 100 characters"):
        decoded(*[b"data\n"] * 102)
    assert len(decoded(*[b"data: " + b"x" * 40 + b"\n\n"] * 9)) == 9, "the limit is for each event"


FIELDS = st.sampled_from(
    [b"data", b"data:", b"data: ", b"event: ", b"id: ", b"id", b"retry: ", b":", b"", b"\xef\xbb\xbfdata: "]
)
TEXTS = st.one_of(st.text("ab :\0é€😀\u2028\ufeff1", max_size=6).map(str.encode), st.binary(max_size=4), st.just(b""))
LINES = st.tuples(FIELDS, TEXTS, st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"])).map(b"".join)
STREAMS = st.lists(LINES, max_size=12).map(b"".join)


@generated(500)
@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_pieces_make_no_difference(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    whole = SseDecoder()
    split = SseDecoder()
    bytewise = SseDecoder()
    events = whole.feed(stream)
    assert [event for piece in pieces for event in split.feed(piece)] == events
    assert [event for byte in stream for event in bytewise.feed(bytes([byte]))] == events
    assert whole.retry == split.retry == bytewise.retry
    assert events == plainly(stream)


def plainly(stream: bytes) -> list[ServerSentEvent]:
    """The standard's algorithm, word for word, on a whole stream."""
    text = stream.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events, data, type_, id_ = [], "", "", ""
    for line in text.split("\n")[:-1]:
        if line == "":
            if data:
                events.append(ServerSentEvent(data.removesuffix("\n"), type_ or "message", id_))
            data = type_ = ""
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "data":
                data += value + "\n"
            elif name == "event":
                type_ = value
            elif name == "id" and "\0" not in value:
                id_ = value
    return events
