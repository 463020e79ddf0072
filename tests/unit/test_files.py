"""Files out of the page and into it, on CPython: the export dialog, its search for secrets, databases, `?src=`."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver, SessionRecord, rest
from pyapp.archive import check_recording
from pyapp.drivers.sqlite import SQLiteSessionPersistDriver
from pyapp.inspector.files.values import read_source
from pyapp.inspector.messages import JobMoved
from pyapp.inspector.model import Job
from pyapp.runner import databases, exports
from pyapp.secret_patterns import MASKED
from tests.unit.fake_page import FakeFile, FakePage
from tests.unit.recordings import DEMO, Script
from tests.unit.test_inspector import in_loop, long_session, page_with, record
from tests.unit.test_storing import downloaded

TOKEN = "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


def leaky(session_id: str = "leaky") -> Script:
    script = Script(session_id)
    script.prompt(f"Use {TOKEN} and postgres://me:hunter2@db/x")
    for at in range(0, len(TOKEN), 5):
        script.says(TOKEN[at : at + 5])
    return script


async def choose(page: FakePage, name: str = "export-changed", **choices: str) -> None:
    page.say(name, values={"scope": "this", "format": "jsonl", **choices})
    await page.settle()


async def reached(page: FakePage, done: int) -> None:
    """Wait until the long work came so far."""
    while page.runner.model.job is None or page.runner.model.job.done < done:  # noqa: ASYNC110 - a loop of events
        await asyncio.sleep(0)


async def opened_dialog(*scripts: Script, at: str = "#/") -> FakePage:
    page = await page_with(*scripts)
    await page.start(at)
    page.say("export")
    await page.settle()
    return page


@in_loop
async def test_secrets_are_shown_before_anything_is_saved_and_masked() -> None:
    page = await opened_dialog(leaky(), at="#/sessions/leaky")
    dialog = page.text("export")
    assert "1 github token, 1 password in 3 places" in dialog
    assert "Use [secret: github token 1] and" in dialog
    assert "#/sessions/leaky?event=1" in page.html("export")
    assert not any(part in page.html("export") for part in (TOKEN[4:12], "hunter2"))
    assert not [one for one in page.sent if one["type"] == "download"]
    await choose(page, "export-save", secrets="mask")
    name, text = downloaded(page)
    assert name == "leaky.jsonl"  # the first prompt holds secrets
    assert (TOKEN in text, "hunter2" in text, text.count("[secret: github token 1]")) == (False, False, 2)
    assert page.text("status").startswith(f"Exported {len(leaky().events)} events. 2 secrets masked.")
    assert page.text("export") == ""


@in_loop
async def test_secrets_are_kept_where_the_user_says_so() -> None:
    page = await opened_dialog(leaky(), at="#/sessions/leaky")
    await choose(page, secrets="keep")
    await choose(page, "export-save", secrets="keep")
    text = downloaded(page)[1]
    assert text.count(TOKEN) == 1
    assert check_recording([text]).event_count == len(leaky().events)
    assert "masked" not in page.text("status")


@in_loop
async def test_one_chosen_or_all_sessions() -> None:
    page = await opened_dialog(long_session(5, "a"), long_session(7, "b"), leaky("c"))
    assert "All: 3 sessions" in page.text("export")
    await choose(page, "export-save", scope="all")
    assert downloaded(page)[0] == "3-sessions.jsonl"
    assert [one.id for one in check_recording([downloaded(page)[1]]).sessions] == ["a", "b", "c"]
    page.say("export")
    await choose(page, scope="chosen")
    assert "No session is chosen." in page.text("export")
    await choose(page, "export-save", scope="chosen")
    assert page.text("export") != ""
    for session_id in ("a", "b", "nobody"):
        page.say("export-pick", arg=session_id, value="true")
    page.say("export-pick", arg="a", value="false")
    await page.settle()
    assert "None found in 7 events." in page.text("export")
    await choose(page, "export-save", scope="chosen")
    assert [one.id for one in check_recording([downloaded(page)[1]]).sessions] == ["b"]


@in_loop
async def test_what_is_chosen_comes_first_is_counted_and_can_be_all_or_none() -> None:
    page = await opened_dialog(*(long_session(2, f"s{number}") for number in range(210)), at="#/sessions/s0")
    await choose(page, scope="chosen")

    def offered() -> list[str]:
        return re.findall(r'data-arg="(s\d+)"', page.html("export"))

    assert offered()[:2] == ["s0", "s209"], "the open session, however old it is, then the newest"
    assert "1 of 200 chosen" in page.text("export")
    assert "10 sessions more are not offered here." in page.text("export")
    page.say("export-pick", arg="s100", value="true")
    await page.settle()
    assert "2 of 200 chosen" in page.text("export")
    assert offered()[1] == "s209", "nothing moves under the pointer"
    await choose(page, scope="all")
    await choose(page, scope="chosen")
    assert set(offered()[:2]) == {"s0", "s100"}
    page.say("export-pick-all", arg="none")
    await page.settle()
    assert "0 of 200 chosen" in page.text("export")
    assert "No session is chosen." in page.text("export")
    page.say("export-pick-all", arg="all")
    await page.settle()
    assert "200 of 200 chosen" in page.text("export")
    assert "None found in 400 events." in page.text("export")


@in_loop
async def test_the_dialog_names_no_session_before_it_can_mask_its_name() -> None:
    page = await page_with(leaky("c"))
    await page.start("#/sessions/c")
    shown = []
    page.say("export")
    while not (dialog := page.runner.model.exporting) or dialog.found is None:
        shown.append(page.html("export"))
        await asyncio.sleep(0)
    await page.settle()
    await choose(page, scope="chosen")
    shown.append(page.html("export"))
    assert not any(TOKEN[4:12] in html or "hunter2" in html for html in shown)
    assert "Use [secret: github token] and" in page.text("export")


@in_loop
async def test_places_in_several_sessions_are_told_apart() -> None:
    page = await opened_dialog(leaky("a"), long_session(5, "b"), leaky("c"))
    html = page.html("export")
    assert re.findall(r'<li class="(of)">|/sessions/(\w)\?', html) == [
        ("of", ""), ("", "a"), ("", "a"), ("", "a"), ("of", ""), ("", "c"), ("", "c"), ("", "c"),
    ]  # fmt: skip
    assert html.index("Keep them") < html.index("Places of secrets")
    assert TOKEN not in html
    await choose(page, scope="chosen")
    page.say("export-pick", arg="a", value="true")
    await page.settle()
    assert '<li class="of">' not in page.html("export")


@in_loop
async def test_sessions_that_were_never_in_view_are_named_in_the_dialog() -> None:
    page = await page_with(*(long_session(2, f"s{number}") for number in range(30)), leaky())
    await page.start()
    page.runner.model = replace(page.runner.model, summaries={})
    page.say("export")
    await page.settle()
    assert "leaky" in page.runner.model.summaries


@in_loop
async def test_a_search_that_failed_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    page = await page_with(leaky())
    await page.start()

    async def offline() -> None:
        raise OSError("A part of this page could not be loaded.")

    with monkeypatch.context() as patch:
        patch.setattr(page, "install_rest", offline, raising=False)
        page.say("export")
        await page.settle()
    assert "could not be loaded. Try again" in page.text("export")
    page.say("export-again")
    await page.settle()
    assert "in 3 places" in page.text("export")


@in_loop
async def test_what_cannot_be_loaded_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "RARE", "pyapp.not_there")

    async def fetch(_path: str) -> AsyncIterator[bytes]:
        raise OSError("could not load http://site/x.whl: TypeError: Failed to fetch")
        yield b""

    with pytest.raises(OSError, match="Check the connection and try again") as raised:
        await rest.install_rest(fetch)
    assert "TypeError" not in str(raised.value)


@in_loop
async def test_the_dialog_can_be_left_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "BREATH", 0.0)
    page = await page_with(long_session(400), long_session(2, "b"))
    await page.start("#/sessions/long")
    page.say("export")
    page.say("export-save", values={"scope": "this", "format": "jsonl"})  # too early: the search goes on
    await page.settle()
    assert "None found in 400 events." in page.text("export")
    assert not [one for one in page.sent if one["type"] == "download"]
    page.say("export")
    page.say("export-cancel")
    await page.settle()
    assert (page.text("export"), page.text("alert")) == ("", "")
    page.say("export")
    await page.go("#/sessions/b")
    assert page.text("export") == ""


@in_loop
async def test_an_export_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "BREATH", 0.0)
    page = await opened_dialog(long_session(400), at="#/sessions/long")
    page.say("export-save", values={"scope": "this", "format": "sqlite"})
    await reached(page, 10)
    page.say("cancel")
    await page.settle()
    assert "Cancelled" in page.text("status")
    assert not [one for one in page.sent if one["type"] == "download" and one["last"]]


@in_loop
async def test_a_database_goes_out_and_comes_in(tmp_path: Path) -> None:
    page = await opened_dialog(leaky(), long_session(1_200))
    await choose(page, "export-save", scope="all", format="sqlite")
    pieces = [dict(one) for one in page.sent if one["type"] == "download"]
    assert (pieces[0]["first"], pieces[-1]["last"], pieces[-1]["name"]) == (True, True, "2-sessions.db")
    content = b"".join(piece["data"] for piece in pieces)
    path = tmp_path / "out.db"
    path.write_bytes(content)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM events").fetchone() == (1_200 + len(leaky().events),)
        assert database.execute("SELECT id, agent, created_at FROM sessions ORDER BY id").fetchall()[0][:2] == (
            "leaky",
            "mock",
        )
    database.close()
    assert TOKEN.encode() not in content
    other = FakePage()
    await other.start()
    other.runner.import_files([FakeFile("whatever.name", content, 60_000)])
    await other.settle()
    assert "Imported 2 sessions, 1,209 events." in other.text("status")
    assert (await other.store.list_events("long", limit=2_000)).items == (
        await page.store.list_events("long", limit=2_000)
    ).items


@in_loop
async def test_changes_that_are_in_the_log_beside_a_database_come_along(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    async with SQLiteSessionPersistDriver(path) as driver:
        await driver.update_session(record("long"))
        for event in long_session(4).events:
            await driver.insert_event("long", event)
        files = [FakeFile(one.name, one.read_bytes()) for one in (path, Path(f"{path}-wal"))]
    page = FakePage()
    await page.start()
    page.runner.import_files(files)
    await page.settle()
    assert "Imported 1 session, 4 events." in page.text("status")


def database(tmp_path: Path, *statements: str) -> bytes:
    """A file of upstream's layout, after some statements."""
    path = tmp_path / "made.db"

    async def make() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.update_session(record("long"))
            await driver.insert_events("long", long_session(30).events)

    asyncio.run(make())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path.read_bytes()


