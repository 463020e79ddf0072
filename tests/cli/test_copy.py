"""`copy`: whole, resumed, compared, and never over anything."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pyapp import EventConflictError, SessionRecord, SQLiteSessionPersistDriver
from pyapp.cli import jsonlines
from pyapp.cli.copying import writing
from pyapp.cli.copying.progress import Lines
from pyapp.cli.copying.recording import RecordingTarget
from pyapp.drivers.base import ReadEvent
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record
from pyapp.drivers.sqlite.errors import store_error

from ..faults.amounts import FULL
from .kit import ROOT, Cli, Line, content_of, small_recording, start, write_recording, write_rows

COPY_KILLS = 20 if FULL else 1


def lines_of(path: Path) -> list[str]:
    return sorted(path.read_text().splitlines())


def change(path: Path, *, record: SessionRecord | None = None, append: int = 0, session_id: str = "a") -> None:
    """Write something into a SQLite file."""

    async def write() -> None:
        async with SQLiteSessionPersistDriver(path) as store:
            if record is not None:
                await store.update_session(record)
            count = await store.count_events(session_id)
            for index in range(count + 1, count + 1 + append):
                await store.insert_event(session_id, event(index, session_id))

    asyncio.run(write())


def test_a_recording_and_a_database_hold_the_same(cli: Cli, tmp_path: Path) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3, "b": 1_234, "c": 0})
    assert cli("copy", given, tmp_path / "x.db") == 0
    assert cli.out == "3 sessions, 1,237 events copied and compared\n"
    assert cli("copy", f"sqlite:{tmp_path / 'x.db'}", tmp_path / "out.jsonl") == 0
    assert (tmp_path / "out.jsonl").read_bytes() == given.read_bytes()
    assert cli("copy", given, tmp_path / "x.db") == 0
    assert cli.out == "0 sessions, 0 events copied and compared; 3 sessions there already\n"
    assert cli("copy", tmp_path / "x.db", tmp_path / "out.jsonl") == 0
    assert (tmp_path / "out.jsonl").read_bytes() == given.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "x.db", "out.jsonl"}


def test_chosen_sessions(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b", "c")
    assert cli("copy", given, tmp_path / "out.jsonl", "--session", "c", "--session", "a") == 0
    assert lines_of(tmp_path / "out.jsonl") == [line for line in lines_of(given) if '"b"' not in line]
    before = (tmp_path / "out.jsonl").read_bytes()
    cli.fails(6, "copy", given, tmp_path / "out.jsonl", "--session", "b", "--session", "nobody")
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert cli("copy", given, tmp_path / "out.jsonl") == 0
    assert cli.out == "1 session, 3 events copied and compared; 2 sessions there already\n"
    assert lines_of(tmp_path / "out.jsonl") == lines_of(given)


def test_an_unknown_session_is_told_before_the_target_is_made(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a")
    for target in ("x.db", "out.jsonl"):
        assert "'nobody'" in cli.fails(6, "copy", given, tmp_path / target, "--session", "a", "--session", "nobody")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_full_disk_under_a_database(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH_EVENTS", 3)
    add = SQLiteSessionPersistDriver.add_read_sessions

    async def full(self, records, events, progress=None):  # type: ignore[no-untyped-def]
        if records[0].id == "c":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise store_error(error, "x.db")
        await add(self, records, events, progress)

    monkeypatch.setattr(SQLiteSessionPersistDriver, "add_read_sessions", full)
    given, target = small_recording(tmp_path / "in.jsonl", "a", "b", "c"), tmp_path / "x.db"
    said = cli.fails(5, "copy", given, target)
    assert "nothing was written" not in said
    assert said.endswith(
        f"is whole. What was copied stays in {target}; once there is room, the same command goes on from it\n"
    )
    assert set(content_of(target)) == {"a", "b"}
    monkeypatch.undo()
    assert cli("copy", given, target) == 0
    assert cli.out == "1 session, 3 events copied and compared; 2 sessions there already\n"


def test_a_dry_run_makes_nothing(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b")
    for target in ("x.db", "out.jsonl"):
        assert cli("copy", given, tmp_path / target, "--dry-run") == 0
        assert cli.out == "2 sessions, 6 events would be copied\n"
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize("target_name", ["out.db", "out.jsonl"])
def test_nothing_is_overwritten(cli: Cli, tmp_path: Path, target_name: str) -> None:
    rows: list[Line] = [
        ("session", record("a").to_row()),
        ("event", event(1, "a").to_row()),
        ("event", event(2, "a").to_row()),
    ]
    other_event = {**event(2, "a").to_row(), "createdAt": 7}
    stored: dict[str, list[Line]] = {
        "its record is another": [("session", record("a", 7).to_row()), *rows[1:]],
        "event 2 is another": [*rows[:2], ("event", other_event)],
        "event 1 is another": [rows[0], ("event", {**rows[1][1], "id": "x"})],
        "the target has more events": [*rows, ("event", event(3, "a").to_row())],
    }
    given = small_recording(tmp_path / "new.jsonl", "a", "b", events=2)
    for number, (reason, there) in enumerate(stored.items()):
        existing = write_rows(tmp_path / f"there-{number}.jsonl", there)
        target = tmp_path / f"{number}-{target_name}"
        assert cli("copy", existing, target) == 0
        before = target.read_bytes()
        assert cli("copy", given, target) == 1
        assert f"'a': {reason}" in cli.err
        assert "nothing was copied" in cli.err
        assert cli.err.endswith(
            "of 1 session; --update takes the source's records, --skip-different copies the others\n"
        )
        assert cli.out == ""
        assert target.read_bytes() == before
        assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("target_name", ["out.db", "out.jsonl"])
def test_what_is_different_is_left_out_when_asked(cli: Cli, tmp_path: Path, target_name: str) -> None:
    """Everything else is copied; the exit code and a line for each say what was not."""
    differing = [f"a{number:02}" for number in range(25)]
    rows: list[Line] = []
    for id_ in differing:
        rows += [("session", record(id_).to_row()), ("event", {**event(1, id_).to_row(), "createdAt": 7})]
    rows += [("session", record("more").to_row()), *(("event", event(n, "more").to_row()) for n in range(1, 7))]
    there, target = write_rows(tmp_path / "there.jsonl", rows), tmp_path / target_name
    given = small_recording(tmp_path / "new.jsonl", *differing, "more", "x", "y")
    assert cli("copy", there, target) == 0
    assert cli("copy", given, target, "--skip-different", "--dry-run") == 1
    assert cli.out == "2 sessions, 6 events would be copied\n"
    assert cli("copy", given, target, "--skip-different") == 1
    assert cli.out == "2 sessions, 6 events copied and compared\n"
    lines = cli.err.splitlines()
    assert lines[:25] == [f"pyapp: {id_!r}: event 1 is another in the target" for id_ in differing]
    assert "'more': the target has more events" in lines[25]
    assert lines[26:] == [f"pyapp: not copied, since {target} has other content of 26 sessions"]
    assert cli("copy", target, tmp_path / "back.jsonl") == 0
    both = lines_of(there) + [line for line in lines_of(given) if '"x' in line or '"y' in line]
    assert lines_of(tmp_path / "back.jsonl") == sorted(both)
    assert cli("copy", small_recording(tmp_path / "z.jsonl", "z"), target, "--skip-different") == 0


def test_what_is_left_out_throws_no_part_away(cli: Cli, tmp_path: Path) -> None:
    """An interrupted copy goes on, though the recording that it goes into has another session."""
    given = small_recording(tmp_path / "in.jsonl", "a", "b", "c")
    lines = given.read_text().splitlines(keepends=True)
    before = lines[0] + lines[1].replace('"createdAt":', '"createdAt":1')
    (tmp_path / "out.jsonl").write_text(before)
    part = _part_of(cli, tmp_path, given)
    part.write_text(before + "".join(lines[4:8]))
    assert cli("copy", given, tmp_path / "out.jsonl") == 1
    assert part.exists()
    assert cli("copy", given, tmp_path / "out.jsonl", "--skip-different") == 1
    assert cli.out == "1 session, 3 events copied and compared; 1 session there already\n"
    assert (tmp_path / "out.jsonl").read_text() == before + "".join(lines[4:])


def test_an_event_of_another_session_is_not_taken_over(cli: Cli, tmp_path: Path) -> None:
    there = small_recording(tmp_path / "there.jsonl", "z")
    assert cli("copy", there, tmp_path / "x.db") == 0
    rival = {**event(2, "b").to_row(), "id": "z-e1"}
    given = write_rows(
        tmp_path / "new.jsonl",
        [
            ("session", record("a").to_row()),
            ("event", event(1, "a").to_row()),
            ("session", record("b").to_row()),
            ("event", event(1, "b").to_row()),
            ("event", rival),
            ("session", record("c").to_row()),
        ],
    )
    assert cli("copy", given, tmp_path / "x.db") == 1
    assert "'b': an event with the id 'z-e1' and other content is already stored" in cli.err
    assert set(content_of(tmp_path / "x.db")) == {"a", "c", "z"}
    assert cli("copy", there, tmp_path / "y.jsonl") == 0
    before = (tmp_path / "y.jsonl").read_bytes()
    assert cli("copy", given, tmp_path / "y.jsonl") == 1
    assert (tmp_path / "y.jsonl").read_bytes() == before


@pytest.mark.parametrize("target_name", ["out.db", "out.jsonl"])
def test_a_session_that_grew_is_continued(cli: Cli, tmp_path: Path, target_name: str) -> None:
    source, target = tmp_path / "in.db", tmp_path / target_name
    assert cli("copy", small_recording(tmp_path / "in.jsonl", "a", "b"), source) == 0
    assert cli("copy", source, target) == 0
    change(source, append=4)
    assert cli("copy", source, target) == 0
    assert cli.out == "1 session, 4 events copied and compared; 1 session there already\n"
    assert cli("copy", target, tmp_path / "again.db") == 0
    assert content_of(tmp_path / "again.db") == content_of(source)


def test_events_without_their_record_are_continued(cli: Cli, tmp_path: Path) -> None:
    """So a store without transactions looks like when it was interrupted."""
    change(tmp_path / "x.db", append=2)
    given = small_recording(tmp_path / "in.jsonl", "a", events=5)
    assert cli("copy", given, tmp_path / "x.db") == 0
    assert cli.out == "1 session, 3 events copied and compared\n"
    assert content_of(tmp_path / "x.db") == {"a": (record("a"), [event(n, "a") for n in range(1, 6)])}


def test_a_record_is_written_once_its_events_are_known_to_be_there(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tmp_path / "x.db", append=2)
    given = small_recording(tmp_path / "in.jsonl", "a", events=5)
    insert = SQLiteSessionPersistDriver.insert_events

    async def lossy(self, session_id, events):  # type: ignore[no-untyped-def]
        await insert(self, session_id, events[:-1])

    monkeypatch.setattr(SQLiteSessionPersistDriver, "insert_events", lossy)
    assert cli("copy", given, tmp_path / "x.db") == 1
    assert "'a': 1 of its events are missing in the target" in cli.err
    assert content_of(tmp_path / "x.db") == {}


def test_large_sessions_are_written_in_pieces(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PAGE", 7)
    monkeypatch.setattr(writing, "LARGEST_EVENTS", 20)
    monkeypatch.setattr(writing, "INSERTED_AT_ONCE", 16)
    monkeypatch.setattr(writing, "BATCH_EVENTS", 10)
    given = write_recording(tmp_path / "in.jsonl", {"a": 3, "b": 99, "c": 5, "d": 6, "e": 21, "f": 1})
    for target in ("x.db", "y.jsonl"):
        assert cli("copy", given, tmp_path / target) == 0
        assert cli.out == "6 sessions, 135 events copied and compared\n"
    assert lines_of(tmp_path / "y.jsonl") == lines_of(given)


def test_what_came_out_otherwise_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that loses an event of each import, and one that changes it."""
    given = small_recording(tmp_path / "in.jsonl", "a", "b", events=4)
    add = SQLiteSessionPersistDriver.add_read_sessions

    async def lossy(self, records, events, progress=None):  # type: ignore[no-untyped-def]
        await add(self, records, [page[:-1] for page in events], progress)

    monkeypatch.setattr(SQLiteSessionPersistDriver, "add_read_sessions", lossy)
    assert cli("copy", given, tmp_path / "x.db") == 1
    assert "'a': 1 of its events are missing in the target" in cli.err

    async def changing(self, records, events, progress=None):  # type: ignore[no-untyped-def]
        def change(one: ReadEvent) -> ReadEvent:
            return one._replace(event=replace(one.event, created_at=7)) if one.event.id == "b-e3" else one

        await add(self, records, [list(map(change, page)) for page in events], progress)

    monkeypatch.setattr(SQLiteSessionPersistDriver, "add_read_sessions", changing)
    assert cli("copy", given, tmp_path / "y.db") == 1
    assert "'b': event 3 came out otherwise" in cli.err


