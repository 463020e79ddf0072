"""The driver that `globalThis.pyapp` gives, call by call: what it takes, what it refuses, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from .conftest import Faults, go_to_inspector

SESSION = {"id": "s", "agent": "mock", "agentSessionId": "a", "lastConnectionId": "c", "createdAt": 5}


@pytest.fixture(scope="module")
def face(browser: Browser, site: str) -> Iterator[Page]:
    """One page for all tests of this file, each of which has a database of its own."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    faults = Faults()
    faults.watch(page)
    go_to_inspector(page, site)
    yield page
    assert not faults.texts
    context.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("{durability: 'eventual'}", "ValueError: durability must be one of ('relaxed', 'strict', 'default')"),
        ("{durability: 1}", "TypeError: durability must be a text that is not empty, not 1"),
        ("{durability: ''}", "TypeError: durability must be a text that is not empty"),
        ("{databaseName: null}", "TypeError: databaseName must be a text that is not empty, not null"),
        ("{databaseName: ['a']}", """TypeError: databaseName must be a text that is not empty, not ["a"]"""),
        ("{databaseName: () => 'a'}", "TypeError: databaseName is a function, which JSON cannot hold"),
        ("{databaseName: 5n}", "TypeError: "),
        ("{database: 'a'}", "TypeError: there is no option 'database'; there are databaseName and durability"),
        ("'relaxed'", """TypeError: the options must be an object, not "relaxed\""""),
    ],
)
def test_options_that_are_not_as_declared_are_refused(face: Page, options: str, says: str) -> None:
    said = face.evaluate(f"async () => (await pyapp).openDriver({options}).then(() => 'opened', String)")
    assert said.startswith(says)


def test_options_may_be_left_out_or_undefined(face: Page) -> None:
    for options in (
        "",
        "undefined",
        "{}",
        "{databaseName: undefined, durability: undefined}",
        "{durability: 'strict'}",
    ):
        said = face.evaluate(
            f"""async () => {{
              const driver = await (await pyapp).openDriver({options});
              const found = await driver.getSession('nobody');
              await driver.close();
              return [found === undefined, Object.keys(driver).sort()];
            }}"""
        )
        methods = ["close", "getSession", "insertEvent", "listEvents", "listSessions", "updateSession"]
        assert said == [True, methods]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("getSession(5)", "InvalidRecordError: id must be text"),
        ("listEvents()", "InvalidRecordError: sessionId must be text"),
        ("listEvents({sessionId: 's', limit: 0})", "ValueError: limit must be a whole number from 1 to "),
        ("listSessions({limit: 1.5})", "ValueError: limit must be a whole number from 1 to "),
        ("listSessions({limit: NaN})", "TypeError: limit is NaN, which JSON cannot hold"),
        ("listSessions({cursor: '7'})", "InvalidCursorError: not a cursor of a list of sessions: '7'"),
        ("updateSession()", "InvalidRecordError: session record: expected an object, not None"),
        (
            "updateSession({...session, createdAt: '5'})",
            "InvalidRecordError: session record: createdAt must be a whole",
        ),
        (
            "updateSession({...session, sessionInit: {on: () => 1}})",
            "TypeError: on is a function, which JSON cannot hold",
        ),
        ("updateSession({...session, more: circle})", "TypeError: Converting circular structure to JSON"),
        ("updateSession({...session, more: deep(300)})", "ValueError: nested "),
        (
            "insertEvent('s', {...event, sessionId: 'x'})",
            "InvalidRecordError: event 'e' belongs to session 'x', not to 's'",
        ),
        ("insertEvent('s', {...event, payload: {at: Infinity}})", "TypeError: at is Infinity, which JSON cannot hold"),
        ("insertEvent('s', {...event, payload: {id: 5n}})", "TypeError: "),
    ],
)
def test_a_call_that_cannot_be_carried_out_says_why_and_stores_nothing(face: Page, call: str, says: str) -> None:
    said, stored = face.evaluate(
        f"""async session => {{
          const driver = await (await pyapp).openDriver({{databaseName: 'refusals'}});
          const event = {{id: 'e', eventIndex: 1, sessionId: 's', createdAt: 6, connectionId: 'c', sender: 'client',
                          payload: {{}}}};
          const circle = {{}};
          circle.circle = circle;
          const deep = levels => levels ? [deep(levels - 1)] : [];
          const said = await driver.{call}.then(() => 'done', error => [error instanceof Error, String(error)]);
          const stored = [await driver.listSessions(), await driver.listEvents({{sessionId: 's'}})];
          await driver.close();
          return [said, stored];
        }}""",
        SESSION,
    )
    assert said[0] is True
    assert said[1].startswith(says)
    assert stored == [{"items": []}, {"items": []}]


