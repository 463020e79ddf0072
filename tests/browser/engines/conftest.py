"""The engines to test with: those that ENGINES lists, Chromium unless told otherwise."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from .by_playwright import chromium, firefox
from .by_webdriver import WebKitEngine, screen
from .engine import Browser, Engine

ENGINES = os.environ.get("ENGINES", "chromium").split(",")


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, playwright_driver: Playwright) -> Iterator[Engine]:
    match request.param:
        case "chromium":
            yield chromium(playwright_driver, request.getfixturevalue("chromium_path"))
        case "firefox":
            yield firefox(playwright_driver, program("FIREFOX", "firefox-esr", "firefox"))
        case "webkit":
            with screen() as display:
                yield WebKitEngine(program("WEBKIT", "WebKitWebDriver"), display)
        case other:
            pytest.fail(f"ENGINES knows chromium, firefox and webkit, not {other!r}.", pytrace=False)


def program(variable: str, *names: str) -> str:
    """The path that the environment says, or the first of these programs that there is."""
    found = os.environ.get(variable) or next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.fail(f"There is no {names[0]}: run `make test-browsers`, which installs it.", pytrace=False)
    return found


Start = Callable[[], AbstractContextManager[Browser]]


@pytest.fixture
def start(engine: Engine, tmp_path: Path) -> Start:
    """`with start() as browser:` starts it with this test's profile, as often as wanted."""
    return lambda: started(engine, tmp_path / "profile")


@contextmanager
def started(engine: Engine, profile: Path) -> Iterator[Browser]:
    """A browser in which nothing may be reported as an error."""
    with engine.start(profile) as browser:
        yield browser
        assert browser.errors() == [], "the page reported errors"
