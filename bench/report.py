"""The figures of a run as a table, and as a file with the machine that they come from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results") / "latest.json"

Figures = dict[str, Any]


def machine() -> Figures:
    """What the figures depend on, besides the code."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def write(figures: Figures, about: Figures) -> None:
    """Keep the figures in bench/results/latest.json."""
    RESULTS.parent.mkdir(exist_ok=True)
    whole = {"date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"), "machine": about, "figures": figures}
    RESULTS.write_text(json.dumps(whole, indent=1) + "\n")


def table(figures: Figures) -> str:
    """The figures for a person, in Markdown."""
    head = ("measured", "1,000 events", "100,000 events", "ratio")
    return "\n".join(
        [
            *_start_table(figures),
            *_driver_table(figures),
            *_sdk_table(figures),
            *_flood_line(figures),
            *_store_table(figures),
            _row(head),
            "| --- | ---: | ---: | ---: |",
            *(_row(row) for row in _by_size(figures)),
            "",
            _row(("measured", "value")),
            "| --- | ---: |",
            *(_row(row) for row in _others(figures)),
        ]
    )


_BY_SIZE = {
    "open": "open a session, at its end",
    "seek_transcript": "seek, until the transcript shows it",
    "seek": "seek, until the event's JSON shows too",
    "seek_rows": "seek, until the list of events shows too",
    "read": "open, until everything was read",
    "import": "import a recording",
}


def _by_size(figures: Figures) -> Iterator[tuple[str, ...]]:
    for name, words in _BY_SIZE.items():
        short, long = figures.get(f"{name}_1000_ms"), figures.get(f"{name}_100000_ms")
        if short and long:
            ratio = "" if name in ("read", "import") else f"{long / short:.2f}"
            yield words, _time(short), _time(long), ratio


def _others(figures: Figures) -> Iterator[tuple[str, str]]:
    if "import_100000_ms_per_event" in figures:
        yield "import of 100,000, for each event", f"{figures['import_100000_ms_per_event']:.3f} ms"
    if figures.get("seek_reading_ms"):
        yield "seek in 100,000 while they are being read", _time(figures["seek_reading_ms"])
    if "long_tasks" in figures:
        for name, tasks in figures["long_tasks"].items():
            longest = max((task["duration"] for task in tasks), default=0)
            words = f"{len(tasks)}, the longest {longest:.0f} ms" if tasks else "none"
            yield f"main thread, tasks over 50 ms: {name}", words
        yield "events played at 64× in 6 s", f"{figures['played']:,}"
        yield "nodes in the document, at most", f"{figures['most_nodes']:,}"
    for name, words in _EXTREMES.items():
        if figures.get(name) is not None:
            yield words, _time(figures[name])


_DRIVER = (
    ("one awaited `insert_event`", "insert_ours", "insert_javascript", "1.5"),
    ("2,000 inserts awaited together, per event", "together_ours", "together_javascript", "1.75"),
    ("the same, JavaScript without looking for taken indexes", "together_ours", "unchecked_javascript", ""),
    ("2,000 events by one `insert_events`, the same JavaScript", "many_ours", "unchecked_javascript", ""),
    ("a page of 100, 100,000 events in 100 sessions", "page_ours", "page_javascript", "2.5"),
    ("the same page, of 100,000 events / of 1,000", "page_of_many_ours", "page_of_few_ours", "1.3"),
    ("the same page, of 1,000,000 events / of 10,000", "page_of_million_ours", "page_of_ten_thousand_ours", "1.3"),
    ("the last 50, of 100,000 events / of 1,000", "last_of_long_ours", "last_of_short_ours", "1.3"),
    ("the same page / reading the whole store, as upstream", "page_ours", "page_of_everything_javascript", "0.01"),
    ("import of a file of 50,000 events, per event", "import_ours", "import_javascript", "3"),
)
"""What is compared: words, ours, the other side (JavaScript unless the words say otherwise), the ratio aimed at."""


def _driver_table(figures: Figures) -> Iterator[str]:
    if "insert_ours_ms" not in figures:
        return
    yield _row(("the driver", "ours", "other", "ratio", "at most"))
    yield "| --- | ---: | ---: | ---: | ---: |"
    for words, ours, other, most in _DRIVER:
        mine, theirs = figures[f"{ours}_ms"], figures[f"{other}_ms"]
        ratio = f"{mine / theirs:.2f}" if mine / theirs > 0.05 else f"{mine / theirs:.4f}"
        yield _row((words, f"{mine:.3f} ms", f"{theirs:.3f} ms", ratio, most))
    yield ""


