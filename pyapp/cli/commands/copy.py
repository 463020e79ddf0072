"""Copies sessions from SOURCE to TARGET, all of them or those that --session names, and reads again what it
wrote to compare.

Sessions that TARGET has already, equal, are left alone; if it has one with other content nothing at all is copied,
unless --skip-different says that the others shall be.
After an interruption of any kind the same command goes on where it was."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..addresses import open_source
from ..copying.run import Choices, copy_sessions, identity_of, read_addresses, refuse, summary
from ..exits import OK

HELP = "copy sessions from one store into another"

ADVICE = "--skip-different copies the others"


def arguments(parser: ArgumentParser) -> None:
    """The arguments of `copy`."""
    parser.add_argument("source", metavar="SOURCE", help="where the sessions are")
    parser.add_argument("target", metavar="TARGET", help="where they shall be too")
    parser.add_argument(
        "--session", action="append", default=[], metavar="ID", help="this session alone; can be given several times"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="go on with sessions whose record has changed since they were copied, and copy the record",
    )
    parser.add_argument(
        "--skip-different",
        action="store_true",
        help="leave sessions alone of which the target has other content, or more, and copy the others",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be copied, and copy nothing")


async def run(options: Namespace) -> int:
    """Copy, and say what was copied."""
    source_address, target_address = read_addresses(options)
    identity = identity_of(source_address, options.session)
    async with open_source(source_address) as source:
        advice = f"; {ADVICE}" if options.update else f"; --update takes the source's records, {ADVICE}"
        choices = Choices(options.update, options.skip_different, options.dry_run, advice)
        plan = await copy_sessions(source, target_address, identity, options.session, choices)
    print(summary(plan, "would be copied" if options.dry_run else "copied and compared"))
    refuse(plan.conflicts, f"not copied, since {target_address} has other content of", named=len(plan.conflicts))
    return OK
