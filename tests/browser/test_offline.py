"""Without a network after the first visit; the next version offered, never forced, never mixed."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from .conftest import ARGUMENTS, START, Faults, wait_ready
from .deployed import DEMO, Site

OPEN_DRIVER = "const driver = await (await pyapp).openDriver();"
AGENTS = f"""async () => {{
  {OPEN_DRIVER}
  return (await driver.listSessions()).items.map((session) => session.agent);
}}"""
LAZY = f"""async () => (await (await fetch('{DEMO}')).text()).match(/"agent":"([^"]*)"/)[1]"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """As in conftest, with service workers."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(Site(tmp_path / "site", **options))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site_with_python(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def light(make_site: MakeSite) -> Site:
    """A site without Python, where nothing but the shell and the service worker matters."""
    return make_site(with_python=False)


PLAIN = "?boot=plain"
"""Starts from the wheel, whose version tells of which deployment it is."""


def visit(page: Page, site: Site, query: str = "") -> Page:
    """Go to the page and wait until it is kept for work without a network."""
    page.goto(site.address + query)
    wait_ready(page)
    is_kept(page)
    return page


def is_kept(page: Page) -> None:
    expect(page.locator("html[data-offline=ready]")).to_be_attached(timeout=START)


def look_for_update(page: Page) -> None:
    """What the browser does by itself at each navigation, and the page after an hour."""
    page.evaluate("async () => { await (await navigator.serviceWorker.getRegistration()).update(); }")


def offered(page: Page) -> Locator:
    return page.get_by_role("complementary", name="New version").filter(has=page.get_by_role("button", name="Reload"))


def shows(page: Page, version: str) -> None:
    """The page itself is of this version, and so is what it fetches now."""
    expect(page.locator("html")).to_have_attribute("data-test", version)
    assert page.evaluate(LAZY) == f"mock-{version}"


def is_controlled(page: Page) -> bool:
    controlled: bool = page.evaluate("navigator.serviceWorker.controller !== null")
    return controlled


def kept_files(page: Page) -> list[str]:
    kept: list[str] = page.evaluate(
        """async () => {
          const names = await caches.keys();
          const caches_ = await Promise.all(names.map((name) => caches.open(name)));
          const requests = (await Promise.all(caches_.map((cache) => cache.keys()))).flat();
          return requests.map(({url}) => new URL(url).pathname.replace('/deep/folder/', ''));
        }"""
    )
    return kept


def load_demo(page: Page) -> None:
    page.get_by_role("button", name="Load the demo sessions").click()
    expect(page.get_by_role("navigation", name="Sessions").get_by_role("link")).to_have_count(1)


@pytest.fixture
def on_disk(playwright_driver: Playwright, chromium_path: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """A profile as people have it: the HTTP cache of the others, in memory, takes no file as big as Pyodide's."""
    context = playwright_driver.chromium.launch_persistent_context(
        str(tmp_path / "profile"), executable_path=chromium_path, args=list(ARGUMENTS)
    )
    yield context
    context.close()


def test_all_works_without_a_network_after_the_first_visit(
    site_with_python: Site, on_disk: BrowserContext, faults: Faults
) -> None:
    site, page = site_with_python, on_disk.pages[0]
    faults.watch(page)
    visit(page, site)
    big = [name for name in site.sent if name.endswith((".bin", ".wasm", ".zip", ".asm.js", ".whl"))]
    assert len(set(big)) == 10
    assert sorted(set(big)) == sorted(big), "nothing big is sent twice, to the page and to the service worker"

    site.stop()
    on_disk.new_cdp_session(page).send("Network.clearBrowserCache")
    load_demo(page)  # also in the page of the first visit itself, though it was loaded from the network
    assert page.evaluate(AGENTS) == ["mock-A"]
    page.reload()
    wait_ready(page)
    expect(page.get_by_role("navigation", name="Sessions").get_by_role("link")).to_have_count(1)

    second = on_disk.new_page()
    faults.watch(second)
    session = page.evaluate(f"async () => {{ {OPEN_DRIVER} return (await driver.listSessions()).items[0].id; }}")
    second.goto(f"{site.address}index.html?boot=plain#/sessions/{session}?event=3")
    wait_ready(second)
    expect(second.get_by_role("slider", name="Playback position")).to_have_value("3")
    assert second.evaluate("async () => (await pyapp).version") == "A"
    expect(second.locator("#update")).to_be_empty()
    expect(second.get_by_role("alert")).to_be_empty()
    assert faults.texts == []


