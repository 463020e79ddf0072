"""What a recording that is written needs of the file system: locks, copies, and that what is written is on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: two copies at once into one file are then not kept apart
    fcntl = None  # type: ignore[assignment]


def state(path: Path) -> str:
    """What tells whether a file was changed."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "none"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def opened(path: Path) -> BinaryIO | None:
    """The file, to be read; None where there is nothing to read."""
    return path.open("rb") if path.exists() and path.stat().st_size else None


def locked(file: FileIO) -> bool:
    """Whether nobody else writes this file. It is locked then, until it is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks, as some of networks are
    return True


def is_locked(path: Path) -> bool:
    """Whether somebody else writes the file of this name."""
    with path.open("rb", buffering=0) as file:
        return not locked(file)


def is_at(file: FileIO, path: Path) -> bool:
    """Whether an open file is still the one that has this name."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def copy_lines(source: Path, made: Path, instead: Mapping[int, bytes]) -> None:
    """Make a file with the lines of another, but for those that begin at some places, whose new ones are given.

    Each line has an end, and they are on the disk afterwards. Who may not read the other may not read this one.
    """
    made.unlink(missing_ok=True)
    at, line = 0, b"\n"
    with source.open("rb") as old, open(made, "xb", opener=_open_private) as new:
        shutil.copymode(source, made)
        for line in old:
            new.write(instead.get(at, line))
            at += len(line)
        if not line.endswith(b"\n"):
            new.write(b"\n")
        new.flush()
        os.fsync(new.fileno())


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def drop_torn_line(path: Path) -> None:
    """Cut off what stands behind the last line end: the line that was being written at the interruption."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65_536)
            file.seek(start)
            if (found := file.read(end - start).rfind(b"\n")) >= 0:
                end = start + found + 1
                break
            end = start
        file.truncate(end)


def sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where a system knows of such a thing."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
