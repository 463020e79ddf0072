"""Recordings: what is read, what is refused and why, and that what goes in comes out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver, InvalidFileError, SessionEvent, UnknownSessionError, archive
from pyapp.archive import Recording, RecordingChecker, check_recording, write_recording
from pyapp.drivers.conformance.kit import event, record

DEMOS = sorted((Path(__file__).parents[2] / "web/public/demo").glob("*.jsonl"))


def line(kind: str, row: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"type": kind, **row, **changes}) + "\n"


SESSION = line("session", record().to_row())
EVENT = line("event", event(1).to_row())


async def through_a_store(recording: Recording) -> str:
    driver = InMemorySessionPersistDriver(max_events_per_session=10_000)
    await driver.add_sessions(recording.sessions, recording.event_rows)
    ids = [one.id for one in recording.sessions]
    return "".join([line async for line in write_recording(driver, ids)])


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_import_and_export_give_the_same_bytes(demo: Path) -> None:
    given = demo.read_bytes()
    recording = check_recording([given])
    written = asyncio.run(through_a_store(recording)).encode()
    assert sorted(written.splitlines()) == sorted(given.splitlines())
    if len(recording.sessions) == 1:
        assert written == given


def test_there_are_demos() -> None:
    assert len(DEMOS) >= 5


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_slices_may_end_anywhere(size: int) -> None:
    text = (SESSION + line("event", event(1, text="é🦀").to_row())).replace("\\u00e9", "é").encode()
    whole = check_recording([text])
    assert check_recording(text[at : at + size] for at in range(0, len(text), size)) == whole
    assert check_recording([text.decode()]) == whole


def test_what_is_tolerated() -> None:
    text = "\ufeff" + "\r\n".join(["", SESSION.strip(), "   ", EVENT.strip()])
    recording = check_recording([text])
    assert recording.sessions == (record(),)
    assert [SessionEvent.from_row(row) for row in map(json.loads, recording.event_rows[0])] == [event(1)]
    assert check_recording([EVENT, SESSION]).event_count == 1


def test_rows_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [SESSION, *(line("event", event(n).to_row()) for n in range(1, 1_202))]
    recording = check_recording(lines)
    assert [len(chunk) for chunk in recording.event_rows] == [500, 500, 201]
    assert recording.event_count == 1_201
    monkeypatch.setattr(archive, "BYTES_PER_CHUNK", 300)
    assert max(len(chunk) for chunk in check_recording(lines).event_rows) == 2


DEEP = '{"type":"event","payload":' + '{"a":' * 250 + "1" + "}" * 251
REFUSED = {
    "empty": ("", None, "the file is empty"),
    "blank": ("\n \r\n", None, "the file is empty"),
    "not JSON": (SESSION + "{oops}\n", 2, "not JSON"),
    "cut off": (SESSION + EVENT[:40], 2, "not JSON"),
    "not an object": ("[1]\n", 1, "not a JSON object"),
    "no type": ("{}\n", 1, "the type is missing"),
    "unknown type": ('{"type":"blob"}\n', 1, "the type must be"),
    "too deep": (SESSION + DEEP, 2, "nested 251 levels deep"),
    "10,000 deep": (SESSION + "[" * 10_000 + "]" * 10_000, 2, "levels deep"),
    "NaN": (SESSION + EVENT.replace('"n": 1', '"n": NaN'), 2, "NaN is not a JSON number"),
    "Infinity": (SESSION + EVENT.replace('"n": 1', '"n": 1e400'), 2, "not JSON compliant"),
    "rounded": (SESSION + EVENT.replace('"n": 1', '"n": 9007199254740993'), 2, "JavaScript would round"),
    "rounded in a session": (line("session", record().to_row(), big=2**60 + 1), 1, "JavaScript would round"),
    "too many digits": (SESSION + EVENT.replace('"n": 1', '"n": 1' + "0" * 5_000), 2, "a number is too long"),
    "invalid session": (line("session", record().to_row(), createdAt="x"), 1, "createdAt must be a whole"),
    "invalid event": (SESSION + line("event", event(1).to_row(), sender="x"), 2, "sender must be"),
    "half a character": (line("session", record("\ud800").to_row()), 1, "lone surrogate"),
    "session twice": (SESSION + "\n" + SESSION, 3, "is in the file twice"),
    "event id twice": (SESSION + EVENT + line("event", event(2, id_="s1-e1").to_row()), 3, "twice"),
    "index twice": (SESSION + EVENT + line("event", event(1, id_="x").to_row()), 3, "has two events 1"),
    "no such session": (SESSION + EVENT + line("event", event(1, "s2").to_row()), 3, "not in the file"),
}


@pytest.mark.parametrize(("text", "number", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(text: str, number: int | None, reason: str) -> None:
    with pytest.raises(InvalidFileError, match=reason) as refusal:
        check_recording([text])
    assert refusal.value.line == number


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidFileError, match="line 2: not UTF-8"):
        check_recording([SESSION.encode(), b'{"type":"\xff"}\n'])


def test_size_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 1 << 20)
    checker = RecordingChecker()
    checker.feed(SESSION)
    checker.feed(b" " * (1 << 20))
    with pytest.raises(InvalidFileError, match="line 2: longer than 1 MiB"):
        checker.feed(b" ")
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 2 << 20)
    with pytest.raises(InvalidFileError, match="larger than 2 MiB"):
        check_recording([b"\n" * (1 << 20)] * 3)


def test_an_unknown_session_cannot_be_written() -> None:
    async def run() -> None:
        async for _ in write_recording(InMemorySessionPersistDriver(), ["nothing"]):
            raise AssertionError("a line of nothing")

    with pytest.raises(UnknownSessionError, match="'nothing'"):
        asyncio.run(run())


def test_large_recordings_are_written_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "EVENTS_PER_PAGE", 3)
    text = SESSION + "".join(line("event", event(n).to_row()) for n in range(1, 11))
    written = asyncio.run(through_a_store(check_recording([text])))
    assert [json.loads(one) for one in written.splitlines()] == [json.loads(one) for one in text.splitlines()]
