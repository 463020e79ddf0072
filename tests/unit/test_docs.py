"""The Python samples in the documents run: here those that need nothing.

Those marked ```python browser run in tests/browser/test_docs.py, in a page, those marked ```python server in
tests/examples/test_samples.py, on the real server, and those marked with both in the former.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for path in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"] if path.exists()]


def samples(mark: str) -> list[tuple[str, str]]:
    """Where each fenced sample with this mark begins, and its code."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text()
        for match in re.finditer(rf"^```{mark}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            number = text.count("\n", 0, match.start()) + 1
            found.append((f"{path.relative_to(ROOT)}:{number}", match.group(1)))
    return found


@pytest.mark.parametrize(("where", "code"), samples("python"), ids=lambda value: value if ".md:" in value else "")
def test_sample(where: str, code: str) -> None:
    exec(compile(code, where, "exec"), {"__name__": "__main__"})


def test_every_python_sample_is_run_somewhere() -> None:
    fences = sum(len(re.findall(r"^```py", path.read_text(), re.MULTILINE)) for path in DOCUMENTS)
    marks = ("python", "python browser", "python server", "python browser server")
    assert fences == sum(len(samples(mark)) for mark in marks)
    assert all(samples(mark) for mark in marks)
