"""What is measured, in the order in which it is: each function gives figures by name."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page

from .browser import Bench
from .recordings import write_recording

SHORT, LONG = 1_000, 100_000
SIZES = (SHORT, LONG)

SEEKS = (137, 341, 555, 742, 968)
"""Places in the short session; those in the long one are `place + SHORT * k`, where the same kind of event stands."""

Samples = dict[str, list[float]]
Figures = dict[str, Any]


def session_id(events: int) -> str:
    return f"bench-{events}"


def import_sessions(bench: Bench, folder: Path) -> Figures:
    """Both recordings, each once, through the page's file input."""
    page = bench.page()
    figures: Figures = {}
    for events in SIZES:
        path = folder / f"{events}.jsonl"
        write_recording(path, session_id(events), events)
        waiting = page.evaluate_handle("text => ({ done: bench.importing(text) })", f"Imported 1 session, {events:,}")
        page.locator("input[type=file]").set_input_files(path)
        took = waiting.evaluate("waiting => waiting.done")
        figures[f"import_{events}_ms"] = took
        figures[f"import_{events}_ms_per_event"] = took / events
        page.evaluate("bench.close()")
    page.close()
    return figures


def openings(bench: Bench, repeats: int) -> Figures:
    """From the change of the address to the end of the session shown; then seeks while the rest is being read."""
    page = bench.page()
    chance = random.Random(1)
    samples: Samples = {"open_1000": [], "open_100000": [], "seek_reading_transcript": [], "seek_reading": []}
    for _ in range(repeats):
        for events in SIZES:
            page.evaluate("bench.close()")
            samples[f"open_{events}"].append(_open(page, events))
        for _ in range(3):
            if not page.evaluate("bench.isReading()"):
                continue
            transcript, detail, _ = page.evaluate("n => bench.seek(n)", chance.randrange(40_000, LONG))
            samples["seek_reading_transcript"].append(transcript)
            samples["seek_reading"].append(detail)
            page.evaluate("bench.settle(100)")
    page.close()
    return medians(samples)


def reading(bench: Bench, repeats: int) -> Figures:
    """From the change of the address until all of the long session was read."""
    page = bench.page()
    samples: Samples = {"read_1000": [], "read_100000": []}
    for _ in range(repeats):
        for events in SIZES:
            page.evaluate("bench.close()")
            samples[f"read_{events}"].append(
                page.evaluate("hash => bench.read(hash)", f"#/sessions/{session_id(events)}")
            )
    page.close()
    return medians(samples)


def seeks(bench: Bench, repeats: int) -> Figures:
    """Seeks in sessions that are read to the end, one page for each; never twice to a place that is still cached."""
    pages = {events: bench.page() for events in SIZES}
    pages[LONG].evaluate("hash => bench.read(hash)", f"#/sessions/{session_id(LONG)}")
    names = ("seek_transcript", "seek", "seek_rows")
    samples: Samples = {f"{name}_{events}": [] for name in names for events in SIZES}
    chance = random.Random(2)
    for _ in range(repeats):
        pages[SHORT].evaluate("bench.close()")
        pages[SHORT].evaluate("hash => bench.read(hash)", f"#/sessions/{session_id(SHORT)}")
        far = SHORT * chance.randrange(LONG // SHORT)
        for place in chance.sample(SEEKS, len(SEEKS)):
            for events, page in pages.items():
                page.bring_to_front()  # one that is not in front paints nothing, and so seems faster
                page.evaluate("bench.settle(150)")
                times = page.evaluate("n => bench.seek(n)", place if events == SHORT else place + far)
                for name, time in zip(names, times, strict=True):
                    samples[f"{name}_{events}"].append(time)
    for page in pages.values():
        page.close()
    return medians(samples)


def smoothness(bench: Bench) -> Figures:
    """Tasks of the main thread over 50 ms, and the greatest number of nodes, while the long session is used."""
    page = bench.page()
    figures: Figures = {"long_tasks": {"start": page.evaluate("bench.longTasks()")}}
    page.evaluate("bench.watchNodes()")

    def note(name: str) -> None:
        figures["long_tasks"][name] = page.evaluate("bench.longTasks()")

    _open(page, LONG)
    note("open")
    page.evaluate("n => bench.seek(n)", SHORT)
    figures["played_reading"] = page.evaluate("bench.play('64', 4000)")
    note("play while reading")
    page.evaluate("hash => bench.read(hash)", f"#/sessions/{session_id(LONG)}")
    note("read")
    page.evaluate("n => bench.seek(n)", LONG // 2)
    figures["played"] = page.evaluate("bench.play('64', 6000)")
    note("play")
    page.evaluate("bench.scroll(240)")
    note("scroll the list of events")
    for position in random.Random(3).sample(range(1, LONG), 25):
        page.evaluate("n => bench.seek(n)", position)
    note("seek")
    figures["most_nodes"] = page.evaluate("bench.mostNodes()")
    durations = [task["duration"] for tasks in figures["long_tasks"].values() for task in tasks]
    figures["longest_task_ms"] = max(durations, default=0)
    page.close()
    return figures


def _open(page: Page, events: int) -> float:
    took: float = page.evaluate(
        "([hash, events]) => bench.open(hash, events)", [f"#/sessions/{session_id(events)}", events]
    )
    return took


def medians(samples: Samples) -> Figures:
    """The median of each list, the list itself, and for those of both sizes the ratio. Some are of microseconds."""
    figures: Figures = {}
    for name, values in samples.items():
        figures[f"{name}_ms"] = round(median(values), 5) if values else None
        figures[f"{name}_samples"] = [round(value, 5) for value in values]
    for name in samples:
        short, long = f"{name.removesuffix('_1000')}_1000_ms", f"{name.removesuffix('_1000')}_100000_ms"
        if name.endswith("_1000") and figures.get(short):
            figures[f"{name.removesuffix('_1000')}_ratio"] = round(figures[long] / figures[short], 3)
    return figures
