"""The proxy that disturbs event streams: it does what its plan says and nothing else. The client is a bare socket."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from examples.agent.server import Server

from .proxy import FaultProxy, Plan, seeded_plan

EVENTS = 300


class Upstream(BaseHTTPRequestHandler):
    """A GET is a stream of events from after Last-Event-ID, with heartbeats in it; other requests are echoed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        first = int(self.headers.get("Last-Event-ID") or 0) + 1
        for number in range(first, EVENTS + 1):
            self._chunk(b": heartbeat\n\n" if number % 10 == 0 else b"")
            self._chunk(block(number))
        if self.path == "/for-ever":
            while not self.server.over.wait(0.02):  # type: ignore[attr-defined]
                self._chunk(b": heartbeat\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen = {"path": self.path, "headers": {**self.headers}, "body": body.decode()}
        answer = json.dumps(seen).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet."""


class UpstreamServer(ThreadingHTTPServer):
    over = threading.Event()
    broken = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away breaks its stream off here too."""
        self.broken.set()


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    with UpstreamServer(("127.0.0.1", 0), Upstream) as server:
        server.over, server.broken = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


def address(server: UpstreamServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def block(number: int) -> bytes:
    return f"event: message\nid: {number}\ndata: number {number} ✓\n\n".encode()


WHOLE = b"".join((b": heartbeat\n\n" if number % 10 == 0 else b"") + block(number) for number in range(1, EVENTS + 1))


@contextmanager
def opened(proxy: FaultProxy, request: str) -> Iterator[socket.socket]:
    place = proxy.address.removeprefix("http://").split(":")
    with socket.create_connection((place[0], int(place[1])), timeout=20) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        yield connection


def exchange(proxy: FaultProxy, request: str) -> tuple[bytes, list[bytes], str]:
    """The head of the answer, its body's chunks (or the whole body), and how it ended."""
    with opened(proxy, request) as connection:
        received, how = rest(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return head, [body], how
    chunks = []
    while body:
        size, _, body = body.partition(b"\r\n")
        if size == b"0":
            how = "ended"
            break
        chunks.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return head, chunks, how


def rest(connection: socket.socket) -> tuple[bytes, str]:
    """What still comes, and whether the connection is closed or reset then."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        return received, "reset"
    return received, "closed"


def get(path: str = "/", **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\nHost: here\nAccept: text/event-stream\n{lines}\n"


def post(body: str) -> str:
    return f"POST /a?b=c HTTP/1.1\nHost: here\nAuthorization: Bearer x\nContent-Length: {len(body)}\n\n{body}"


def first_post(server_id: str) -> str:
    """What starts an agent of a real server."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
    lines = f"Content-Type: application/json\nContent-Length: {len(body)}\n"
    return f"POST /v1/acp/{server_id}?agent=mock HTTP/1.1\nHost: here\n{lines}\n{body}"


def test_what_is_no_stream_passes_as_it_is(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream), seed=1) as proxy:
        head, [body], _ = exchange(proxy, post("hello"))
        assert head.startswith(b"HTTP/1.1 201 ")
        seen = json.loads(body)
        assert (seen["path"], seen["body"]) == ("/a?b=c", "hello")
        assert seen["headers"]["Authorization"] == "Bearer x"
        assert proxy.streams == []


def test_a_body_in_chunks_passes_too(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream)) as proxy:
        with opened(proxy, get()) as connection:
            assert connection.recv(1)
        request = "POST / HTTP/1.1\nHost: here\nTransfer-Encoding: chunked\nContent-Length: 10\n\n5\nhello\n0\n\n"
        _, [body], _ = exchange(proxy, request)
        assert json.loads(body)["body"] == "5\r\nhello\r\n"


def test_without_a_plan_a_stream_is_whole(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream)) as proxy:
        _, chunks, how = exchange(proxy, get())
        assert b"".join(chunks) == WHOLE
        assert how == "ended"


def test_it_goes_on_after_the_last_event_id(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream)) as proxy:
        _, chunks, _ = exchange(proxy, get(Last_Event_ID="297"))
        assert re.findall(rb"^id: (\d+)$", b"".join(chunks), re.MULTILINE) == [b"298", b"299", b"300"]
        assert proxy.streams[0].last_event_id == "297"


@pytest.mark.parametrize(("how_cut", "ending"), [("reset", "reset"), ("close", "closed"), ("end", "ended")])
@pytest.mark.parametrize("after", [0, 1, 700])
def test_it_cuts_after_so_many_bytes(upstream: UpstreamServer, how_cut: Any, ending: str, after: int) -> None:
    with FaultProxy(address(upstream), planned=lambda _: Plan(cut_after=after, how_cut=how_cut)) as proxy:
        _, chunks, how = exchange(proxy, get("/for-ever"))
        received = b"".join(chunks)
        assert WHOLE.startswith(received)
        if how_cut != "reset":  # which throws away what was not yet read
            assert len(received) == after
            assert how == ending
        assert len(received) <= after
        [seen] = proxy.streams
        assert (seen.cut, seen.sent) == (True, after)
        assert upstream.broken.wait(10), "the server's stream goes on"


