"""The promises about what may be stored: what comes back exactly, and what is refused."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidRecordError
from ...types import SessionEvent
from ..base import SessionPersistDriver
from .kit import (
    ContractBroken,
    DriverPromise,
    all_events,
    all_sessions,
    event,
    expect_equal,
    expect_refused,
    record,
)


async def event_fields_round_trip(driver: SessionPersistDriver) -> None:
    """Every field of an event comes back, with those that nobody knows and those that are null."""
    payload = {
        "jsonrpc": "2.0",
        "id": 0,
        "result": {"stopReason": "end_turn", "usage": None, "list": [[], {}]},
    }
    given = SessionEvent("e1", 1, "s1", 0, "", "client", payload, {"traceId": "t", "none": None})
    await driver.insert_event("s1", given)
    expect_equal(await all_events(driver), [given], "the event read again")


async def numbers_round_trip(driver: SessionPersistDriver) -> None:
    """Numbers come back as equal numbers: fractions, exponents, and integers up to 2**53 on both sides."""
    numbers = [0, -1, 0.1, -2.5e-7, 1e300, 5e-324, 1e21, 2**53, -(2**53), 10**20, 1.7976931348623157e308]
    await driver.insert_event("s1", event(1, numbers=numbers))
    expect_equal((await all_events(driver))[0], event(1, numbers=numbers), "the event read again")


async def text_round_trips(driver: SessionPersistDriver) -> None:
    """Any text comes back as it was: astral, combining, right to left, NUL, half characters."""
    texts = [
        "🦀👩‍👩‍👧",
        "e\u0301 é",
        "שלום مرحبا",
        "a\0b",
        "\ud83d",
        "x\udc00y",
        "\u2028\ufeff\uffff",
        '"\\/\n\t',
    ]
    texts += ["__proto__", "constructor", ""]
    given = event(1, texts=texts, keys={text: {text: text} for text in texts})
    await driver.insert_event("s1", given)
    expect_equal((await all_events(driver))[0], given, "the event read again")
    named = record("sitzung-é-🦀-ש\0", extra={"title": "\udfff" + texts[0]})
    await driver.update_session(named)
    await driver.insert_event(named.id, event(1, named.id))
    expect_equal(await driver.get_session(named.id), named, "the record read again")
    expect_equal(await all_events(driver, named.id), [event(1, named.id)], "its events")


async def large_payloads_round_trip(driver: SessionPersistDriver) -> None:
    """A payload of a megabyte, and one with many small values, come back whole."""
    large = event(1, text="aé🦀" * 175_000)
    many = event(2, items=[{"n": n, "t": f"value {n}"} for n in range(20_000)])
    for given in (large, many):
        await driver.insert_event("s1", given)
    if await all_events(driver) != [large, many]:
        raise ContractBroken("a large payload came back changed")


async def deep_payloads_round_trip(driver: SessionPersistDriver) -> None:
    """Some two hundred levels of nesting are kept."""
    given = event(1, deep=_nested(190))
    await driver.insert_event("s1", given)
    expect_equal(await all_events(driver) == [given], True, "equality of the event read again")


async def bad_values_are_refused(driver: SessionPersistDriver) -> None:
    """What no store can give back as it was is refused with a reason, and nothing of it is stored."""
    loop: list[Any] = []
    loop.append(loop)
    values = [
        float("nan"),
        float("inf"),
        2**53 + 1,
        -(2**60),
        2.0**60,
        10**400,
        _nested(300),
        _nested(5_000),
    ]
    values += [(1, 2), {1: "a"}, b"bytes", {1, 2}, object(), loop]
    values += ["\ud83e\udd80", {"\ud83e\udd80": 1}]  # halves side by side, which would come back as one character
    for value in values:
        what = f"a {type(value).__name__} in a payload"
        await expect_refused(driver.insert_event("s1", event(1, value=value)), InvalidRecordError, what)
        bad = record(session_init={"value": value})
        await expect_refused(driver.update_session(bad), InvalidRecordError, what)
    expect_equal(await all_events(driver), [], "the events")
    expect_equal(await all_sessions(driver), [], "the sessions")


async def bad_records_are_refused(driver: SessionPersistDriver) -> None:
    """A record or an event whose fields are of the wrong kind is refused, and nothing of it is stored."""
    wrong: Any
    for wrong in (record(""), record(created_at=-1), record("\ud800"), record(created_at=2**53)):
        await expect_refused(driver.update_session(wrong), InvalidRecordError, f"{wrong!r}")
    for wrong in (event(0), event(-1), event(1, id_="\udfff"), event(2**53)):
        await expect_refused(driver.insert_event("s1", wrong), InvalidRecordError, f"{wrong!r}")
    odd: Any = "nobody"
    sender = SessionEvent("e", 1, "s1", 1, "c", odd, {})
    await expect_refused(driver.insert_event("s1", sender), InvalidRecordError, "a sender that is neither")
    expect_equal(await all_events(driver), [], "the events")
    expect_equal(await all_sessions(driver), [], "the sessions")


async def later_changes_do_not_reach_the_store(driver: SessionPersistDriver) -> None:
    """What a caller does to a record it gave or got changes nothing that is stored."""
    given, known = event(1, items=[1]), record(session_init={"cwd": "/"})
    await driver.insert_event("s1", given)
    await driver.update_session(known)
    given.payload["params"]["items"].append(2)
    (known.session_init or {})["cwd"] = "/changed"
    read = (await all_events(driver))[0]
    expect_equal(read, event(1, items=[1]), "the event after the given one was changed")
    read.payload.clear()
    expect_equal(await all_events(driver), [event(1, items=[1])], "the event after the read one was changed")
    expect_equal(await driver.get_session("s1"), record(session_init={"cwd": "/"}), "the record")


def _nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


VALUES: tuple[DriverPromise, ...] = (
    event_fields_round_trip,
    numbers_round_trip,
    text_round_trips,
    large_payloads_round_trip,
    deep_payloads_round_trip,
    bad_values_are_refused,
    bad_records_are_refused,
    later_changes_do_not_reach_the_store,
)
