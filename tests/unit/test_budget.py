"""What a first visit downloads stays below the lines that docs/performance.md draws."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
PACKED = {".bin", ".zip", ".whl", ".png"}
"""Files that no server makes smaller."""


def lines() -> dict[str, int]:
    """The most kilobytes (1,000 bytes) by kind, from the table under "The budget"."""
    text = (ROOT / "docs" / "performance.md").read_text()
    table = text.split("## The budget")[1].split("\n## ")[0]
    return {
        kind: int(most.replace(",", ""))
        for kind, most in re.findall(r"^\| (.+?) *\|.*\| *([\d,]+) KB *\|$", table, re.M)
    }


def downloaded() -> dict[str, int]:
    """Kilobytes by kind, as a host sends them that compresses with gzip, as nearly all do."""
    boot = json.loads((DIST / "boot.json").read_text())
    kinds = {"page": [DIST / "index.html", *(DIST / "assets").iterdir()]}
    kinds["Pyodide's modules"] = [DIST / boot["pyodide"] / name for name in ("pyodide.js", "pyodide.asm.js")]
    for path in boot["snapshot"]["files"]:
        name = {".wasm": "WebAssembly", ".zip": "standard library", ".bin": "snapshot"}[Path(path).suffix]
        kinds[name] = [DIST / path]
    sizes = {kind: sum(map(size, files)) for kind, files in kinds.items()}
    return {**sizes, "all of it": sum(sizes.values())}


def size(path: Path) -> int:
    content = path.read_bytes()
    return (len(content) if path.suffix in PACKED else len(gzip.compress(content, 6))) // 1000


def test_a_first_visit_stays_in_its_budget() -> None:
    if not (DIST / "boot.json").exists():
        pytest.fail("dist/ is not built: run `make build` first (`make test` does).", pytrace=False)
    most, now = lines(), downloaded()
    assert most.keys() == now.keys()
    over = {kind: f"{now[kind]:,} KB, at most {most[kind]:,} KB" for kind in now if now[kind] > most[kind]}
    assert not over, "a first visit downloads more than docs/performance.md allows"
