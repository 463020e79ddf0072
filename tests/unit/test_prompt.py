"""PromptFuture does what any future does, and resumes who waits without a turn of the loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyapp.drivers.indexeddb.prompt import PromptFuture


def test_who_waits_goes_on_within_the_event() -> None:
    async def run() -> list[str]:
        seen: list[str] = []
        future = PromptFuture()

        async def wait() -> None:
            seen.append(await future)

        def event() -> None:
            future.resolve("result")
            seen.append("event over")

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(event)
        await task
        return seen

    assert asyncio.run(run()) == ["result", "event over"]


def test_within_a_task_it_waits_for_its_turn() -> None:
    """A task cannot be entered while another one runs."""

    async def run() -> list[Any]:
        seen: list[Any] = []
        first, second = PromptFuture(), PromptFuture()

        async def wait() -> None:
            try:
                await first
            except LookupError as error:
                seen.append(error.args)
            second.resolve(2)
            seen.append("first over")

        async def wait_for_second() -> None:
            seen.append(await second)

        tasks = [asyncio.create_task(wait()), asyncio.create_task(wait_for_second())]
        await asyncio.sleep(0)
        first.reject(LookupError("gone"))
        seen.append("rejected")
        await asyncio.gather(*tasks)
        return seen

    assert asyncio.run(run()) == ["rejected", ("gone",), "first over", 2]


def test_a_settled_one_stays_as_it_is() -> None:
    async def run() -> Any:
        future = PromptFuture()
        future.resolve(1)
        future.resolve(2)
        future.reject(LookupError())
        assert not future.cancel()
        return await future, await asyncio.wait_for(future, 1)

    assert asyncio.run(run()) == (1, 1)


def test_cancelling_who_waits() -> None:
    async def run() -> tuple[bool, bool]:
        future = PromptFuture()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await future
        future.resolve("too late")
        other = PromptFuture()
        heard: list[Any] = []
        other.add_done_callback(heard.append)
        assert other.remove_done_callback(heard.append) == 1
        other.resolve(None)
        await asyncio.sleep(0)
        return future.cancelled(), heard == []

    assert asyncio.run(run()) == (True, True)
