"""A file system that is small, so that it can really be full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


@contextmanager
def small_disk(path: Path, mebibytes: int) -> Iterator[None]:
    """One at this path, where anybody may write. Skips the test for a user who cannot make one, but not in CI."""
    if AS_ROOT and "CI" not in os.environ:
        pytest.skip("only root can make a disk that is small")
    path.mkdir()
    options = f"size={mebibytes}m,mode=777"
    subprocess.run([*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run([*AS_ROOT, "umount", "-l", str(path)], check=True)
