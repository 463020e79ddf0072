"""`ls` and `show`: what they print, for people and for machines, and that no agent reaches the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pyapp.cli.terminal import cells, fit, safe
from pyapp.drivers.conformance.kit import event, record

from .kit import Cli, Line, small_recording, start, write_recording, write_rows

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202eevil\r\n\t\u2066"
DEMO = Path(__file__).parents[2] / "web/public/demo/mock-1-rich.jsonl"


def test_ls_is_a_table(cli: Cli, tmp_path: Path) -> None:
    source = write_recording(tmp_path / "x.jsonl", {"one": 3, "two": 1_234})
    assert cli("ls", source) == 0
    heading, first, second = cli.out.splitlines()
    assert re.fullmatch(r"ID +AGENT +TITLE +CREATED +EVENTS", heading)
    assert re.fullmatch(r"one +mock +Task 1: .* +20\d\d-\d\d-\d\d \d\d:\d\d +3", first)
    assert re.fullmatch(r"two .* 1,234", second)


def test_ls_fits_the_terminal(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = record("日本語" * 20), record("short", 2_000)
    source = write_rows(tmp_path / "x.jsonl", [("session", one.to_row()) for one in records])
    for width in (40, 60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        assert cli("ls", source) == 0
        assert max(cells(line) for line in cli.out.splitlines()) <= width
        assert "short" in cli.out


def test_ls_reads_page_by_page(cli: Cli, tmp_path: Path) -> None:
    many: list[Line] = [("session", record(f"s{number:03}", 1_000 + number).to_row()) for number in range(250)]
    source = write_rows(tmp_path / "x.jsonl", many)
    assert cli("ls", source, "--json") == 0
    assert [json.loads(line)["id"] for line in cli.out.splitlines()] == [f"s{number:03}" for number in range(250)]


def test_nothing_is_cut_outside_of_a_terminal(cli: Cli, tmp_path: Path) -> None:
    """Nor on a later page, whose ids are longer than those of the first."""
    many: list[Line] = [("session", record(f"s{number}", 1_000 + number).to_row()) for number in range(150)]
    source = write_rows(tmp_path / "x.jsonl", [*many, ("session", record("long" * 20, 9_000).to_row())])
    assert cli("ls", source) == 0
    assert "long" * 20 in cli.out


def test_later_pages_have_room_too(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Widths that the first page needs are not those of the last one; what has room is not cut."""
    ids = [f"s{number}" for number in range(150)] + [f"strange-{number:028}" for number in range(150)]
    rows: list[Line] = []
    for number, id_ in enumerate(ids):
        prompt = {"method": "session/prompt", "params": {"prompt": [{"type": "text", "text": id_ * 2}]}}
        rows.append(("session", {**record(id_, 1_000 + number).to_row(), "agent": "a" * (4 + 8 * (number > 200))}))
        rows.append(("event", {**event(1, id_).to_row(), "sender": "client", "payload": prompt}))
    source = write_rows(tmp_path / "x.jsonl", rows)
    monkeypatch.setenv("COLUMNS", "200")
    assert cli("ls", source) == 0
    assert "…" not in cli.out
    lines = cli.out.splitlines()
    assert all(id_ in line and id_ * 2 in line for id_, line in zip(ids, lines[1:], strict=True))
    assert {line.index("1970-") for line in lines[1:]} == {lines[0].index("CREATED")}


