"""`redact`: a copy without its secrets, and a report without them."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.unit.recordings import Script
from tests.unit.test_inspector import record

from .kit import Cli, Line, small_recording, start, write_rows

TOKEN = "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
SUMMARY = "2 secrets found in 3 places: 1 github token, 1 password\n"


def leaky(path: Path) -> Path:
    script = Script("leaky")
    script.prompt(f"Use {TOKEN} and postgres://me:hunter2@db/x")
    for at in range(0, len(TOKEN), 5):
        script.says(TOKEN[at : at + 5])
    return write_rows(
        path, [("session", record("leaky").to_row()), *(("event", event.to_row()) for event in script.events)]
    )


def test_a_copy_is_masked_and_the_report_shows_no_secret(cli: Cli, tmp_path: Path) -> None:
    given = leaky(tmp_path / "in.jsonl")
    assert cli("redact", given, tmp_path / "out.jsonl", "--show") == 0
    assert cli.out.endswith(SUMMARY)
    assert "leaky  event 1  /payload/params/prompt/0/text  Use [secret: github token 1]" in cli.out
    text = (tmp_path / "out.jsonl").read_text()
    for printed in (cli.out, cli.err, text):
        assert not any(part in printed for part in (TOKEN[4:10], TOKEN[-6:], "hunter2"))
    assert text.count("\n") == given.read_text().count("\n")
    assert cli("redact", tmp_path / "out.jsonl", tmp_path / "again.jsonl") == 0
    assert cli.out.endswith("no secrets found\n")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_a_database_is_made_and_what_is_there_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    given = leaky(tmp_path / "in.jsonl")
    assert cli("redact", given, tmp_path / "out.db") == 0
    assert cli("redact", given, tmp_path / "out.db") == 0
    assert "1 session there already" in cli.out
    assert TOKEN.encode() not in (tmp_path / "out.db").read_bytes()
    assert cli("copy", given, tmp_path / "other.db") == 0
    assert "has other content of 1 session" in cli_fails(cli, given, tmp_path / "other.db")
    assert "the same" in cli.fails(2, "redact", given, given)


def test_a_copy_whose_numbers_have_shifted_is_refused_with_the_reason(cli: Cli, tmp_path: Path) -> None:
    given, target = tmp_path / "in.jsonl", tmp_path / "out.db"
    first, second = Script("s1"), Script("s2")
    first.prompt("hi")
    second.prompt(f"Use {TOKEN}")
    write_sessions(given, first, second)
    assert cli("redact", given, target) == 0
    first.says(f"And ghp_{TOKEN[:3:-1]}.")
    write_sessions(given, first, second)
    said = cli_fails(cli, given, target)
    assert "'s2': event 1 is another in the target" in said
    assert "numbered in the order" in said
    assert "write to a new file" in said
    assert cli("redact", given, tmp_path / "new.db") == 0
    second.says("bye")  # and what has the same numbers goes on
    write_sessions(given, first, second)
    assert cli("redact", given, tmp_path / "new.db") == 0
    assert "1 event copied" in cli.out


def write_sessions(path: Path, *scripts: Script) -> None:
    rows: list[Line] = []
    for script in scripts:
        rows.append(("session", record(script.session_id).to_row()))
        rows += [("event", event.to_row()) for event in script.events]
    write_rows(path, rows)


def cli_fails(cli: Cli, *arguments: Path) -> str:
    assert cli("redact", *arguments) == 1
    return cli.err


def test_without_a_target_nothing_is_written(cli: Cli, tmp_path: Path) -> None:
    given = leaky(tmp_path / "in.jsonl")
    assert cli("redact", given) == 0
    assert cli.out == SUMMARY
    assert list(tmp_path.iterdir()) == [given]


def test_chosen_sessions_alone(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a", "b")
    assert cli("redact", given, tmp_path / "out.jsonl", "--session", "b") == 0
    assert cli.out.startswith("1 session, 3 events copied")
    assert '"a"' not in (tmp_path / "out.jsonl").read_text()
    assert "nothing" in cli.fails(6, "redact", given, tmp_path / "x.jsonl", "--session", "nothing")


def test_a_secret_in_a_session_id_is_not_printed(cli: Cli, tmp_path: Path) -> None:
    script = Script(f"run-{TOKEN}")
    script.prompt(f"Use {TOKEN}")
    given = write_rows(
        tmp_path / "in.jsonl",
        [("session", record(f"run-{TOKEN}").to_row()), *(("event", event.to_row()) for event in script.events)],
    )
    assert cli("redact", given, tmp_path / "out.jsonl", "--show") == 0
    assert "run-[secret: github token]  event 1  /payload/params/prompt/0/text  Use [secret" in cli.out
    assert TOKEN not in cli.out + cli.err + (tmp_path / "out.jsonl").read_text()


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda value: str(value)
)
def test_no_temporary_file_is_left_however_it_is_ended(tmp_path: Path, how: signal.Signals, code: int) -> None:
    source = "python:tests.cli.factories:Silent"
    with start("redact", source, tmp_path / "x.db", TMPDIR=str(tmp_path)) as process:
        while process.poll() is None and not list(tmp_path.iterdir()):
            time.sleep(0.005)  # polls; the folder appears when it does
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (code, 1), err
    assert list(tmp_path.iterdir()) == []
