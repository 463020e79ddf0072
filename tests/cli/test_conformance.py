"""`conformance`: every form of factory, what is said of a broken promise, and that no store with content is touched."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT
from pyapp.drivers.conformance.kit import record

from ..unit.test_docs import ROOT, samples
from . import factories
from .kit import Cli

HERE = "tests.cli.factories"
ALL = len(DRIVER_CONTRACT) + len(STORE_CONTRACT) + len(WHOLE_CONTRACT)


@pytest.mark.parametrize("name", ["five", "coroutine", "async_manager", "manager"])
def test_forms_of_factories(cli: Cli, name: str) -> None:
    factories.opened.clear()
    assert cli("conformance", f"{HERE}:{name}") == 0
    assert cli.out.endswith(f"\n{len(DRIVER_CONTRACT)} of {len(DRIVER_CONTRACT)} promises kept\n")
    assert cli.out.count("  ok      ") == len(DRIVER_CONTRACT)
    assert factories.opened.count("closed") == len(factories.opened) / 2


def test_a_store_is_asked_for_everything(cli: Cli) -> None:
    assert cli("conformance", f"{HERE}:store") == 0
    assert cli.out.endswith(f"\n{ALL} of {ALL} promises kept\n")


def test_five_methods_with_defaults(cli: Cli) -> None:
    assert cli("conformance", "--defaults", f"{HERE}:five") == 0
    count = len(DRIVER_CONTRACT) + len(STORE_CONTRACT)
    assert cli.out.endswith(f"\n{count} of {count} promises kept\n")


def test_a_store_that_is_emptied(cli: Cli) -> None:
    assert cli("conformance", f"{HERE}:same", "--reset", f"{HERE}:empty") == 0
    asyncio.run(factories.shared.update_session(record()))
    assert "holds sessions; nothing was written to it" in cli.fails(1, "conformance", f"{HERE}:same")
    assert asyncio.run(factories.shared.get_session("s1")) == record()
    factories.empty()


def test_broken_promises_are_explained(cli: Cli) -> None:
    assert cli("conformance", f"{HERE}:overwriting") == 1
    assert re.search(
        r"^  BROKEN  taken index is refused\n"
        r"          promised: Another event with an index in use is refused in the words .*\n"
        r"          .*but nothing was refused$",
        cli.out,
        re.MULTILINE,
    )
    place = r"  BROKEN  unknown ids are empty\n.*\n +AttributeError: .* \(.*test_drivers.py:\d+, in list_events\)"
    assert re.search(place, cli.out)
    assert re.search(r"\n\d+ of \d+ promises kept, \d+ broken\n$", cli.out)


def test_a_driver_that_hangs(cli: Cli) -> None:
    assert cli("conformance", f"{HERE}:Hanging", "--timeout", "1") == 1
    assert "not done after 1 seconds" in cli.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["endless", "--timeout", "1"], "the factory gave no driver: nothing after 1 seconds"),
        (["leaving"], "the factory leaving failed: SystemExit: 9"),
        (["NotEntered"], "the factory NotEntered failed: OSError: no disk"),
        (["store", "--reset", f"{HERE}:failing_reset"], "the reset function failed: ValueError: no key"),
    ],
)
def test_factories_that_fail(cli: Cli, arguments: list[str], words: str) -> None:
    assert words in cli.fails(2, "conformance", f"{HERE}:{arguments[0]}", *arguments[1:])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotLeft", "OSError: no disk"),
        ("NotListing", "AttributeError: 'NoneType' object has no attribute 'items'"),
        ("Unwilling", "CancelledError: "),
        ("Unwilling", "SystemExit: 9"),
        ("Unwilling", "TimeoutError: no answer"),
    ],
)
def test_whatever_a_driver_raises_breaks_a_promise(cli: Cli, name: str, words: str) -> None:
    assert cli("conformance", f"{HERE}:{name}") == 1
    assert cli.err == ""
    assert f"          {words}" in cli.out
    assert re.search(rf"\n\d+ of {ALL} promises kept, \d+ broken\n$", cli.out)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(:", "SyntaxError: invalid syntax"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(9)", "SystemExit: 9"),
    ],
)
def test_modules_that_cannot_be_loaded(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_module.py").write_text(code)
    assert f"broken_module cannot be loaded: {words}" in cli.fails(2, "conformance", "broken_module:f")
    assert ".near cannot be loaded" in cli.fails(2, "conformance", ".near:f")


def test_hostile_words_of_a_driver(cli: Cli) -> None:
    assert cli("conformance", f"{HERE}:Telling") == 1
    assert "\x1b" not in cli.out
    assert "RuntimeError: \\x1b[2Jgone" in cli.out


def test_the_driver_of_the_document(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/drivers.md shows one in twenty lines, and the command that checks it."""
    code, emptying = (code for _, code in samples("python") if "class JsonFiles" in code or "def empty" in code)
    driver = code[code.index("class JsonFiles") :]
    assert len([line for line in driver.splitlines() if line.strip()]) <= 20
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_store.py").write_text(code + emptying)
    assert "python -m pyapp conformance my_store:JsonFiles" in (ROOT / "docs" / "drivers.md").read_text()
    assert cli("conformance", "my_store:JsonFiles", "--reset", "my_store:empty") == 0, cli.out
    assert cli.out.splitlines()[-1] in (ROOT / "docs" / "drivers.md").read_text()
    assert cli("conformance", "my_store:JsonFiles", "--reset", "my_store:empty", "--defaults") == 0, cli.out