def test_an_update_is_offered_and_never_mixed(
    site_with_python: Site, context: BrowserContext, page: Page, faults: Faults
) -> None:
    site = site_with_python
    visit(page, site, PLAIN)
    site.deploy("B")
    look_for_update(page)
    expect(offered(page)).to_contain_text("A new version of this page is ready.")

    second = context.new_page()
    faults.watch(second)
    visit(second, site, PLAIN)
    for one in (page, second):
        shows(one, "A")
        assert one.evaluate("async () => (await pyapp).version") == "A"
    load_demo(second)
    assert second.evaluate(AGENTS) == ["mock-A"], "fetched after the deployment, and of the version before"

    offered(page).get_by_role("button", name="Reload").click()
    expect(offered(page)).to_contain_text("This page is open in another tab too: close it, then reload.")
    shows(page, "A")
    second.close()
    loads: list[str] = []
    page.on("domcontentloaded", lambda page: loads.append(page.url))
    offered(page).get_by_role("button", name="Reload").click()
    expect(page.locator("html")).to_have_attribute("data-test", "B")
    wait_ready(page)
    is_kept(page)
    shows(page, "B")
    assert page.evaluate("async () => (await pyapp).version") == "B"
    assert len(loads) == 1
    expect(page.locator("#update")).to_be_empty()


def test_the_next_visit_after_all_tabs_are_closed_is_the_new_version(
    light: Site, context: BrowserContext, page: Page
) -> None:
    visit(page, light)
    before = set(kept_files(page))
    light.deploy("B")
    look_for_update(page)
    offered(page).get_by_role("button", name="Later").click()
    expect(page.locator("#update")).to_be_empty()
    shows(page, "A")
    assert set(kept_files(page)) == before
    page.goto("about:blank")
    visit(page, light)
    light.stop()
    shows(page, "B")
    files = kept_files(page)
    assert len(files) == len(set(files)), "what was of the version before is gone"


def test_reloading_by_hand_leaves_the_choice(light: Site, page: Page) -> None:
    visit(page, light)
    light.deploy("B")
    page.reload()
    expect(offered(page)).to_be_visible()
    page.reload()
    expect(offered(page)).to_be_visible()
    shows(page, "A")


def test_an_update_fetches_only_what_has_changed(light: Site, page: Page) -> None:
    visit(page, light)
    light.deploy("B")
    light.asked.clear()
    look_for_update(page)
    expect(offered(page)).to_be_visible()
    changed = {"sw.js", "index.html", "demo/index.json", DEMO}
    assert {name for name in light.asked if not name.endswith(".whl")} <= changed
    assert sum(name.endswith(".whl") for name in light.asked) == 1


def test_a_deployment_right_after_the_first_visit_is_not_mixed_in(site_with_python: Site, page: Page) -> None:
    site = site_with_python
    site.before["sw.js"] = lambda: site.deploy("B")
    visit(page, site)
    expect(offered(page)).to_be_visible()
    assert not is_controlled(page), "what was installed is not of this page's version"
    page.get_by_role("button", name="Load the demo sessions").click()
    expect(page.get_by_role("alert")).to_contain_text("of another version than this page, which a reload mends")
    assert page.evaluate(AGENTS) == []
    offered(page).get_by_role("button", name="Reload").click()
    expect(page.locator("html")).to_have_attribute("data-test", "B")
    visit(page, site)
    shows(page, "B")
    assert is_controlled(page)


def test_a_page_of_another_version_is_not_claimed_along(
    make_site: MakeSite, context: BrowserContext, page: Page, faults: Faults
) -> None:
    light = make_site(with_python=False, validators=False)
    light.failing.add("sw.js")
    page.goto(light.address)  # of version A, and not kept
    wait_ready(page)
    faults.expect("404")
    light.failing.clear()
    light.deploy("B")
    second = visit(context.new_page(), light)
    shows(second, "B")
    assert not is_controlled(second)
    assert not is_controlled(page), "it would be given files of version B"


def test_a_deployment_during_the_installation_breaks_it_off(light: Site, page: Page, faults: Faults) -> None:
    light.before["demo/index.json"] = lambda: light.change(DEMO, lambda text: text.replace("mock-A", "mock-X"))
    visit_until_failed(page, light)
    assert kept_files(page) == []
    light.deploy("B")
    page.reload()
    is_kept(page)
    shows(page, "B")
    faults.texts = [text for text in faults.texts if "integrity" not in text]