@pytest.mark.parametrize("width", [40, 60, 80])
def test_an_id_is_cut_last(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Also one that is longer than its column: its own title makes room, those of other sessions do not."""
    uuid, long = "0190b0f4-7e6b-7cc1-8a39-5f0f3c2f8d11", "l" * (width - 1)
    prompt = {"method": "session/prompt", "params": {"prompt": [{"type": "text", "text": "title " * 40}]}}
    rows: list[Line] = []
    for id_ in ("short", uuid, long):
        rows.append(("session", record(id_).to_row()))
        rows.append(("event", {**event(1, id_).to_row(), "sender": "client", "payload": prompt}))
    source = write_rows(tmp_path / "x.jsonl", rows)
    monkeypatch.setenv("COLUMNS", str(width))
    assert cli("ls", source) == 0
    assert max(cells(line) for line in cli.out.splitlines()) <= width
    assert uuid in cli.out
    assert long in cli.out
    assert ("title" in cli.out) == (width == 80)


def test_ls_as_json(cli: Cli, tmp_path: Path) -> None:
    source = write_rows(
        tmp_path / "x.jsonl",
        [
            ("session", record("s", destroyed_at=5).to_row()),
            ("event", event(1, "s").to_row()),
        ],
    )
    assert cli("ls", source, "--json") == 0
    row = {"id": "s", "agent": "mock", "title": "", "createdAt": 1_000, "events": 1, "destroyedAt": 5}
    assert json.loads(cli.out) == row


def test_ls_of_nothing(cli: Cli, tmp_path: Path) -> None:
    assert cli("copy", small_recording(tmp_path / "x.jsonl", "s"), tmp_path / "y.db") == 0
    assert cli("ls", tmp_path / "y.db") == 0
    assert cli.out.count("\n") == 2


def test_hostile_text_is_escaped(cli: Cli, tmp_path: Path) -> None:
    prompt = event(1, HOSTILE).to_row()
    prompt["sender"] = "client"
    prompt["payload"] = {"method": "session/prompt", "params": {"prompt": [{"type": "text", "text": HOSTILE * 2}]}}
    says = event(2, HOSTILE, id_="e2").to_row()
    says["payload"] = {
        "method": "session/update",
        "params": {"update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": HOSTILE}}},
    }
    tool = event(3, HOSTILE, id_="e3").to_row()
    call = {"sessionUpdate": "tool_call", "toolCallId": HOSTILE, "title": HOSTILE, "rawInput": {"command": HOSTILE}}
    tool["payload"] = {"method": "session/update", "params": {"update": call}}
    strange = record(HOSTILE).to_row() | {"agent": HOSTILE}
    source = write_rows(tmp_path / "x.jsonl", [("session", strange), *(("event", row) for row in (prompt, says, tool))])
    commands: list[list[str | Path]] = [
        ["ls", source],
        ["ls", source, "--json"],
        ["show", source, HOSTILE],
        ["show", source, HOSTILE, "--json"],
        ["show", source, HOSTILE, "--transcript"],
    ]
    for command in commands:
        assert cli(*command) == 0
        assert "evil" in cli.out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", cli.out)
    assert cli("show", source, HOSTILE, "--json") == 0
    assert [json.loads(line) for line in cli.out.splitlines()] == [prompt, says, tool]
    assert "\\x1b" in cli.fails(6, "show", source, "\x1b[2J")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("\x9b\u202e\ud800", "\\x9b\\u202e\\ud800"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("مرحبا 日本語 👨‍👩‍👧 é", "مرحبا 日本語 👨‍👩‍👧 é"),
    ],
)
def test_safe(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_cells() -> None:
    assert (cells("abc"), cells("日本"), cells("é")) == (3, 4, 1)
    assert (fit("日本語", 5), fit("abc", 3), fit("abcd", 3), fit("ab", 0)) == ("日本…", "abc", "ab…", "")


def test_show_prints_a_line_for_each_event(cli: Cli) -> None:
    assert cli("show", DEMO, "mock-rich") == 0
    lines = cli.out.splitlines()
    assert len(lines) == 228
    assert re.fullmatch(r" +228  2026-11-22 \d\d:\d\d:29  agent   \(response\)  cancelled", lines[-1])
    assert cli("show", DEMO, "mock-rich", "--last", "2") == 0
    assert cli.out.splitlines() == lines[-2:]


def test_show_fits_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert cli("show", DEMO, "mock-rich") == 0
    assert max(map(cells, cli.out.splitlines())) == 50


def test_show_gives_whole_events(cli: Cli) -> None:
    given = [json.loads(line) for line in DEMO.read_text().splitlines()]
    assert cli("show", DEMO, "mock-rich", "--json") == 0
    assert [{"type": "event"} | json.loads(line) for line in cli.out.splitlines()] == given[1:]


def test_show_tells_the_transcript(cli: Cli) -> None:
    assert cli("show", DEMO, "mock-rich", "--transcript") == 0
    assert re.search(r"^\[\d\d:\d\d:27\] User\n    text and markdown\n\n\[", cli.out, re.MULTILINE)
    for words in ("Agent thinks", "Tool: ", "Permission request: ", "End of turn: end_turn", "\n    + "):
        assert words in cli.out
    assert "\x1b" not in cli.out


def prompt(index: int, session_id: str, text: str, at: int) -> Line:
    payload = {"id": index, "method": "session/prompt", "params": {"prompt": [{"type": "text", "text": text}]}}
    return "event", {**event(index, session_id).to_row(), "sender": "client", "payload": payload, "createdAt": at}


def test_a_transcript_has_a_date_for_each_day(cli: Cli, tmp_path: Path) -> None:
    day = 86_400_000
    prompts = [prompt(1, "s", "one", day), prompt(2, "s", "two", day + 60_000), prompt(3, "s", "three", 3 * day)]
    source = write_rows(tmp_path / "x.jsonl", [("session", record("s").to_row()), *prompts])
    assert cli("show", source, "s", "--transcript") == 0
    lines = cli.out.splitlines()
    dates = [line for line in lines if re.fullmatch(r"\d{4}-\d\d-\d\d", line)]
    assert (len(dates), len(set(dates)), lines[0]) == (2, 2, dates[0])
    assert lines.index("    two") < lines.index(dates[1]) < lines.index("    three")


def test_the_last_events_are_understood(cli: Cli, tmp_path: Path) -> None:
    """The requests that they answer are found, unless they are too far away."""
    reply = {**event(5_000, "s").to_row(), "payload": {"id": 1, "result": {"stopReason": "end_turn"}}}
    says: list[Line] = [("event", event(index, "s").to_row()) for index in range(2, 10)]
    rows: list[Line] = [("session", record("s").to_row()), prompt(1, "s", "one", 5), *says, ("event", reply)]
    assert cli("show", write_rows(tmp_path / "x.jsonl", rows), "s", "--transcript", "--last", "1") == 0
    assert re.fullmatch(r"[\d-]+\n\n\[.*\] End of turn: end_turn\n", cli.out)
    rows[2:2] = [("event", event(index, "s", id_=f"x{index}").to_row()) for index in range(10, 1_100)]
    assert cli("show", write_rows(tmp_path / "y.jsonl", rows), "s", "--transcript", "--last", "1") == 0
    assert "Response to a request that is not among these events" in cli.out


def test_an_answer_shows_its_question(cli: Cli, tmp_path: Path) -> None:
    params = {
        "toolCall": {"title": "Delete all?"},
        "options": [{"optionId": "no", "name": "Never", "kind": "reject_once"}],
    }
    question = {
        **event(1, "s").to_row(),
        "payload": {"id": 7, "method": "session/request_permission", "params": params},
    }
    result = {"outcome": {"outcome": "selected", "optionId": "no"}}
    answer = {**event(2, "s").to_row(), "sender": "client", "payload": {"id": 7, "result": result}}
    rows: list[Line] = [("session", record("s").to_row()), ("event", question), ("event", answer)]
    assert cli("show", write_rows(tmp_path / "x.jsonl", rows), "s", "--transcript", "--last", "1") == 0
    assert cli.out.splitlines()[2].endswith("] Permission request: Delete all?")
    assert cli.out.endswith("    Answer: Never\n")


def test_a_session_without_events_says_so(cli: Cli, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "x.jsonl", [("session", record("s").to_row())])
    for options in ([], ["--transcript"], ["--last", "3"], ["--transcript", "--last", "3"]):
        assert cli("show", source, "s", *options) == 0
        assert cli.out == "no events\n"
    assert cli("show", source, "s", "--json") == 0
    assert cli.out == ""


def test_a_session_is_found_by_the_beginning_of_its_id(cli: Cli, tmp_path: Path) -> None:
    source = small_recording(tmp_path / "x.jsonl", "abc", "abd", "abde")
    for name in ("abc", "abd", "abc…"):
        assert cli("show", source, name, "--json") == 0
        assert json.loads(cli.out.splitlines()[0])["sessionId"] == name[:3]
    assert "3 sessions have ids that begin with 'ab'" in cli.fails(2, "show", source, "ab")
    assert "no session is stored under the id 'x'" in cli.fails(6, "show", source, "x")
    cli.fails(6, "show", source, "…")


@pytest.mark.parametrize("last", ["0", "-1", "x", "1" * 20])
def test_last_is_a_number(cli: Cli, last: str) -> None:
    assert cli("show", DEMO, "mock-rich", "--last", last) == 2
    assert "no whole number" in cli.err or "expected one argument" in cli.err


def test_whoever_stops_reading_is_left_in_peace() -> None:
    with start("show", DEMO, "mock-rich", "--json") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) in [(141, ""), (0, "")]


def test_a_terminal_without_unicode_gets_escapes() -> None:
    with start("show", DEMO, "mock-rich", "--transcript", PYTHONIOENCODING="ascii", PYTHONUTF8="0") as process:
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
        assert "\\u65e5" in out
    with start("show", DEMO, "mock-rich", "--json", PYTHONIOENCODING="ascii") as process:
        assert process.stdout
        rows = [json.loads(line) for line in process.communicate(timeout=30)[0].splitlines()]
        assert any("日本語" in json.dumps(row, ensure_ascii=False) for row in rows)


def test_the_commands_are_listed() -> None:
    with start("--help") as process:
        out, _ = process.communicate(timeout=30)
    for command in ("ls", "show", "copy", "conformance"):
        assert re.search(rf"^    {command}\s+\w", out, re.MULTILINE)
