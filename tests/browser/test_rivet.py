"""The Rivet driver in a bare page with Pyodide and the wheel, against the real Rivet, which is of another origin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pyapp.drivers.conformance import STORE_CONTRACT, WHOLE_CONTRACT
from pyapp.drivers.conformance.values import VALUES

from ..stores.rivet_server import RivetServer, started
from .bare_page import DRIVER, open_bare_page, run_python

PROMISES = f"""{DRIVER}
from pyapp.drivers.conformance import STORE_CONTRACT, WHOLE_CONTRACT
from pyapp.drivers.conformance.values import VALUES
broken = {{}}
for promise in (*VALUES, *STORE_CONTRACT, *WHOLE_CONTRACT):
    async with RivetSessionPersistDriver(ENDPOINT, "sessions", promise.__name__, token=TOKEN) as driver:
        try:
            await promise(driver)
            broken[promise.__name__] = None
        except Exception as error:
            broken[promise.__name__] = repr(error)
json.dumps(broken)
"""

LIVE = f"""{DRIVER}
from contextlib import aclosing
from pyapp.drivers.conformance.store import draft
heard = []
async with (
    RivetSessionPersistDriver(ENDPOINT, key="live", token=TOKEN) as author,
    RivetSessionPersistDriver(ENDPOINT, key="live", token=TOKEN) as reader,
):
    await author.append_event("s1", draft(1))
    async with aclosing(reader.subscribe("s1")) as events:
        async for one in events:
            heard.append(one.event_index)
            if len(heard) == 5:
                break
            await author.append_event("s1", draft(1))
    wrong = RivetSessionPersistDriver(ENDPOINT, key="live", token="wrong")
    refusal = await caught(wrong.get_session("s1"))
json.dumps([heard, refusal])
"""


@pytest.fixture(scope="module")
def rivet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RivetServer]:
    yield from started(tmp_path_factory.mktemp("rivet") / "data", "secret")


@pytest.fixture(scope="module")
def bare(browser: Browser, site: str) -> Iterator[Page]:
    """One page for all, since Pyodide takes seconds to start."""
    with browser.new_context() as context:
        yield open_bare_page(context, site)


def test_the_contract(bare: Page, rivet: RivetServer) -> None:
    """The part of it that a transport could break: values, and writes that are whole or ordered."""
    names = f"ENDPOINT, TOKEN = {rivet.endpoint!r}, 'secret'\n"
    outcome = run_python(bare, names + PROMISES)
    assert outcome == {promise.__name__: None for promise in (*VALUES, *STORE_CONTRACT, *WHOLE_CONTRACT)}


def test_live_events_and_a_wrong_token(bare: Page, rivet: RivetServer) -> None:
    heard, refusal = run_python(bare, f"ENDPOINT, TOKEN = {rivet.endpoint!r}, 'secret'\n" + LIVE)
    assert heard == [1, 2, 3, 4, 5]
    assert "wants another token" in refusal
