"""What `inspect` serves: the store's answers, to whoever has the token, from our own page, and to nobody else."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver, StoreChange, StoreError
from pyapp.cli.serving import Answers, PageServer
from pyapp.drivers.base import ObservableStore
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record
from pyapp.drivers.remote import RemoteStore

from .kit import Cli, small_recording, start


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A folder that looks like a built page."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<head><meta name="version" content="x"></head>')
    (folder / "boot.json").write_text("{}")
    (folder / "assets" / "a.js").write_text("export {}")
    (tmp_path / "secret").write_text("secret")
    return folder


@asynccontextmanager
async def served(page: Path, store: InMemorySessionPersistDriver) -> AsyncIterator[PageServer]:
    answers = Answers(store)
    server = PageServer(page, answers, asyncio.get_running_loop())
    server.start()
    try:
        yield server
    finally:
        answers.close()
        await asyncio.to_thread(server.close)


def request(
    server: PageServer, method: str, path: str, body: Any = None, **headers: str | None
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers; a header that is None is left out."""
    usual = {"Host": server.host, "Authorization": f"Bearer {server.token}"}
    given = {name: value for name, value in (usual | headers).items() if value is not None}
    connection = http.client.HTTPConnection("127.0.0.1", int(server.host.rpartition(":")[2]), timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, value in given.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def remote(server: PageServer) -> RemoteStore:
    """The store as the page sees it."""

    async def call(method: str, params: dict[str, Any]) -> Any:
        asked = {"method": method, "params": params}
        status, body, _ = await asyncio.to_thread(request, server, "POST", "/source", asked)
        if status != 200:
            raise StoreError(json.loads(body)["error"])
        return json.loads(body)

    return RemoteStore(call)


def test_the_page_sees_what_the_store_has(page: Path) -> None:
    async def work() -> None:
        store = InMemorySessionPersistDriver(max_events_per_session=5_000)
        for number in range(4):
            await store.update_session(record(f"s{number}", 1_000 + number, destroyed_at=number or None))
        await store.insert_events("s1", [event(index, text="é\ud800") for index in range(1, 1_501)])
        async with served(page, store) as server, remote(server) as seen:
            assert isinstance(seen, ObservableStore)
            assert await all_sessions(seen) == await all_sessions(store)
            assert await all_events(seen, limit=700) == await all_events(store, limit=700)
            assert await seen.get_session("s2") == await store.get_session("s2")
            assert await seen.get_session("nobody") is None
            assert await seen.last_events("s1", 3) == await store.last_events("s1", 3)
            assert await seen.last_events("s1", 3, before=(7, "")) == await store.last_events("s1", 3, before=(7, ""))
            assert await seen.session_heads() == await store.session_heads()
            assert (await seen.count_events("s1"), await seen.totals()) == (1_500, await store.totals())
            assert len((await seen.list_events("s1", limit=1_000_000)).items) == 1_000  # no answer is huge
            for write in (
                seen.update_session(record()),
                seen.insert_event("s1", event(1)),
                seen.insert_events("s1", []),
                seen.delete_session("s1"),
                seen.add_sessions([], []),
            ):
                with pytest.raises(StoreError, match="only shown here"):
                    await write

    asyncio.run(work())


def test_the_page_is_told_how_the_store_is_called(page: Path) -> None:
    async def work() -> None:
        answers = Answers(InMemorySessionPersistDriver(), "a name")
        assert (await answers("changes", {"since": None}))["name"] == "a name"

    asyncio.run(work())


def test_changes_are_told(page: Path) -> None:
    async def work() -> None:
        store = InMemorySessionPersistDriver()
        async with served(page, store) as server, remote(server) as seen:
            told: asyncio.Queue[StoreChange] = asyncio.Queue()
            seen.on_change(told.put_nowait)
            heard: set[str] = set()
            number = 0
            async with asyncio.timeout(30):
                while "s1" not in heard:  # the first question may come after the first writes
                    number += 1
                    await store.insert_event("s1", event(number))
                    try:
                        heard |= (await asyncio.wait_for(told.get(), 0.2)).session_ids
                    except TimeoutError:
                        continue
                await store.update_session(record("s2"))
                while "s2" not in heard:
                    heard |= (await told.get()).session_ids

    asyncio.run(work())


def test_nobody_waits_for_changes_of_what_is_closed() -> None:
    async def work() -> None:
        answers = Answers(InMemorySessionPersistDriver())
        waiting = asyncio.ensure_future(answers("changes", {"since": 0}))
        await asyncio.sleep(0)
        assert not waiting.done()
        answers.close()
        async with asyncio.timeout(10):
            for answer in (await waiting, await answers("changes", {"since": 0})):
                assert (answer["number"], answer["sessions"]) == (0, [])

    asyncio.run(work())


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (401, {"Authorization": None}),
        (401, {"Authorization": "Bearer wrong"}),
        (401, {"Authorization": "Bearer é"}),
        (403, {"Host": "evil.example"}),
        (403, {"Host": "localhost:1"}),
        (403, {"Host": None}),
        (403, {"Origin": "https://evil.example"}),
        (403, {"Origin": "null"}),
    ],
)
def test_who_is_let_in(page: Path, status: int, headers: dict[str, str | None]) -> None:
    async def work() -> None:
        async with served(page, InMemorySessionPersistDriver()) as server:
            asked = {"method": "totals", "params": {}}
            got, _, sent = await asyncio.to_thread(lambda: request(server, "POST", "/source", asked, **headers))
            assert got == status
            assert not any(name.startswith("access-control") for name in sent)
            if status == 403:
                got, body, _ = await asyncio.to_thread(lambda: request(server, "GET", "/", **headers))
                assert (got, b'name="version"' in body) == (403, False)

    asyncio.run(work())


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        {"method": "totals"},
        {"method": "deleteSession", "params": {"id": "s1"}},
        {"method": "updateSession", "params": {}},
        {"method": "getSession", "params": {"id": 7}},
        {"method": "listEvents", "params": {"sessionId": "s1", "cursor": "x"}},
        {"method": "lastEvents", "params": {"sessionId": "s1", "limit": -1}},
        {"method": "lastEvents", "params": {"sessionId": "s1", "limit": 1, "before": {"a": 1}}},
    ],
)
def test_questions_that_cannot_be(page: Path, asked: Any) -> None:
    async def work() -> None:
        async with served(page, InMemorySessionPersistDriver()) as server:
            status, body, _ = await asyncio.to_thread(request, server, "POST", "/source", asked)
            assert (status, set(json.loads(body))) == (400, {"error"})

    asyncio.run(work())


