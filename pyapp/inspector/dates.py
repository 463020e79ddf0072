"""Times and sizes as people read them; figures are facts with units."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime

DAY = 86_400_000
"""Milliseconds of a day."""

_FAR_FUTURE = 253_402_300_000_000  # the year 9999, where datetime ends


@dataclass(frozen=True, slots=True)
class Zone:
    """The local time of a place, whose distance from UTC changes with its seasons and laws.

    `since` are moments in ms since the epoch, ascending, from which on local time is so many minutes `behind` UTC
    (ECMA-262, `getTimezoneOffset`). Before the first of them it is as from there on.
    """

    since: tuple[int, ...] = (0,)
    behind: tuple[int, ...] = (0,)

    def local(self, ms: int) -> int:
        """What a clock there shows at this moment, in ms since it showed the beginning of 1970."""
        return ms - self.behind[max(0, bisect_right(self.since, ms) - 1)] * 60_000


UTC_ZONE = Zone()


def _local(ms: int, zone: Zone) -> datetime:
    """The local time; what no calendar here can show (before 1970, after 9999) is shown as its end."""
    return datetime.fromtimestamp(min(max(zone.local(ms), 0), _FAR_FUTURE) / 1000, UTC)


def day_label(ms: int, now: int, zone: Zone) -> str:
    """Today, Yesterday, or the date."""
    days = zone.local(now) // DAY - zone.local(ms) // DAY
    if days in (0, 1):
        return "Yesterday" if days else "Today"
    day, today = _local(ms, zone), _local(now, zone)
    return f"{day:%A} {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def clock_time(ms: int, zone: Zone) -> str:
    """The time of day, as 14:02."""
    return f"{_local(ms, zone):%H:%M}"


def second_time(ms: int, zone: Zone) -> str:
    """The time of day, as 14:02:07."""
    return f"{_local(ms, zone):%H:%M:%S}"


def date_time(ms: int, zone: Zone) -> str:
    """Date and time, as 2026-11-22 14:02:07."""
    return f"{_local(ms, zone):%Y-%m-%d %H:%M:%S}"


def span(ms: float) -> str:
    """How long something took: 0.2 s, 54 s, 3 min 12 s, 2 h 5 min."""
    seconds = max(0.0, ms) / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def elapsed(ms: float, *, tenths: bool = False) -> str:
    """A place on the clock of a session: 0:47, 1:02:03, with tenths 0:47.1."""
    tenth = int(max(0.0, ms) // 100)
    whole, rest = divmod(tenth, 10)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{rest}" if tenths else text


def size(count: int) -> str:
    """A number of bytes: 812 B, 1.2 KB, 42 MB, 60 GB."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def plural(count: int, noun: str) -> str:
    """1 event, 1,829 events."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