def test_a_full_disk_leaves_the_page_as_it_is(light: Site, context: BrowserContext, page: Page) -> None:
    context.new_cdp_session(page).send(
        "Storage.overrideQuotaForOrigin", {"origin": light.address.partition("/deep")[0], "quotaSize": 300_000}
    )
    visit_until_failed(page, light)
    assert kept_files(page) == [], "room that sessions may need"


def visit_until_failed(page: Page, site: Site) -> None:
    """Go to the page, which must be ready and say nothing, and wait until the installation was given up."""
    with page.expect_console_message(lambda message: "not stored for work without a network" in message.text):
        page.goto(site.address)
        wait_ready(page)
    expect(page.locator("#update")).to_be_empty()
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.locator("html")).not_to_have_attribute("data-offline", "ready")


@pytest.mark.parametrize("lack", ["none", "no script", "refused"])
def test_a_page_that_cannot_have_a_service_worker_works_without(
    light: Site, page: Page, faults: Faults, lack: str
) -> None:
    if lack == "no script":
        light.failing.add("sw.js")
    if lack == "refused":
        page.add_init_script("navigator.serviceWorker.register = () => Promise.reject(new DOMException('no'))")
    if lack == "none":
        page.add_init_script("delete Navigator.prototype.serviceWorker")
        page.goto(light.address)
        wait_ready(page)
        expect(page.get_by_role("heading", name="Ready")).to_be_visible()
        expect(page.locator("#update")).to_be_empty()
    else:
        visit_until_failed(page, light)
    if lack == "no script":
        faults.expect("404")  # Chromium writes it to the console


def test_without_any_validator_it_is_kept_as_well(make_site: MakeSite, page: Page) -> None:
    site = make_site(with_python=False, validators=False)
    visit(page, site)
    site.deploy("B")
    look_for_update(page)
    offered(page).get_by_role("button", name="Reload").click()
    expect(page.locator("html")).to_have_attribute("data-test", "B")
    is_kept(page)
    site.stop()
    page.reload()
    wait_ready(page)
    shows(page, "B")


def test_what_is_kept_and_damaged_is_mended_by_trying_again(site_with_python: Site, page: Page, faults: Faults) -> None:
    site = site_with_python
    visit(page, site, PLAIN)
    site.deploy("B")
    page.evaluate(
        """async () => {
          const [name] = await caches.keys();
          const cache = await caches.open(name);
          for (const request of await cache.keys())
            if (request.url.includes('sandbox_agent')) await cache.delete(request);
        }"""
    )
    page.reload()
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=START)
    expect(page.get_by_role("alert")).to_contain_text("of another version than this page")
    faults.texts = [text for text in faults.texts if "integrity" not in text and "ERR_FAILED" not in text]
    again.click()
    expect(page.locator("html")).to_have_attribute("data-test", "B")
    wait_ready(page)
    assert page.evaluate("async () => (await pyapp).version") == "B"


@pytest.mark.parametrize("answer", ["compile(source)", "Promise.reject(new Error('no'))"], ids=["it does", "it fails"])
def test_from_the_second_visit_on_the_page_compiles_for_its_worker(
    site_with_python: Site, page: Page, answer: str
) -> None:
    visit(page, site_with_python)
    page.add_init_script(
        f"""const compile = WebAssembly.compileStreaming;
        globalThis.compiled = 0;
        WebAssembly.compileStreaming = (source) => {{
          globalThis.compiled += 1;
          return {answer};
        }};"""
    )
    page.reload()
    wait_ready(page)
    assert page.evaluate("compiled") == 1
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")


def test_it_can_be_installed(light: Site, context: BrowserContext, page: Page) -> None:
    visit(page, light)
    session = context.new_cdp_session(page)
    told = session.send("Page.getAppManifest")
    assert told["errors"] == []
    assert told["url"] == f"{light.address}manifest.webmanifest"
    manifest = json.loads(told["data"])
    assert manifest["start_url"] == manifest["scope"] == "./"
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in errors] in ([], ["in-incognito"])
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            data = (light.folder / icon["src"]).read_bytes()
            assert "{}x{}".format(*struct.unpack(">II", data[16:24])) == icon["sizes"]