def test_a_source_that_grows_meanwhile_is_no_difference(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in.db"
    assert cli("copy", small_recording(tmp_path / "in.jsonl", "a"), source) == 0
    add = SQLiteSessionPersistDriver.add_read_sessions

    async def slow(self, records, events, progress=None):  # type: ignore[no-untyped-def]
        await add(self, records, events, progress)
        async with SQLiteSessionPersistDriver(source) as store:
            await store.insert_event("a", event(4, "a"))

    monkeypatch.setattr(SQLiteSessionPersistDriver, "add_read_sessions", slow)
    assert cli("copy", source, tmp_path / "x.db") == 0
    monkeypatch.undo()
    assert cli("copy", source, tmp_path / "x.db") == 0
    assert cli.out == "1 session, 1 event copied and compared\n"


@pytest.mark.parametrize(
    ("how", "target_name"),
    [(signal.SIGKILL, "out.db"), (signal.SIGKILL, "out.jsonl"), (signal.SIGINT, "out.jsonl")],
)
def test_an_interrupted_copy_goes_on(cli: Cli, tmp_path: Path, target_name: str, how: signal.Signals) -> None:
    """Killed, or stopped by Ctrl-C, in the middle; the same command then copies what is missing, and nothing twice."""
    given = write_recording(tmp_path / "in.jsonl", {f"s{number}": 1_000 for number in range(7)})
    for round_ in range(COPY_KILLS):
        target = tmp_path / f"{round_}-{target_name}"
        with start("copy", given, target) as process:
            while process.poll() is None and not _has_begun(tmp_path, target):
                time.sleep(0.005)  # polls; the file appears when it does
            process.send_signal(how)
            _, err = process.communicate(timeout=60)
        if how == signal.SIGINT:
            assert process.returncode == 130, err
            assert "the same command goes on from it" in err
            assert "Traceback" not in err
        assert target_name == "out.db" or not target.exists()
        assert cli("copy", given, target) == 0
        assert not list(tmp_path.glob(".*"))
        assert cli("copy", target, given, "--dry-run") == 0
        assert cli.out == "0 sessions, 0 events would be copied; 7 sessions there already\n"


def _has_begun(folder: Path, target: Path) -> bool:
    files = [*folder.glob(f".{target.name}.*.part"), *folder.glob(f"{target.name}*")]
    return any(path.stat().st_size > 1_000_000 for path in files if path.exists())


def test_a_torn_part_goes_on_behind_its_last_whole_line(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b", "c")
    part = _part_of(cli, tmp_path, given)
    part.write_bytes(given.read_bytes()[:-20])
    assert cli("copy", given, tmp_path / "out.jsonl") == 0
    assert cli.out == "1 session, 1 event copied and compared; 2 sessions there already\n"
    assert lines_of(tmp_path / "out.jsonl") == lines_of(given)


def test_a_damaged_part_is_begun_again(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b", "c")
    part = _part_of(cli, tmp_path, given)
    part.write_bytes(b"\0" * 100 + b"\n")
    assert cli("copy", given, tmp_path / "out.jsonl") == 0
    assert lines_of(tmp_path / "out.jsonl") == lines_of(given)


def test_a_part_is_removed_once_nobody_can_go_on_with_it(cli: Cli, tmp_path: Path) -> None:
    """It stays while the file is what it was, and as long as another copy writes it."""
    given, other = small_recording(tmp_path / "in.jsonl", "a", "b"), small_recording(tmp_path / "other.jsonl", "z")
    part = _part_of(cli, tmp_path, given)
    part.write_bytes(given.read_bytes()[:-20])
    assert cli("copy", other, tmp_path / "out.jsonl", "--dry-run") == 0
    cli.fails(6, "copy", other, tmp_path / "out.jsonl", "--session", "nobody")
    assert part.exists()
    with part.open("ab") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert cli("copy", other, tmp_path / "out.jsonl") == 0
        assert part.exists()
    assert cli("copy", other, tmp_path / "out.jsonl") == 0
    assert [path.name for path in tmp_path.glob(".*")] == []
    part = _part_of(cli, tmp_path, given)
    part.write_bytes(given.read_bytes()[:-20])
    part.with_suffix(".new").write_bytes(b"")
    (tmp_path / "more.jsonl").write_bytes(given.read_bytes())
    assert cli("copy", tmp_path / "more.jsonl", tmp_path / "out.jsonl") == 0
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_part_that_another_copy_writes_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    """Also where it ends in half a line, as it may at any moment, or looks damaged."""
    given = small_recording(tmp_path / "in.jsonl", "a", "b")
    part = _part_of(cli, tmp_path, given)
    for content in (given.read_bytes()[:-20], b"half of it is not there yet"):
        part.write_bytes(content)
        with part.open("ab") as writing:
            fcntl.flock(writing, fcntl.LOCK_EX)
            assert "another copy is writing" in cli.fails(3, "copy", given, tmp_path / "out.jsonl")
            assert cli("copy", given, tmp_path / "out.jsonl", "--dry-run") == 0
            assert cli.out == "2 sessions, 6 events would be copied\n"
        assert part.read_bytes() == content


def test_a_file_system_without_locks(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_anything: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    given = small_recording(tmp_path / "in.jsonl", "a", "b")
    assert cli("copy", given, tmp_path / "out.jsonl") == 0, cli.err
    assert (tmp_path / "out.jsonl").read_bytes() == given.read_bytes()


def test_a_part_that_is_removed_meanwhile_is_no_success(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, target = small_recording(tmp_path / "in.jsonl", "a"), tmp_path / "out.jsonl"
    keep = RecordingTarget.keep

    async def late(self: RecordingTarget) -> None:
        self.part.unlink()
        await keep(self)

    monkeypatch.setattr(RecordingTarget, "keep", late)
    assert "was removed while it was written" in cli.fails(3, "copy", given, target)
    monkeypatch.undo()
    assert cli("copy", given, target) == 0
    assert target.read_bytes() == given.read_bytes()


def test_a_part_of_what_the_source_has_no_more_is_begun_again(cli: Cli, tmp_path: Path) -> None:
    """Sessions go on between an interruption and the next try; the target itself has none of them."""
    source = tmp_path / "in.db"
    given = small_recording(tmp_path / "in.jsonl", "a", "b")
    assert cli("copy", given, source) == 0
    part = _part_of(cli, tmp_path, source)
    part.write_bytes(given.read_bytes()[:-20])
    change(source, record=record("a", destroyed_at=9))
    assert cli("copy", source, tmp_path / "out.jsonl") == 0
    assert cli.out == "2 sessions, 6 events copied and compared\n"
    assert cli("copy", tmp_path / "out.jsonl", tmp_path / "again.db") == 0
    assert content_of(tmp_path / "again.db") == content_of(source)
    assert not list(tmp_path.glob(".*"))


def test_a_large_recording_can_be_interrupted_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "SLICE", 100)
    given = small_recording(tmp_path / "in.jsonl", "a", "b")

    async def work() -> None:
        reading = asyncio.create_task(jsonlines.open_recording(given))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(work())


def test_another_command_does_not_take_the_part(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a")
    part = _part_of(cli, tmp_path, given)
    part.write_bytes(small_recording(tmp_path / "other.jsonl", "z").read_bytes())
    assert cli("copy", given, tmp_path / "out.jsonl", "--session", "a") == 0
    assert lines_of(tmp_path / "out.jsonl") == lines_of(given)


@pytest.mark.parametrize("target_name", ["out.db", "out.jsonl"])
def test_a_record_that_has_changed_is_copied_when_asked(cli: Cli, tmp_path: Path, target_name: str) -> None:
    source, target = tmp_path / "in.db", tmp_path / target_name
    assert cli("copy", small_recording(tmp_path / "in.jsonl", "a", "b"), source) == 0
    assert cli("copy", source, target) == 0
    change(source, record=record("a", destroyed_at=9), append=2)
    change(source, record=record("b", destroyed_at=9), session_id="b")
    assert cli("copy", source, target) == 1
    assert "'a': its record is another in the target\n" in cli.err
    assert "; --update takes the source's records, " in cli.err
    assert cli("copy", source, target, "--update") == 0
    assert cli.out == "2 sessions, 2 events copied and compared\n"
    assert cli("copy", source, target) == 0
    assert cli.out == "0 sessions, 0 events copied and compared; 2 sessions there already\n"
    assert cli("copy", target, tmp_path / "again.db") == 0
    assert content_of(tmp_path / "again.db") == content_of(source)
    assert not list(tmp_path.glob(".*"))
    change(tmp_path / "again.db", append=1)
    assert cli("copy", source, tmp_path / "again.db", "--update") == 1
    assert "the target has more events" in cli.err


def test_a_record_is_updated_where_it_stands_in_the_recording(cli: Cli, tmp_path: Path) -> None:
    """Line for line as it was otherwise: with a mark at its start, its own line ends, and none at its end."""
    lines = small_recording(tmp_path / "in.jsonl", "a", "b").read_text().splitlines()
    target = tmp_path / "out.jsonl"
    target.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines[4:], *lines[:4]]).encode())
    target.chmod(0o640)
    source = tmp_path / "in.db"
    assert cli("copy", target, source) == 0
    change(source, record=record("a", 7, destroyed_at=9))
    change(source, record=record("b", 5, destroyed_at=9), session_id="b", append=1)
    assert cli("copy", source, target, "--update") == 0
    assert cli.out == "2 sessions, 1 event copied and compared\n"
    now = target.read_bytes().split(b"\n")
    assert [json.loads(now[at])["destroyedAt"] for at in (0, 4)] == [9, 9]
    ids = ["b", "b-e1", "b-e2", "b-e3", "a", "a-e1", "a-e2", "a-e3", "b-e4"]
    assert [json.loads(line)["id"] for line in now[:-1]] == ids
    assert target.stat().st_mode & 0o777 == 0o640
    assert cli("copy", target, tmp_path / "again.db") == 0
    assert content_of(tmp_path / "again.db") == content_of(source)


def test_a_session_that_another_copy_has_made_is_no_conflict(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b", "c")
    add = SQLiteSessionPersistDriver.add_read_sessions

    async def late(self, records, events, progress=None):  # type: ignore[no-untyped-def]
        async with SQLiteSessionPersistDriver(tmp_path / "x.db") as rival:
            if await rival.get_session("a") is None:
                await add(rival, [record("a")], [[ReadEvent(event(n, "a")) for n in (1, 2, 3)]])
        await add(self, records, events, progress)

    monkeypatch.setattr(SQLiteSessionPersistDriver, "add_read_sessions", late)
    assert cli("copy", given, tmp_path / "x.db") == 0
    assert cli.out == "3 sessions, 9 events copied and compared\n"


def test_a_recording_under_another_name(cli: Cli, tmp_path: Path) -> None:
    given, real = small_recording(tmp_path / "in.jsonl", "a"), small_recording(tmp_path / "real.jsonl", "z")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    (tmp_path / "empty.jsonl").touch()
    assert cli("copy", given, tmp_path / "link.jsonl") == 0
    assert (tmp_path / "link.jsonl").is_symlink()
    assert '"a"' in real.read_text()
    assert cli("copy", given, tmp_path / "empty.jsonl") == 0
    assert (tmp_path / "empty.jsonl").read_bytes() == given.read_bytes()
    (tmp_path / "same.jsonl").hardlink_to(given)
    assert "are the same" in cli.fails(2, "copy", given, tmp_path / "same.jsonl")


def test_a_part_is_read_while_it_grows(tmp_path: Path) -> None:
    """What was written is compared at once, also what comes in a hole between indexes."""

    async def work() -> None:
        target = RecordingTarget(tmp_path / "out.jsonl", "a command")
        await target.load()
        await target.add_sessions([record("a"), record("b", 5)], [[json.dumps(event(n, "a").to_row()) for n in (5, 1)]])
        await target.insert_events("a", [event(3, "a")])
        assert await all_events(target, "a", limit=2) == [event(n, "a") for n in (1, 3, 5)]
        assert await all_sessions(target, limit=1) == [record("b", 5), record("a")]
        for taken in (event(3, "a", id_="x"), event(7, "a", id_="a-e1")):
            with pytest.raises(EventConflictError):
                await target.insert_events("a", [taken])
        await target.aclose()

    asyncio.run(work())


@pytest.mark.parametrize("name", ["n" * 249, "é" * 124, "n" * 201])
def test_a_recording_with_a_long_name(cli: Cli, tmp_path: Path, name: str) -> None:
    """The hidden part beside it has a longer name, which no file may have; a part of it is found again."""
    given, target = small_recording(tmp_path / "in.jsonl", "a", "b"), tmp_path / f"{name}.jsonl"
    part = RecordingTarget(target, str(given.resolve())).part
    part.write_bytes(given.read_bytes()[:-20])
    assert cli("copy", given, target) == 0
    assert cli.out == "1 session, 1 event copied and compared; 1 session there already\n"
    assert cli("copy", small_recording(tmp_path / "more.jsonl", "c"), target) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "more.jsonl", target.name}
    other = RecordingTarget(target.with_name(f"{name[:-1]}x.jsonl"), str(given.resolve()))
    assert other.part.name.split(".")[1] != part.name.split(".")[1]


def _part_of(cli: Cli, folder: Path, given: Path) -> Path:
    """Where a copy to `out.jsonl` writes first."""
    target = RecordingTarget(folder / "out.jsonl", str(given.resolve()))
    asyncio.run(target.aclose())
    return target.part


def test_a_file_that_changes_meanwhile_is_left_alone(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, target = small_recording(tmp_path / "in.jsonl", "a"), tmp_path / "out.jsonl"
    keep = RecordingTarget.keep

    async def late(self: RecordingTarget) -> None:
        target.write_text("mine\n")
        await keep(self)

    monkeypatch.setattr(RecordingTarget, "keep", late)
    assert "was changed meanwhile" in cli.fails(3, "copy", given, target)
    assert target.read_text() == "mine\n"


def test_progress_without_a_terminal() -> None:
    said: list[str] = []
    now = iter([0.0, 0.0, 1.0, 5.0, 6.0, 10.5])
    lines = Lines(said.append, lambda: next(now))
    lines.begin("Copying", 1_000)
    for _ in range(4):
        lines.moved(100)
    assert said == ["Copying: 200 of 1,000 events, 40 a second", "Copying: 400 of 1,000 events, 38 a second"]


def test_every_field_survives(cli: Cli, tmp_path: Path) -> None:
    strange = record("é\u2028", extra={"serverId": "x", "modes": None, "deep": [[1.5, {"k": None}]]})
    odd = {**event(1, "é\u2028", text="\ud800 \u0000 🦀").to_row(), "more": {"1": True}, "nothing": None}
    given = write_rows(tmp_path / "in.jsonl", [("session", strange.to_row()), ("event", odd)])
    assert cli("copy", given, tmp_path / "x.db") == 0
    assert cli("copy", tmp_path / "x.db", tmp_path / "y.jsonl") == 0
    rows = [json.loads(line) for line in (tmp_path / "y.jsonl").read_text().split("\n")[:-1]]
    assert rows == [{"type": "session", **strange.to_row()}, {"type": "event", **odd}]


def test_a_bar_in_a_terminal(tmp_path: Path) -> None:
    """Where stderr is a terminal rich draws a bar; what is said on stdout is the same."""
    given = write_recording(tmp_path / "in.jsonl", {"a": 2_000})
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pyapp", "copy", given, tmp_path / "x.db"],
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=its_end,
        text=True,
    )
    os.close(its_end)
    drawn = b""
    # Reading ends in EIO once the other end is closed.
    with process, suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as screen:
        while piece := screen.read(65_536):
            drawn += piece
    assert process.returncode == 0
    assert b"Copying" in drawn
    assert b"2000/2000" in drawn
