"""Two versions of a file as the lines that a person compares, bounded in work and in length."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

CONTEXT = 3
"""Unchanged lines that are shown around a change."""

MAX_COMPARED = 800
"""Lines that are compared with care; where more differ, the old ones are shown removed, the new added."""

MAX_LINE = 500
"""Characters that are kept of one line."""

MAX_KEPT = 4000
"""Lines that are kept of either side, after the common beginning and end were cut off."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did to one file: the part of it that differs, with some lines around it.

    `first_line` is the number (from 1) of the first kept line. `old` is None for a new file.
    `cut` tells that lines at the end of a very large change are missing.
    """

    path: str
    old: tuple[str, ...] | None
    new: tuple[str, ...]
    first_line: int = 1
    cut: bool = False


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff with its numbers in the old and the new file; `gap` stands for lines left out."""

    kind: Literal["same", "add", "del", "gap"]
    text: str
    old_number: int | None = None
    new_number: int | None = None


def read_change(path: str, old: str | None, new: str) -> Change:
    """The change between two texts; linear in their length."""
    new_lines = new.splitlines()
    if old is None:
        return Change(path, None, _kept(new_lines), cut=len(new_lines) > MAX_KEPT)
    old_lines = old.splitlines()
    shorter = min(len(old_lines), len(new_lines))
    head = 0
    while head < shorter and old_lines[head] == new_lines[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old_lines[-1 - tail] == new_lines[-1 - tail]:
        tail += 1
    start, spare = max(0, head - CONTEXT), max(0, tail - CONTEXT)
    old_kept = old_lines[start : len(old_lines) - spare]
    new_kept = new_lines[start : len(new_lines) - spare]
    cut = len(old_kept) > MAX_KEPT or len(new_kept) > MAX_KEPT
    return Change(path, _kept(old_kept), _kept(new_kept), start + 1, cut)


def _kept(lines: list[str]) -> tuple[str, ...]:
    return tuple(line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…" for line in lines[:MAX_KEPT])


@lru_cache(maxsize=64)
def diff_lines(change: Change) -> tuple[DiffLine, ...]:
    """The lines to show, unchanged stretches shortened to a gap."""
    if change.old is None:
        return tuple(DiffLine("add", text, None, number) for number, text in enumerate(change.new, 1))
    old, new, first = change.old, change.new, change.first_line
    lines: list[DiffLine] = []
    for tag, i1, i2, j1, j2 in _opcodes(old, new):
        if tag == "equal":
            lines += [DiffLine("same", old[i], first + i, first + j1 + i - i1) for i in range(i1, i2)]
        else:
            lines += [DiffLine("del", old[i], first + i, None) for i in range(i1, i2)]
            lines += [DiffLine("add", new[j], None, first + j) for j in range(j1, j2)]
    return tuple(_without_long_gaps(lines))


def added_and_removed(change: Change) -> tuple[int, int]:
    """How many lines were added and removed."""
    kinds = [line.kind for line in diff_lines(change)]
    return kinds.count("add"), kinds.count("del")


def _opcodes(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, int, int, int, int]]:
    if len(old) > MAX_COMPARED or len(new) > MAX_COMPARED:
        return [("replace", 0, len(old), 0, len(new))]
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _without_long_gaps(lines: list[DiffLine]) -> list[DiffLine]:
    near = bytearray(len(lines))
    for at, line in enumerate(lines):
        if line.kind != "same":
            for close in range(max(0, at - CONTEXT), min(len(lines), at + CONTEXT + 1)):
                near[close] = 1
    shown: list[DiffLine] = []
    for at, line in enumerate(lines):
        if near[at]:
            shown.append(line)
        elif at and near[at - 1]:
            shown.append(DiffLine("gap", ""))
    if shown and shown[-1].kind == "gap":
        shown.pop()
    return shown
