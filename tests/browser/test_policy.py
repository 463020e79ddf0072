"""The content security policy of the page, in page and worker: what it forbids does not happen.

Scripts of the test are modules of the site's own origin, as the page's are: what a test evaluates through the
browser's own tools would be exempt from parts of the policy.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from .conftest import Faults, wait_ready

ATTEMPTS = """
const outcome = async (attempt) => {
  try {
    return `done: ${await attempt()}`;
  } catch (error) {
    return `${error.name}`;
  }
};
const attempts = {
  eval: () => eval('1 + 1'),
  'new Function': () => new Function('return 1')(),
  'a timer with text': () => setTimeout('globalThis.ran = true'),
  fetch: () => fetch(FOREIGN),
  'fetch without CORS': () => fetch(FOREIGN + 'api', { mode: 'no-cors' }),
  XMLHttpRequest: () => {
    const request = new XMLHttpRequest();
    request.open('GET', FOREIGN, false);
    request.send();
  },
  'a module from elsewhere': () => import(FOREIGN + 'module.js'),
  'a module from its own text': () => import('data:text/javascript,globalThis.ran=true'),
  WebSocket: () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(FOREIGN.replace('http', 'ws'));
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error());
    }),
  'a script from elsewhere': () => importScripts(FOREIGN + 'script.js'),
};
"""

IN_PAGE = """
const settled = (element) =>
  new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error());
    document.body.append(element);
  });
Object.assign(attempts, {
  'a script from elsewhere': () => settled(Object.assign(document.createElement('script'), { src: FOREIGN })),
  'an image from elsewhere': () => settled(Object.assign(new Image(), { src: FOREIGN + 'image.png' })),
  'a stylesheet from elsewhere': () =>
    settled(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: FOREIGN + 'style.css' })),
  'a script in the page': () => {
    const script = document.createElement('script');
    script.text = 'globalThis.ran = true';
    document.body.append(script);
  },
  'HTML that was not vouched for': () => (document.body.innerHTML += '<img src=x onerror="globalThis.ran = true">'),
  'another policy': () => trustedTypes.createPolicy('other', { createHTML: (text) => text }),
  'the policy once more': () => trustedTypes.createPolicy('pyapp', { createHTML: (text) => text }),
  'a worker from elsewhere': () => new Worker(FOREIGN + 'worker.js'),
});
"""

TOLD = """
const told = {};
for (const [name, attempt] of Object.entries(attempts)) told[name] = await outcome(attempt);
told.ran = globalThis.ran ?? false;
"""


class Elsewhere(ThreadingHTTPServer):
    """A server of another host that takes whatever comes, and counts it.

    Requests to servers on this machine's own names, and by https, are allowed: agents are there. 127.0.0.2 is this
    machine too, and has neither.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.2", 0), Answering)

    @property
    def address(self) -> str:
        return f"http://127.0.0.2:{self.server_port}/"


class Answering(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "text/javascript")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet: what was asked is kept."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def check(told: dict[str, Any], elsewhere: Elsewhere, faults: Faults) -> None:
    assert not told.pop("ran")
    assert {name: outcome for name, outcome in told.items() if outcome.startswith("done")} == {}
    assert elsewhere.asked == []
    faults.texts.clear()  # each of the attempts was told of


def test_in_the_page(page: Page, site: str, elsewhere: Elsewhere, faults: Faults) -> None:
    probe = f"const FOREIGN = '{elsewhere.address}';{ATTEMPTS}{IN_PAGE}{TOLD}export default told;"
    page.context.route(
        f"{site}probe.js", lambda route: route.fulfill(body=probe, content_type="text/javascript; charset=utf-8")
    )
    page.goto(site)
    wait_ready(page)
    told = page.evaluate("async (address) => (await import(address)).default", f"{site}probe.js")
    assert len(told) == 18
    check(told, elsewhere, faults)


def test_in_the_worker(page: Page, site: str, elsewhere: Elsewhere, faults: Faults) -> None:
    probe = f"const FOREIGN = '{elsewhere.address}';{ATTEMPTS}{TOLD}new BroadcastChannel('probe').postMessage(told);"

    def with_probe(route: Route) -> None:
        route.fulfill(body=f"{route.fetch().text()}\n;(async () => {{{probe}}})();", content_type="text/javascript")

    page.context.route("**/assets/worker-*.js", with_probe)
    page.add_init_script(
        "globalThis.probed = new Promise((told) => "
        "{ new BroadcastChannel('probe').onmessage = ({ data }) => told(data); });"
    )
    page.goto(site)
    wait_ready(page)
    told = page.evaluate("probed")
    assert len(told) == 11
    check(told, elsewhere, faults)
