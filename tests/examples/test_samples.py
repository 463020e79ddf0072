"""The samples marked ```python server in the documents run against the real server.

They may await at the top. They are given what docs/sdk.md says: a `client`, its `store`, and a `session` of it.
"""

from __future__ import annotations

import ast
import asyncio
from inspect import CO_COROUTINE

import pytest

from pyapp import InMemorySessionPersistDriver, SandboxAgent

from ..unit.test_docs import samples

ADDRESS = "http://127.0.0.1:2468"
LIMIT = 60


@pytest.mark.parametrize(
    ("where", "code"), samples("python server"), ids=lambda value: value if ".md:" in value else ""
)
def test_sample(server: str, where: str, code: str) -> None:
    compiled = compile(code.replace(ADDRESS, server), where, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if not compiled.co_flags & CO_COROUTINE:
        exec(compiled, {"__name__": "__main__"})
        return

    async def work() -> None:
        store = InMemorySessionPersistDriver()
        async with asyncio.timeout(LIMIT), await SandboxAgent.connect(base_url=server, persist=store) as client:
            session = await client.create_session("mock")
            try:
                await eval(compiled, {"__name__": "__main__", "client": client, "store": store, "session": session})
            finally:
                await client.dispose(end_agents=True)

    asyncio.run(work())
