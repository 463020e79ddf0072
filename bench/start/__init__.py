"""From navigation until the page is ready, with 20 stored sessions, against a bare `await loadPyodide()`.

A first visit finds an empty cache and no service worker; what is stored stays. A second visit finds the files of the
first, in the browser's cache or the service worker's.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from ..browser import Bench

SESSIONS = 20

_STORE = """async (sessions) => {
  const driver = await (await pyapp).openDriver({});
  for (let number = 0; number < sessions; number += 1) {
    const id = `start-${number}`;
    const event = (eventIndex, sender, payload) =>
      driver.insertEvent(id, { id: `${id}-${eventIndex}`, eventIndex, sessionId: id, createdAt: 1.7e12 + eventIndex,
                               connectionId: 'c', sender, payload: { jsonrpc: '2.0', ...payload } });
    await driver.updateSession({ id, agent: 'mock', agentSessionId: id, lastConnectionId: 'c', createdAt: 1.7e12 });
    const prompt = [{ type: 'text', text: `The prompt of session ${number}` }];
    await event(1, 'client', { id: 1, method: 'session/prompt', params: { sessionId: id, prompt } });
    for (let index = 2; index <= 30; index += 1) {
      const update = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: `word ${index} ` } };
      await event(index, 'agent', { method: 'session/update', params: { sessionId: id, update } });
    }
  }
  await driver.close();
}"""

_READY = """async (sessions) => {
  const isReady = () => document.documentElement.dataset.ready === 'true' &&
    document.querySelectorAll('#sessions-list a').length >= Math.min(sessions, 10);
  const took = await bench.until(isReady, 'ready');
  const blocked = (await bench.longTasks()).reduce((sum, { duration }) => sum + duration, 0);
  return [took, blocked, document.documentElement.dataset.boot];
}"""

_KEPT = """async () => {
  const isKept = async () => document.documentElement.dataset.offline === 'ready' &&
    (await (await caches.open('sandbox-agent-pyodide-unpacked')).keys()).length > 0;
  while (!(await isKept())) await bench.settle(50);
  await bench.settle(500);
}"""
"""A visit is over once the files for the next one are kept: the snapshot, and those of the service worker."""

_FORGET = """async () => {
  for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
  for (const name of await caches.keys()) await caches.delete(name);
}"""


def start_samples(bench: Bench, repeats: int) -> dict[str, list[float]]:
    """Milliseconds, by the names that `bench.report` prints; and how long the main thread was blocked."""
    with_sessions = bench.page()
    with_sessions.evaluate(_STORE, SESSIONS)
    with_sessions.close()
    samples: dict[str, list[float]] = {
        name: [] for name in ("first_ours", "first_bare", "second_ours", "second_bare", "blocked")
    }
    for _ in range(repeats):
        for side, visit in (("ours", _ours), ("bare", _bare)):
            _forget(bench)
            for which in ("first", "second"):
                page = bench.context.new_page()
                took, blocked = visit(page, bench.site)
                samples[f"{which}_{side}"].append(took)
                samples["blocked"].append(blocked)
                page.close()
    return samples


def _ours(page: Page, site: str) -> tuple[float, float]:
    page.goto(site, wait_until="commit")
    took, blocked, boot = page.evaluate(_READY, SESSIONS)
    assert boot == "snapshot", f"the page started {boot}"
    page.evaluate(_KEPT)
    return took, blocked


def _bare(page: Page, site: str) -> tuple[float, float]:
    page.goto(f"{site}start/bare.html", wait_until="commit")
    page.wait_for_function("() => globalThis.took")
    took: float = page.evaluate("took")
    return took, 0.0


def _forget(bench: Bench) -> None:
    """An empty cache and no service worker, as at a first visit; the sessions stay stored."""
    page = bench.context.new_page()
    page.goto(f"{bench.site}bare/bare.js")
    page.evaluate(_FORGET)
    session: Any = bench.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.close()