HOSTILE_ROWS = {
    "deep": ("UPDATE events SET payload_json = replace(hex(zeroblob(150)), '00', '[[')", "levels deep|not JSON"),
    "no JSON": ("UPDATE events SET payload_json = '{oops' WHERE event_index = 7", "payload"),
    "a blob": ("UPDATE events SET payload_json = x'00ff' WHERE event_index = 7", "payload"),
    "a wrong sender": ("UPDATE events SET sender = 'nobody'", "sender must be"),
    "a time that is text": ("UPDATE sessions SET created_at = 'x'", "createdAt"),
    "an index twice": ("UPDATE events SET event_index = 7 WHERE event_index = 8", "two events 7"),
    "no such session": ("UPDATE events SET session_id = 'gone' WHERE event_index = 30", "1 of its events belong"),
    "nothing": ("DELETE FROM sessions", "holds no sessions"),
    "NaN": ("UPDATE events SET payload_json = '{\"a\": NaN}' WHERE event_index = 7", "NaN|not JSON"),
    "another table": ("ALTER TABLE events RENAME COLUMN payload_json TO other", "payload_json"),
    "a newer layout": ("PRAGMA user_version = 9", "newer layout"),
}


@pytest.mark.parametrize(("statement", "reason"), HOSTILE_ROWS.values(), ids=HOSTILE_ROWS)
def test_a_database_with_bad_rows_is_refused_whole(tmp_path: Path, statement: str, reason: str) -> None:
    refused(FakeFile("bad.db", database(tmp_path, statement), 5_000), reason)


