"""Bad input: one clear line, the exit code that docs/command-line.md lists, and nothing changed."""

from __future__ import annotations

import os
import re
import resource
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pyapp import StoreFullError
from pyapp.cli import exits
from pyapp.cli.addresses import Address, read_address, read_postgres, read_rivet
from pyapp.cli.exits import UsageError, failure

from .kit import ROOT, Cli, content_of, small_recording, write_recording


@pytest.mark.parametrize(
    ("text", "kind", "rest"),
    [
        ("sqlite:some/where", "sqlite", "some/where"),
        ("SQLITE:x", "sqlite", "x"),
        ("x.db", "sqlite", "x.db"),
        ("/a b/x.SQLite", "sqlite", "/a b/x.SQLite"),
        ("C:\\x.db", "sqlite", "C:\\x.db"),
        ("x.jsonl", "jsonl", "x.jsonl"),
        ("jsonl:x", "jsonl", "x"),
        ("postgres://h/d", "postgres", "postgres://h/d"),
        ("rivet:http://h:1", "rivet", "http://h:1"),
        ("python:m:f", "python", "m:f"),
    ],
)
def test_addresses(text: str, kind: str, rest: str) -> None:
    address = read_address(text)
    assert (address.kind, address.rest) == (kind, rest)


def test_passwords_are_not_shown() -> None:
    for text in (
        "postgresql://me:s3cr3t@h/d?schema=x&password=s3cr3t",
        "rivet:https://me:s3cr3t@h?token=s3cr3t&actor=a",
        "postgresql://me:/s3cr3t@h/d",
        "postgresql://me:?s3cr3t@h/d",
        "postgresql://me:#s3cr3t@h/d",
        "postgresql://me:@s3cr3t@h/d",
        "postgresql://me:s3cr3t@[::1/d",
        "postgresql://h/d?pass= s3cr3t",
        "postgresql:host=h password=s3cr3t",
        "postgresql:host=h password = 'a s3cr3t \\' s3cr3t' user=x",
        "rivet:http://[::1?token=s3cr3t",
    ):
        shown = str(read_address(text))
        assert "s3cr3t" not in shown
        assert "***" in shown
    assert str(read_address("postgresql://me@h:5432/d?schema=a%20b")) == "postgresql://me@h:5432/d?schema=a%20b"


def test_passwords_in_a_mistaken_command_line_are_not_shown(cli: Cli) -> None:
    for arguments in (
        ["ls", "a.db", "postgresql://me:s3cr3t@h/d"],
        ["ls", "//me:s3cr3t@h"],
        ["postgresql://me:s3cr3t@h"],
    ):
        assert cli(*arguments) == 2
        assert "s3cr3t" not in cli.err
        assert "***" in cli.err


def test_options_of_addresses() -> None:
    assert read_postgres("postgresql://h/d") == ("postgresql://h/d", "public")
    assert read_postgres("postgresql://u:p%40@h/d?schema=My%20one&sslmode=require") == (
        "postgresql://u:p%40@h/d?sslmode=require",
        "My one",
    )
    for given in (
        "postgresql:///d?host=/run/postgresql",
        "postgresql://h/d?options=-c%20a&password=a+b",
        "postgresql:///",
    ):
        assert read_postgres(given) == (given, "public")
        assert read_postgres(f"{given}{'&' if '?' in given else '?'}schema=x") == (given, "x")
    assert read_rivet("http://h:1?actor=a&key=x") == ("http://h:1", {"actor": "a", "key": "x"})
    for wrong in ("h:1", "ftp://h", "http://h?actr=a"):
        with pytest.raises(UsageError):
            read_rivet(wrong)


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("mysql://h/d", 2, "'mysql' is no kind of store"),
        ("sqlite:", 2, "says no place"),
        ("notes.txt", 2, "does not tell what it is"),
        ("nothing.db", 3, "nothing.db is not there; nothing was made"),
        ("nothing.jsonl", 3, "nothing.jsonl is not there"),
        ("sqlite:folder.db", 3, "is a folder, no file"),
        ("garbage.db", 4, "is not a SQLite database"),
        ("foreign.db", 4, "foreign.db"),
        ("damaged.db", 4, "damaged"),
        ("garbage.jsonl", 4, "garbage.jsonl, line 1: not JSON"),
        ("orphan.jsonl", 4, "orphan.jsonl, line 1: the event belongs to a session that is not in the file"),
        ("empty.jsonl", 4, "empty.jsonl: the file is empty"),
        ("untyped.jsonl", 4, "untyped.jsonl, line 1: the type is missing; it must be 'session' or 'event'"),
        ("python:os:nothing", 2, "there is no 'nothing' in os"),
        ("python:no.such.module:f", 2, "there is no module 'no'"),
        ("python:f", 2, "names no function"),
        ("python:os:getcwd", 2, "is no driver"),
        ("rivet:nowhere", 2, "pyapp: rivet: needs an endpoint"),
        ("rivet:http://[::1", 2, "cannot read the endpoint"),
        ("postgresql://h/d?schema=a&schema=b", 2, "pyapp: postgresql://h/d?schema=a&schema=b names 2 schemas"),
        ("postgresql://[::1/d", 2, "the connection string cannot be read"),
        ("circle.jsonl", 3, "circle.jsonl is not there"),
        ("circle.db", 3, "circle.db is not there"),
    ],
)
@pytest.mark.parametrize("command", [["ls"], ["copy"]])
def test_bad_sources(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    address: str,
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _make_bad_files(tmp_path, address)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert words in cli.fails(code, *command, address, *(["new.db"] if command == ["copy"] else []))
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def _make_bad_files(folder: Path, address: str) -> None:
    path = folder / address.removeprefix("sqlite:")
    match path.name:
        case "circle.jsonl" | "circle.db":
            path.symlink_to(path.name)
        case "folder.db":
            path.mkdir()
        case "garbage.db" | "garbage.jsonl":
            path.write_bytes(b"this is no such file" * 100)
        case "foreign.db":
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, cookie TEXT)")
            connection.close()
        case "damaged.db":
            _make_damaged(path)
        case "orphan.jsonl":
            whole = small_recording(path, "a").read_text()
            path.write_text("".join(line + "\n" for line in whole.splitlines() if '"event"' in line))
        case "untyped.jsonl":
            path.write_text('{"id": "a"}\n')
        case "empty.jsonl":
            path.write_bytes(b"")


