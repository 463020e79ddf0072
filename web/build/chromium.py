"""Prints the path of a Chromium to test with, and installs one where there is none.

In this order: the environment variable CHROMIUM, a Chromium or Chrome on PATH, Debian's package (as root),
Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    print(find() or install())


def find() -> str | None:
    """The Chromium of this machine, or None."""
    if chosen := os.environ.get("CHROMIUM"):
        if not shutil.which(chosen):
            sys.exit(f"CHROMIUM={chosen} is not a program that can be run.")
        return chosen
    return next(filter(None, map(shutil.which, NAMES)), None) or playwrights()


def install() -> str:
    """A Chromium that was not there before. Ends the program, saying what to do, when none can be had."""
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet("apt-get", "update")
        quiet("apt-get", "install", "-y", "--no-install-recommends", "chromium")
        if found := find():
            return found
    quiet(sys.executable, "-m", "playwright", "install", "chromium")
    if found := playwrights():
        return found
    sys.exit("No Chromium could be found or installed: install one, or set CHROMIUM to its path.")


def playwrights() -> str | None:
    """The Chromium that Playwright has downloaded, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def quiet(*command: str) -> None:
    """Run a command with its output on stderr, since stdout is for the path; its failure shows in what follows."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False)


if __name__ == "__main__":
    main()
