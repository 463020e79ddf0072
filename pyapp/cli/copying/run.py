"""One copy, from the comparison before it to what is said at its end."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...drivers.base import SessionStore
from ...errors import StoreFullError, StoreUnavailableError, UnknownSessionError, sentences
from ...inspector.dates import plural
from ..addresses import FILES, Address, check_target_file, read_address
from ..exits import Refused, UsageError
from ..interrupting import answering_ctrl_c
from ..terminal import complain
from .plan import Plan, make_plan
from .progress import Progress, shown_progress
from .target import Target, open_target
from .writing import Writing, collecting_seldom

NAMED = 20
"""Sessions that are named, each with what is wrong with it."""


def read_addresses(options: Namespace) -> tuple[Address, Address]:
    """Both addresses. Raises UsageError when they are the same place, StoreUnavailableError when no file can be written
    at the target: that is said before a source is read, which may take long."""
    source, target = read_address(options.source), read_address(options.target)
    if source.absolute == target.absolute or _is_one_file(source, target):
        raise UsageError("SOURCE and TARGET are the same")
    if target.kind in FILES:
        check_target_file(target)
    return source, target


def identity_of(source: Address, session_ids: Sequence[str]) -> str:
    """What the same command says again when it goes on after an interruption."""
    return "\0".join([str(source.absolute), *sorted(session_ids)])


@dataclass(frozen=True, slots=True)
class Choices:
    """How to copy: whether records that have changed are copied too, whether sessions of which the target has other
    content are left out instead of keeping the others from being copied, and whether nothing is copied at all.
    `advice` is said where they do keep them."""

    updates: bool = False
    skips: bool = False
    dry_run: bool = False
    advice: str = ""


async def copy_sessions(
    source: SessionStore, address: Address, identity: str, session_ids: Sequence[str], choices: Choices
) -> Plan:
    """Copy these sessions, all if none is named, and give what there was to do.

    Raises Refused, and UnknownSessionError before the target is made.
    """
    for session_id in session_ids:
        if await source.get_session(session_id) is None:
            raise UnknownSessionError(session_id)
    async with open_target(address, identity, only_looked_at=choices.dry_run) as target:
        with shown_progress() as progress, collecting_seldom():
            plan = await _compare(source, target, session_ids, progress, updates=choices.updates)
            if plan.conflicts and not choices.skips:
                refuse(plan.conflicts, f"nothing was copied, since {address} has other content of", choices.advice)
            if not choices.dry_run:
                writing = Writing(source, target.store, progress)
                progress.begin("Copying", plan.events)
                with answering_ctrl_c(), _saying_how_it_goes_on(target, address):
                    await writing.carry_out(plan.steps)
                await _end(target, writing.wrong)
    return plan


async def _compare(
    source: SessionStore, target: Target, session_ids: Sequence[str], progress: Progress, *, updates: bool
) -> Plan:
    try:
        plan = await make_plan(source, target.store, session_ids, progress, updates=updates)
        if await target.begin_again(plan.conflicts):  # the source has changed since the interruption
            plan = await make_plan(source, target.store, session_ids, progress, updates=updates)
    except asyncio.CancelledError:
        complain("nothing was copied this time: it was still being compared what there is to do")
        raise
    return plan


async def _end(target: Target, wrong: Mapping[str, str]) -> None:
    if wrong:
        target.discard()
        refuse(wrong, "not everything was copied; these were not, or came out otherwise:")
    await target.keep()


@contextmanager
def _saying_how_it_goes_on(target: Target, address: Address) -> Iterator[None]:
    """Whoever reads why a copy broke off reads too what has become of it, and that the same command goes on."""
    try:
        yield
    except asyncio.CancelledError:
        complain(_what_stays(target, address))
        raise
    except StoreFullError as full:
        if target.recording is not None:  # it has said so itself
            raise
        raise StoreFullError(sentences(str(full), _what_stays(target, address, "once there is room, "))) from full
    except StoreUnavailableError as error:
        # An import that was lost in its middle advises to look and to repeat, which is what the same command does.
        lost = error.__cause__ if isinstance(error.__cause__, StoreUnavailableError) else error
        raise StoreUnavailableError(sentences(str(lost), _what_stays(target, address))) from error


def _what_stays(target: Target, address: Address, when: str = "") -> str:
    if target.recording is not None and target.place is None:
        return "nothing was copied this time"
    return f"what was copied stays in {target.place or address}; {when}the same command goes on from it"


def refuse(sessions: Mapping[str, str], words: str, more_words: str = "", *, named: int = NAMED) -> None:
    """Raises Refused, after a line for each of some sessions that says what is wrong with it, unless there are none."""
    if not sessions:
        return
    for session_id, wrong in list(sessions.items())[:named]:
        complain(f"{session_id!r}: {wrong}")
    raise Refused(f"{words} {plural(len(sessions), 'session')}{more_words}")


def summary(plan: Plan, what: str) -> str:
    """One line about what was done, or would be (`what`)."""
    equal = f"; {plural(plan.equal, 'session')} there already" if plan.equal else ""
    return f"{plural(len(plan.steps), 'session')}, {plural(plan.events, 'event')} {what}{equal}"


def _is_one_file(source: Address, target: Address) -> bool:
    """Whether both are one file under two names, by a hard link."""
    if not {source.kind, target.kind} <= FILES:
        return False
    return source.path.exists() and target.path.exists() and source.path.samefile(target.path)
