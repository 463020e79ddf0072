"""Agents in the inspector: the real page, the real server, the scripted agent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import BrowserContext, expect

from tests.servers import real_server

from .conftest import Open, go_to_inspector, wait_ready
from .live_page import STORED, begin, connect, log, message, question, say

UPDATE = "session/update"

PRESS_ENTER = """([field, how]) =>
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...how }))"""


def test_a_newcomer_connects_and_chats(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    expect(page.get_by_role("status")).to_contain_text("Connected to")
    begin(page)
    message(page).press_sequentially("Hello")
    message(page).press("Shift+Enter")
    message(page).press_sequentially("there")
    message(page).press("Enter")
    expect(log(page)).to_contain_text("You said: Hello")
    expect(log(page)).to_contain_text("Turn ended")
    expect(message(page)).to_have_value("")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    message(page).fill("a second one")
    page.get_by_role("button", name="Send").click()
    expect(log(page)).to_contain_text("Turn 2 in mode")
    expect(page.locator(".session")).to_have_count(1)


def test_a_permission_is_answered_with_a_button(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "with permission")
    expect(question(page).get_by_role("button")).to_have_text(["Allow", "Always allow", "Reject"])
    expect(question(page)).to_be_in_viewport()
    question(page).get_by_role("button", name="Allow", exact=True).click()
    expect(question(page)).to_contain_text("allowed once")
    expect(question(page).get_by_role("button")).to_have_count(0)
    expect(log(page)).to_contain_text("Turn ended")


def test_either_of_two_tabs_may_answer(
    open_inspector: Open, context: BrowserContext, site: str, agent_server: str
) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "with permission")
    expect(question(page).get_by_role("button")).to_have_count(3)
    other = context.new_page()
    go_to_inspector(other, site, page.url.partition("#")[2] and f"#{page.url.partition('#')[2]}")
    connect(other, agent_server)
    other.get_by_role("button", name="Resume").click()
    question(other).get_by_role("button", name="Reject").click()
    for tab in (page, other):
        expect(question(tab)).to_contain_text("rejected")
        expect(question(tab).get_by_role("button")).to_have_count(0)
    other.close()
    say(page, "still here")
    expect(log(page)).to_contain_text("You said: still here")


def test_a_turn_is_cancelled_and_settings_are_changed(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "wait for me")
    page.get_by_role("button", name="Cancel").click()
    expect(log(page)).to_contain_text("Turn cancelled")
    page.get_by_role("combobox", name="Mode", exact=True).select_option("plan")
    expect(log(page)).to_contain_text("mode Plan", ignore_case=True)
    say(page, "in which mode?")
    expect(log(page)).to_contain_text("in mode plan")


def test_a_reload_in_the_middle_of_a_turn_goes_on(open_inspector: Open, agent_server: str) -> None:
    """The token and the connection are gone, the address is remembered, and the turn ends in the same process."""
    page = open_inspector()
    connect(page, agent_server, token="secret-of-this-test")
    begin(page)
    say(page, "wait for the reload")
    expect(log(page)).to_contain_text("You said: wait for the reload")
    page.reload()
    wait_ready(page)
    assert "secret-of-this-test" not in page.evaluate(
        "JSON.stringify(localStorage) + document.documentElement.outerHTML"
    )
    page.get_by_role("button", name="Connect", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Server URL")).to_have_value(agent_server)
    expect(dialog.get_by_label("Token")).to_have_value("")
    dialog.get_by_role("button", name="Connect").click()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Cancel").click()
    expect(log(page)).to_contain_text("Turn cancelled")
    say(page, "and on")
    expect(log(page)).to_contain_text("Turn 2 in mode")


def test_why_there_is_no_connection_is_said(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, "http://127.0.0.1:9")
    dialog = page.get_by_role("dialog", name="Connect to a server")
    expect(dialog.get_by_role("alert")).to_contain_text("No answer from http://127.0.0.1:9")
    origin = "/".join(page.url.split("/")[:3])
    expect(dialog.get_by_role("alert")).to_contain_text(f"--cors-allow-origin {origin}")
    for address, reason in (
        ("http://192.168.1.7:2468", "by http only on this machine"),
        ("http://me:word@127.0.0.1:1", "holds a name or a password"),
        (page.url.partition("#")[0], "not a sandbox-agent server"),
    ):
        dialog.get_by_role("textbox", name="Server URL").fill(address)
        dialog.get_by_role("button", name="Connect").click()
        expect(dialog.get_by_role("alert")).to_contain_text(reason)
    dialog.get_by_role("textbox", name="Server URL").fill(agent_server)
    dialog.get_by_role("textbox", name="Server URL").press("Enter")
    expect(page.get_by_role("button", name="New session")).to_be_visible()


def test_requests_are_listed_and_the_server_is_let_go(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "Hello")
    expect(log(page)).to_contain_text("Turn ended")
    page.get_by_role("button", name=re.compile("^Server ")).click()
    panel = page.get_by_role("dialog", name="Requests")
    prompt = panel.get_by_role("row").filter(has_text="session/prompt")
    expect(prompt).to_contain_text(re.compile(r"200\s*\d+ ms"))
    panel.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("button", name="Connect", exact=True)).to_be_visible()
    expect(message(page)).to_have_count(0)


def test_typed_text_outlives_another_session(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "first")
    expect(log(page)).to_contain_text("Turn ended")
    message(page).press_sequentially("not sent yet")
    begin(page)
    expect(message(page)).to_have_value("")
    expect(page.locator(".session")).to_have_count(2)  # and the list moves no more
    page.get_by_role("navigation", name="Sessions").get_by_role("link").filter(has_text="first").click()
    expect(message(page)).to_have_value("not sent yet")


def test_a_word_that_is_being_composed_is_not_sent(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    message(page).press_sequentially("nihon")
    for how in ({"isComposing": True}, {"keyCode": 229}, {"shiftKey": True}):
        assert page.evaluate(PRESS_ENTER, [message(page).element_handle(), how]), how  # nobody has taken the key
    expect(message(page)).to_have_value("nihon")
    assert not page.evaluate(PRESS_ENTER, [message(page).element_handle(), {}])
    expect(message(page)).to_have_value("")
    expect(log(page)).to_contain_text("You said: nihon")


def test_a_message_that_was_not_sent_is_in_the_field_again(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    page.route(f"{agent_server}/v1/acp/**", lambda route: route.fulfill(status=500, body="{}"))
    say(page, "precious words")
    expect(page.get_by_role("alert")).to_contain_text("The message was not sent")
    expect(message(page)).to_have_value("precious words")
    expect(message(page)).to_be_focused()
    page.unroute_all()
    message(page).press("Enter")
    expect(log(page)).to_contain_text("You said: precious words")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_server_that_goes_away_and_comes_back(open_inspector: Open, site: str, tmp_path: Path) -> None:
    """It wants a token, too. What was typed meanwhile is kept; its agents are gone with it, and are begun anew."""
    page = open_inspector()
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(site))
    with real_server(tmp_path, origins=(origin,), token="right") as server:
        connect(page, server.address, token="wrong")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("alert")).to_contain_text("refused the token")
        expect(dialog.get_by_label("Token")).to_be_focused()
        dialog.get_by_label("Token").fill("right")
        dialog.get_by_label("Token").press("Enter")
        expect(dialog).to_have_count(0)
        begin(page)
        say(page, "the first")
        expect(log(page)).to_contain_text("Turn ended")
        server.kill()
        where = page.get_by_role("button", name=re.compile("^Server .*reconnecting"))
        expect(where).to_be_visible()
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        expect(page.get_by_role("button", name="Send")).to_have_accessible_description(re.compile("does not answer"))
        message(page).press_sequentially("the second")
        message(page).press("Enter")
        expect(message(page)).to_have_value("the second")
        server.start()
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        message(page).press("Enter")
        expect(log(page)).to_contain_text("You said: the second")
        expect(page.get_by_role("button", name=re.compile("^Server .*, connected"))).to_be_visible()
        page.get_by_role("button", name=re.compile("^Server ")).click()
        panel = page.get_by_role("dialog", name="Requests")
        expect(panel).to_contain_text("/v1/health")
        expect(panel).not_to_contain_text("right")
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)


def test_a_stored_session_leads_to_its_server_and_goes_on(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "wait for the reload")
    expect(log(page)).to_contain_text("You said: wait for the reload")
    page.reload()
    wait_ready(page)
    page.get_by_role("button", name="Resume").click()
    dialog = page.get_by_role("dialog", name="Connect to a server")
    expect(dialog.get_by_role("textbox", name="Server URL")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("textbox", name="Server URL")).to_be_focused()
    page.keyboard.press("Enter")
    expect(message(page)).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(log(page)).to_contain_text("Turn cancelled")


def test_the_agent_of_a_deleted_session_ends(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    before = processes(agent_server)
    begin(page)
    say(page, "wait for ever")
    expect(log(page)).to_contain_text("You said: wait for ever")
    assert len(processes(agent_server) - before) == 1
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("Deleted 1 session")
    assert processes(agent_server) <= before
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_narrow_page_answers_too(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    page.set_viewport_size({"width": 360, "height": 640})
    connect(page, agent_server)
    begin(page)
    say(page, "with permission")
    expect(question(page).get_by_role("button", name="Reject")).to_be_in_viewport()
    question(page).get_by_role("button", name="Reject").click()
    expect(question(page)).to_contain_text("rejected")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_field_that_grows_leaves_the_end_of_the_transcript_in_sight(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "stream 400 words and markdown")
    expect(log(page)).to_contain_text("Turn ended")
    expect(log(page).get_by_text("Turn ended")).to_be_in_viewport()
    for _ in range(6):
        message(page).press("Shift+Enter")
    expect(log(page).get_by_text("Turn ended")).to_be_in_viewport()
    message(page).fill("")
    say(page, "with permission")
    expect(question(page).get_by_role("button", name="Reject")).to_be_in_viewport()


def processes(server: str) -> set[str]:
    """The agent processes that a server runs."""
    with urlopen(f"{server}/v1/acp") as answer:
        return {process["serverId"] for process in json.load(answer)["servers"]}


def test_a_flood_is_stored_whole(open_inspector: Open, agent_server: str) -> None:
    page = open_inspector()
    connect(page, agent_server)
    begin(page)
    say(page, "stream 2000 at 1000")
    expect(log(page)).to_contain_text("Turn ended")
    events = page.evaluate(STORED)
    assert [event["eventIndex"] for event in events] == list(range(1, len(events) + 1))
    updates = [event["payload"]["params"]["update"] for event in events if event["payload"].get("method") == UPDATE]
    words = [update for update in updates if update["sessionUpdate"] == "agent_message_chunk"]
    assert len(words) >= 2000
    assert not [event for event in events if str(event["payload"].get("method")).startswith("_pyapp/")]
