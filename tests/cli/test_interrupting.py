"""Ctrl-C while a driver of one's own keeps the event loop busy."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from .kit import ROOT, small_recording, start, write_recording

AT_ONCE = "pyapp: stopping after what is being written; Ctrl-C again stops now"
STORE = "python:tests.cli.slow_store"


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.005)  # polls; the file appears when it does


def what_it_said(process: subprocess.Popen[str]) -> str:
    """All of stderr, once it has ended; what does not end is killed."""
    try:
        return process.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command runs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def built_page(folder: Path) -> Path:
    """A folder that looks like one."""
    page = folder / "dist"
    page.mkdir()
    (page / "index.html").write_text("<html>")
    (page / "boot.json").write_text("{}")
    return page


def test_a_slow_driver_stops_between_two_events(here: Path) -> None:
    """All events would take over a minute."""
    given = write_recording(here / "in.jsonl", {"a": 4_000})
    with start("copy", given, f"{STORE}:SlowStore", cwd=here) as process:
        wait_for(here / "calls")
        process.send_signal(signal.SIGINT)
        err = what_it_said(process)
    assert process.returncode == 130
    assert err.splitlines() == [
        AT_ONCE,
        f"pyapp: what was copied stays in {STORE}:SlowStore; the same command goes on from it",
        "pyapp: interrupted",
    ]
    assert len((here / "calls").read_text().splitlines()) < 2_000


def test_a_second_ctrl_c_stops_what_does_not_end(here: Path) -> None:
    given = write_recording(here / "in.jsonl", {"a": 3})
    with start("copy", given, f"{STORE}:StuckStore", cwd=here) as process:
        wait_for(here / "calls")
        assert process.stderr
        os.kill(process.pid, signal.SIGINT)
        assert process.stderr.readline() == AT_ONCE + "\n"
        os.kill(process.pid, signal.SIGINT)
        err = what_it_said(process)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.endswith("pyapp: interrupted\n")


@pytest.mark.parametrize("command", ["inspect", "ls", "copy"])
def test_what_is_read_without_an_end_is_left(here: Path, command: str) -> None:
    page = built_page(here)
    more = {"inspect": ("--page", str(page), "--no-browser"), "ls": (), "copy": ("x.db",)}
    with start(command, f"{STORE}:Endless", *more[command], cwd=here) as process:
        wait_for(here / "calls")
        process.send_signal(signal.SIGINT)
        err = what_it_said(process)
    assert (process.returncode, err.count("Traceback")) == (130, 0)


def test_inspect_ends_while_it_answers(here: Path) -> None:
    with start("inspect", f"{STORE}:Counted", "--page", built_page(here), "--no-browser", cwd=here) as process:
        assert process.stdout
        host, token = re.findall(r"http://(\S+)/#token=(\S+)", process.stdout.readline())[0]
        with closing(http.client.HTTPConnection(host)) as connection:
            body = json.dumps({"method": "countEvents", "params": {"sessionId": "a"}})
            connection.request("POST", "/source", body, {"Authorization": f"Bearer {token}"})
            wait_for(here / "calls")
            process.send_signal(signal.SIGINT)
            err = what_it_said(process)
    assert (process.returncode, err) == (0, "")


def test_nothing_was_copied_while_it_was_compared(here: Path) -> None:
    small_recording(here / "in.jsonl", "a", events=1)
    with start("copy", f"{STORE}:Endless", "in.jsonl", cwd=here) as process:
        wait_for(here / "calls")
        process.send_signal(signal.SIGINT)
        err = what_it_said(process)
    assert err.startswith("pyapp: nothing was copied this time")
    assert "stays in" not in err