def test_the_files_of_the_page_and_no_others(page: Path) -> None:
    async def work() -> None:
        async with served(page, InMemorySessionPersistDriver()) as server:

            async def get(path: str) -> tuple[int, bytes, dict[str, str]]:
                return await asyncio.to_thread(request, server, "GET", path)

            for path in ("/", "/index.html", "/?boot=plain"):
                status, body, headers = await get(path)
                assert status == 200
                assert b'<meta name="source" content="served"><meta name="version"' in body
                assert headers["cache-control"] == "no-store"
            assert (await get("/assets/a.js"))[2]["content-type"] == "text/javascript"
            for path in ("/assets/", "/secret", "/../secret", "/%2e%2e/secret", "/source", "//etc/passwd"):
                status, body, _ = await get(path)
                assert status == 404, path
                assert b"secret\n" not in body

    asyncio.run(work())


def exchange(server: PageServer, sent: bytes) -> bytes:
    """What comes back for these very bytes."""
    host, _, port = server.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(sent.replace(b"HOST", server.host.encode()).replace(b"TOKEN", server.token.encode()))
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def leave_early(server: PageServer, sent: bytes) -> None:
    """Ask, and reset the connection at the first byte of the answer, or at once where there is no question."""
    host, _, port = server.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(sent.replace(b"HOST", server.host.encode()))
        if sent.endswith(b"\r\n\r\n"):
            client.recv(1)