def _make_damaged(path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pyapp", "copy", write_recording(path.with_suffix(".jsonl"), {"a": 400}), path],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    path.with_suffix(".jsonl").unlink()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


def test_a_refused_connection(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        said = cli.fails(3, "ls", f"postgresql://me:s3cr3t@127.0.0.1:{port}/db")
        assert "s3cr3t" not in said
        assert str(port) in said


def test_a_schema_that_cannot_be(cli: Cli) -> None:
    assert "schema" in cli.fails(2, "ls", "postgresql://127.0.0.1:1/db?schema=")


def test_a_missing_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = cli.fails(3, "ls", "postgresql://127.0.0.1:1/db")
    assert "pip install 'sandbox-agent-pyodide[postgres]'" in said


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["ls"], ["copy", "a.db"], ["show", "a.db", "s", "--json", "--transcript"]]
)
def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    assert cli(*arguments) == 2
    assert cli.err.startswith("usage: ")
    assert "error: " in cli.err


def test_a_store_into_itself(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = small_recording(tmp_path / "x.jsonl", "a")
    before = source.read_bytes()
    assert "are the same" in cli.fails(2, "copy", source, "./x.jsonl")
    assert source.read_bytes() == before


@pytest.mark.parametrize("target_name", ["garbage.db", "foreign.db", "garbage.jsonl"])
def test_bad_targets_are_left_alone(cli: Cli, tmp_path: Path, target_name: str) -> None:
    _make_bad_files(tmp_path, target_name)
    before = (tmp_path / target_name).read_bytes()
    cli.fails(4, "copy", small_recording(tmp_path / "in.jsonl", "a"), tmp_path / target_name)
    assert (tmp_path / target_name).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", target_name}


def test_a_folder_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a")
    for name in ("no/x.db", "no/x.jsonl"):
        cli.fails(3, "copy", given, tmp_path / name)


@pytest.mark.parametrize("content", ["of another program", "nothing"])
def test_a_file_that_is_only_looked_at_is_not_changed(cli: Cli, tmp_path: Path, content: str) -> None:
    given, other = small_recording(tmp_path / "in.jsonl", "a"), tmp_path / "other.db"
    if content == "nothing":
        other.touch()
    else:
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE bookmarks (id)")
    before = other.read_bytes()
    commands: list[list[str | Path]] = [["ls", other], ["show", other, "a"], ["inspect", other]]
    commands.append(["copy", other, tmp_path / "x.jsonl"])
    for command in commands:
        assert "holds no sessions" in cli.fails(4, *command)
    assert cli("copy", given, other, "--dry-run") == 0
    assert cli.out == "1 session, 3 events would be copied\n"
    assert other.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "other.db"}


def test_sessions_that_are_only_looked_at_are_not_changed(cli: Cli, tmp_path: Path) -> None:
    given, source = small_recording(tmp_path / "in.jsonl", "a"), tmp_path / "x.db"
    assert cli("copy", given, source) == 0
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    before = source.read_bytes()
    assert cli("ls", source) == 0
    assert cli("copy", source, tmp_path / "y.db", "--dry-run") == 0
    assert cli("copy", given, source, "--dry-run") == 0
    assert source.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "x.db"}


@pytest.mark.parametrize("name", ["x.jsonl", "x.db"])
def test_targets_that_are_no_files(cli: Cli, tmp_path: Path, name: str) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a")
    kind = read_address(name).kind
    os.mkfifo(tmp_path / name)
    assert "no plain file" in cli.fails(3, "copy", given, tmp_path / name)
    assert "a folder" in cli.fails(3, "copy", given, f"{kind}:{tmp_path}")
    for option in ([], ["--dry-run"]):
        assert "its folder does not exist" in cli.fails(3, "copy", given, tmp_path / "no" / name, *option)
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", name}


