"""Recordings that nobody hopes for: events of 134 KB each, and a list of 20,000 sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from .browser import Bench
from .recordings import START, large_event_rows, session_row, write_rows

LARGE_EVENTS, LARGE_BYTES = 500, 134_000
MANY_SESSIONS = 20_000

Figures = dict[str, Any]


def large_events(bench: Bench, folder: Path) -> Figures:
    """A session of 500 events of 134 KB."""
    path = folder / "large-events.jsonl"
    rows = large_event_rows("large-events", LARGE_EVENTS, LARGE_BYTES)
    write_rows(path, [session_row("large-events"), *({"type": "event", **row} for row in rows)])
    page = bench.page()
    figures: Figures = {"large_import_ms": _import(page, path, "Imported 1 session")}
    page.evaluate("bench.close()")
    page.evaluate("bench.longTasks()")
    opened = ["#/sessions/large-events", LARGE_EVENTS]
    figures["large_open_ms"] = page.evaluate("([hash, events]) => bench.open(hash, events)", opened)
    page.evaluate("bench.close()")
    figures["large_read_ms"] = page.evaluate("hash => bench.read(hash)", "#/sessions/large-events")
    times = [page.evaluate("n => bench.seek(n)", position)[1] for position in range(40, LARGE_EVENTS, 40)]
    figures["large_seek_ms"] = median(times)
    figures["large_longest_task_ms"] = _longest(page.evaluate("bench.longTasks()"))
    page.close()
    return figures


def many_sessions(bench: Bench, folder: Path) -> Figures:
    """A list of 20,000 sessions, of two events each."""
    path = folder / "many-sessions.jsonl"
    write_rows(path, _many())
    page = bench.page()
    figures: Figures = {"many_import_ms": _import(page, path, f"Imported {MANY_SESSIONS:,}")}
    page.goto("about:blank")
    page.goto(bench.site + "#/")
    page.locator("html[data-ready=true]").wait_for(state="attached")
    figures["many_start_ms"] = page.evaluate("performance.now()")
    page.evaluate("bench.longTasks()")
    page.evaluate("bench.scroll(240, '#sessions-scroll')")
    figures["many_scroll_longest_task_ms"] = _longest(page.evaluate("bench.longTasks()"))
    figures["many_open_ms"] = page.evaluate("bench.open('#/sessions/many-777', 2)")
    page.close()
    return figures


def _many() -> Iterator[dict[str, Any]]:
    for number in range(MANY_SESSIONS):
        id_ = f"many-{number}"
        created_at = START + number * 60_000
        yield session_row(id_, created_at)
        for index, (sender, payload) in enumerate(
            (
                (
                    "client",
                    {"id": 1, "method": "session/prompt", "params": {"prompt": [{"type": "text", "text": id_}]}},
                ),
                ("agent", {"id": 1, "result": {"stopReason": "end_turn"}}),
            ),
            1,
        ):
            yield {
                "type": "event",
                "id": f"{id_}-{index}",
                "eventIndex": index,
                "sessionId": id_,
                "createdAt": created_at + index,
                "connectionId": "connection-1",
                "sender": sender,
                "payload": {"jsonrpc": "2.0", **payload},
            }


def _import(page: Any, path: Path, text: str) -> float:
    waiting = page.evaluate_handle("text => ({ done: bench.importing(text) })", text)
    page.locator("input[type=file]").set_input_files(path)
    took: float = waiting.evaluate("waiting => waiting.done")
    return took


def _longest(tasks: list[dict[str, float]]) -> float:
    return max((task["duration"] for task in tasks), default=0.0)
