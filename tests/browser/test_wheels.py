"""What dist/wheels/ offers to other pages with Pyodide."""

from __future__ import annotations

from zipfile import ZipFile

from playwright.sync_api import BrowserContext

from .conftest import DIST

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


def test_the_page_does_not_pay_for_the_command_line(site: str) -> None:
    (wheel,) = (DIST / "wheels").glob("sandbox_agent_pyodide-*.whl")
    with ZipFile(wheel) as files:
        names = files.namelist()
    assert "pyapp/worker.py" in names, site
    ends = ("__main__.py", "entry_points.txt")
    assert not [name for name in names if name.startswith("pyapp/cli/") or name.endswith(ends)]
