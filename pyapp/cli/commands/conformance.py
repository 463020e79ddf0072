"""Runs the contract of session stores on a driver of your own, and prints which promises it keeps.

FACTORY, as module:name, is called for each promise and gives a fresh, empty driver: a function or a class, which may
be async and may give a context manager. Where that is not to be had, --reset names a function that empties the store
before each promise. A driver that has the five methods alone is asked for those; one that has all of SessionStore for
all of it."""

from __future__ import annotations

import asyncio
import inspect
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from ...drivers.base import SessionPersistDriver, SessionStore
from ...drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, ContractBroken
from ...drivers.defaults import with_defaults
from ...errors import PyappError
from ..addresses import enter, load
from ..exits import OK, REFUSED, Refused, UsageError
from ..numbers import whole_number
from ..terminal import safe

HELP = "run the contract on a driver of your own"

SECONDS = 30
"""How long one promise may take."""

Promise = Callable[[Any], Any]


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `conformance`."""
    parser.add_argument("factory", metavar="FACTORY", help="what gives a fresh driver, as module:name")
    parser.add_argument(
        "--reset", metavar="FUNCTION", help="what empties the store before each promise, as module:name"
    )
    parser.add_argument(
        "--defaults", action="store_true", help="also what with_defaults() makes of a driver with the five methods"
    )
    parser.add_argument(
        "--timeout",
        type=whole_number(86_400),
        default=SECONDS,
        metavar="SECONDS",
        help=f"how long one promise may take ({SECONDS})",
    )


async def run(options: Namespace) -> int:
    """Run promise after promise."""
    checks = _Checks(
        load(options.factory, "the factory"),
        load(options.reset, "the reset function") if options.reset else None,
        options.timeout,
    )
    is_store = await checks.is_store()
    promises: list[tuple[str, Sequence[Promise], bool]] = [("a driver promises", DRIVER_CONTRACT, False)]
    if is_store:
        promises += [
            ("a store promises", STORE_CONTRACT, False),
            ("a store that writes in transactions promises", WHOLE_CONTRACT, False),
        ]
    elif options.defaults:
        promises += [("a store promises, by with_defaults()", STORE_CONTRACT, True)]
    failed = total = 0
    for heading, contract, by_defaults in promises:
        print(f"What {heading}:")
        for promise in contract:
            total += 1
            failed += not await checks.keeps(promise, by_defaults=by_defaults)
    print(f"\n{total - failed} of {total} promises kept" + (f", {failed} broken" if failed else ""))
    return REFUSED if failed else OK


class _Checks:
    """Promises, each asked of a driver of its own."""

    def __init__(self, factory: Callable[[], Any], reset: Callable[[], Any] | None, seconds: float) -> None:
        self._factory = factory
        self._reset = reset
        self._seconds = seconds

    async def is_store(self) -> bool:
        """Whether the driver has all methods of a SessionStore. What else it does is left to the promises.

        Raises UsageError when the factory gives no driver, Refused when that is not empty.
        """
        driver = None
        try:
            async with asyncio.timeout(self._seconds), AsyncExitStack() as stack:
                driver = await self._made(stack)
                await _check_empty(driver)
        except PyappError:
            raise
        except Exception as error:
            if driver is None:
                took = f"nothing after {self._seconds:g} seconds" if isinstance(error, TimeoutError) else repr(error)
                raise UsageError(f"the factory gave no driver: {took}") from error
        return isinstance(driver, SessionStore)

    async def keeps(self, promise: Promise, *, by_defaults: bool) -> bool:
        """Print whether the promise is kept, and if not, what it is and why not."""
        name = promise.__name__.replace("_", " ")
        try:
            async with asyncio.timeout(self._seconds) as limit, AsyncExitStack() as stack:
                driver = await self._made(stack)
                await _check_empty(driver)
                await promise(with_defaults(driver) if by_defaults else driver)
        except (UsageError, Refused):
            raise
        except ContractBroken as broken:
            reason = str(broken)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            reason = f"{type(error).__name__}: {error}{_place(error)}"
            if isinstance(error, TimeoutError) and limit.expired():
                reason = f"not done after {self._seconds:g} seconds"
        else:
            print(f"  ok      {name}")
            return True
        print(f"  BROKEN  {name}")
        print(f"          promised: {' '.join((promise.__doc__ or '').split())}")
        print(f"          {safe(reason)}")
        return False

    async def _made(self, stack: AsyncExitStack) -> SessionPersistDriver:
        """A driver, after the store was emptied. Raises UsageError."""
        if self._reset is not None:
            try:
                value = self._reset()
                if inspect.isawaitable(value):
                    await value
            except (Exception, SystemExit) as error:
                raise UsageError(f"the reset function failed: {type(error).__name__}: {error}") from error
        return await enter(stack, self._factory)


async def _check_empty(driver: SessionPersistDriver) -> None:
    """Raises Refused where there are sessions: the promises write."""
    if (await driver.list_sessions(limit=1)).items:
        raise Refused(
            "the factory gave a driver that holds sessions; nothing was written to it. Each promise needs an empty "
            "one: give another factory, or a function that empties the store as --reset module:name"
        )


def _is_cancelled() -> bool:
    """Whether it is this program that ends, by Ctrl-C, and not a driver that says so."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _place(error: BaseException) -> str:
    """Where an exception was raised: the last line of it that is not of this package."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if isinstance(error, PyappError) or "pyapp" not in trace.tb_frame.f_globals.get("__name__", "").split("."):
            place = f" ({code.co_filename}:{trace.tb_lineno}, in {code.co_name})"
        trace = trace.tb_next
    return place