def test_files_that_are_no_databases_are_refused(tmp_path: Path) -> None:
    good = database(tmp_path)
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, other TEXT)")
    connection.commit()
    connection.close()
    refused(FakeFile("notes.db", b"a text that is called a database"), "neither a SQLite database nor a recording")
    refused(FakeFile("empty.db", b""), "the file is empty")
    refused(FakeFile("foreign.db", foreign.read_bytes()), "not a session store")
    refused(FakeFile("cut.db", good[: len(good) // 2]), "damaged|not a")
    refused(FakeFile("broken.db", good[:5_000] + b"\xff" * (len(good) - 5_000)), "damaged|not a|malformed")


def test_refusals_say_what_to_do_instead(tmp_path: Path) -> None:
    in_use = database(tmp_path, "PRAGMA journal_mode = WAL", "DELETE FROM sessions")
    refused(FakeFile("used.db", in_use), "holds no sessions. If a program has it open, .* used.db-wal beside it")
    refused(FakeFile("new.db", in_wal(tmp_path / "new.db")), "holds no sessions. If a program has it open")
    whole = database(tmp_path, "PRAGMA journal_mode = WAL")
    refused(FakeFile("torn.db", whole[:5_000] + b"\xff" * (len(whole) - 5_000)), "damaged.* If a program has it open")
    refused(FakeFile("used.db-wal", b"7\x7f\x06\x82"), "Choose or drop used.db and it together")
    refused(FakeFile("page.jsonl", b"\n<!doctype html>"), "it is a web page, .* take the address of the file itself")
    refused(FakeFile("notes.txt", b"my notes"), "line 1: not JSON.* A recording has one JSON object a line")


def in_wal(path: Path, *statements: str) -> bytes:
    """A database whose changes go to a log first."""
    connection = sqlite3.connect(path)
    for statement in ("PRAGMA journal_mode = WAL", *statements):
        connection.execute(statement)
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["an index twice", "no JSON", "a newer layout", "another table", "no such session"])
def test_a_log_is_not_asked_for_where_it_cannot_be_what_is_missing(tmp_path: Path, name: str) -> None:
    statement, reason = HOSTILE_ROWS[name]
    refused(FakeFile("bad.db", database(tmp_path, "PRAGMA journal_mode = WAL", statement)), reason, "-wal")


def test_a_database_of_another_program_is_told_so(tmp_path: Path) -> None:
    foreign = in_wal(tmp_path / "foreign.db", "CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT)")
    reason = "it has no table of sessions, so it is another program&#39;s database. Bring one in which"
    refused(FakeFile("foreign.db", foreign), reason, "-wal")


@in_loop
async def test_a_log_goes_with_its_own_database_only() -> None:
    page = FakePage()
    await page.start()
    recording = FakeFile("made.jsonl", (DEMO / NAME).read_bytes())
    page.runner.import_files([recording, FakeFile("other.db-wal", b"7")])
    await page.settle()
    assert "Choose or drop other.db and it together" in page.text("alert")
    assert (await page.store.totals()).sessions == 0


@in_loop
async def test_the_next_file_is_told_of_alone() -> None:
    """What was wrong with the one before is no longer said, and how far it came is in units that people read."""
    page = FakePage()
    await page.start()
    page.runner.import_files([FakeFile("bad.jsonl", b"{")])
    await page.settle()
    assert "bad.jsonl" in page.text("alert")
    page.runner.send(JobMoved(Job("Fetching a.jsonl", "bytes", 2_097_152, 16_718_669)))
    await page.settle()
    assert (page.text("alert"), page.text("status")) == ("", "Fetching a.jsonl: 2.1 MB of 17 MB Cancel")
    page.runner.send(JobMoved(Job("Fetching a.jsonl", "bytes", 2_097_152)))
    await page.settle()
    assert page.text("status") == "Fetching a.jsonl: 2.1 MB Cancel"


@in_loop
async def refused(file: FakeFile, reason: str, unsaid: str = "/tmp") -> None:
    page = await page_with(long_session(3, "mine"))
    await page.start()
    page.runner.import_files([file])
    await page.settle()
    alert = page.text("alert")
    assert f"{file.name} was not imported, and nothing was changed:" in alert
    assert re.search(reason, alert), alert
    assert "/tmp" not in alert
    assert unsaid not in alert
    assert (await page.store.totals()).sessions == 1


@in_loop
async def test_too_large_a_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "MAX_FILE_BYTES", 4_000)
    page = FakePage()
    await page.start()
    page.runner.import_files([FakeFile("large.db", b"SQLite format 3\x00" + bytes(5_000))])
    await page.settle()
    assert "the file is larger than" in page.text("alert")


@in_loop
async def test_sessions_that_are_there_already_are_named() -> None:
    page = await page_with(*(long_session(2, f"s{number}") for number in range(7)))
    await page.start()
    lines = [json.dumps({"type": "session", **record(f"s{number}", 5).to_row()}) for number in range(9)]
    page.runner.import_files([FakeFile("many.jsonl", "\n".join(lines).encode())])
    await page.settle()
    assert (
        "many.jsonl was not imported, and nothing was changed: 7 of its 9 sessions are already stored here with other "
        "content: “s0” (another session has this id), “s1” (another" in page.text("alert")
    )
    assert "“s4” (another session has this id) and 2 more." in page.text("alert")
    assert (await page.store.totals()).sessions == 7


SITE = "https://sessions.test/app/"
NAME = "opencode-2-permissions.jsonl"


@pytest.mark.parametrize(
    ("text", "url", "is_foreign"),
    [
        ("demo/a.jsonl", "https://sessions.test/app/demo/a.jsonl", False),
        ("/a.db", "https://sessions.test/a.db", False),
        ("https://sessions.test:443/a.db", "https://sessions.test:443/a.db", False),
        ("https://SESSIONS.test/a.db", "https://SESSIONS.test/a.db", False),
        ("https://sessions.test:8443/a.db", "https://sessions.test:8443/a.db", True),
        ("//other.test/a.db", "https://other.test/a.db", True),
        ("http://127.0.0.1:8000/a.db", "http://127.0.0.1:8000/a.db", True),
        ("https://other.test/\u202elnosj.png?ü=%20#x", "https://other.test/%E2%80%AElnosj.png?%C3%BC=%20#x", True),
    ],
)
def test_addresses_of_files(text: str, url: str, is_foreign: bool) -> None:
    source = read_source(text, SITE)
    assert (source.url, source.is_foreign) == (url, is_foreign)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://other.test/a.db", "by https: alone"),
        ("http://sessions.test/a.db", "by https: alone"),
        ("http://localhost.other.test/a.db", "by https: alone"),
        ("javascript:alert(1)", "Only https:"),
        ("data:text/plain,x", "Only https:"),
        ("file:///etc/passwd", "Only https:"),
        ("blob:https://sessions.test/1", "Only https:"),
        ("https://me:word@other.test/a.db", "leave them out"),
        ("https://sessions.test@other.test/a.db", "leave them out"),
        ("https://other.test\\@sessions.test/", "spaces or control"),
        ("https://other.test/a b", "spaces or control"),
        ("https://s\u0435ssions.test/a.db", "ASCII letters"),
        ("https://%73essions.test/a.db", "ASCII letters"),
        ("https://other.test/\ud800", "no address"),
        ("https://[::1/a", "no address"),
        ("https://other.test:x/a", "no address"),
        ("https://other.test/" + "a" * 3_000, "longer than"),
    ],
)
def test_addresses_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_source(text, SITE)


