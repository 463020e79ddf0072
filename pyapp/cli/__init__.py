"""The command line, on CPython: lists, shows, copies and checks sessions, wherever they are kept.

`commands/` has one module for each command, `addresses.py` turns what the user writes into a store, `exits.py` says
which failure ends in which exit code. What comes out of a store is hostile: it reaches a terminal through `terminal.py`
alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import pkgutil
import signal
import sys
import traceback
from collections.abc import Coroutine, Sequence
from types import ModuleType
from typing import Any, NoReturn

from . import commands
from .addresses import without_passwords
from .exits import BROKEN_PIPE, HUNG_UP, INTERRUPTED, TERMINATED, USAGE, failure
from .terminal import complain, prepare_streams, safe

PROGRAM = "python -m pyapp"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line, that of the process unless one is given; returns the exit code.

    No error leaves as a traceback: each is one line on stderr and a code that docs/command-line.md lists.
    """
    shows_place = False
    try:
        prepare_streams()
        try:
            options = _parser().parse_args(arguments)
        except SystemExit as stop:  # argparse has said what is wrong, or has shown its help
            return USAGE if stop.code else 0
        shows_place = options.traceback
        code = asyncio.run(_until_ended(options.run(options)))
        sys.stdout.flush()
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    except (Exception, asyncio.CancelledError) as error:
        if shows_place:
            traceback.print_exception(error)
        words, code = failure(error)
        complain(words)
    return code


async def _until_ended(work: Coroutine[Any, Any, int]) -> int:
    """The exit code of a command, which ends in order where the process is told to end: no temporary file is left."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    ended: list[int] = []

    def end(code: int) -> None:
        ended.append(code)
        if task is not None:
            task.cancel()

    for name, code in (("SIGTERM", TERMINATED), ("SIGHUP", HUNG_UP)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # not where nohup has it ignored
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
                loop.add_signal_handler(number, end, code)
    try:
        return await work
    except asyncio.CancelledError:
        if not ended:
            raise
        complain("ended by a signal")
        return ended[0]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong without the passwords in it."""

    def error(self, message: str) -> NoReturn:
        super().error(safe(without_passwords(message)))


def _parser() -> argparse.ArgumentParser:
    """The parser with all commands, in the order of their names."""
    parser = _Parser(
        prog=PROGRAM,
        description="Sessions of coding agents: list, show, copy and check them, wherever they are kept.",
        epilog="SOURCE and TARGET are sqlite:PATH, postgresql://…, rivet:ENDPOINT, python:MODULE:FACTORY or a file "
        "that ends in .db, .sqlite or .jsonl. docs/command-line.md tells more.",
    )
    parser.add_argument("--traceback", action="store_true", help="show where in the program an error came from")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for found in pkgutil.iter_modules(commands.__path__):
        _add(subparsers, found.name, importlib.import_module(f"{commands.__name__}.{found.name}"))
    return parser


def _add(
    subparsers: argparse._SubParsersAction[_Parser],  # argparse has no public name for it
    name: str,
    command: ModuleType,
) -> None:
    parser = subparsers.add_parser(
        name,
        help=command.HELP,
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(parser)
    parser.set_defaults(run=command.run)


def _silence_stdout() -> None:
    """Whoever read our output has left: what is still to be flushed goes nowhere, and nobody is told."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.close()