def test_an_object_that_postmessage_cannot_clone_is_stored_as_what_json_sees(face: Page) -> None:
    stored = face.evaluate(
        """async session => {
          const driver = await (await pyapp).openDriver({databaseName: 'proxies'});
          const init = new Proxy({cwd: '/', mcpServers: new Proxy([], {})}, {});
          await driver.updateSession(new Proxy({...session, sessionInit: init}, {}));
          const stored = await driver.getSession('s');
          await driver.close();
          return stored;
        }""",
        SESSION,
    )
    assert stored == {**SESSION, "sessionInit": {"cwd": "/", "mcpServers": []}}


def test_a_page_of_a_listing_gives_the_cursor_of_the_next(face: Page) -> None:
    pages = face.evaluate(
        """async session => {
          const driver = await (await pyapp).openDriver({databaseName: 'pages'});
          for (let n = 1; n <= 5; n++) {
            await driver.updateSession({...session, id: `s${n}`, createdAt: 10 - n});
            await driver.insertEvent('s', {id: `e${n}`, eventIndex: 6 - n, sessionId: 's', createdAt: n,
              connectionId: 'c', sender: 'agent', payload: {jsonrpc: '2.0', method: 'm'}});
          }
          const read = async (list) => {
            const pages = [];
            let cursor;
            do {
              const page = await list({cursor, limit: 2});
              pages.push(page.items.map(item => item.id));
              cursor = page.nextCursor;
            } while (cursor !== undefined);
            return pages;
          };
          const sessions = await read(driver.listSessions);
          const events = await read(request => driver.listEvents({sessionId: 's', ...request}));
          const last = await driver.listEvents({sessionId: 's', limit: 5});
          await driver.close();
          return {sessions, events, last: Object.keys(last)};
        }""",
        SESSION,
    )
    assert pages["sessions"] == [["s5", "s4"], ["s3", "s2"], ["s1"]]
    assert pages["events"] == [["e5", "e4"], ["e3", "e2"], ["e1"]]
    assert pages["last"] == ["items"]


def test_after_close_a_driver_says_so_and_others_work_on(face: Page) -> None:
    said = face.evaluate(
        """async session => {
          const {openDriver} = await pyapp;
          const [driver, other] = [await openDriver({databaseName: 'shut'}), await openDriver({databaseName: 'shut'})];
          const underWay = driver.updateSession(session);
          await driver.close();
          await underWay;
          const calls = [driver.getSession('s'), driver.listSessions(), driver.updateSession(session),
            driver.listEvents({sessionId: 's'}), driver.insertEvent('s', {})];
          const said = (await Promise.allSettled(calls)).map(call => String(call.reason));
          return {said, again: await driver.close() === undefined, found: await other.getSession('s')};
        }""",
        SESSION,
    )
    message = "StoreUnavailableError: this driver was closed; open another with pyapp.openDriver()"
    assert said["said"] == [message] * 5
    assert said["again"], "closing twice does no harm"
    assert said["found"] == SESSION, "a call that was under way is carried out"


GONE = """
const start = {way: 'plain', why: '', steps: []};
self.onmessage = ({data}) => {
  if (data.type === 'start') self.postMessage({type: 'ready', version: '0', start});
  if (data.type === 'call') setTimeout(() => { throw new Error('out of memory'); });
};
self.postMessage({type: 'listening'});
"""


def test_calls_reject_when_the_worker_is_gone(page: Page, site: str) -> None:
    page.context.route("**/assets/worker-*.js", lambda route: route.fulfill(body=GONE, content_type="text/javascript"))
    page.goto(site)
    said = page.evaluate(
        """async () => {
          const late = new Promise(resolve => setTimeout(resolve, 10_000, 'no answer'));
          const {openDriver} = await Promise.race([pyapp, late]);
          const said = () => Promise.race([openDriver().catch(String), late]);
          return [await said(), await said()];
        }"""
    )
    assert said[0].startswith("Error: The worker in which Python runs could not be started, or broke off")
    assert said[1] == said[0]