@in_loop
async def test_a_file_of_this_site_is_fetched_and_opened() -> None:
    page = FakePage()
    page.web["http://page.test/some/path/demo/" + NAME] = (DEMO / NAME).read_bytes()
    await page.start(f"#/?src=demo/{NAME}")
    assert "Imported 1 session" in page.text("status")
    assert page.root["data-view"] == "session"
    assert "src" not in page.hash
    assert page.fetched == [(f"http://page.test/some/path/demo/{NAME}", False)]


@in_loop
async def test_nothing_is_asked_of_another_host_without_a_click() -> None:
    url = f"https://other.test/{NAME}"
    page = FakePage()
    page.web[url] = (DEMO / NAME).read_bytes()
    page.say("route", hash="#/", now=1, zone=[[0, 0]], source=url)
    await page.settle()
    assert "Fetch a recording from other.test ?" in page.text("source")
    assert url in page.text("source")
    page.say("source-cancel")
    await page.settle()
    assert (page.text("source"), page.fetched) == ("", [])
    await page.go(f"#/?src={url}")
    assert (page.hash, page.fetched) == ("#/", [])
    page.say("source-fetch")
    await page.settle()
    assert page.fetched == [(url, True)]
    assert "Imported 1 session" in page.text("status")
    told = [message["regions"]["status"] for message in page.sent if "status" in message.get("regions", {})]
    assert any(f"Fetching {NAME}: " in text for text in told)
    page.say("source-fetch")
    await page.settle()
    assert len(page.fetched) == 1


