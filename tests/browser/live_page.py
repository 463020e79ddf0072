"""What a user does in the inspector to talk to an agent."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

STORED = """async () => {
  const driver = await (await globalThis.pyapp).openDriver();
  const [session] = (await driver.listSessions({})).items;
  const events = [];
  let cursor;
  do {
    const page = await driver.listEvents({ sessionId: session.id, cursor, limit: 2000 });
    events.push(...page.items.map(({ eventIndex, sender, payload }) => ({ eventIndex, sender, payload })));
    cursor = page.nextCursor;
  } while (cursor);
  return events;
}"""
"""The events of the only session, as the page's own driver reads them."""


def connect(page: Page, server: str, token: str = "") -> None:
    page.get_by_role("button", name="Connect", exact=True).click()
    dialog = page.get_by_role("dialog", name="Connect to a server")
    dialog.get_by_role("textbox", name="Server URL").fill(server)
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Connect").click()


def begin(page: Page, **chosen: str) -> None:
    """A new session of the scripted agent."""
    page.get_by_role("button", name="New session").click()
    dialog = page.get_by_role("dialog", name="New session")
    dialog.get_by_role("combobox", name="Agent").select_option("mock")
    for name, value in chosen.items():
        dialog.get_by_role("combobox", name=name).select_option(value)
    dialog.get_by_role("button", name="Create").click()
    expect(message(page)).to_be_focused()


def message(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Transcript")


def say(page: Page, text: str) -> None:
    message(page).fill(text)
    message(page).press("Enter")


def question(page: Page) -> Locator:
    return page.get_by_role("group", name="Permission request")
