"""Puts the page's Python beside the page: pure wheels in dist/wheels/, and what a start fetches in dist/boot.json.

    dist/wheels/wheels.json   [{"file": "micropip-….whl", "size": 115488}, …] in the order of installation
    dist/boot.json            {"total": bytes, "files": {"pyodide/pyodide.asm.wasm": bytes, …}}

Wheels are kept in build/ between runs: the ones of wheels.txt until their line changes, ours until pyapp/ changes.
Run by `make build`, after Vite has emptied and written dist/.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
CACHE = ROOT / "build" / "wheels"

PYTHON_IN_PAGE = "3.14"
"""The Python version of the Pyodide release that package.json pins."""

FETCHED = ("pyodide/pyodide-lock.json", "pyodide/pyodide.asm.wasm", "pyodide/python_stdlib.zip")
"""What the worker reads of Pyodide with fetch(). Its modules are imported, so their bytes cannot be counted."""


def main() -> None:
    wheels = [*(pinned(line) for line in requirements()), own()]
    target = DIST / "wheels"
    target.mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        shutil.copyfile(wheel, target / wheel.name)
    sizes = {wheel.name: wheel.stat().st_size for wheel in wheels}
    write_json(target / "wheels.json", [{"file": name, "size": size} for name, size in sizes.items()])

    files = {name: (DIST / name).stat().st_size for name in FETCHED}
    files |= {f"wheels/{name}": size for name, size in sizes.items()}
    write_json(DIST / "boot.json", {"total": sum(files.values()), "files": files})
    print(f"dist/wheels: {len(wheels)} wheels; a first start fetches {sum(files.values()) / 1e6:.1f} MB")


def requirements() -> Iterable[str]:
    """The pinned requirements of wheels.txt, without comments."""
    for line in (Path(__file__).parent / "wheels.txt").read_text().splitlines():
        if requirement := line.partition("#")[0].strip():
            yield requirement


def pinned(requirement: str) -> Path:
    """The pure wheel of a requirement such as `htpy==26.5.1`, from the cache or fetched into it."""
    folder = CACHE / requirement.replace("==", "-")
    if not (wheel := only_wheel(folder)):
        if requirement.startswith("markupsafe=="):
            # Its published wheels are compiled, for other platforms. Without a C compiler it builds a pure one.
            pip("wheel", "--no-binary", "markupsafe", "--wheel-dir", folder, requirement, CC="/bin/false")
        else:
            pip("download", "--python-version", PYTHON_IN_PAGE, "--only-binary=:all:", "-d", folder, requirement)
        wheel = only_wheel(folder)
    if wheel is None or not wheel.name.endswith("-none-any.whl"):
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(f"{requirement}: no pure wheel ({wheel.name if wheel else 'nothing'}); the page cannot use it")
    return wheel


def own() -> Path:
    """Our wheel, built anew when anything that goes into it has changed."""
    digest = hashlib.sha256()
    sources = [*(ROOT / "pyapp").rglob("*"), *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))]
    for path in sorted(sources):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    folder = CACHE / "own"
    stamp = folder / "digest"
    wheel = only_wheel(folder)
    if wheel is None or not stamp.exists() or stamp.read_text() != digest.hexdigest():
        shutil.rmtree(folder, ignore_errors=True)
        run("-m", "hatchling", "build", "-t", "wheel", "-d", folder)
        stamp.write_text(digest.hexdigest())
        wheel = only_wheel(folder)
    assert wheel is not None, "hatchling built no wheel"
    return wheel


def only_wheel(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.whl"))), None)


def pip(command: str, *arguments: str | Path, **environment: str) -> None:
    run("-m", "pip", command, "--quiet", "--disable-pip-version-check", "--no-deps", *arguments, **environment)


def run(*arguments: str | Path, **environment: str) -> None:
    """Run this Python with arguments; what it says is shown only when it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
