"""The IndexedDB driver against hand-written JavaScript on the same layout, in one worker with Pyodide, by turns."""

from __future__ import annotations

from typing import Any

from .browser import Bench

_WORKER = """
const { loadPyodide } = await import(base + 'pyodide/pyodide.mjs');
const python = await loadPyodide({ indexURL: base + 'pyodide/' });
const listed = await (await fetch(base + 'wheels/wheels.json')).json();
const wheel = (start) => base + 'wheels/' + listed.find(({ file }) => file.startsWith(start)).file;
await python.loadPackage(wheel('micropip'));
await python.pyimport('micropip').install(wheel('sandbox_agent_pyodide'));

await python.runPythonAsync(`
import json, time
from pyapp import IndexedDBSessionPersistDriver, SessionEvent, SessionRecord
driver = IndexedDBSessionPersistDriver("bench-driver")
await driver.update_session(SessionRecord("s", "mock", "a", "c", 1))

async def insert(texts):
    started = time.perf_counter()
    for text in json.loads(texts):
        await driver.insert_event("s", SessionEvent.from_row(json.loads(text)))
    return (time.perf_counter() - started) * 1000

async def read(cursors):
    started = time.perf_counter()
    for index in json.loads(cursors):
        page = await driver.last_events("s", 100, before=(index, ""))
        assert len(page) == 100
    return (time.perf_counter() - started) * 1000
`);
const opened = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const database = await opened(indexedDB.open('bench-driver'));

async function insert(texts) {
  const started = performance.now();
  for (const text of texts) {
    const row = JSON.parse(text);
    await new Promise((resolve, reject) => {
      const transaction = database.transaction('events', 'readwrite', { durability: 'relaxed' });
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      const store = transaction.objectStore('events');
      const keys = IDBKeyRange.bound(['s', row.eventIndex], ['s', row.eventIndex, []], true, true);
      store.index('by_session_index').getKey(keys).onsuccess = ({ target }) => {
        if (target.result !== undefined) transaction.abort();
      };
      store.add(row);
    });
  }
  return performance.now() - started;
}

async function read(indexes) {
  const started = performance.now();
  for (const index of indexes) {
    const store = database.transaction('events').objectStore('events');
    const keys = IDBKeyRange.bound(['s', index - 100], ['s', index, ''], false, true);
    const page = await opened(store.index('by_session_index').getAll(keys));
    if (page.length !== 100) throw new Error(`read ${page.length}`);
  }
  return performance.now() - started;
}

let next = 0;
const rows = (count) => Array.from({ length: count }, () => {
  next += 1;
  const text = `word ${next} and some more of them`;
  const update = { sessionUpdate: 'agent_message_chunk', messageId: 'm1', content: { type: 'text', text } };
  return JSON.stringify({
    id: crypto.randomUUID(), eventIndex: next, sessionId: 's', createdAt: 1700000000000 + next, connectionId: 'c',
    sender: 'agent', payload: { jsonrpc: '2.0', method: 'session/update', params: { sessionId: 'a', update } },
  });
});
const places = (count) => Array.from({ length: count }, (_, n) => 101 + ((n * 7919) % (next - 101)));
const [pythonInsert, pythonRead] = ['insert', 'read'].map((name) => python.globals.get(name));

await pythonInsert(JSON.stringify(rows(100))); // warm
await insert(rows(100));
const taken = { insert_python: [], insert_javascript: [], page_python: [], page_javascript: [] };
for (let repeat = 0; repeat < repeats; repeat += 1) {
  taken.insert_python.push(await pythonInsert(JSON.stringify(rows(100))) / 100);
  taken.insert_javascript.push(await insert(rows(100)) / 100);
  const indexes = places(25);
  taken.page_python.push(await pythonRead(JSON.stringify(indexes)) / 25);
  taken.page_javascript.push(await read(indexes) / 25);
}
postMessage(taken);
"""

_START = """([code, base, repeats]) => new Promise((resolve, reject) => {
  const text = `try {
    const base = ${JSON.stringify(base)}, repeats = ${repeats};
    ${code}
  } catch (error) { postMessage({ error: String(error) }); }`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), { type: 'module' });
  worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
  worker.onerror = (event) => reject(new Error(event.message));
})"""


def driver_samples(bench: Bench, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of one awaited insert and of one page of 100 events, ours and by hand."""
    page = bench.context.new_page()
    page.goto(bench.site + "bare/bare.js")  # of this origin, and without the page's content security policy
    taken: Any = page.evaluate(_START, [_WORKER, bench.site, repeats])
    page.close()
    return {name: list(values) for name, values in taken.items()}
