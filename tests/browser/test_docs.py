"""The samples marked ```python browser in the documents run in a page with Pyodide and the wheel.

Those marked ```python browser server also speak to the real server.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from ..unit.test_docs import samples
from .bare_page import open_bare_page, run_python


@pytest.mark.parametrize(
    ("where", "code"), samples("python browser"), ids=lambda value: value if ".md:" in value else ""
)
def test_sample(context: BrowserContext, site: str, where: str, code: str) -> None:
    run_python(open_bare_page(context, site), code)


@pytest.mark.parametrize(
    ("where", "code"), samples("python browser server"), ids=lambda value: value if ".md:" in value else ""
)
def test_sample_with_a_server(context: BrowserContext, site: str, agent_server: str, where: str, code: str) -> None:
    run_python(open_bare_page(context, site), code.replace("http://127.0.0.1:2468", agent_server))