def test_a_recording_that_may_not_be_written_is_left_alone(tmp_path: Path) -> None:
    given, target = small_recording(tmp_path / "in.jsonl", "a"), small_recording(tmp_path / "out.jsonl", "z")
    target.chmod(0o444)
    before = target.read_bytes()
    for path in [tmp_path, *tmp_path.parents[:-1]]:
        if path.stat().st_uid == os.geteuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o5)
    tmp_path.chmod(0o777)
    leave_root = "os.setgid(65534); os.setuid(65534)" if os.geteuid() == 0 else ""
    code = f"""
import os, sys
from pyapp.cli import main
main(["copy", "--help"])  # loads all that may not be readable afterwards
{leave_root}
sys.exit(main(["copy", {str(given)!r}, {str(target)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "can only be read by this user" in done.stderr
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.jsonl"}


def test_a_full_disk(cli: Cli, tmp_path: Path) -> None:
    """The file may grow to half of what is copied; with room again, the same command goes on."""
    given = write_recording(tmp_path / "in.jsonl", {"a": 300, "b": 300})
    existing = small_recording(tmp_path / "out.jsonl", "z")
    before = existing.read_bytes()
    half = given.stat().st_size // 2

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (half, half))

    done = subprocess.run(
        [sys.executable, "-m", "pyapp", "copy", given, existing],
        cwd=ROOT,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert re.search(r"no room for .*out\.jsonl; it was left as it was", done.stderr)
    assert existing.read_bytes() == before
    assert cli("copy", given, existing) == 0
    assert existing.read_bytes().startswith(before)
    assert cli("copy", existing, given, "--dry-run", "--session", "a", "--session", "b") == 0
    assert "2 sessions there already" in cli.out


def test_what_is_wrong_with_a_target_is_said_before_the_source_is_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("garbage")
    for command in ("copy", "redact"):
        assert "no/x.db cannot be written" in cli.fails(3, command, tmp_path / "in.jsonl", tmp_path / "no" / "x.db")


def test_ctrl_c_while_the_commands_are_loaded(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupted)
    assert cli.fails(130, "ls", "x.db") == "pyapp: interrupted\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed_before_the_start(tmp_path: Path, closed: str) -> None:
    given = small_recording(tmp_path / "in.jsonl", "a")
    for arguments, expected in ((f"ls {given}", 0), (f"copy {given} {tmp_path}/x.db", 0), ("ls nothing.db", 3)):
        done = subprocess.run(
            f"{sys.executable} -m pyapp {arguments} {closed}",
            shell=True,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected
        assert "pyapp: " not in done.stdout
    assert set(content_of(tmp_path / "x.db")) == {"a"}


def test_every_failure_has_words_and_a_code() -> None:
    assert failure(StoreFullError("full")) == ("full", exits.FULL)
    assert failure(OSError(28, "No space left on device", "/x")) == ("/x: No space left on device", exits.FULL)
    assert failure(PermissionError(13, "Permission denied", "/x")) == ("/x: Permission denied", exits.UNAVAILABLE)
    words, code = failure(KeyError("x"))
    assert code == exits.BUG
    assert "KeyError: 'x'" in words
    assert "--traceback" in words


def test_the_document_lists_every_exit_code() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text()
    codes = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert {int(code) for code in re.findall(r"^\| (\d+) +\|", text, re.MULTILINE)} == codes


def test_an_error_inside_shows_its_place_when_asked(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_factory.py").write_text("def make():\n    raise KeyError('here')\n")
    assert "the factory make failed: KeyError: 'here'" in cli.fails(2, "ls", "python:broken_factory:make")
    assert cli("--traceback", "ls", "python:broken_factory:make") == 2
    assert "broken_factory.py" in cli.err


def test_a_driver_of_ones_own_that_fails(cli: Cli, tmp_path: Path) -> None:
    """It is to blame, as source and as target, and no other that has nothing to do with it."""
    given, failing = small_recording(tmp_path / "in.jsonl", "a"), "python:tests.cli.factories:Failing"
    words = rf"pyapp: the driver {failing} failed: IndexError: .*factories.py:\d+, in "
    assert re.match(words + "list_sessions", cli.fails(4, "ls", failing))
    assert re.match(words + "list_sessions", cli.fails(4, "copy", failing, "python:pyapp:InMemorySessionPersistDriver"))
    assert re.match(words + "count_events", cli.fails(4, "copy", given, failing))
    assert cli("--traceback", "ls", failing) == 4
    assert "return [][1]" in cli.err


def test_an_address_of_every_kind_is_shown_as_it_is_written() -> None:
    assert str(Address("python", "m:f")) == "python:m:f"
    assert str(read_address("rivet:http://h:1?actor=a")) == "rivet:http://h:1?actor=a"
    assert os.fspath(read_address("a.db").path) == "a.db"
