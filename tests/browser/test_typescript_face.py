"""`globalThis.pyapp`: the SDK `sandbox-agent` from npm keeps its sessions in our driver, against the real server.

What runs in the page is typescript/scenarios.ts, bundled with the SDK. The agent is examples/agent/scripted_agent.py.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .conftest import DIST, ROOT, Faults, go_to_inspector, wait_ready

USUAL = "sandbox-agent-session-store"
SOURCES = Path(__file__).parent / "typescript"
MODULE = "scenarios.js"

# A step that owes its end fails, since a page's script has no deadline of its own.
RUN = """async ([module, step, given]) => {
  const late = new Promise((_, reject) => setTimeout(reject, 30_000, new Error(`${step} did not come to its end`)));
  const steps = await import(module);
  return Promise.race([steps[step](...given), late]);
}"""


def run(page: Page, step: str, *given: Any) -> Any:
    """Carry out one of the functions of scenarios.ts in a page of `sdk_context`."""
    return page.evaluate(RUN, [page.url.partition("#")[0] + MODULE, step, list(given)])


@pytest.fixture(scope="session")
def sdk_bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """scenarios.ts and the SDK as one module for browsers."""
    out = tmp_path_factory.mktemp("bundle")
    npm_tool("vite", "build", "--config", str(SOURCES / "vite.config.ts"), "--outDir", str(out), "--logLevel", "warn")
    return (out / MODULE).read_text()


def npm_tool(*command: str, folder: Path = ROOT) -> None:
    """Run one of the project's npm tools; what it says is shown only when it fails."""
    program = ROOT / "node_modules" / ".bin" / command[0]
    done = subprocess.run([str(program), *command[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def serve_bundle(context: BrowserContext, site: str, bundle: str) -> None:
    """Let the pages of a context find the module beside the page, as if it was one of the site's files."""
    context.route(site + MODULE, lambda route: route.fulfill(body=bundle, content_type="text/javascript"))


@pytest.fixture(scope="module")
def face(browser: Browser, site: str, sdk_bundle: str) -> Iterator[Page]:
    """One page for the tests that keep to a database of their own."""
    context = browser.new_context(service_workers="block")
    serve_bundle(context, site, sdk_bundle)
    page = context.new_page()
    faults = Faults()
    faults.watch(page)
    go_to_inspector(page, site)
    yield page
    forget_the_sdks_own(faults)
    assert not faults.texts
    context.close()


def forget_the_sdks_own(faults: Faults) -> None:
    """The SDK asks for an agent's stream before the agent is there, and again with its next message.

    Its validator (zod) tries whether it may make functions of text. It may not, and does without.
    """
    own = re.compile(r"status of 404 .*/v1/acp/sdk-mock-|requires 'TrustedScript' assignment.*scenarios\.js")
    faults.texts = [text for text in faults.texts if not own.search(text)]


def ordered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: event["eventIndex"])


def check_events(page: Page, session_id: str, database: str) -> list[dict[str, Any]]:
    """A session's events, the same through the SDK and in IndexedDB: in order, without gaps, none twice."""
    events: list[dict[str, Any]] = run(page, "events", session_id)
    assert [event["eventIndex"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["id"] for event in events}) == len(events)
    stored = [event for event in run(page, "rows", database, "events") if event["sessionId"] == session_id]
    assert ordered(stored) == events
    return events


def summary(events: list[dict[str, Any]]) -> list[str]:
    """Two words for each event: who sent it, and the method, the kind of an update, or the kind of answer.

    The answer of a turn stands at its end. Where the SDK stores it is chance: it hears it by another way than the
    updates.
    """
    words: list[str] = []
    answers: list[str] = []
    for event in events:
        payload = event["payload"]
        update = payload.get("params", {}).get("update", {})
        what = update.get("sessionUpdate") or payload.get("method") or ("error" if "error" in payload else "result")
        if event["sender"] == "client":
            words, answers = words + answers, []
        (answers if "stopReason" in payload.get("result", {}) else words).append(f"{event['sender']} {what}")
    return words + answers


def said(events: list[dict[str, Any]]) -> str:
    """What the agent said in these events."""
    updates = [event["payload"].get("params", {}).get("update", {}) for event in events]
    return "".join(one["content"]["text"] for one in updates if one.get("sessionUpdate") == "agent_message_chunk")


NEW = ["client session/new", "agent result"]
WORDS = ["client session/prompt"] + ["agent agent_message_chunk"] * 2
TOOL = ["agent tool_call"] + ["agent tool_call_update"] * 2
TURN = [*WORDS, *TOOL, "agent result"]
RESTORED = [*WORDS, "agent agent_message_chunk", *TOOL, "agent result"]


def test_a_session_of_the_sdk_is_kept_listed_and_resumed_after_a_reload(
    page: Page, site: str, faults: Faults, sdk_bundle: str, agent_server: str
) -> None:
    serve_bundle(page.context, site, sdk_bundle)
    go_to_inspector(page, site)
    run(page, "connect", agent_server, USUAL)
    session_id = run(page, "create")
    in_list = page.get_by_role("navigation", name="Sessions").locator(f'a[href="#/sessions/{session_id}"]')
    expect(in_list).to_be_visible()
    assert run(page, "prompt", session_id, "Good morning") == "end_turn"
    before = check_events(page, session_id, USUAL)
    assert summary(before) == [*NEW, *TURN]

    page.reload()
    wait_ready(page)
    expect(in_list).to_contain_text("Good morning")
    run(page, "connect", agent_server, USUAL)
    run(page, "resume", session_id)
    assert run(page, "prompt", session_id, "Good evening") == "end_turn"
    after = check_events(page, session_id, USUAL)
    assert after[: len(before)] == before
    assert summary(after[len(before) :]) == [*NEW, *RESTORED], "the agent was told what had been said"
    assert said(after).endswith("You said: Good evening")

    [record] = run(page, "rows", USUAL, "sessions")
    assert record == run(page, "record", session_id)
    [restored] = [event for event in after[len(before) :] if "prompt" in event["payload"].get("params", {})]
    assert record["agentSessionId"] == restored["payload"]["params"]["sessionId"]
    assert record["lastConnectionId"] == restored["connectionId"] != before[-1]["connectionId"]
    in_list.click()
    transcript = page.get_by_role("log", name="Transcript")
    expect(transcript).to_contain_text("You said: Good morning")
    expect(transcript).to_contain_text("You said: Good evening")
    forget_the_sdks_own(faults)


def test_two_tabs_write_the_same_session_at_the_same_time(
    context: BrowserContext, site: str, faults: Faults, sdk_bundle: str, agent_server: str
) -> None:
    serve_bundle(context, site, sdk_bundle)
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        faults.watch(tab)
        tab.goto(site, wait_until="commit")
    for tab in tabs:
        wait_ready(tab)
        run(tab, "connectNotingRefusals", agent_server, USUAL)
    one, other = tabs
    session_id = run(one, "create")
    run(other, "resume", session_id)
    # One does not know of the two events of the other: it is refused twice, then has an index that is free.
    assert run(one, "prompt", session_id, "Hello") == "end_turn"
    refused = run(one, "refused")
    assert len(refused) == 2, refused
    for message in refused:
        assert re.match(r"EventConflictError: UNIQUE constraint failed: .*session_id, .*event_index", message)
    assert summary(check_events(other, session_id, USUAL)) == [*NEW, *NEW, *NEW, *RESTORED]

    for tab in tabs:
        run(tab, "connectNotingRefusals", agent_server, USUAL)
        run(tab, "beginToResume", session_id)
    for tab in tabs:
        run(tab, "resumed")
    events = check_events(one, session_id, USUAL)
    assert check_events(other, session_id, USUAL) == events
    assert sorted(summary(events)[-4:]) == sorted([*NEW, *NEW])
    forget_the_sdks_own(faults)
    assert not faults.texts, "the SDK says so when it could not store an event"


def test_permissions_and_cancelling_leave_a_whole_session(face: Page, agent_server: str) -> None:
    run(face, "connect", agent_server, "turns")
    session_id = run(face, "create")
    asked = [*WORDS, TOOL[0], "agent session/request_permission"]
    assert run(face, "prompt", session_id, "with permission") == "end_turn"
    assert run(face, "prompt", session_id, "with permission", "reject") == "end_turn"
    assert run(face, "cancel", session_id) == "cancelled"
    events = check_events(face, session_id, "turns")
    assert summary(events) == [
        *NEW,
        *[*asked, *TOOL[1:], "agent result"],
        *[*asked, TOOL[1], "agent result"],
        *[*WORDS, "client session/cancel", "agent result"],
    ]
    assert run(face, "record", session_id)["destroyedAt"] >= events[-3]["createdAt"]


def test_fields_that_are_undefined_or_null_come_back_as_the_sdk_gave_them(face: Page, agent_server: str) -> None:
    run(face, "connect", agent_server, "fields")
    session_id = run(face, "create")
    [stored] = run(face, "rows", "fields", "sessions")
    assert "sandboxId" not in stored
    assert [option["currentValue"] for option in stored["configOptions"]] == ["scripted-large", "low"]
    assert stored["modes"]["currentModeId"] == "code"
    run(face, "setMode", session_id, "plan")
    [stored] = run(face, "rows", "fields", "sessions")
    assert stored["modes"]["currentModeId"] == "plan"
    record = {**stored, "modes": None, "more": {"kept": [1, None]}}
    given = face.evaluate(
        """async record => {
          const driver = await (await pyapp).openDriver({databaseName: 'fields'});
          const given = {...record, destroyedAt: undefined, sandboxId: undefined};
          await driver.updateSession(given);
          await driver.close();
          return Object.keys(given);
        }""",
        record,
    )
    assert given == [*record, "destroyedAt", "sandboxId"], "what the caller gave is left as it was"
    assert run(face, "rows", "fields", "sessions") == [record]
    assert run(face, "record", session_id) == record


USE = """
import type { Driver, SessionEvent, SessionRecord } from './pyapp';
const driver: Driver = await (await globalThis.pyapp).openDriver({ durability: 'strict' });
const record: SessionRecord | undefined = await driver.getSession('s');
const { items, nextCursor } = await driver.listEvents({ sessionId: 's', limit: 5 });
export const text: string | undefined = record?.agent ?? items[0]?.payload.jsonrpc ?? nextCursor;
// @ts-expect-error: no such durability
await (await pyapp).openDriver({ durability: 'eventual' });
// @ts-expect-error: an event needs a payload
const event: SessionEvent =
  { id: 'e', eventIndex: 1, sessionId: 's', createdAt: 1, connectionId: 'c', sender: 'agent' };
await driver.insertEvent('s', event);
"""


def test_the_shipped_types_stand_alone(tmp_path: Path) -> None:
    compile_with_shipped_types(tmp_path, {"use.ts": USE}, "--exactOptionalPropertyTypes")


def test_the_samples_of_the_readme_fit_the_types(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    samples = re.findall(r"^```js\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert any("from 'sandbox-agent'" in sample for sample in samples)
    modules = {f"sample-{number}.ts": f"{sample}\nexport {{}};\n" for number, sample in enumerate(samples)}
    compile_with_shipped_types(tmp_path, modules, "--skipLibCheck")


def compile_with_shipped_types(folder: Path, modules: dict[str, str], *settings: str) -> None:
    """Fails unless TypeScript is content with these modules beside dist/pyapp.d.ts."""
    (folder / "pyapp.d.ts").write_bytes((DIST / "pyapp.d.ts").read_bytes())
    for name, text in modules.items():
        (folder / name).write_text(text)
    modern = ("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--types", "")
    npm_tool("tsc", "--noEmit", "--strict", *modern, *settings, "pyapp.d.ts", *modules, folder=folder)