@in_loop
async def test_a_name_cannot_turn_the_words_around_it() -> None:
    hostile = "evil\u202egnp.exe"
    page = await page_with(Script("s"))
    page.runner.import_files([FakeFile(f"{hostile}.jsonl", b"no recording")])
    await page.start()
    assert "evilgnp.exe.jsonl was not imported" in page.text("alert")
    await page.store.insert_event("s", Script("s").prompt(hostile))
    await page.go("#/sessions/s")
    page.say("delete")
    page.say("export")
    await page.settle()
    for region in ("dialog", "export", "heading", "sessions-list"):
        assert "evilgnp.exe" in page.text(region)


@in_loop
async def test_a_file_that_cannot_be_fetched_leaves_one_alert() -> None:
    page = await page_with(long_session(3))
    await page.start("#/?src=gone.db")
    assert "nothing is at http://page.test/some/path/gone.db" in page.text("alert")
    await page.go("#/?src=ftp://other.test/x")
    assert "Only https: addresses" in page.text("alert")
    assert (await page.store.totals()).sessions == 1


@in_loop
async def test_messages_that_are_none_change_nothing() -> None:
    page = await opened_dialog(long_session(3), at="#/sessions/long")
    before = page.runner.model
    rubbish: list[dict[str, Any]] = [
        {"name": "export-save"},
        {"name": "export-save", "values": {"scope": "x", "format": "jsonl"}},
        {"name": "export-save", "values": {"scope": "this", "format": ["jsonl"]}},
        {"name": "export-pick", "arg": 7, "value": "true"},
    ]
    for message in rubbish:
        page.runner.receive(message)
    await page.settle()
    assert page.runner.model == before


@in_loop
async def test_the_search_and_the_export_number_secrets_alike() -> None:
    """What the dialog shows is what stands in the file."""
    page = await opened_dialog(leaky("a"), leaky("b"))
    dialog = page.runner.model.exporting
    assert dialog
    assert dialog.found
    masks = {f"[secret: {place.kind} {place.number}]" for place in dialog.found.places}
    await choose(page, "export-save", scope="all")
    assert set(MASKED.findall(downloaded(page)[1])) == masks


@in_loop
async def test_records_are_searched_too() -> None:
    page = FakePage(InMemorySessionPersistDriver())
    env = [{"name": "API_KEY", "value": "a8f3k29dq0zk7p5mxw1"}]
    init = {"cwd": "/", "mcpServers": [{"name": "x", "env": env}]}
    await page.store.update_session(SessionRecord("s", "mock", "a", "c", 1, session_init=init))
    await page.start("#/sessions/s")
    page.say("export")
    await page.settle()
    assert "1 token in 1 place" in page.text("export")
    assert "/sessionInit/mcpServers/0/env/0/value" in page.html("export")
