"""Gathers the page's Python in build/site/wheels/, from where Vite takes it to dist/wheels/: pure wheels.

    wheels.json   [{"file": "micropip-….whl"}, …] in the order of installation

Wheels are kept in build/ between runs: the ones of wheels.txt until their line changes, ours until pyapp/ changes.
Run by `make build`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "build" / "site" / "wheels"
CACHE = ROOT / "build" / "wheels"

PYTHON_IN_PAGE = "3.14"
"""The Python version of the Pyodide release that package.json pins."""


def main() -> None:
    wheels = [*(pinned(line) for line in requirements()), own()]
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for wheel in wheels:
        shutil.copyfile(wheel, TARGET / wheel.name)
    listed = [{"file": wheel.name} for wheel in wheels]
    (TARGET / "wheels.json").write_text(json.dumps(listed, indent=2) + "\n")


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
        run("-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=staged())
        stamp.write_text(digest.hexdigest())
        wheel = only_wheel(folder)
    assert wheel is not None, "hatchling built no wheel"
    return wheel


def staged() -> Path:
    """What our wheel is made of, in a folder of its own: the package without what only CPython can use."""
    folder = CACHE / "staged"
    shutil.rmtree(folder, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", "cli", "__main__.py")
    shutil.copytree(ROOT / "pyapp", folder / "pyapp", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    about = folder / "pyproject.toml"
    script = re.compile(r"^\[project\.scripts\]\n.*?\n\n", re.DOTALL | re.MULTILINE)
    about.write_text(script.sub("", about.read_text()))
    return folder


def only_wheel(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.whl"))), None)


def pip(command: str, *arguments: str | Path, **environment: str) -> None:
    run("-m", "pip", command, "--quiet", "--disable-pip-version-check", "--no-deps", *arguments, **environment)


def run(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run this Python with arguments; what it says is shown only when it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