def _flood_line(figures: Figures) -> Iterator[str]:
    if "flood_s" not in figures:
        return
    tasks = figures["flood_long_tasks"]
    yield (
        f"10,000 updates in ten seconds, in the inspector: {figures['flood_updates']:,} stored, "
        f"{figures['flood_gaps']} gaps, {figures['flood_s']} s; tasks of the main thread over 50 ms: "
        f"{', '.join(f'{task} ms' for task in tasks) or 'none'}."
    )
    yield ""


def _sdk_table(figures: Figures) -> Iterator[str]:
    if "sdk_ours_ms" not in figures:
        return
    ours, theirs, page = (figures[f"sdk_{side}_ms"] for side in ("ours", "typescript", "page"))
    yield _row(("from the agent's write to the stored event", "ours", "TypeScript on Node", "ratio", "at most"))
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield _row(("CPython, in memory", f"{ours:.2f} ms", f"{theirs:.2f} ms", f"{ours / theirs:.2f}", "1.5"))
    yield _row(("Chromium, IndexedDB", f"{page:.2f} ms", "", "", ""))
    yield ""


_STORES = (
    (
        "SQLite: 10,000 inserts at once / bare `sqlite3`, 64 in a transaction",
        "sqlite_inserts_ours",
        "sqlite_inserts_bare",
        "2",
    ),
    ("SQLite: a page of 100, of 1,000,000 events / of 10,000", "sqlite_page_many", "sqlite_page_few", "1.3"),
    (
        "Postgres: an insert, one after the other / bare psycopg, the same statements",
        "postgres_insert_ours",
        "postgres_insert_bare",
        "1.15",
    ),
    ("Postgres: a page of 100, of 1,000,000 events / of 10,000", "postgres_page_many", "postgres_page_few", "1.3"),
    (
        "`copy` of 100,000, SQLite to Postgres, per event, compared too / COPY of the rows",
        "copy_ours",
        "copy_bare",
        "3",
    ),
    ("Rivet: an insert behind 10,000 events / behind 1,000", "rivet_insert_few", "rivet_insert_fewest", ""),
    ("Rivet: a page of 100, of 1,000,000 events / of 10,000", "rivet_page_many", "rivet_page_few", "1.3"),
)
"""What is compared of the stores: words, one side, the other, the ratio aimed at."""


def _store_table(figures: Figures) -> Iterator[str]:
    measured = [row for row in _STORES if f"{row[1]}_ms" in figures]
    if not measured:
        return
    yield _row(("the stores", "ours", "other", "ratio", "at most"))
    yield "| --- | ---: | ---: | ---: | ---: |"
    for words, ours, other, most in measured:
        mine, theirs = figures[f"{ours}_ms"], figures[f"{other}_ms"]
        yield _row((words, f"{mine:.3g} ms", f"{theirs:.3g} ms", f"{mine / theirs:.2f}", most))
    yield ""


_START = (
    ("first visit: empty cache, no service worker", "first", "0.35"),
    ("second visit", "second", "0.20"),
)


def _start_table(figures: Figures) -> Iterator[str]:
    if "first_ours_ms" not in figures:
        return
    yield _row(("from navigation", "ready, 20 sessions", "bare `loadPyodide()`", "ratio", "at most"))
    yield "| --- | ---: | ---: | ---: | ---: |"
    for words, name, most in _START:
        ours, bare = figures[f"{name}_ours_ms"], figures[f"{name}_bare_ms"]
        yield _row((words, _time(ours), _time(bare), f"{ours / bare:.2f}", most))
    yield _row(("main thread blocked, tasks over 50 ms, summed", _time(figures["blocked_ms"]), "", "", "0 ms"))
    yield ""


_EXTREMES = {
    "large_open_ms": "events of 134 KB each: open",
    "large_seek_ms": "events of 134 KB each: seek",
    "large_read_ms": "events of 134 KB each: 500 of them read",
    "large_longest_task_ms": "events of 134 KB each: longest task over 50 ms",
    "many_start_ms": "20,000 sessions: page load until the list shows",
    "many_scroll_longest_task_ms": "20,000 sessions: longest task over 50 ms while scrolling",
    "many_open_ms": "20,000 sessions: open one of them",
}


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
