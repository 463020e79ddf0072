"""What is said at the first Ctrl-C of a job that does not end at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

AGAIN = "stopping after what is being written; Ctrl-C again stops now"


@contextmanager
def answering_ctrl_c(words: str = AGAIN) -> Iterator[None]:
    """The first Ctrl-C within is answered with a line on stderr, before anything else comes of it.

    The signal's own handler says it, since a driver that never waits keeps the event loop from running; past Python's
    buffers, since a signal may come while something is written through those.
    """
    before = signal.getsignal(signal.SIGINT)
    is_said = False

    def interrupted(number: int, frame: FrameType | None) -> None:
        nonlocal is_said
        if not is_said:
            is_said = True
            with suppress(OSError, ValueError):  # a stderr that was closed, or is none of the system's
                stderr = sys.stderr.fileno()
                end = "\n" if os.isatty(stderr) else ""  # of the line in which a terminal shows ^C, or a bar stands
                os.write(stderr, f"{end}pyapp: {words}\n".encode())
        if callable(before):
            before(number, frame)

    if not callable(before):  # nohup and shells' background jobs ignore it
        yield
        return
    try:
        signal.signal(signal.SIGINT, interrupted)
    except ValueError:  # not in the main thread, which alone hears of signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
