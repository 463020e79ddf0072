"""Dates as the user's clock shows them: in summer and in winter, and when a day has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Faults, go_to_inspector
from .test_inspector import sessions

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def recording(created: dict[str, int]) -> bytes:
    rows: list[dict[str, Any]] = [
        {
            "type": "session",
            "id": id_,
            "agent": "mock",
            "agentSessionId": "a",
            "lastConnectionId": "c",
            "createdAt": created_at,
        }
        for id_, created_at in created.items()
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def in_berlin(browser: Browser, faults: Faults) -> Iterator[Page]:
    context = browser.new_context(service_workers="block", timezone_id="Europe/Berlin")
    page = context.new_page()
    faults.watch(page)
    page.clock.install(time=NOW)
    yield page
    context.close()
    assert faults.texts == []


def test_local_times_of_summer_and_winter_and_the_next_day(in_berlin: Page, site: str) -> None:
    page = in_berlin
    go_to_inspector(page, site)
    created = {
        "summer": ms(2026, 7, 1, 10),
        "before": ms(2026, 10, 25, 0, 59, 59),  # the last second of summer time
        "behind": ms(2026, 10, 25, 1),
        "midnight": ms(2026, 11, 26, 23, 30),  # the 27th in Berlin
        "today": ms(2026, 11, 28, 10),
    }
    page.locator("input[type=file]").set_input_files(
        {"name": "dates.jsonl", "mimeType": "application/jsonl", "buffer": recording(created)}
    )
    expect(sessions(page)).to_have_count(5)
    shown = [re.search(r"\d\d:\d\d", link.inner_text()) for link in sessions(page).all()]
    assert [found and found[0] for found in shown] == ["11:00", "00:30", "02:00", "02:59", "12:00"]
    listing = page.get_by_role("navigation", name="Sessions")
    expect(listing).to_contain_text(re.compile("Today.*Yesterday.*Sunday 25 October.*Wednesday 1 July", re.DOTALL))
    page.clock.fast_forward("11:30:00")
    expect(listing).to_contain_text(re.compile("Yesterday.*Friday 27 November", re.DOTALL))
    expect(listing).not_to_contain_text("Today")
