"""The server in the page, as its user meets it, on CPython: connection, new sessions, chat, permissions, requests."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from html import unescape
from typing import Any

import pytest

from pyapp.acp.jsonrpc import Message
from pyapp.drivers.base import SessionStore
from pyapp.errors import ServerRefusedError, ServerUnreachableError
from pyapp.inspector.incoming import from_page
from pyapp.inspector.live.messages import MAX_PROMPT, ConnectWanted, PromptSent, Typed
from pyapp.inspector.live.values import settings_of
from pyapp.runner.reachability import advice, refusal
from pyapp.sdk.memory import InMemoryAgentServer
from pyapp.transport import Request
from tests.sdk.agents import OPTIONS, Agent, Process, Turn, echo
from tests.unit.fake_page import FakePage, forget_timers
from tests.unit.test_inspector import Test, long_session, page_with

URL = "http://127.0.0.1:2468"
SECRET = "a-token-that-nobody-may-see"


class Server(InMemoryAgentServer):
    """A server with one agent that can be started, `mock`, and one that has to be installed first."""

    def __init__(self, turn: Turn = echo, **options: Any) -> None:
        super().__init__({"mock": Agent(turn)}, **options)
        self.installed = {"mock"}
        self.requests: list[Request] = []
        self.fails: dict[str, int] = {}
        """Statuses by the end of a path."""

    async def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append(request)
        request = replace(request, url=request.url.replace("/behind/a/proxy", ""))
        path = request.url.partition("?")[0]
        for end, status in self.fails.items():
            if path.endswith(end):
                return status, {"detail": "the test wants it so"}
        if path.endswith("/v1/agents"):
            ids = ("mock", "<other>")
            return 200, {
                "agents": [{"id": id_, "installed": id_ in self.installed, "configOptions": OPTIONS} for id_ in ids]
            }
        if path.endswith("/install"):
            self.installed.add("<other>")
            return 200, {}
        return await super().answer(request)


PAGES: list[FakePage] = []
"""Those of the running test."""


def in_loop(test: Test) -> Callable[..., None]:
    """Runs a test, then lets its pages go of their servers, so that nothing is cut off in the middle."""

    async def whole(*args: Any, **kwargs: Any) -> None:
        PAGES.clear()
        await test(*args, **kwargs)
        for page in PAGES:
            page.say("disconnect")
            await page.settle()
        forget_timers()

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(whole(*args, **kwargs))

    return run


def new_page(store: SessionStore | None = None) -> FakePage:
    PAGES.append(FakePage(store))
    return PAGES[-1]


async def until(page: FakePage, true: Callable[[], object]) -> None:
    """Wait until the page shows something. A turn may run meanwhile, so that no task's end can be waited for."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - whatever the page shows, with no event of its own
            await asyncio.sleep(0.001)


async def connected(turn: Turn = echo, hash_: str = "#/", page: FakePage | None = None, **options: Any) -> FakePage:
    page = page or new_page()
    if page not in PAGES:
        PAGES.append(page)
    page.server = Server(turn, **options)
    await page.start(hash_)
    await connect(page)
    assert "127.0.0.1:2468" in page.text("bar")
    return page


async def connect(page: FakePage, url: str = URL, token: str = "") -> None:
    page.say("connect")
    page.say("connect-to", values={"url": url, "token": token})
    await page.settle()


async def begin(page: FakePage, **chosen: str) -> str:
    """A new session; its id."""
    before = page.hash
    page.say("new")
    page.say("create", values={"agent": "mock", "cwd": "/work", **chosen})
    await until(page, lambda: page.hash != before and page.hash.endswith(session_of(page) or "none"))
    return session_of(page)


def send(page: FakePage, text: str) -> None:
    """What the page says when a text is typed and sent."""
    page.say("draft", arg=session_of(page), value=text)
    page.say("prompt", arg=session_of(page), values={"text": text})


def session_of(page: FakePage) -> str:
    """The session that the message field belongs to, as it says itself."""
    found = re.search(r'<form class="composer"[^>]* data-arg="([^"]*)"', page.html("composer"))
    return found[1] if found else ""


