"""The IndexedDB driver keeps the contract in every engine, in a bare page with Pyodide and the wheel alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, DriverPromise, StorePromise

from .conftest import started
from .engine import Engine, Tab, wait

PROMISE = """
from pyapp import IndexedDBSessionPersistDriver
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT

name = {name!r}
promise = next(one for one in (*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT) if one.__name__ == name)
async with IndexedDBSessionPersistDriver("contract-" + name) as driver:
    await promise(driver)
"""

IS_A_STORE = """
import json
from pyapp import IndexedDBSessionPersistDriver
from pyapp.drivers.base import ObservableStore
json.dumps(isinstance(IndexedDBSessionPersistDriver(), ObservableStore))
"""


@pytest.fixture(scope="module")
def bare_tab(engine: Engine, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One page for all promises, since each has a database of its own and Pyodide takes seconds to start."""
    with started(engine, tmp_path_factory.mktemp("bare") / "profile") as browser:
        tab = browser.open_tab()
        tab.go(f"{site}bare/index.html?plain")
        wait(tab, "() => globalThis.beginPython !== undefined")
        yield tab


def run_python(tab: Tab, code: str) -> Any:
    """Run Python in the bare page; the value of its last line, which must be JSON text or nothing."""
    tab.run("(code) => { beginPython(code); }", code)
    outcome = wait(tab, "() => globalThis.outcome")
    if "error" in outcome:
        raise AssertionError(outcome["error"])
    return None if outcome["value"] is None else json.loads(outcome["value"])


@pytest.mark.parametrize(
    "promise", [*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT], ids=lambda promise: promise.__name__
)
def test_promise(bare_tab: Tab, promise: DriverPromise | StorePromise) -> None:
    run_python(bare_tab, PROMISE.format(name=promise.__name__))


def test_it_is_a_store(bare_tab: Tab) -> None:
    assert run_python(bare_tab, IS_A_STORE) is True
