"""What dist/wheels/ offers to other pages with Pyodide."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

LOAD = """async ({ pyodide, lockFileURL }) => {
  const { loadPyodide } = await import(`${pyodide}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: pyodide, lockFileURL });
  await python.loadPackage('sandbox-agent-pyodide', { checkIntegrity: true });
  await python.loadPackage(['htpy', 'markdown-it-py']);
  return python.runPythonAsync(`
    import htpy, markdown_it
    from pyapp import IndexedDBSessionPersistDriver
    async with IndexedDBSessionPersistDriver("by-lock-file") as driver:
        totals = await driver.totals()
    totals.events
  `);
}"""


def test_the_lock_file_installs_the_package_by_its_name(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    page.goto(f"{site}bare/bare.js")  # of the same origin, and without the page's content security policy
    given = {"pyodide": f"{site}bare/pyodide/", "lockFileURL": f"{site}wheels/pyodide-lock.json"}
    assert page.evaluate(LOAD, given) == 0