def buttons(html: str) -> list[str]:
    """The names of the buttons in some HTML."""
    found = re.findall(r"<button([^>]*)>(.*?)</button>", html, re.DOTALL)
    labels = (re.search(r'aria-label="([^"]*)"', attrs) for attrs, _ in found)
    return [
        unescape(label[1] if label else re.sub(r"<[^>]+>", "", words)).strip()
        for label, (_, words) in zip(labels, found, strict=True)
    ]


def draft(page: FakePage) -> str:
    """What stands in the message field."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.html("composer"), re.DOTALL)
    return unescape(found[1]) if found else ""


def field_of(page: FakePage) -> str:
    """The id of the message field."""
    found = re.search(r'<textarea id="([^"]+)"', page.html("composer"))
    assert found
    return found[1]


async def asking(process: Process, params: Message) -> Any:
    """Ask for permission, think aloud meanwhile, and say what was answered."""
    asked = asyncio.ensure_future(process.ask(len(process.heard)))
    await asyncio.sleep(0)
    process.words("thinking aloud")
    answer = await asked
    process.words(f"answered {json.dumps(answer.get('result'))}")
    return {"stopReason": "end_turn"}


async def waiting(process: Process, params: Message) -> Any:
    """Wait until the turn is cancelled."""
    process.words("working")
    await process.cancelled.wait()
    return {"stopReason": "cancelled"}


# the connection


@in_loop
async def test_a_server_is_connected_to_and_remembered_without_its_token() -> None:
    page = new_page()
    page.server = Server(token=SECRET)
    await page.start()
    assert "Connect" in buttons(page.html("bar"))
    page.say("connect")
    await page.settle()
    assert f'value="{URL}"' in page.html("connect")
    assert 'type="password"' in page.html("connect")
    await connect(page, f" {URL}/behind/a/proxy/ ", SECRET)
    assert page.html("connect") == ""
    assert "Connected to http://127.0.0.1:2468/behind/a/proxy." in page.text("status")
    assert {request.url.partition("/v1/")[0] for request in page.server.requests} == {f"{URL}/behind/a/proxy"}
    assert page.remembered["server"] == f"{URL}/behind/a/proxy"
    await begin(page)
    page.say("traffic")
    await page.settle()
    assert SECRET not in json.dumps(page.sent)
    assert SECRET not in repr(page.runner.model)
    assert SECRET not in repr(from_page({"name": "connect-to", "values": {"url": URL, "token": SECRET}}))
    again = new_page()
    again.remembered = page.remembered
    await again.start()
    again.say("connect")
    await again.settle()
    assert f'value="{URL}/behind/a/proxy"' in again.html("connect")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begins with http:// or https://"),
        ("127.0.0.1:2468", "begins with http:// or https://"),
        ("ftp://127.0.0.1", "begins with http:// or https://"),
        ("http://me:word@127.0.0.1", "holds a name or a password"),
        ("http://127.0.0.1:99999", "cannot be read"),
        ("http://127.0.0.1/?token=1", "behind ? or #"),
        ("http://192.168.1.7:2468", "by http only on this machine"),
    ],
)
@in_loop
async def test_an_address_that_cannot_be_used_is_refused_before_anything_is_asked(url: str, reason: str) -> None:
    page = new_page()
    page.server = Server()
    await page.start()
    await connect(page, url)
    assert reason in page.text("connect")
    assert page.server.requests == []
    assert f'value="{url}"' in page.html("connect")
    assert re.search(r'id="connect-url"[^>]*aria-invalid="true"', page.html("connect"))
    assert {"type": "focus", "id": "connect-url"} in page.sent
    assert "novalidate" in page.html("connect")  # the browser's own words would come first
    page.say("connect-cancel")
    await page.settle()
    assert page.html("connect") == ""


@in_loop
async def test_why_there_is_no_connection_is_said_with_what_to_do() -> None:
    page = new_page()
    page.server = Server(token=SECRET)
    await page.start()
    await connect(page, token="wrong")
    assert "refused the token, or wants one" in page.text("connect")
    assert re.search(r'id="connect-token"[^>]*aria-invalid="true"', page.html("connect"))
    assert {"type": "focus", "id": "connect-token"} in page.sent
    await connect(page, token="with a\nline")
    assert "the token holds a character" in page.text("connect")
    page.server.stop()
    await connect(page)
    assert f"No answer from {URL}" in page.text("connect")
    assert "--cors-allow-origin http://page.test" in page.text("connect")
    assert "local network" in page.text("connect")
    page.server = Server()
    page.server.fails["/v1/health"] = 404
    await connect(page)
    assert "is not a sandbox-agent server" in page.text("connect")
    page.server.fails = {"/v1/agents": 500}
    await connect(page)
    assert "in trouble" in page.text("connect")
    assert "the test wants it so" in page.text("connect")
    page.server.fails = {}
    page.say("connect-to", values={"url": URL, "token": ""})
    await page.settle()
    assert page.html("connect") == ""


@in_loop
async def test_an_attempt_can_be_given_up() -> None:
    page = new_page()
    page.server = Server()
    begun, answers = asyncio.Event(), page.server.answer

    async def never(request: Request) -> tuple[int, Any]:
        begun.set()
        await asyncio.Event().wait()
        return await answers(request)

    page.server.answer = never  # type: ignore[method-assign]
    await page.start()
    page.say("connect")
    page.say("connect-to", values={"url": URL, "token": ""})
    await until(page, lambda: begun.is_set() and "Connecting…" in page.text("connect"))
    assert "<progress" in page.html("connect")
    page.say("connect-cancel")
    await page.settle()
    assert page.html("connect") == ""
    assert "Connect" in buttons(page.html("bar"))
    assert page.text("alert") == ""


def test_http_is_for_this_machine_alone() -> None:
    for url in ("http://localhost:1", "http://127.0.0.1:1", "https://far.test", "http://page.test/agents"):
        assert refusal(url, "http://page.test") == ""
    assert refusal("http://page.test.evil.test", "http://page.test")
    assert refusal("http://[::1]:1", "http://page.test")
    said, _ = advice(ServerRefusedError("no", 401), URL, "http://page.test")
    assert "token" in said
    said, todo = advice(ServerUnreachableError("no"), URL, "https://page.test")
    assert any("--cors-allow-origin https://page.test \\\n" in line for line in todo)
    assert any("came by https" in line for line in todo)
    assert len(advice(ServerUnreachableError("no"), URL, "http://page.test")[1]) == len(todo) - 1


@in_loop
async def test_the_bar_tells_of_the_server_and_lets_it_go() -> None:
    page = await connected()
    assert page.server
    assert "1 of 2 agents" in page.text("bar")
    assert isinstance(page.server, Server)
    page.server.installed.add("<other>")
    await connect(page)
    assert re.search(r">2 agents<", page.html("bar"))
    assert "New session" in buttons(page.html("bar"))
    await begin(page)
    page.server.stop()
    await until(page, lambda: "reconnecting" in page.text("bar"))
    page.server.start()
    await until(page, lambda: "reconnecting" not in page.text("bar"))
    assert re.search(r">2 agents<", page.html("bar"))
    page.say("disconnect")
    await page.settle()
    assert "Connect" in buttons(page.html("bar"))
    assert "Disconnected" in page.text("status")
    assert "127.0.0.1" not in page.text("bar")
    assert 'aria-label="Message"' not in page.html("composer")


@in_loop
async def test_a_server_that_no_session_tries_again_is_said_to_be_lost() -> None:
    page = await connected()
    assert page.server
    page.server.stop()
    page.say("new")
    page.say("create", values={"agent": "mock", "cwd": ""})
    await page.settle()
    assert "no answer" in page.text("bar")
    assert "The session was not begun" in page.text("new")


@in_loop
async def test_a_turn_that_runs_on_after_a_disconnection_raises_no_alarm() -> None:
    page = await connected(waiting)
    await begin(page)
    send(page, "Work")
    await until(page, lambda: "working" in page.text("log"))
    page.say("disconnect")
    await page.settle()
    assert page.text("alert") == ""


# new sessions


@in_loop
async def test_a_session_is_begun_with_what_was_chosen() -> None:
    page = await connected()
    page.say("new")
    await page.settle()
    html = page.html("new")
    assert [label in html for label in (">Agent<", ">Working directory<", ">Model<")] == [True] * 3
    assert html.count("Agent’s default") == 1
    page.say("new-changed", values={"agent": "mock", "cwd": "/typed", "model": "large"})
    await page.settle()
    assert 'value="/typed"' in page.html("new")
    assert re.search(r'value="large" selected', page.html("new"))
    page.say("create", values={"agent": "mock", "cwd": "/typed", "model": "large"})
    await until(page, lambda: 'aria-label="Message"' in page.html("composer"))
    assert page.html("new") == ""
    assert "/typed" in page.text("heading")
    assert re.search(r'value="large" selected', page.html("composer"))
    assert {"type": "focus", "id": field_of(page)} in page.sent


@in_loop
async def test_an_agent_that_is_not_there_is_installed() -> None:
    page = await connected()
    assert isinstance(page.server, Server)
    page.say("new")
    page.say("new-changed", values={"agent": "<other>", "cwd": "/typed"})
    await page.settle()
    assert "&lt;other&gt; (not installed)" in page.html("new")
    assert "<other>" not in page.html("new")
    assert "Install it" in buttons(page.html("new"))
    assert re.search(r'type="submit"[^>]* disabled|disabled[^>]* type="submit"', page.html("new"))
    page.server.fails["/install"] = 500
    page.say("install")
    await page.settle()
    patches = [message["regions"].get("new", "") for message in page.sent if message["type"] == "patch"]
    assert any("Installing &lt;other&gt;" in html and "<progress" in html for html in patches)
    assert "It was not installed" in page.text("new")
    assert 'value="/typed"' in page.html("new")
    page.server.fails.clear()
    page.say("install")
    await page.settle()
    assert "not installed" not in page.html("new")
    page.say("new-cancel")
    await page.settle()
    assert page.html("new") == ""


@in_loop
async def test_a_session_that_cannot_be_begun_loses_nothing_that_was_typed() -> None:
    page = await connected()
    assert isinstance(page.server, Server)
    page.server.agents.clear()
    page.say("new")
    page.say("create", values={"agent": "mock", "cwd": "/typed", "model": "large"})
    await page.settle()
    assert "The session was not begun" in page.text("new")
    assert 'value="/typed"' in page.html("new")
    assert re.search(r'value="large" selected', page.html("new"))
    assert page.text("sessions-list") == ""


def test_settings_are_read_without_trust() -> None:
    for odd in (None, 7, "x", [7], [{"category": "mode"}], [{"category": "model", "options": [{"value": 1}]}]):
        assert settings_of(odd, odd) == ()
    many = [{"category": "model", "options": [{"value": f"{n}" * 999, "name": "n" * 999} for n in range(999)]}]
    (setting,) = settings_of(many)
    assert len(setting.choices) == 200
    assert max(len(word) for choice in setting.choices for word in choice) == 200


# the chat


@in_loop
async def test_messages_go_to_the_agent_and_the_transcript_follows() -> None:
    page = await connected()
    session_id = await begin(page)
    send(page, "Hello <b>you</b>")
    await until(page, lambda: "Turn ended" in page.text("log"))
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page.html("log")
    assert draft(page) == ""
    send(page, "again")
    await until(page, lambda: page.text("log").count("Turn ended") == 2)
    page.say("prompt", arg=session_of(page), values={"text": " \n "})
    await page.settle()
    prompts = [
        event
        for event in (await page.store.list_events(session_id, limit=1000)).items
        if event.payload.get("method") == "session/prompt"
    ]
    assert len(prompts) == 2


@in_loop
async def test_who_sends_from_an_earlier_place_sees_what_was_sent() -> None:
    page = await connected()
    await begin(page)
    send(page, "the one")
    await until(page, lambda: "Turn ended" in page.text("log"))
    page.say("seek", arg="2")
    await page.settle()
    assert "the one" not in page.text("log")
    send(page, "the other")
    await until(page, lambda: "the other" in page.text("log"))
    await page.settle()


@in_loop
async def test_what_was_typed_into_one_session_never_goes_to_another() -> None:
    """The page may show a field of the session before for a moment: what comes from it belongs to that session."""
    page = await connected()
    first = await begin(page)
    second = await begin(page)
    page.say("draft", arg=first, value="for the first")
    page.say("prompt", arg=first, values={"text": "for the first"})
    await page.settle()
    prompts = {
        id_: [event.payload for event in (await page.store.list_events(id_)).items if "prompt" in str(event.payload)]
        for id_ in (first, second)
    }
    assert "for the first" in str(prompts[first])
    assert "for the first" not in str(prompts[second])
    assert page.hash == f"#/sessions/{second}"


@in_loop
async def test_a_turn_is_cancelled() -> None:
    page = await connected(waiting)
    await begin(page)
    assert "Cancel" not in buttons(page.html("composer"))
    send(page, "Work")
    await until(page, lambda: "Cancel" in buttons(page.html("composer")))
    assert "Working…" in page.text("composer")
    page.say("cancel-turn", arg=session_of(page))
    await until(page, lambda: "Turn cancelled" in page.text("log"))
    await until(page, lambda: "Cancel" not in buttons(page.html("composer")))


@in_loop
async def test_a_setting_is_changed() -> None:
    page = await connected()
    await begin(page)
    assert page.html("composer").count("<select") == 2
    page.say("setting", arg="model", value="large")
    await until(page, lambda: re.search(r'value="large" selected', page.html("composer")))
    page.say("setting", arg="mode", value="nope")
    await page.settle()
    assert "The agent did not do that" in page.text("alert")


@in_loop
async def test_typed_text_outlives_other_sessions_patches_and_a_new_connection() -> None:
    page = await connected()
    first = await begin(page)
    page.say("draft", arg=session_of(page), value="half a thought")
    second = await begin(page)
    assert second != first
    assert draft(page) == ""
    await page.go(f"#/sessions/{first}")
    assert draft(page) == "half a thought"
    page.say("disconnect")
    await page.settle()
    await connect(page)
    page.say("resume")
    await until(page, lambda: draft(page) == "half a thought")


@pytest.mark.parametrize(
    ("typed_since", "stands"),
    [(None, "lost words"), ("", "lost words"), ("new", "lost words\n\nnew"), (" \n", "lost words")],
)
@in_loop
async def test_a_message_that_was_not_sent_stands_in_the_field_again(typed_since: str | None, stands: str) -> None:
    page = await connected()
    await begin(page)
    assert isinstance(page.server, Server)
    (process,) = page.server.processes
    page.server.fails[process] = 500
    before = field_of(page)
    send(page, "lost words")
    if typed_since is not None:
        page.say("draft", arg=session_of(page), value=typed_since)
    await until(page, lambda: "The message was not sent" in page.text("alert"))
    await page.settle()
    assert draft(page) == stands
    assert field_of(page) != before  # what was typed into a field hides the text that comes with a patch
    assert {"type": "focus", "id": field_of(page)} in page.sent


@in_loop
async def test_while_the_server_is_away_nothing_can_be_sent_and_the_reason_is_said() -> None:
    page = await connected()
    await begin(page)
    assert page.server
    assert not re.search(r"<button[^>]* disabled[^>]*>Send<", page.html("composer"))
    page.server.stop()
    await until(page, lambda: re.search(r"<button[^>]* disabled[^>]*>Send<", page.html("composer")))
    assert "The server does not answer; trying again…" in page.text("composer")
    said_by = re.search(r'aria-describedby="([^"]+)"[^>]*>Send<', page.html("composer"))
    assert said_by
    assert f'id="{said_by[1]}"' in page.html("composer")
    page.server.start()
    await until(page, lambda: not re.search(r"<button[^>]* disabled[^>]*>Send<", page.html("composer")))


# stored sessions


@in_loop
async def test_a_stored_session_offers_to_be_resumed_and_first_to_connect() -> None:
    page = await connected(waiting)
    session_id = await begin(page)
    send(page, "Work")
    await until(page, lambda: "working" in page.text("log"))
    again = new_page(page.store)
    again.server = page.server
    await again.start(f"#/sessions/{session_id}")
    assert 'aria-label="Message"' not in again.html("composer")
    assert buttons(again.html("composer")) == ["Resume"]
    again.say("resume")
    await again.settle()
    assert "Connect to a server" in again.text("connect")
    again.say("connect-to", values={"url": URL, "token": ""})
    await until(again, lambda: 'aria-label="Message"' in again.html("composer"))
    again.say("cancel-turn", arg=session_of(again))
    await until(again, lambda: "Turn cancelled" in again.text("log"))
    await page.settle()


@in_loop
async def test_a_dialog_that_was_given_up_resumes_nothing_later() -> None:
    page = await page_with(long_session(5))
    PAGES.append(page)
    page.server = Server()
    await page.start("#/sessions/long")
    page.say("resume")
    page.say("connect-cancel")
    await connect(page)
    assert buttons(page.html("composer")) == ["Resume"]


@in_loop
async def test_a_session_that_cannot_be_resumed_says_why() -> None:
    page = await connected(page=await page_with(long_session(5)), hash_="#/sessions/long")
    assert page.server
    page.server.agents.clear()
    page.say("resume")
    await page.settle()
    assert "This session was not resumed" in page.text("alert")
    assert buttons(page.html("composer")) == ["Resume"]
    page.server.agents["mock"] = Agent()
    page.say("resume")
    await until(page, lambda: 'aria-label="Message"' in page.html("composer"))
    assert page.text("alert") == ""


@in_loop
async def test_a_live_session_that_is_deleted_is_let_go() -> None:
    page = await connected(waiting)
    session_id = await begin(page)
    send(page, "Work")
    await until(page, lambda: "working" in page.text("log"))
    page.say("delete")
    await until(page, lambda: "Its agent ends, too." in page.text("dialog"))
    page.say("delete", arg="confirmed")
    await page.settle()
    assert page.text("sessions-list") == ""
    assert await page.store.get_session(session_id) is None
    assert (await page.store.list_events(session_id)).items == ()
    assert page.server
    assert page.server.processes == {}
    assert page.text("alert") == ""
    assert session_id not in page.runner.model.live.sessions


@in_loop
async def test_a_live_session_that_another_tab_deleted_is_let_go() -> None:
    page = await connected(waiting)
    session_id = await begin(page)
    send(page, "Work")
    await until(page, lambda: "working" in page.text("log"))
    await page.store.delete_session(session_id)
    await until(page, lambda: session_id not in page.runner.model.live.sessions)
    await page.settle()
    assert "This session was deleted" in page.text("stage")
    assert await page.store.get_session(session_id) is None
    assert (await page.store.list_events(session_id)).items == ()
    assert page.text("alert") == ""


# permissions


@in_loop
async def test_a_permission_is_answered_with_a_button() -> None:
    page = await connected(asking)
    await begin(page)
    send(page, "Ask me")
    await until(page, lambda: buttons(page.html("log")) == ["Allow", "Reject"])
    assert 'role="group" aria-label="Permission request"' in page.html("log")
    assert "asks for permission" in page.text("composer")
    (arg, _) = re.findall(r'data-click="permission" data-arg="([^"]*)"', page.html("log"))
    await until(page, lambda: "thinking aloud" in page.text("log"))
    (total,) = re.findall(r'aria-valuemax="(\d+)"', page.html("slider"))
    page.say("seek", arg=str(int(total) - 1))
    await until(page, lambda: "thinking aloud" not in page.text("log"))
    assert 'aria-label="Permission request"' in page.html("log")
    assert buttons(page.html("log")) == []
    assert buttons(page.html("composer")) == ["Show", "Cancel", "Send"]
    assert f'data-click="seek" data-arg="{total}"' in page.html("composer")
    page.say("seek", arg=total)
    await until(page, lambda: buttons(page.html("log")) == ["Allow", "Reject"])
    page.say("permission", arg=unescape(arg))
    await until(page, lambda: "Turn ended" in page.text("log"))
    assert buttons(page.html("log")) == []
    assert "allowed once" in page.text("log")
    assert '"optionId": "yes"' in unescape(page.text("log"))
    page.say("permission", arg=unescape(arg))  # of a tab that was late
    await page.settle()
    assert page.text("log").count("answered") == 1
    page.say("dismiss")
    send(page, "Ask me again")
    await until(page, lambda: page.html("log").count('aria-label="Permission request"') == 2)
    await until(page, lambda: buttons(page.html("log")))
    assert buttons(page.html("log")) == ["Allow", "Reject"]  # the first question has none
    page.say("disconnect")
    await page.settle()
    assert buttons(page.html("log")) == []
    for odd in ("", "[]", "[1,2,3]", '["a","b"]', "{", "null"):
        assert from_page({"name": "permission", "arg": odd}) is None


@in_loop
async def test_what_another_tab_answered_has_no_buttons_any_more() -> None:
    page = await connected(asking)
    session_id = await begin(page)
    send(page, "Ask me")
    await until(page, lambda: buttons(page.html("log")))
    other = new_page(page.store)
    other.server = page.server
    await other.start(f"#/sessions/{session_id}")
    await connect(other)
    other.say("resume")
    await until(other, lambda: buttons(other.html("log")) == ["Allow", "Reject"])
    (_, arg) = re.findall(r'data-click="permission" data-arg="([^"]*)"', other.html("log"))
    other.say("permission", arg=unescape(arg))
    for tab in (page, other):
        await until(tab, lambda tab=tab: "rejected" in tab.text("log"))  # type: ignore[misc]
        assert buttons(tab.html("log")) == []
    await page.settle()


# the requests


@in_loop
async def test_requests_are_listed_newest_first_without_what_is_secret() -> None:
    page = new_page()
    page.server = Server(token=SECRET)
    await page.start()
    page.server.stop()
    await connect(page, token=SECRET)
    page.server.start()
    await connect(page, token=SECRET)
    await begin(page)
    send(page, "the words of a prompt")
    await until(page, lambda: "Turn ended" in page.text("log"))
    page.say("traffic")
    await page.settle()
    html = page.html("requests")
    assert 'aria-label="Requests"' in html
    rows = re.findall(r"<tr id=[^>]*>(.*?)</tr>", html, re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    assert "session/prompt" in words[0]
    assert re.search(r" 200 [\d,]+ ms$", words[0])
    assert "/v1/agents" in " ".join(words)
    assert "/v1/health" in words[-1]
    assert "connection refused" in words[-1]
    assert SECRET not in html
    assert "the words of a prompt" not in html
    page.say("key", key="Escape", shift=False)
    await page.settle()
    assert page.html("requests") == ""


@in_loop
async def test_no_more_than_200_requests_are_kept_and_those_of_another_connection_stay_apart() -> None:
    page = await connected()
    for _ in range(20):
        page.say("new")
        page.say("install")
    await page.settle()
    before = len(page.runner.model.live.traffic)
    page.say("disconnect")
    await page.settle()
    await connect(page)
    page.say("traffic")
    await page.settle()
    assert len(page.runner.model.live.traffic) == min(200, before + 2)
    for _ in range(110):
        page.say("new")
        page.say("install")
    await page.settle()
    assert page.html("requests").count("<tr id=") == 200
    numbers = [one.id for one in page.runner.model.live.traffic]
    assert numbers == sorted(set(numbers), reverse=True)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"name": "connect-to", "values": {"url": "u", "token": "t"}}, ConnectWanted("u", "t")),
        ({"name": "connect-to", "values": {"url": 1, "token": "t"}}, None),
        ({"name": "connect-to"}, None),
        ({"name": "draft", "arg": "s", "value": "x" * (MAX_PROMPT + 1)}, Typed("s", "x" * MAX_PROMPT)),
        ({"name": "draft", "value": "x"}, None),
        ({"name": "prompt", "arg": "s", "values": {"text": "x"}}, PromptSent("s", "x")),
        ({"name": "prompt", "values": {"text": "x"}}, None),
        ({"name": "prompt", "arg": "s", "values": {}}, None),
        ({"name": "prompt", "arg": "s", "values": 7}, None),
        ({"name": "cancel-turn"}, None),
        ({"name": "setting", "arg": "other", "value": "x"}, None),
        ({"name": "setting", "arg": "mode", "value": 7}, None),
        ({"name": "create", "values": 7}, None),
    ],
)
def test_what_is_no_message_is_dropped(sent: dict[str, Any], message: object) -> None:
    assert from_page(sent) == message
