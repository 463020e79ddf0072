"""What the inspector must do in every engine: start, import, list, replay, keep, and agree between tabs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..deployed import Site
from .conftest import Start, started
from .engine import Browser, Engine, Tab, wait
from .inspector import (
    ERRORS,
    EXPORT,
    PAUSE,
    PERMISSIONS,
    PLAY,
    SAVE,
    SAYS,
    SHOWN,
    SLIDER,
    SPEED,
    add_event,
    add_session,
    await_all_read,
    await_listed,
    await_position,
    await_ready,
    await_saved,
    await_start,
    go_to,
    import_recordings,
    lines_of,
    open_inspector,
    stored,
    transcript,
)

EVENTS = 212
"""Events of the recording PERMISSIONS."""

ERROR_EVENTS = 297
"""Events of the recording ERRORS, whose session is the newer one."""


@pytest.mark.parametrize("way", ["snapshot", "plain"])
def test_starts_both_ways(start: Start, site: str, way: str) -> None:
    with start() as browser:
        tab = open_inspector(browser, f"{site}?boot={way}")
        assert tab.run("() => document.documentElement.dataset.boot") == way
        wait(tab, "() => document.querySelector('main').innerText.includes('Load the demo sessions')")
        assert stored(tab) == []


@pytest.fixture(scope="module")
def running(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(engine, tmp_path_factory.mktemp("running") / "profile") as browser:
        yield browser


@pytest.fixture(scope="module")
def tab(running: Browser, site: str) -> Tab:
    """A tab in whose store two recordings are, for tests that only read."""
    tab = open_inspector(running, site)
    import_recordings(tab, PERMISSIONS, ERRORS, said="Imported 2 sessions, 509 events.")
    return tab


def test_imported_recordings_are_stored_and_listed(tab: Tab) -> None:
    go_to(tab, "#/")
    await_listed(tab, str(ERROR_EVENTS), str(EVENTS))
    assert stored(tab) == lines_of(PERMISSIONS, ERRORS)


def test_a_session_is_replayed_with_slider_keys_and_play_button(tab: Tab) -> None:
    go_to(tab, f"#/sessions/opencode-permissions?event={EVENTS}")
    await_position(tab, EVENTS)
    await_all_read(tab)
    at_end = transcript(tab)

    tab.click(SLIDER)  # the slider has the focus from here on
    wait(tab, "(slider) => Math.abs(document.querySelector(slider).value - 106) < 10", SLIDER)
    middle = int(tab.run("(slider) => document.querySelector(slider).value", SLIDER))
    await_position(tab, middle)
    assert transcript(tab) != at_end
    tab.press("ArrowRight")
    await_position(tab, middle + 1)
    tab.press("Home")
    await_start(tab)

    tab.choose_option(SPEED, "4")  # slow enough to see it play
    tab.click(PLAY)
    wait(tab, SHOWN, PAUSE)
    wait(tab, "(slider) => document.querySelector(slider).value > 0", SLIDER)
    tab.choose_option(SPEED, "64")
    await_position(tab, EVENTS)
    wait(tab, SHOWN, PLAY)
    assert transcript(tab) == at_end


def test_keys_without_a_field_in_focus(tab: Tab) -> None:
    go_to(tab, f"#/sessions/opencode-permissions?event={EVENTS}")
    await_position(tab, EVENTS)
    tab.choose_option(SPEED, "1")
    tab.run("() => document.activeElement.blur()")
    tab.press("ArrowLeft")
    await_position(tab, EVENTS - 1)
    tab.press("Home")
    await_start(tab)
    tab.press("Shift+ArrowRight")
    wait(tab, "(slider) => document.querySelector(slider).value > 0", SLIDER)
    tab.press("Space")
    wait(tab, SHOWN, PAUSE)
    tab.press("Space")
    wait(tab, SHOWN, PLAY)
    tab.press("k")
    await_position(tab, ERROR_EVENTS)
    tab.press("?")
    wait(tab, SHOWN, "[role=dialog]")
    tab.press("Escape")
    wait(tab, f"(dialog) => !({SHOWN})(dialog)", "[role=dialog]")


def test_an_export_is_saved_as_it_was_imported(running: Browser, tab: Tab) -> None:
    go_to(tab, f"#/sessions/opencode-permissions?event={EVENTS}")
    await_position(tab, EVENTS)
    tab.click(EXPORT)
    wait(tab, "(save) => document.querySelector(save)", SAVE)
    tab.click(SAVE)
    wait(tab, SAYS, "status", f"Exported {EVENTS} events.")
    await_saved(running, PERMISSIONS)


def test_fits_a_narrow_window(tab: Tab) -> None:
    go_to(tab, f"#/sessions/opencode-permissions?event={EVENTS}")
    await_position(tab, EVENTS)
    tab.resize(360, 740)
    try:
        wait(tab, "() => innerWidth === 360")
        assert tab.run("() => document.documentElement.scrollWidth") == 360
    finally:
        tab.resize(1400, 900)


def test_what_was_stored_stays_over_reload_restart_and_kill(start: Start, site: str) -> None:
    """Byte for byte: what is read back are the lines of the recording."""
    kept = lines_of(PERMISSIONS)
    with start() as browser:
        tab = open_inspector(browser, site)
        import_recordings(tab, PERMISSIONS, said="Imported 1 session, 212 events.")
        tab.reload()
        await_ready(tab)
        await_listed(tab, str(EVENTS))
        assert stored(tab) == kept
    with start() as browser:
        tab = open_inspector(browser, site)
        await_listed(tab, str(EVENTS))
        assert stored(tab) == kept
        kept = sorted([*kept, add_session(tab, "last")])
        browser.kill()
    with start() as browser:
        tab = open_inspector(browser, site)
        await_listed(tab, str(EVENTS), "mock")
        assert stored(tab) == kept


def test_two_tabs_show_the_same(start: Start, site: str) -> None:
    with start() as browser:
        here, there = open_inspector(browser, site), open_inspector(browser, site)
        import_recordings(there, PERMISSIONS, said="Imported 1 session, 212 events.")
        await_listed(here, str(EVENTS))
        add_session(here, "from-a-script")
        await_listed(there, str(EVENTS), "mock")
        go_to(here, "#/sessions/opencode-permissions")
        await_position(here, EVENTS)
        add_event(there, "opencode-permissions", EVENTS + 1)
        await_position(here, EVENTS + 1)
        assert stored(here) == stored(there)


def test_without_a_network_after_the_first_visit(start: Start, tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    try:
        with start() as browser:
            tab = open_inspector(browser, site.address)
            import_recordings(tab, PERMISSIONS, said="Imported 1 session, 212 events.")
            wait(tab, "() => document.documentElement.dataset.offline === 'ready'")
            site.stop()
            tab.reload()
            await_ready(tab)
            await_listed(tab, str(EVENTS))
            go_to(tab, f"#/sessions/opencode-permissions?event={EVENTS}")
            await_position(tab, EVENTS)
    finally:
        site.stop()
