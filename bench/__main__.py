"""`python -m bench [--repeats N] [--extremes] [--only NAME …]`: measure, print a table, keep the figures."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import report
from .browser import launched
from .driver import driver_samples
from .extremes import large_events, many_sessions
from .measure import Figures, import_sessions, medians, openings, reading, seeks, smoothness
from .sdk import sdk_samples
from .sdk.flood import flood
from .start import start_samples
from .stores import store_samples


def main() -> None:
    options = _options()
    about = report.machine()
    figures: Figures = {"repeats": options.repeats}
    if not options.only or "start" in options.only:
        with tempfile.TemporaryDirectory() as name, launched(Path(name)) as bench:
            figures |= medians(start_samples(bench, options.repeats))
    if not options.only or "flood" in options.only:
        with tempfile.TemporaryDirectory() as name, launched(Path(name)) as bench:  # its session is the only one
            figures |= flood(bench)
    if not options.only or "stores" in options.only:
        figures |= medians(store_samples(options.repeats))
    if options.only and {"start", "flood", "stores"}.issuperset(options.only):
        print(report.table(figures))
        return
    with tempfile.TemporaryDirectory() as name, launched(Path(name) / "profile") as bench:
        about["browser"] = bench.version
        folder, repeats = Path(name), options.repeats
        parts: dict[str, Callable[[], Figures]] = {
            "import": lambda: import_sessions(bench, folder),
            "open": lambda: openings(bench, repeats),
            "read": lambda: reading(bench, 3),
            "seek": lambda: seeks(bench, repeats),
            "smooth": lambda: smoothness(bench),
            "driver": lambda: medians(driver_samples(bench, repeats)),
            "sdk": lambda: medians(sdk_samples(bench, repeats)),
        }
        if options.extremes:
            parts |= {
                "large": lambda: large_events(bench, folder),
                "many": lambda: many_sessions(bench, folder),
            }
        for part, measure in parts.items():
            if options.only and part not in ("import", *options.only):
                continue
            started = time.monotonic()
            figures |= measure()
            print(f"{part}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{about['cpu']}, {about['cores']} cores, {about['browser']}; medians of {repeats} rounds\n")
    print(report.table(figures))
    if not options.only:
        report.write(figures, about)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the built page in Chromium.")
    parser.add_argument("--repeats", type=int, default=9, metavar="N", help="rounds of each measurement (9)")
    parser.add_argument("--extremes", action="store_true", help="also events of 134 KB and 20,000 sessions")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="some parts alone; nothing is kept then")
    return parser.parse_args()


if __name__ == "__main__":
    main()