def test_it_splits_anywhere_and_changes_nothing(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream), planned=lambda _: Plan(longest_piece=7, longest_delay=0.0001)) as proxy:
        _, chunks, _ = exchange(proxy, get())
        assert b"".join(chunks) == WHOLE
        assert {len(chunk) for chunk in chunks} >= {*range(1, 8)}
        assert max(map(len, chunks)) == 7
        assert any(chunk.endswith("✓".encode()[:1]) for chunk in chunks), "not in the middle of a letter"


def test_it_tells_the_last_events_again(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream), planned=lambda _: Plan(longest_piece=50, repeats={2: 3, 11: 3})) as proxy:
        _, chunks, _ = exchange(proxy, get())
        received = b"".join(chunks)
        ids = [int(id_) for id_ in re.findall(rb"^id: (\d+)$", received, re.MULTILINE)]
        assert ids[:16] == [1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 9, 10, 11]
        assert ids[16:] == [*range(12, EVENTS + 1)]
        assert block(11) + b"".join(map(block, (9, 10, 11))) in received
        assert proxy.streams[0].repeated == 5


def test_it_refuses_as_often_as_told(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream)) as proxy:
        proxy.refuse(2, "GET")
        heads = [exchange(proxy, request)[0] for request in (get(), post(""), get(), get())]
        assert [head.split()[1] for head in heads] == [b"502", b"201", b"502", b"200"]


def test_it_cuts_what_is_open_and_may_become_calm(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream), planned=lambda _: Plan(cut_after=10**9)) as proxy:
        with opened(proxy, get("/for-ever")) as connection:
            assert connection.recv(100)
            proxy.cut()
            assert rest(connection)[1] == "reset"
        proxy.calm()
        assert exchange(proxy, get())[2] == "ended"
        assert [seen.plan.cut_after for seen in proxy.streams] == [10**9, None]


def test_who_goes_away_is_gone_at_the_server_too(upstream: UpstreamServer) -> None:
    with FaultProxy(address(upstream)) as proxy:
        with opened(proxy, get("/for-ever")) as connection:
            assert connection.recv(100)
        assert upstream.broken.wait(10)


def test_a_server_that_is_away_looks_like_one() -> None:
    with FaultProxy("http://127.0.0.1:1") as proxy:
        head, _, how = exchange(proxy, get())
        assert head == b""
        assert how in ("closed", "reset")


def test_a_seed_makes_the_same_plans_each_time_and_many_of_them() -> None:
    plans = [seeded_plan(5, number) for number in range(1, 200)]
    assert plans == [seeded_plan(5, number) for number in range(1, 200)]
    assert plans != [seeded_plan(6, number) for number in range(1, 200)]
    assert {plan.how_cut for plan in plans} == {"reset", "close", "end"}
    assert 20 < sum(plan.cut_after is None for plan in plans) < 80
    assert any(plan.repeats for plan in plans)
    assert all(seeded_plan(seed, 1).cut_after is not None for seed in range(100)), "a network that does no harm"


@pytest.mark.parametrize("seed", range(4))
def test_a_client_that_comes_back_gets_everything(upstream: UpstreamServer, seed: int) -> None:
    with FaultProxy(address(upstream), seed=seed) as proxy:
        got: list[int] = []
        while not got or got[-1] < EVENTS:
            assert len(proxy.streams) < 500
            _, chunks, _ = exchange(proxy, get(Last_Event_ID=str(got[-1] if got else 0)))
            for whole in b"".join(chunks).split(b"\n\n")[:-1]:
                id_ = re.search(rb"^id: (\d+)$", whole, re.MULTILINE)
                if id_ and int(id_[1]) not in got:
                    assert whole + b"\n\n" == block(int(id_[1]))
                    got.append(int(id_[1]))
        assert got == [*range(1, EVENTS + 1)]


def test_the_real_server_through_it(agent_server: str) -> None:
    with FaultProxy(agent_server, planned=lambda _: Plan(longest_piece=3)) as proxy:
        assert exchange(proxy, first_post("proxy"))[0].startswith(b"HTTP/1.1 200 ")
        with opened(proxy, get("/v1/acp/proxy")) as connection:
            received = b""
            while received.count(b"\r\n") < 30:
                received += connection.recv(4096)
        assert b"text/event-stream" in received
        assert proxy.streams[0].sent > 0


def test_a_server_that_is_killed_breaks_its_streams(new_server: Any) -> None:
    server: Server = new_server()
    with FaultProxy(server.address) as proxy:
        exchange(proxy, first_post("s"))
        with opened(proxy, get("/v1/acp/s")) as connection:
            assert connection.recv(100)
            server.kill()
            assert rest(connection)[1] == "reset"
        server.start()
        assert exchange(proxy, first_post("s"))[0].startswith(b"HTTP/1.1 200 ")