async def all_answered() -> None:
    async with asyncio.timeout(30):
        while any("process_request_thread" in thread.name for thread in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


GET = b"GET %s HTTP/1.1\r\nHost: HOST\r\n%s\r\n"
POST = b"POST /source HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\nContent-Length: %s\r\n\r\n%s"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET % (b"/%00", b""), 404),
        (GET % (b"/a%00/../boot.json", b""), 200),
        (GET % (b"/%ff%zz%", b""), 404),
        (GET % (b"/%ed%a0%80", b""), 404),
        (GET % (b"/" + b"a" * 5_000, b""), 404),
        (GET % (b"http://[/../../assets", b""), 404),
        (b"GET /" + b"a" * 65_532, 414),  # no more than is read: what is left unread resets the connection
        (GET % (b"/boot.json", b"no colon\r\n"), 200),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 65_534, 431),
        (GET % (b"/boot.json", b"X: a\r\n" * 200), 431),
        (GET % (b"/boot.json", b"If-Modified-Since: never\r\n"), 200),
        (b"GET / a b c\r\n\r\n", 400),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"\x16\x03\x01\x00\xee\r\n\r\n", 400),
        (b"M\xc3\xa4H / HTTP/1.1\r\n\r\n", 501),
        (POST % (b"x", b""), 400),
        (POST % (b"-1", b""), 400),
        (POST % ("²".encode("latin-1"), b""), 400),
        (POST % (b"9" * 5_000, b""), 400),
        (POST % (b"100", b"{}"), 400),
        (POST % (b"2", b"\xff\xff"), 400),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_whatever_is_sent_is_answered_and_nothing_is_printed(
    page: Path, capsys: pytest.CaptureFixture[str], sent: bytes, status: int
) -> None:
    async def work() -> None:
        async with served(page, InMemorySessionPersistDriver()) as server:
            answer = await asyncio.to_thread(exchange, server, sent)
            await all_answered()
            assert capsys.readouterr().err == ""
            assert f" {status} ".encode() in answer.partition(b"\r\n")[0] or f"Error code: {status}".encode() in answer

    asyncio.run(work())


@pytest.mark.parametrize("sent", [b"GET /large HTTP/1.1\r\nHost: HOST\r\n\r\n", b"GET /large HT", b""])
def test_a_client_that_goes_away_is_let_go(page: Path, capsys: pytest.CaptureFixture[str], sent: bytes) -> None:
    async def work() -> None:
        (page / "large").write_bytes(bytes(20_000_000))
        async with served(page, InMemorySessionPersistDriver()) as server:
            await asyncio.to_thread(leave_early, server, sent)
            assert (await asyncio.to_thread(request, server, "GET", "/boot.json"))[0] == 200
            await all_answered()
            assert capsys.readouterr().err == ""

    asyncio.run(work())


def test_a_page_that_is_being_built_anew_is_not_found(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        (page / "index.html").unlink()
        async with served(page, InMemorySessionPersistDriver()) as server:
            assert (await asyncio.to_thread(request, server, "GET", "/"))[0] == 404
            assert capsys.readouterr().err == ""

    asyncio.run(work())


def test_there_has_to_be_a_page(cli: Cli, tmp_path: Path) -> None:
    source = small_recording(tmp_path / "x.jsonl", "a")
    assert "make build" in cli.fails(3, "inspect", source, "--page", tmp_path, "--no-browser")


def test_a_browser_is_not_waited_for(page: Path, tmp_path: Path) -> None:
    """It runs in the foreground here, until the test lets it go."""
    source, browser = small_recording(tmp_path / "x.jsonl", "a"), tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nexec >/dev/null 2>&1\ntouch "{tmp_path}/opened"\n'
        f'while [ ! -e "{tmp_path}/done" ]; do sleep 0.05; done\n'
    )
    browser.chmod(0o755)
    with start("inspect", source, "--page", page, BROWSER=f"{browser} %s") as process:
        while process.poll() is None and not (tmp_path / "opened").exists():
            time.sleep(0.005)  # polls; the file appears when it does
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=30)
        finally:
            (tmp_path / "done").touch()
        assert (process.returncode, err) == (0, "")


def test_ctrl_c_ends_it(page: Path, tmp_path: Path) -> None:
    source = small_recording(tmp_path / "x.jsonl", "a")
    with start("inspect", source, "--page", page, "--no-browser") as process:
        assert process.stdout
        said = process.stdout.readline()
        assert "http://127.0.0.1:" in said
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
