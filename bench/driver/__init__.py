"""The IndexedDB driver against JavaScript written by hand for the same layout, by turns, in one worker with Pyodide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..browser import Bench
from ..recordings import lines

IMPORTED = 50_000

_START = """([code, values]) => new Promise((resolve, reject) => {
  const names = Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const text = `try {\\n${names.join('\\n')}\\n${code}\\n} catch (error) { postMessage({ error: String(error) }); }`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), { type: 'module' });
  worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
  worker.onerror = (event) => reject(new Error(event.message));
})"""


def driver_samples(bench: Bench, repeats: int) -> dict[str, list[float]]:
    """Milliseconds for one event, or one page, of either side: by the names that `bench.report` prints."""
    here = Path(__file__).parent
    code = "\n".join((here / name).read_text() for name in ("yardstick.js", "worker.js"))
    values: dict[str, Any] = {
        "base": bench.site,
        "ours": (here / "ours.py").read_text(),
        "repeats": repeats,
        "recording": "".join(lines("bench-import", IMPORTED)),
        "imported": IMPORTED,
    }
    page = bench.context.new_page()
    page.goto(bench.site + "bare/bare.js")  # of this origin, and without the page's content security policy
    taken: Any = page.evaluate(_START, [code, values])
    page.close()
    return {name: list(samples) for name, samples in taken.items()}
