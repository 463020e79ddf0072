"""What a terminal is given: text without control characters, in so many columns.

Ids, titles and payloads come from agents and from files. A terminal obeys what it is sent: an escape sequence may
retitle its window, write its clipboard or hide a line. So all that is printed goes through `safe` or `json_line`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import Any

from ..inspector.dates import Zone, date_time
from ..json_text import dump
from ..transcript.hostile import HIDDEN_MARKS

_CONTROLS = re.compile(rf"[\t\n\r\ud800-\udfff{HIDDEN_MARKS}]")
"""What terminals obey (C0, C1), what moves or hides text (directions, invisible marks), and halves of characters."""

_CONTROLS_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Those of them that JSON leaves as they are; it escapes C0 itself."""

GAP = "  "
"""What stands between the columns of a table."""


def prepare_streams() -> None:
    """Whatever a stream's encoding lacks is written as an escape, instead of ending the program.

    A stream that was closed before the start goes nowhere. Otherwise the next file that is opened would get its number,
    and what a library in C complains of would stand in that file.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as the program runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def safe(text: str) -> str:
    """The text with escapes (`\\x1b`, `\\u202e`) in the place of what a terminal would obey; also of line ends."""
    return _CONTROLS.sub(lambda match: _escape(match.group()), text)


def json_line(value: Any) -> str:
    """A value as one line of JSON, its control characters escaped as JSON does."""
    return _CONTROLS_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", dump(value))


def print_json(value: Any) -> None:
    """One line of JSON on stdout, in UTF-8 as JSON has to be."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(encoding="utf-8")
    print(json_line(value))


def complain(words: str) -> None:
    """One line on stderr."""
    print(f"pyapp: {safe(words)}", file=sys.stderr, flush=True)


def local_time(ms: int) -> str:
    """Date and time of milliseconds since the epoch, in the zone of this machine."""
    seconds = min(max(ms, 0) / 1000, 253_402_300_000)
    return date_time(ms, Zone(behind=(-(time.localtime(seconds).tm_gmtoff // 60),)))


def columns() -> int | None:
    """How wide the terminal is that stdout is; None when it is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def cells(text: str) -> int:
    """How many columns a text takes: none for what is put upon a character, two for the wide ones of East Asia."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(mark) for mark in text)


def fit(text: str, width: int) -> str:
    """The text, cut to `width` columns with an ellipsis."""
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for mark in text:
        used += _cells_of(mark)
        if used > width - 1:
            break
        kept.append(mark)
    return "".join(kept) + "…" if width > 0 else ""


def table_rows(rows: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[int] = ()) -> Iterator[str]:
    """Lines of a table whose columns are so wide; the columns `right` stand at their right edge."""
    for row in rows:
        placed = []
        for column, (text, width) in enumerate(zip(row, widths, strict=True)):
            cut = fit(text, width)
            space = " " * (width - cells(cut))
            placed.append(space + cut if column in right else cut + space)
        yield GAP.join(placed).rstrip()


def _cells_of(mark: str) -> int:
    if unicodedata.category(mark) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(mark) in "WF" else 1


def _escape(mark: str) -> str:
    code = ord(mark)
    if code <= 0xFF:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(mark, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
