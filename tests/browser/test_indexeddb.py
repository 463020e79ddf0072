"""The IndexedDB driver keeps the contract, in a bare page with Pyodide and the wheel and nothing else of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, DriverPromise, StorePromise

from .bare_page import open_bare_page, run_python

PROMISE = """
from pyapp import IndexedDBSessionPersistDriver
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT

name = {name!r}
promise = next(one for one in (*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT) if one.__name__ == name)
async with IndexedDBSessionPersistDriver("contract-" + name) as driver:
    await promise(driver)
"""


@pytest.fixture(scope="module")
def bare_page(chromium: Browser, site: str) -> Iterator[Page]:
    """One page for all promises, since each has a database of its own and Pyodide takes seconds to start."""
    context = chromium.new_context(service_workers="block")
    faults: list[str] = []
    page = open_bare_page(context, site, faults)
    yield page
    context.close()
    assert not faults, "the page saw errors that no promise asked for"


@pytest.mark.parametrize(
    "promise", [*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT], ids=lambda promise: promise.__name__
)
def test_promise(bare_page: Page, promise: DriverPromise | StorePromise) -> None:
    run_python(bare_page, PROMISE.format(name=promise.__name__))


def test_it_is_a_store(bare_page: Page) -> None:
    code = """
import json
from pyapp import IndexedDBSessionPersistDriver
from pyapp.drivers.base import ObservableStore
json.dumps(isinstance(IndexedDBSessionPersistDriver(), ObservableStore))
"""
    assert run_python(bare_page, code) is True
