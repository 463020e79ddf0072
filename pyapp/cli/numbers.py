"""Numbers on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole_number(most: int) -> Callable[[str], int]:
    """What reads a whole number from 1 to `most` for argparse."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 16 and 1 <= int(text) <= most):
            raise ArgumentTypeError(f"{text[:40]!r} is no whole number from 1 to {most:,}")
        return int(text)

    return read
