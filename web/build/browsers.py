"""Prints the path of a browser to test with, and installs it where there is none: `browsers.py chromium`.

In this order: the environment variable named like the browser, a browser on this machine, Debian's packages (as
root), for Chromium Playwright's own download. For WebKit it is the path of WebKitGTK's WebDriver.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One browser: what its program is called, what it needs beside it, and which Debian packages have all that."""

    names: tuple[str, ...]
    packages: tuple[str, ...]
    needs: Callable[[], bool] = lambda: True
    downloaded: Callable[[], str | None] = lambda: None
    download: tuple[str, ...] = ()

    def find(self) -> str | None:
        path = next(filter(None, map(shutil.which, self.names)), None) or self.downloaded()
        return path if path and self.needs() else None


def can_show_webkit() -> bool:
    """Whether there is a screen to draw on, and a Python that can open WebKitGTK's windows."""
    ask = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')"
    return bool(shutil.which("Xvfb")) and succeeds("/usr/bin/python3", "-c", ask)


def playwrights_chromium() -> str | None:
    """The Chromium that Playwright has downloaded, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


KINDS = {
    "chromium": Kind(
        ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ("chromium",),
        downloaded=playwrights_chromium,
        download=(sys.executable, "-m", "playwright", "install", "chromium"),
    ),
    "firefox": Kind(("firefox-esr", "firefox"), ("firefox-esr",)),
    "webkit": Kind(
        ("WebKitWebDriver",),
        ("webkit2gtk-driver", "xvfb", "python3-gi", "gir1.2-webkit2-4.1"),
        needs=can_show_webkit,
    ),
}


def main(name: str) -> None:
    kind = KINDS[name]
    found = chosen(name) or kind.find() or install(kind)
    if not found:
        packages = " ".join(kind.packages)
        sys.exit(
            f"No {name} could be found or installed: install one (Debian: apt-get install {packages}), "
            f"or set {name.upper()} to its path."
        )
    print(found)


def chosen(name: str) -> str | None:
    """What the environment says."""
    variable = name.upper()
    path = os.environ.get(variable)
    if path and not shutil.which(path):
        sys.exit(f"{variable}={path} is not a program that can be run.")
    return path


def install(kind: Kind) -> str | None:
    """A browser that was not there before: Debian's, where packages may be installed, otherwise the download."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        run("apt-get", "update")
        run("apt-get", "install", "-y", "--no-install-recommends", *kind.packages)
        if found := kind.find():
            return found
    if kind.download:
        run(*kind.download)
    return kind.find()


def run(*command: str) -> None:
    """Run a command with its output on stderr, since stdout is for the path; its failure shows in what follows."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False)


def succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(f"usage: browsers.py {'|'.join(KINDS)}")
    main(sys.argv[1])
