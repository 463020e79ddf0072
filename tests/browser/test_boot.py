"""The page starts Python from its own files, tells how far it is, and says what to do when it cannot."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from .conftest import DIST, START, Faults, wait_ready

LOG = """
globalThis.shown = [];
new MutationObserver(() => {
  const bar = document.querySelector('#boot progress');
  const text = document.querySelector('#boot-text')?.textContent;
  if (!bar || shown.at(-1)?.text === text) return;
  shown.push({text, value: bar.hasAttribute('value') ? bar.value : null, max: bar.max});
}).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""


BOOT = json.loads((DIST / "boot.json").read_text()) if DIST.exists() else {}
WAYS = {"snapshot": "", "plain": "?boot=plain"}


@dataclass(frozen=True)
class Start:
    """A page that is ready, in a fresh profile; what page and worker asked for until then; errors that it reported."""

    way: str
    page: Page
    asked: list[str]
    faults: Faults


@pytest.fixture(scope="module", params=WAYS)
def started(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """A start by either way, which several tests look at."""
    context = browser.new_context(service_workers="block")
    page, asked, faults = context.new_page(), [], Faults()
    faults.watch(page)
    page.add_init_script(LOG)
    context.on("request", lambda one: asked.append(one.url))
    page.goto(site + WAYS[request.param])
    wait_ready(page)
    yield Start(request.param, page, list(asked), faults)
    context.close()


def test_progress_counts_the_bytes_that_arrive(started: Start) -> None:
    total = sum(BOOT[started.way]["files"].values())
    shown = started.page.evaluate("shown")
    counted = [one for one in shown if one["value"] is not None and one["max"] == total]
    assert len(counted) >= 3, shown
    values = [one["value"] for one in counted]
    assert values == sorted(values)
    assert values[-1] == total, "a start fetches exactly what the build has counted"
    of = f"{total / 1e6:.1f} MB"
    assert counted[-1]["text"] == f"Loading Python — {of.removesuffix(' MB')} of {of}"
    steps = [one["text"] for one in shown if one["value"] is None]
    assert steps[-1] == "Opening the store"
    assert ("Installing" in steps) == (started.way == "plain")


def test_the_page_tells_how_it_was_started(started: Start) -> None:
    expect(started.page.locator("html")).to_have_attribute("data-boot", started.way)
    started.page.keyboard.press("?")
    told = started.page.get_by_role("dialog", name="Keys")
    if started.way == "snapshot":
        expect(told).to_contain_text("Python was started from its snapshot.")
        expect(told).to_contain_text(re.compile(r"Python restored\s*\d+\.\d\d s"))
    else:
        expect(told).to_contain_text("without its snapshot: it was asked for with boot=plain.")
        expect(told).to_contain_text(re.compile(r"Packages installed\s*\d+\.\d\d s"))
    expect(told).to_contain_text(re.compile(r"In all\s*\d+\.\d\d s"))


def test_only_its_own_origin_and_folder_are_asked(started: Start, site: str) -> None:
    foreign = [url for url in started.asked if not url.startswith((site, "blob:", "data:"))]
    assert foreign == []
    fetched = {urlsplit(url).path.removeprefix(urlsplit(site).path) for url in started.asked}
    assert set(BOOT[started.way]["files"]) <= fetched
    assert (BOOT["snapshot"]["file"] in fetched) == (started.way == "snapshot")


def test_each_file_is_fetched_once(started: Start) -> None:
    network = [url for url in started.asked if url.startswith("http")]
    assert len(network) == len(set(network))


def test_a_start_reports_no_error(started: Start) -> None:
    assert not started.faults.texts


SNAPSHOT = "python/snapshot-*.bin"


def other_content(route: Route) -> None:
    """Another snapshot than that of the page: whole, but with a byte that differs."""
    memory = bytearray(gzip.decompress((DIST / BOOT["snapshot"]["file"]).read_bytes()))
    memory[-1] ^= 1
    route.fulfill(body=gzip.compress(memory, 1))


def half(route: Route) -> None:
    content = (DIST / BOOT["snapshot"]["file"]).read_bytes()
    route.fulfill(body=content[: len(content) // 2])


def nonsense(route: Route) -> None:
    route.fulfill(body=b"<!doctype html><title>Welcome to our hotel's network</title>")


def refuse(route: Route) -> None:
    route.fulfill(status=404, body="not here")


def break_off(route: Route) -> None:
    route.abort()


def forget_refusals(faults: Faults) -> None:
    """Browsers also write a failed request to the console, some of a worker's and some not."""
    faults.texts = [text for text in faults.texts if "Failed to load resource" not in text and "integrity" not in text]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refuse, "Could not load"),
        (break_off, "Could not load"),
        (half, ""),
        (nonsense, ""),
        (other_content, "the snapshot is not the one of this page"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_without_its_snapshot_the_page_starts_plainly_and_says_why(
    page: Page, site: str, faults: Faults, answer: Callable[[Route], None], why: str
) -> None:
    page.context.route(site + SNAPSHOT, answer)
    page.goto(site)
    wait_ready(page)
    expect(page.locator("html")).to_have_attribute("data-boot", "plain")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text(f"without its snapshot: {why}")
    forget_refusals(faults)


KEPT = "await caches.open('sandbox-agent-pyodide-unpacked')"
HASH_OF_KEPT = f"""async () => {{
  const cache = {KEPT};
  const [request] = await cache.keys();
  const kept = request && await (await cache.match(request)).arrayBuffer();
  return kept ? new Uint8Array(await crypto.subtle.digest('SHA-256', kept)).join() : '';
}}"""
DAMAGES = {
    "cut off": "bytes.subarray(0, bytes.length / 2)",
    "empty": "bytes.subarray(0, 0)",
    "another byte": "bytes.fill(bytes[9_000_000] ^ 1, 9_000_000, 9_000_001)",
}


def wait_kept(page: Page, expected: str = "") -> str:
    """Wait until the unpacked snapshot is kept for the next start, with this hash if one is given; its hash."""
    for _ in range(START // 50):
        digest: str = page.evaluate(HASH_OF_KEPT)
        if digest and digest == (expected or digest):
            return digest
        page.wait_for_timeout(50)
    pytest.fail("the snapshot was not kept for the next start")


def test_a_kept_snapshot_that_is_damaged_is_replaced(page: Page, site: str) -> None:
    """In one profile, one damage after the other: each start but the first has one that was replaced."""
    page.goto(site)
    wait_ready(page)
    whole = wait_kept(page)
    for damage in DAMAGES.values():
        page.evaluate(
            f"""async () => {{
              const cache = {KEPT};
              const [request] = await cache.keys();
              const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
              await cache.put(request, new Response({damage}));
            }}"""
        )
        assert wait_kept(page) != whole
        page.reload()
        wait_ready(page)
        expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")
        wait_kept(page, whole)
    page.reload()
    wait_ready(page)
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")


def test_a_browser_that_cannot_unpack_the_snapshot_starts_plainly(page: Page, site: str) -> None:
    def without(route: Route) -> None:
        body = route.fetch().text()
        route.fulfill(body=f"delete self.DecompressionStream;{body}", content_type="text/javascript")

    page.context.route("**/assets/worker-*.js", without)
    page.goto(site)
    wait_ready(page)
    expect(page.locator("html")).to_have_attribute("data-boot", "plain")


def test_a_server_that_knows_no_types_but_those_of_scripts(page: Page, site: str) -> None:
    def untyped(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-type": "application/octet-stream"})

    page.context.route("**/pyodide/**/*.wasm", untyped)
    page.context.route("**/*.bin", untyped)
    page.goto(site)
    wait_ready(page)
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (f"{BOOT['pyodide']}pyodide.asm.wasm", refuse),
        (f"{BOOT['pyodide']}pyodide.asm.wasm", break_off),
        (f"{BOOT['pyodide']}python_stdlib.zip", refuse),
        (f"{BOOT['pyodide']}pyodide.js", refuse),
        (f"{BOOT['pyodide']}pyodide.asm.js", refuse),
        ("wheels/sandbox_agent_pyodide-*.whl", refuse),
        ("wheels/micropip-*.whl", break_off),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_missing_file_is_named_with_what_to_do(
    page: Page, site: str, faults: Faults, name: str, answer: Callable[[Route], None]
) -> None:
    page.context.route(f"{site}{name}", answer)
    page.goto(site + WAYS["plain"])
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible(timeout=START)
    expect(alert).to_contain_text(name.partition("*")[0])
    expect(alert).to_contain_text("Check the connection, then try again.")
    expect(page.locator("html")).to_have_attribute("data-ready", "false")
    failed = page.evaluate("pyapp.then(() => null, (error) => error.message)")
    assert failed
    assert name.partition("*")[0] in failed
    forget_refusals(faults)


def test_try_again_starts_anew(page: Page, site: str, faults: Faults) -> None:
    wheel = f"{site}wheels/htpy-*.whl"
    page.context.route(wheel, refuse)
    page.goto(site + WAYS["plain"])
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=START)
    forget_refusals(faults)
    page.context.unroute(wheel)
    with page.expect_navigation():
        again.click()
    wait_ready(page)
    expect(again).to_have_count(0)


def test_a_worker_that_cannot_be_loaded_is_told(page: Page, site: str, faults: Faults) -> None:
    page.context.route("**/assets/worker-*.js", refuse)
    page.goto(site)
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible(timeout=START)
    expect(alert).to_contain_text("The worker in which Python runs could not be started")
    forget_refusals(faults)


def test_a_browser_without_webassembly_is_told(page: Page, site: str) -> None:
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(site)
    expect(page.get_by_role("alert")).to_contain_text("This browser has no WebAssembly")
    expect(page.get_by_role("alert")).to_contain_text("Use a current Chrome, Edge, Firefox or Safari.")


def test_an_error_in_python_is_told(page: Page, site: str, faults: Faults) -> None:
    def spoil(route: Route, request: Request) -> None:
        body = route.fetch().text()
        assert "import pyapp; pyapp.__version__" in body
        route.fulfill(
            body=body.replace("import pyapp; pyapp.__version__", "raise LookupError('no store')"),
            content_type="text/javascript",
        )

    page.context.route("**/assets/worker-*.js", spoil)
    page.goto(site)
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible(timeout=START)
    expect(alert).to_contain_text("Python could not start: LookupError: no store")
    faults.expect("LookupError")


def test_the_driver_of_the_page_keeps_what_it_is_given(page: Page, site: str) -> None:
    page.goto(site)
    said = page.evaluate(
        """async () => {
          const {version, openDriver} = await pyapp;
          const driver = await openDriver({databaseName: 'test-boot'});
          const methods = Object.keys(driver);
          const session = {id: 's1', agent: 'mock', agentSessionId: 'a1', lastConnectionId: 'c1', createdAt: 5};
          const payload = {jsonrpc: '2.0', method: 'session/update', params: {deep: [1, 2.5, null, '\\u{1F600}']}};
          const event = {id: 'e1', eventIndex: 1, sessionId: 's1', createdAt: 6, connectionId: 'c1',
                         sender: 'agent', payload};
          const before = await driver.getSession('s1');
          const updated = await driver.updateSession(session);
          await driver.insertEvent('s1', event);
          const other = {...event, id: 'e2', payload: {...payload, method: 'other'}};
          const refused = await driver.insertEvent('s1', other)
            .then(() => null, (e) => [e instanceof Error, e.name, e.message]);
          const sessions = await driver.listSessions({limit: 10});
          const events = await driver.listEvents({sessionId: 's1'});
          const stored = await driver.getSession('s1');
          await driver.close();
          return {version, methods, before: before === undefined, updated: updated === undefined, refused,
                  sessions, events, stored, session, event};
        }"""
    )
    assert said["version"] == "0.1.0"
    expected = ["getSession", "listSessions", "updateSession", "listEvents", "insertEvent", "close"]
    assert sorted(said["methods"]) == sorted(expected)
    assert said["before"]
    assert said["updated"]
    assert said["stored"] == said["session"]
    assert said["sessions"]["items"] == [said["session"]]
    assert said["events"]["items"] == [said["event"]]
    assert said["refused"][:2] == [True, "EventConflictError"]
    assert said["refused"][2].startswith("UNIQUE constraint failed: events.session_id, events.event_index")
