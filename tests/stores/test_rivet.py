"""The Rivet driver keeps the contract on a real Rivet: by all actions of our actor, and by upstream's five alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pyapp import (
    InvalidRecordError,
    ObservableStore,
    RivetSessionPersistDriver,
    StoreChange,
    StoreError,
    StoreUnavailableError,
)
from pyapp.drivers.base import Totals
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, StorePromise
from pyapp.drivers.conformance.kit import all_events, event, record
from pyapp.drivers.conformance.store import draft
from pyapp.drivers.rivet.live import INTERVAL
from pyapp.types import SessionEvent

from .rivet_server import RivetServer, started

LIMIT = 30.0

BY_FIVE = [*DRIVER_CONTRACT, *STORE_CONTRACT]
CASES = [("sessions", promise) for promise in (*BY_FIVE, *WHOLE_CONTRACT)]
CASES += [("plainSessions", promise) for promise in BY_FIVE]


@pytest.fixture(scope="session")
def rivet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RivetServer]:
    """One server for all tests; each takes a key of its own."""
    yield from started(tmp_path_factory.mktemp("rivet") / "data")


@pytest.fixture
def own_rivet(tmp_path: Path) -> Iterator[RivetServer]:
    """A server that the test may kill."""
    yield from started(tmp_path / "data")


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await work()

    asyncio.run(limited())


@pytest.mark.parametrize(("actor", "promise"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_promise(rivet: RivetServer, actor: str, promise: StorePromise) -> None:
    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint, actor, promise.__name__) as driver:
            await promise(driver)

    run(work)


def test_it_is_a_whole_store(rivet: RivetServer) -> None:
    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint) as driver:
            assert isinstance(driver, ObservableStore)

    run(work)


def test_what_rivet_cannot_say_comes_back(rivet: RivetServer) -> None:
    pairs = [["$BigInt", "1"], ["$$x", 2], ["$", None], ["$Uint8Array", "AA=="]]
    given = event(1, pairs=pairs, bare={"__proto__": {"a": "\0"}}, halves=["\ud83d", {"\udc00": 1}])

    async def work() -> None:
        for actor in ("sessions", "plainSessions"):
            async with RivetSessionPersistDriver(rivet.endpoint, actor, "odd") as driver:
                await driver.insert_event("s1", given)
                await driver.insert_event("s1", given)
                assert await all_events(driver) == [given]

    run(work)


PROTO = "__proto__"

NAMELESS: dict[str, Callable[[RivetSessionPersistDriver], Awaitable[object]]] = {
    "a record": lambda driver: driver.update_session(record(PROTO)),
    "an event": lambda driver: driver.insert_event(PROTO, event(1, PROTO)),
    "some events": lambda driver: driver.insert_events(PROTO, [event(1, PROTO), event(2, PROTO)]),
    "appended": lambda driver: driver.append_event(PROTO, draft(1)),
    "some appended": lambda driver: driver.append_events(PROTO, [draft(1)]),
    "imported": lambda driver: driver.add_sessions([record("s0"), record(PROTO)], [_rows(event(1, PROTO))]),
    "an event's id": lambda driver: driver.insert_event("s1", replace(event(1), id=PROTO)),
    "some events' ids": lambda driver: driver.insert_events("s1", [event(1), replace(event(2), id=PROTO)]),
    "an appended id": lambda driver: driver.append_event("s1", draft(1, PROTO)),
    "some appended ids": lambda driver: driver.append_events("s1", [draft(1), draft(2, PROTO)]),
    "an imported id": lambda driver: driver.add_sessions([record()], [_rows(replace(event(1), id=PROTO))]),
    "an imported id in escapes": lambda driver: driver.add_sessions(
        [record()], [[_rows(replace(event(1), id=PROTO))[0].replace(PROTO, r"\u005f_proto__")]]
    ),
    "an imported event": lambda driver: driver.add_sessions([record()], [_rows(event(1, PROTO))]),
}
"""Writes of an id that an actor cannot keep."""


def _rows(*events: SessionEvent) -> list[str]:
    return [json.dumps(one.to_row()) for one in events]


@pytest.mark.parametrize("actor", ["sessions", "plainSessions"])
@pytest.mark.parametrize("write", NAMELESS)
def test_an_id_that_an_actor_cannot_keep_is_refused_and_nothing_stored(
    rivet: RivetServer, actor: str, write: str
) -> None:
    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint, actor, f"proto {write}") as driver:
            with pytest.raises(InvalidRecordError, match=r"cannot keep .* '__proto__'"):
                await NAMELESS[write](driver)
            if "imported" not in write:  # rows are looked at as they come
                assert not await driver.exists(), "something was sent"
            assert await driver.totals() == Totals(0, 0)

    run(work)


@pytest.mark.parametrize("actor", ["sessions", "plainSessions"])
def test_a_subscription_gives_each_event_once_and_in_order(rivet: RivetServer, actor: str) -> None:
    async def work() -> None:
        key = "subscribed"
        async with (
            RivetSessionPersistDriver(rivet.endpoint, actor, key) as author,
            RivetSessionPersistDriver(rivet.endpoint, actor, key) as reader,
        ):
            for number in range(3):
                await author.append_event("s1", draft(number))
            heard: list[SessionEvent] = []
            writing = asyncio.create_task(_write(author, 30))
            async for one in reader.subscribe("s1"):
                heard.append(one)
                if len(heard) == 33:
                    break
            await writing
            assert heard == await all_events(author, limit=100)
            assert [one.event_index for one in heard] == list(range(1, 34))

    run(work)


async def _write(author: RivetSessionPersistDriver, count: int) -> None:
    for number in range(count):
        await author.append_event("s1", draft(number))
        await author.append_event("s2", draft(number))


def test_others_changes_are_told(rivet: RivetServer) -> None:
    async def work() -> None:
        async with (
            RivetSessionPersistDriver(rivet.endpoint, key="told") as author,
            RivetSessionPersistDriver(rivet.endpoint, key="told") as listener,
        ):
            changes: asyncio.Queue[StoreChange] = asyncio.Queue()
            stop = listener.on_change(changes.put_nowait)
            assert (await changes.get()).everything, "the connection is there"
            await author.update_session(record())
            assert (await changes.get()).session_ids == {"s1"}
            await author.insert_event("s2", event(1, "s2"))
            assert (await changes.get()).session_ids == {"s2"}
            stop()

    run(work)


def test_who_listens_no_more_hears_nothing_more(rivet: RivetServer) -> None:
    """Nor what was heard and not told yet."""

    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint, key="stop") as driver:
            told: list[StoreChange] = []
            heard = asyncio.Event()
            stop = driver.on_change(told.append)
            driver._news.listen(lambda _news: heard.set())
            await heard.wait()
            stop()
            await asyncio.sleep(2 * INTERVAL)
            assert told == []

    run(work)


def test_an_import_harms_no_session_that_it_does_not_bring(rivet: RivetServer) -> None:
    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint, key="foreign") as driver:
            await driver.insert_events("b", [event(1, "b"), event(2, "b")])
            with pytest.raises(InvalidRecordError, match="does not come with it"):
                await driver.add_sessions([record("a")], [[json.dumps(event(3, "b").to_row())]])
            assert await all_events(driver, "b") == [event(1, "b"), event(2, "b")]
            assert await driver.totals() == Totals(0, 2)

    run(work)


def test_nothing_acknowledged_is_lost_by_kills(own_rivet: RivetServer) -> None:
    """Rivet is killed at any moment while events are appended: each is stored once, and a subscription goes on."""

    async def work() -> None:
        endpoint = own_rivet.endpoint
        async with (
            RivetSessionPersistDriver(endpoint) as author,
            RivetSessionPersistDriver(endpoint) as reader,
        ):
            acknowledged: list[SessionEvent] = [await author.append_event("s1", draft(0))]
            heard: list[SessionEvent] = []
            enough = asyncio.Event()

            async def listen() -> None:
                async for one in reader.subscribe("s1"):
                    heard.append(one)
                    if len(heard) == 61:
                        enough.set()

            async def write() -> None:
                for number in range(1, 61):
                    acknowledged.append(await author.append_event("s1", draft(number)))
                    reached[number // 20].set()

            reached = [asyncio.Event() for _ in range(4)]
            tasks = [asyncio.create_task(listen()), asyncio.create_task(write())]
            for moment in reached[1:3]:
                await moment.wait()
                own_rivet.kill()
                await asyncio.to_thread(own_rivet.start)
            await tasks[1]
            await enough.wait()
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            own_rivet.kill()
            own_rivet.start()
            assert await all_events(author, limit=100) == acknowledged == heard

    run(work)


def test_a_state_of_more_than_32_mib(own_rivet: RivetServer) -> None:
    """It is saved, and read again: rivetkit alone ends at 32 MiB."""
    given = [event(number, words="w" * 1024 * 1024) for number in range(1, 35)]

    async def work() -> None:
        async with RivetSessionPersistDriver(own_rivet.endpoint) as driver:
            await driver.add_sessions([record()], [[json.dumps(one.to_row())] for one in given])
            own_rivet.kill()
            own_rivet.start()
            assert await all_events(driver) == given

    run(work)


WRITES: dict[str, Callable[[RivetSessionPersistDriver], Awaitable[object]]] = {
    "a new record": lambda driver: driver.update_session(record("s3")),
    "a changed record": lambda driver: driver.update_session(replace(record(), agent="another")),
    "the first event": lambda driver: driver.insert_event("s3", event(1, "s3")),
    "an event in a hole": lambda driver: driver.insert_event("s1", event(2)),
    "some events": lambda driver: driver.insert_events("s1", [event(5), event(2)]),
    "appended": lambda driver: driver.append_event("s1", draft(1)),
    "deleted": lambda driver: driver.delete_session("s1"),
    "imported": lambda driver: driver.add_sessions([record("s3")], [[json.dumps(event(1, "s3").to_row())]]),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_cannot_be_saved_is_refused_and_not_shown(rivet: RivetServer, write: str) -> None:
    async def work() -> None:
        async with RivetSessionPersistDriver(rivet.endpoint, key=f"unsaved {write}") as driver:
            await driver.add_sessions([record()], [])
            await driver.insert_events("s1", [event(1), event(3)])
            before = await _shown(driver)
            with rivet.unable_to_save(), pytest.raises(StoreError, match="cannot be saved"):
                await WRITES[write](driver)
            assert await _shown(driver) == before
            await WRITES[write](driver)
            assert await _shown(driver) != before

    run(work)


def test_writes_that_are_saved_together_are_refused_together(own_rivet: RivetServer) -> None:
    """Some of them find what others did, and would be told that it is stored."""

    async def work() -> None:
        async with AsyncExitStack() as stack:
            drivers = [await stack.enter_async_context(RivetSessionPersistDriver(own_rivet.endpoint)) for _ in range(6)]
            stored = [await driver.append_event("s1", draft(0)) for driver in drivers]
            with own_rivet.unable_to_save():
                writing = [driver.append_event("s1", draft(n % 3, f"e{n % 3}")) for n, driver in enumerate(drivers)]
                done = await asyncio.gather(*writing, return_exceptions=True)
            assert [type(one) for one in done] == [StoreError] * 6
            assert await all_events(drivers[0]) == stored
            stored.append(await drivers[1].append_event("s1", draft(9)))
            own_rivet.kill()
            own_rivet.start()
            assert await all_events(drivers[0]) == stored

    run(work)


async def _shown(driver: RivetSessionPersistDriver) -> object:
    listed = (await driver.list_sessions()).items
    events = [await all_events(driver, id_) for id_ in ("s1", "s3")]
    return await driver.totals(), listed, events


def test_refusals_say_what_to_do(rivet: RivetServer, own_rivet: RivetServer) -> None:
    async def work() -> None:
        own_rivet.kill()
        async with RivetSessionPersistDriver(own_rivet.endpoint) as driver:
            with pytest.raises(StoreUnavailableError, match=r"no answer from Rivet at .*is it running there"):
                await driver.get_session("s1")
        with pytest.raises(StoreUnavailableError, match="closed"):
            await driver.get_session("s1")
        async with RivetSessionPersistDriver(rivet.endpoint, "nobody") as driver:
            for ask in (driver.exists, driver.totals, lambda: driver.append_event("s1", draft(1))):
                with pytest.raises(StoreUnavailableError) as refusal:
                    await ask()
                told = 'this Rivet has no actor named "nobody", only sessions and plainSessions'
                assert str(refusal.value) == told
        for wrong in ("ftp://x", "http://user:word@x", "nonsense"):
            with pytest.raises(ValueError, match="address"):
                RivetSessionPersistDriver(wrong)

    run(work)


def _made(name: str, **fields: object) -> str:
    wanted = {"name": name, "key": "k", "runner_name_selector": "default", "crash_policy": "sleep"}
    return json.dumps(wanted | fields)


NO_ACTOR = "0123456789abcdef"
"""The id of no actor."""

HOSTILE = {
    "an unknown actor": ("PUT", "/actors?namespace=default", _made("nosuch"), 404),
    "an unknown actor anew": ("POST", "/actors", _made("nosuch"), 404),
    "a name of every object": ("PUT", "/actors/", _made("constructor"), 404),
    "an unknown actor in other letters": ("PUT", "/%61ctors", _made("nosuch"), 404),
    "a look at an unknown actor": ("GET", "/actors?name=nosuch&key=k", "", 404),
    "an unknown id": ("POST", f"/gateway/{NO_ACTOR}/action/totals", '{"args":[]}', 404),
    "an id that is a path": ("POST", "/gateway/..%2fstate/action/totals", '{"args":[]}', 404),
    "an id in a list that is a path": ("GET", "/actors?actor_ids=..%2fstate", "", 404),
    "half a JSON": ("PUT", "/actors", '{"name":', 500),
    "no object": ("PUT", "/actors", "null", 400),
    "deep JSON": ("PUT", "/actors", "[" * 200_000, 500),
    "an input that is none": ("PUT", "/actors", _made("sessions", key="input", input="/////w=="), 500),
    "a policy that is none": ("PUT", "/actors", _made("sessions", crash_policy="\0\0"), 200),
    "a key with slashes": ("PUT", "/actors", _made("sessions", key="../../x/y"), 200),
    "a huge key": ("PUT", "/actors", _made("sessions", key="x" * 5_000_000), 200),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_server_outlives_a_request(rivet: RivetServer, case: str) -> None:
    method, path, body, status = HOSTILE[case]
    assert rivet.ask(method, path, body) == status
    assert rivet.is_well()


@pytest.mark.parametrize(
    ("path", "protocols", "status"),
    [
        ("//", "rivet", b"400"),
        ("http://[::bad/", "rivet", b"400"),
        (f"/gateway/{NO_ACTOR}/connect", "rivet", b"404"),
        ("/connect", f"rivet, rivet_target.actor, rivet_actor.{NO_ACTOR}", b"404"),
        ("/connect", "%%%, {}, ,", b"400"),
        ("/connect", "rivet, rivet_conn_params.%7B", b"400"),
    ],
)
def test_a_server_outlives_a_socket(rivet: RivetServer, path: str, protocols: str, status: bytes) -> None:
    assert rivet.open_socket(path, protocols).startswith(b"HTTP/1.1 " + status)
    assert rivet.is_well()


def test_an_actor_without_a_program_on_the_disk_harms_nobody(own_rivet: RivetServer) -> None:
    """An earlier program made it, say. Nor does one harm whose state is damaged."""
    strange, damaged = own_rivet.rename_actor("unsaid", "sessions", "sessionz"), own_rivet.damage_actor("damaged")
    own_rivet.kill()
    own_rivet.start()
    for _ in range(2):
        assert own_rivet.ask("POST", f"/gateway/{strange}/action/totals", '{"args":[]}') == 404
        assert own_rivet.ask("POST", f"/gateway/{damaged}/action/totals", '{"args":[]}') == 500
        assert own_rivet.is_well()


def test_a_full_disk_harms_nobody_when_an_actor_wakes(own_rivet: RivetServer) -> None:
    ids = [own_rivet.make_actor(key) for key in ("one", "other")]
    with own_rivet.unable_to_save():
        for id_ in ids:
            own_rivet.ask("POST", f"/gateway/{id_}/action/totals", '{"args":[]}')
    assert own_rivet.is_well()


def test_a_rivet_with_a_token(tmp_path: Path) -> None:
    for server in started(tmp_path / "data", "se@cr/et"):

        async def work(endpoint: str = server.endpoint) -> None:
            async with RivetSessionPersistDriver(endpoint, token="se@cr/et") as driver:
                await driver.append_event("s1", draft(1))
                assert "cr/et" not in repr(driver) + repr(driver._actor)
                async for one in driver.subscribe("s1"):
                    assert one.event_index == 1
                    break
            for wrong in (None, "cr/et"):
                async with RivetSessionPersistDriver(endpoint, token=wrong) as driver:
                    with pytest.raises(StoreUnavailableError, match="wants another token") as refusal:
                        await driver.get_session("s1")
                    assert "cr/et" not in str(refusal.value)

        run(work)


@pytest.mark.parametrize("missing", ["httpx", "websockets"])
def test_without_the_extra(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nimport pyapp\npyapp.RivetSessionPersistDriver('http://h')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert "The Rivet driver needs: pip install 'sandbox-agent-pyodide[rivet]'" in done.stderr
    code = "import sys, pyapp; print({'httpx', 'websockets'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
