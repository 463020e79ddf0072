"""The page in examples/browser, beside the built site, with the real server."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import Faults


def test_the_page_prompts_an_agent_and_goes_on_after_a_reload(page: Page, site: str, agent_server: str) -> None:
    page.goto(f"{site}example/index.html?server={agent_server}")
    status = page.get_by_role("status")
    expect(status).to_have_text("Ready")
    for turn, words in enumerate(("Hello", "And on"), 1):
        page.get_by_label("Prompt").fill(words)
        page.get_by_role("button", name="Send").click()
        expect(status).to_have_text("The turn has ended: end_turn")
        expect(page.get_by_text(f"Turn {turn} in mode code")).to_be_visible()  # the agent counts them
        expect(page.get_by_text(f"You said: {words}")).to_be_visible()
        stored = page.get_by_role("listitem").all_inner_texts()
        page.reload()
        expect(status).to_have_text("Ready")
        expect(page.get_by_role("listitem")).to_have_text(stored)


def test_the_page_says_that_no_server_answers(page: Page, site: str, faults: Faults) -> None:
    page.goto(f"{site}example/index.html?server=http://127.0.0.1:9")
    expect(page.get_by_role("status")).to_contain_text("ServerUnreachableError")
    faults.expect("ERR_")  # the browser's own word in the console
